/** Every rule at every place of the number space: sequence numbers wrap at 2^32, and comparisons at 2^31 (RFC 9293 3.4). */
import { deepEqual, equal, ok } from "node:assert/strict";
import { milliseconds, seconds } from "../../../stack/store/time.ts";
import { familyTest } from "../../support/family.ts";
import { type Answer, established, type PeerOptions, type TcpPeer } from "../../support/peer-tcp.ts";

/** Where the numbers of either side start. */
const PLACES = [0x1000_0000, 0x7fff_f000, 0x7fff_ffff, 0x8000_0000, 0xffff_f000, 0xffff_ffff, 0].map((n) =>
  n | 0
);

/**
 * When a passive connection starts with this number, or up to 250 before: its clock is 4 microseconds a number (RFC 9293
 * 3.4.1), and timers have ticks of a millisecond, which are to fall alike.
 */
function startFor(iss: number, options: PeerOptions): number {
  const first = established({ ...options, start: 0 });
  return Math.floor(((iss - first.irs) >>> 0) / 250) * 1_000;
}

/** What happens in a busy connection, in relative numbers and times. */
function course(peer: TcpPeer): unknown[] {
  const start = peer.now;
  const all: Answer[] = [];
  const note = (answers: Answer[]) => all.push(...answers);
  peer.connection.quickAcks = 0;
  // Sending: a loss repaired by SACK, one by a timeout, a closed window.
  peer.user.write(30_000);
  note(peer.flush());
  note(peer.pass(milliseconds(50)));
  note(peer.send({ flags: "A", ack: 2_001, sack: [[3_001, 7_001]] }));
  note(peer.pass(milliseconds(100)));
  note(peer.send({ flags: "A", ack: 7_001 }));
  note(peer.pass(seconds(3)));
  note(peer.send({ flags: "A", window: 0 }));
  note(peer.pass(seconds(3)));
  note(peer.send({ flags: "A", window: 60_000 }));
  note(peer.send({ flags: "A" }));
  note(peer.send({ flags: "A" }));
  // Receiving: out of order, duplicates, outside of the window, resets and SYNs.
  for (const seq of [5_001, 1_001, 3_001, 1, 2_001, 4_001, 1, 200_000, -5_000]) {
    note(peer.send({ flags: "A", seq, length: 1_000 }));
  }
  note(peer.pass(seconds(2)));
  for (const flags of ["R", "S"]) note(peer.send({ flags, seq: 7_000 }));
  note(peer.pass(seconds(2)));
  note(peer.send({ flags: "A", seq: 6_001, ack: -100_000, length: 10 }));
  peer.connection.close();
  note(peer.flush());
  note(peer.send({ flags: "A", seq: 6_001 }));
  note(peer.send({ flags: "FA", seq: 6_001 }));
  return all.map(({ flags, seq, ack, length, window, sack, time }) => {
    return [flags, seq, ack, length, window, sack, time - start];
  });
}

familyTest("tcp: a connection runs the same wherever the numbers of either side start (RFC 9293 3.4)", () => {
  const options: PeerOptions = { syn: { mss: 1_000, sackPermitted: true } };
  const model = course(established({ ...options, start: startFor(0x1000_0000, options) }));
  equal(model.length > 40, true, `a course of ${model.length} segments`);
  for (const iss of PLACES) {
    const peer = established({ ...options, iss, start: startFor(iss, options) });
    ok(((iss - peer.irs) >>> 0) < 250);
    deepEqual(course(peer), model, `numbers from ${(iss >>> 0).toString(16)}`);
  }
});

familyTest("tcp: numbers may come round to the first one again (RFC 9293 3.4)", () => {
  const peer = established();
  const c = peer.connection;
  // As if 4 GiB had been sent: everything stands where it began, but the connection is open.
  c.sndUna = c.iss;
  c.flight.reset(c.iss);
  c.sndWl2 = c.iss;
  c.lastShortEnd = c.iss;
  peer.user.write(100);
  equal(peer.flush()[0]?.seq, 0);
  peer.send({ flags: "A", ack: 100 });
  equal(peer.user.send.length, 0, "all of it is acknowledged");
});

familyTest(
  "tcp: a short segment long ago does not hold back one now, 2^31 bytes later (RFC 9293 3.4, 3.7.4)",
  () => {
    const peer = established({ syn: { mss: 1_000, scale: 14 } });
    const c = peer.connection;
    peer.user.write(10);
    peer.flush();
    peer.send({ flags: "A" });
    // As if nothing but full segments had been sent and acknowledged since.
    for (let step = 0; step < 3; step++) {
      const end = (c.sndUna + 0x3000_0000) | 0;
      c.flight.push(end, peer.now);
      peer.expected += 0x3000_0000;
      Object.defineProperty(peer.user.send, "ack", { value: () => {}, configurable: true });
      peer.send({ flags: "A", ack: (end - peer.irs) | 0 });
    }
    Reflect.deleteProperty(peer.user.send, "ack");
    peer.expected = (c.sndUna - peer.irs) | 0;
    peer.user.write(10);
    equal(peer.flush()[0]?.length, 10);
  },
);
