/** How the first slow start ends: HyStart++, RFC 9406. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { type Instant, milliseconds } from "../../../stack/store/time.ts";
import { congestionMaker, type CongestionName } from "../../../stack/tcp/congestion/choice.ts";
import { familyTest } from "../../support/family.ts";
import { settled, TcpPeer } from "../../support/peer-tcp.ts";

const MSS = 1_000;
const NAMES: readonly CongestionName[] = ["cubic", "cubic+", "newreno"];

/** A connection with much to send, whose handshake took 100 ms. */
function sender(name: CongestionName): TcpPeer {
  const peer = settled({
    syn: { mss: MSS, scale: 7, sackPermitted: true },
    window: 0xffff,
    handshake: milliseconds(100),
    slots: 400,
    tcp: { congestion: congestionMaker(name) },
  });
  peer.user.write(1_000_000);
  peer.flush();
  return peer;
}

/** Has everything in flight acknowledged, a segment at a time, so long after it left. Answers the window's growth. */
function round(peer: TcpPeer, rtt: Instant, limit: number = Infinity): number {
  const { connection } = peer;
  const flight = (connection.sndNxt - connection.sndUna) | 0;
  const first = peer.expected - flight;
  const before = connection.control.cwnd;
  peer.pass(rtt);
  for (let acked = MSS; acked <= Math.min(flight, limit * MSS); acked += MSS) {
    peer.send({ flags: "A", ack: first + acked });
  }
  return connection.control.cwnd - before;
}

for (const name of NAMES) {
  familyTest(
    `tcp: ${name} slows its slow start down when a round trip has grown by an eighth (RFC 9406 4.2)`,
    () => {
      for (const [rtt, growth] of [[112, 40_000], [113, 7_000 + 33 * 250]] as const) {
        const peer = sender(name);
        equal(round(peer, milliseconds(100)), 10_000);
        equal(round(peer, milliseconds(100)), 20_000);
        equal(round(peer, milliseconds(rtt)), growth, `${rtt} ms`);
      }
    },
  );

  familyTest(`tcp: ${name} ends it after five rounds, with the window that it has (RFC 9406 4.2)`, () => {
    const peer = sender(name);
    const { control } = peer.connection;
    for (let index = 0; index < 2; index++) round(peer, milliseconds(100));
    for (let index = 0; index < 5; index++) {
      equal(control.ssthresh, Infinity);
      round(peer, milliseconds(120));
    }
    const { cwnd } = control;
    ok(round(peer, milliseconds(120)) <= 2 * MSS, "congestion avoidance (RFC 5681 3.1, RFC 9438 4.10)");
    equal(control.ssthresh, cwnd);
    equal(peer.tcp.counters.retransmitted, 0);
  });

  familyTest(`tcp: ${name} takes it up again when the growth was jitter (RFC 9406 4.2)`, () => {
    const peer = sender(name);
    for (let index = 0; index < 2; index++) round(peer, milliseconds(100));
    round(peer, milliseconds(120));
    const flight = Math.floor(peer.connection.control.cwnd / MSS);
    const growth = round(peer, milliseconds(100));
    ok(growth > (flight - 8) * MSS, `${growth} of ${flight}`);
    equal(peer.connection.control.ssthresh, Infinity);
  });

  familyTest(
    `tcp: ${name} is not slowed down by few round trips, nor by less than 4 ms (RFC 9406 4.3)`,
    () => {
      const peer = sender(name);
      round(peer, milliseconds(100));
      const growth = round(peer, milliseconds(150), 7);
      equal(growth, 7_000, "seven");
      const near = sender(name);
      deepEqual([1, 1, 4, 7].map((rtt) => round(near, milliseconds(rtt))), [10_000, 20_000, 40_000, 80_000]);
    },
  );

  familyTest(
    `tcp: ${name} knows its threshold after a timeout, and does not look at round trips (RFC 9406 4.2)`,
    () => {
      const peer = sender(name);
      for (let index = 0; index < 3; index++) round(peer, milliseconds(100));
      peer.pass(milliseconds(1_000));
      const { control } = peer.connection;
      ok(control.ssthresh >= 40_000 && control.cwnd === MSS, `${control.ssthresh}`);
      peer.send({ flags: "A", ack: peer.expected });
      round(peer, milliseconds(100));
      const flight = peer.connection.sndNxt - peer.connection.sndUna;
      equal(round(peer, milliseconds(200)), flight);
    },
  );
}
