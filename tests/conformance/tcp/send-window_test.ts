/** A peer's window, from the sender's side: RFC 9293 3.8.6. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { milliseconds, seconds } from "../../../stack/store/time.ts";
import { familyTest } from "../../support/family.ts";
import { type Answer, expect, settled, TcpPeer, times } from "../../support/peer-tcp.ts";
import { stateOf } from "./states.ts";

/** A connection whose peer has closed its window, with data that waits; the last byte that the peer has is `una - 1`. */
function closed(una: number = 1_001): TcpPeer {
  const peer = settled();
  peer.user.write(una - 1);
  peer.flush();
  peer.user.write(3_000);
  deepEqual(peer.flush().map(({ length }) => length), [1_000, 1_000, 1_000]);
  peer.send({ flags: "A", ack: una + 3_000, window: 0 });
  peer.user.write(5_000);
  deepEqual(peer.flush(), []);
  return peer;
}

const isProbe = ({ flags, seq, length }: Answer, una: number) =>
  flags === "A" && seq === una - 1 && length === 0;

familyTest(
  "tcp: a closed window is probed with an old number, first after a timeout, then ever more rarely (RFC 9293 3.8.6.1)",
  () => {
    const peer = closed();
    const start = peer.now;
    const { rto } = peer.connection.rtt;
    const probes = peer.pass(seconds(30));
    ok(probes.every((probe) => isProbe(probe, 4_001)));
    const gaps = times(probes, start).map((time, index, all) => time - (all[index - 1] ?? 0));
    ok(gaps[0]! * 1_000 >= rto, "not before a retransmission timeout");
    for (const [index, gap] of gaps.entries()) {
      if (index > 0) ok(Math.abs(gap - 2 * gaps[index - 1]!) <= 2, `doubled: ${gaps}`);
    }
    equal(peer.tcp.counters.retransmitted, 0);
  },
);

familyTest(
  "tcp: data written into a window that is closed already is probed for as well (RFC 9293 3.8.6.1)",
  () => {
    const peer = settled();
    peer.send({ flags: "A", window: 0 });
    deepEqual(peer.pass(seconds(10)), []);
    peer.user.write(10);
    deepEqual(peer.flush(), []);
    expect(peer.pass(seconds(2)).slice(0, 1), [{ flags: "A", seq: 0, length: 0 }]);
    expect(peer.send({ flags: "A", window: 100 }), [{ seq: 1, length: 10 }]);
  },
);

familyTest(
  "tcp: probes are a timeout apart at most two minutes, for as long as they are answered (RFC 9293 3.8.6.1)",
  () => {
    const peer = closed();
    let last = peer.now;
    for (let hour = 0; hour < 400; hour++) {
      const [probe] = peer.pass(seconds(121));
      ok(probe !== undefined && isProbe(probe, 4_001));
      ok(probe.time - last <= seconds(242));
      last = probe.time;
      peer.send({ flags: "A", window: 0 });
    }
    deepEqual(peer.user.heard, ["opened"]);
    expect(peer.send({ flags: "A", window: 1_000 }), [{ seq: 4_001, length: 1_000 }]);
  },
);

familyTest(
  "tcp: probes that nobody answers end with the user timeout, also after others were answered (RFC 9293 3.8.6.1, RFC 5482)",
  () => {
    for (const answered of [0, 3]) {
      const peer = closed();
      for (let index = 0; index < answered; index++) {
        peer.pass(seconds(300));
        peer.send({ flags: "A", window: 0 });
      }
      const start = peer.now;
      peer.connection.userTimeout = seconds(100);
      peer.pass(seconds(99) - milliseconds(1));
      deepEqual(peer.user.heard, ["opened"]);
      peer.pass(seconds(300));
      deepEqual(peer.user.heard, ["opened", "TimedOut"], `after ${start}`);
    }
  },
);

familyTest(
  "tcp: an acknowledgment that opens the window lets data out at once, and the next closing starts afresh (RFC 9293 3.8.6.1)",
  () => {
    const peer = closed();
    peer.pass(seconds(30));
    expect(peer.send({ flags: "A", window: 2_000 }), [{ seq: 4_001, length: 1_000 }, { length: 1_000 }]);
    peer.send({ flags: "A", window: 0 });
    const start = peer.now;
    const [probe] = peer.pass(seconds(3));
    ok(probe!.time - start < seconds(2), "the backoff is over");
  },
);

familyTest(
  "tcp: no byte is sent beyond the window, and none behind a window that has shrunk (RFC 9293 3.8.6, SHLD-15)",
  () => {
    const peer = settled();
    peer.send({ flags: "A", window: 2_500 });
    peer.user.write(10_000);
    expect(peer.flush(), [{ seq: 1, length: 1_000 }, { seq: 1_001, length: 1_000 }]);
    deepEqual(peer.send({ flags: "A", ack: 1_001, window: 1_000 }), []);
    deepEqual(peer.send({ flags: "A", ack: 1_001, window: 500 }), [], "it shrinks below what is in flight");
    expect(peer.send({ flags: "A", ack: 2_001, window: 1_000 }), [{ seq: 2_001, length: 1_000 }]);
  },
);

familyTest(
  "tcp: a peer that shrinks its window to nothing and answers keeps the connection (RFC 9293 3.8.6, SHLD-17)",
  () => {
    const peer = settled();
    peer.user.write(3_000);
    peer.flush();
    for (let index = 0; index < 20; index++) {
      peer.pass(seconds(100));
      peer.send({ flags: "A", ack: 1, window: 0 });
    }
    deepEqual(peer.user.heard, ["opened"]);
    peer.pass(seconds(2_000));
    deepEqual(peer.user.heard, ["opened", "TimedOut"], "but not when it falls silent");
  },
);

familyTest(
  "tcp: a small window in the middle of data waits for half of the largest (RFC 9293 3.8.6.2.1)",
  () => {
    const peer = settled();
    peer.send({ flags: "A", window: 4_000 });
    peer.user.write(4_000);
    peer.flush();
    peer.send({ flags: "A", window: 0 });
    peer.user.write(4_000);
    deepEqual(peer.send({ flags: "A", window: 400 }), []);
    expect(peer.send({ flags: "A", window: 1_000 }), [{ length: 1_000 }], "a whole segment goes");
  },
);

familyTest(
  "tcp: what a small window takes goes after a timeout, so that nothing waits for ever (RFC 9293 3.8.6.2.1)",
  () => {
    const peer = settled();
    peer.send({ flags: "A", window: 65_000 });
    peer.user.write(1_000);
    peer.flush();
    peer.send({ flags: "A", window: 0 });
    peer.user.write(1_000);
    deepEqual(peer.send({ flags: "A", window: 300 }), []);
    expect(peer.pass(milliseconds(250)), [{ seq: 1_001, length: 300 }]);
  },
);

familyTest(
  "tcp: a peer whose windows are all smaller than a segment is sent what they take (RFC 9293 3.8.6.2.1)",
  () => {
    const peer = settled({ window: 300 });
    peer.user.write(1_000);
    expect(peer.flush(), [{ seq: 1, length: 300 }]);
    expect(peer.send({ flags: "A", window: 300 }), [{ seq: 301, length: 300 }]);
    expect(peer.send({ flags: "A", window: 150 }), [{ seq: 601, length: 150 }], "half of the largest window");
  },
);

familyTest("tcp: a FIN waits for room in the window like a byte (RFC 9293 3.4)", () => {
  const peer = settled();
  peer.send({ flags: "A", window: 0 });
  peer.connection.close();
  deepEqual(peer.flush(), []);
  expect(peer.pass(milliseconds(250)), [{ flags: "A", seq: 0 }]);
  expect(peer.send({ flags: "A", window: 1 }), [{ flags: "FA", seq: 1 }]);
});

familyTest(
  "tcp: an old segment does not set the window, a newer one with the same acknowledgment does (RFC 9293 3.10.7.4, SND.WL1 and SND.WL2)",
  () => {
    const peer = settled();
    peer.user.write(100);
    peer.flush();
    peer.send({ flags: "A", seq: 1, length: 10, ack: 101, window: 5_000 });
    peer.send({ flags: "A", seq: 11, ack: 1, window: 9 });
    equal(peer.connection.sndWnd, 5_000, "older acknowledgment");
    peer.send({ flags: "A", seq: 11, ack: 101, window: 3_000 });
    equal(peer.connection.sndWnd, 3_000);
    peer.send({ flags: "A", seq: 5, length: 7, ack: 101, window: 44 });
    equal(peer.connection.sndWnd, 3_000, "older sequence number");
  },
);

familyTest(
  "tcp: an orphan whose peer keeps the window closed ends though probes are answered (RFC 6429 3)",
  () => {
    const peer = closed();
    peer.connection.close();
    peer.tcp.orphan(peer.connection);
    for (let index = 0; index < 20; index++) {
      peer.pass(seconds(100));
      if (stateOf(peer) !== "CLOSED") peer.send({ flags: "A", window: 0 });
    }
    equal(stateOf(peer), "CLOSED");
    deepEqual(peer.user.heard, ["opened", "TimedOut"]);
  },
);
