/** How much is sent: RFC 6928, RFC 5681, RFC 3465, RFC 9438, RFC 2861, RFC 3168. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { milliseconds, seconds } from "../../../stack/store/time.ts";
import { Cubic } from "../../../stack/tcp/congestion/cubic.ts";
import { NewReno } from "../../../stack/tcp/congestion/newreno.ts";
import { distance } from "../../../stack/tcp/sequence.ts";
import { Address } from "../../../stack/wire/address.ts";
import { familyTest, peer as peerAddress } from "../../support/family.ts";
import { expect, listening, type PeerOptions, settled, syn, TcpPeer } from "../../support/peer-tcp.ts";

const RTT = milliseconds(100);
const WIDE: PeerOptions = {
  syn: { mss: 1_000, scale: 7, sackPermitted: true },
  window: 0xffff,
  handshake: RTT,
};

/** Has everything in flight acknowledged, a segment at a time, a round trip after it left. */
function round(peer: TcpPeer): number {
  const from = peer.connection.sndUna, to = peer.connection.sndNxt;
  const segments = Math.ceil(((to - from) | 0) / 1_000);
  peer.pass(RTT);
  const first = peer.expected - ((to - from) | 0);
  for (let index = 1; index <= segments; index++) {
    peer.send({ flags: "A", ack: Math.min(first + index * 1_000, first + ((to - from) | 0)) });
  }
  return segments;
}

familyTest(
  "tcp: the first flight is ten segments, and 14,600 bytes at most unless two are more (RFC 6928 2)",
  () => {
    for (const [mss, segments] of [[536, 10], [1_000, 10], [1_460, 10]] as const) {
      const peer = settled({ syn: { mss, scale: 7 } });
      peer.user.write(100_000);
      equal(peer.flush().length, segments, `MSS ${mss}`);
    }
  },
);

familyTest("tcp: slow start doubles the flight each round trip (RFC 5681 3.1)", () => {
  const peer = settled({ ...WIDE, slots: 400 });
  peer.user.write(600_000);
  peer.flush();
  deepEqual([round(peer), round(peer), round(peer), round(peer)], [10, 20, 40, 80]);
});

familyTest(
  "tcp: slow start counts bytes, so that acknowledgments in crumbs gain nothing (RFC 3465 2.1)",
  () => {
    const peer = settled(WIDE);
    peer.user.write(600_000);
    peer.flush();
    peer.pass(RTT);
    for (let ack = 11; ack <= 1_001; ack += 10) peer.send({ flags: "A", ack });
    equal(peer.connection.control.cwnd, 11_000);
  },
);

familyTest(
  "tcp: one acknowledgment opens the window by eight segments at most (RFC 9406 4.2), so a stretched one makes no burst",
  () => {
    const peer = settled(WIDE);
    peer.user.write(600_000);
    peer.flush();
    peer.pass(RTT);
    peer.send({ flags: "A", ack: 10_001 });
    equal(peer.connection.control.cwnd, 18_000);
  },
);

familyTest("tcp: optimistic acknowledgments of what was never sent gain nothing (RFC 5961 5.2)", () => {
  const peer = settled(WIDE);
  peer.user.write(600_000);
  peer.flush();
  const { cwnd } = peer.connection.control;
  peer.send({ flags: "A", ack: 20_001 });
  equal(peer.connection.control.cwnd, cwnd);
});

familyTest("tcp: a window that is not used does not grow (RFC 7661 4.2, RFC 9438 5.8)", () => {
  const peer = settled(WIDE);
  for (let index = 0; index < 50; index++) {
    peer.user.write(1_000);
    peer.flush();
    peer.pass(RTT);
    peer.send({ flags: "A" });
  }
  equal(peer.connection.control.cwnd, 10_000);
});

/** The window before and after a loss. */
function afterLoss(options: PeerOptions): { before: number; peer: TcpPeer } {
  const peer = settled({ ...options, slots: 400 });
  peer.user.write(600_000);
  peer.flush();
  for (let index = 0; index < 2; index++) round(peer);
  const before = peer.connection.control.cwnd;
  const una = peer.expected - ((peer.connection.sndNxt - peer.connection.sndUna) | 0);
  peer.pass(RTT);
  peer.send({ flags: "A", ack: una, sack: [[una + 1_000, una + 5_000]] });
  return { before, peer };
}

familyTest(
  "tcp: CUBIC leaves seven tenths of the window after a loss, NewReno half (RFC 9438 4.6, RFC 5681 3.1)",
  () => {
    const cubic = afterLoss(WIDE);
    ok(Math.abs(cubic.peer.connection.control.ssthresh - cubic.before * 0.7) <= 1_000);
    const reno = afterLoss({ ...WIDE, tcp: { congestion: () => new NewReno() } });
    ok(Math.abs(reno.peer.connection.control.ssthresh - reno.before / 2) <= 1_000);
  },
);

familyTest("tcp: losses of one window are one sign of congestion (RFC 5681 4.3, RFC 6582 3.2)", () => {
  const { peer } = afterLoss(WIDE);
  const { ssthresh } = peer.connection.control;
  const una = peer.expected;
  peer.send({ flags: "A", ack: (peer.connection.sndUna - peer.irs) | 0, sack: [[una - 9_000, una - 3_000]] });
  equal(peer.connection.control.ssthresh, ssthresh);
});

familyTest(
  "tcp: a timeout leaves a window of one segment, then slow start up to the threshold (RFC 5681 3.1)",
  () => {
    const peer = settled({ ...WIDE, slots: 400 });
    peer.user.write(600_000);
    peer.flush();
    round(peer);
    const { cwnd } = peer.connection.control;
    peer.pass(seconds(2));
    const { control } = peer.connection;
    equal(control.cwnd, 1_000);
    ok(control.ssthresh >= 2_000 && control.ssthresh < cwnd);
  },
);

familyTest(
  "tcp: after a pause the window is no larger than at first, halved for each timeout of it (RFC 2861 2, RFC 5681 4.1)",
  () => {
    const peer = settled({ ...WIDE, slots: 400 });
    peer.user.write(150_000);
    peer.flush();
    while (peer.connection.flight.count > 0) round(peer);
    const { cwnd } = peer.connection.control;
    ok(cwnd > 50_000);
    peer.pass(seconds(100));
    peer.user.write(150_000);
    equal(peer.flush().length, 10);
  },
);

familyTest("tcp: CUBIC grows back to where it was, flat around that, then beyond (RFC 9438 4.2)", () => {
  const { before, peer } = afterLoss(WIDE);
  peer.send({ flags: "A" });
  const { control } = peer.connection;
  const from = control.cwnd;
  ok(from < before);
  for (let index = 0; index < 60 && control.cwnd < before * 1.2; index++) {
    if (peer.user.send.free > 500_000) peer.user.write(500_000);
    peer.flush();
    round(peer);
  }
  ok(control.cwnd >= before, `${from} to ${control.cwnd}, it was ${before}`);
});

// ECN.

/** A connection that both sides have agreed on ECN for. */
function settledWithEcn(): TcpPeer {
  const peer = settled(WIDE);
  peer.connection.hasEcn = true;
  return peer;
}

/** The same, with data to send. */
function marked(): TcpPeer {
  const peer = settledWithEcn();
  peer.user.write(60_000);
  return peer;
}

familyTest(
  "tcp: ECN is agreed on by a SYN with ECE and CWR and a SYN-ACK with ECE alone (RFC 3168 6.1.1)",
  () => {
    for (const [flags, answer] of [["SEC", "SAE"], ["S", "SA"], ["SE", "SA"], ["SC", "SA"]] as const) {
      const peer = listening();
      expect(peer.send({ ...syn(peer), flags }), [{ flags: answer, trafficClass: 0 }]);
      peer.send({ flags: "A", seq: 1, ack: 1 });
      equal(peer.connection.hasEcn, flags === "SEC");
    }
    for (const [flags, agreed] of [["SAE", true], ["SA", false], ["SAEC", false]] as const) {
      const peer = new TcpPeer();
      peer.connect();
      peer.flush();
      peer.send({ flags, seq: 0, ack: 1 });
      equal(peer.connection.hasEcn, agreed, flags);
    }
  },
);

familyTest(
  "tcp: a SYN that was lost is sent again without asking for ECN, which some paths swallow (RFC 3168 6.1.1.1)",
  () => {
    const peer = new TcpPeer();
    peer.connect();
    deepEqual([...peer.flush(), ...peer.pass(seconds(8))].map(({ flags }) => flags), ["SEC", "S", "S", "S"]);
    peer.send({ flags: "SAE", seq: 0, ack: 1 });
    equal(peer.connection.hasEcn, false);
  },
);

familyTest(
  "tcp: new data carries ECT; acknowledgments, retransmissions and probes of a window do not (RFC 3168 6.1.4 to 6.1.6)",
  () => {
    const peer = marked();
    const sent = peer.flush();
    ok(sent.length === 10 && sent.every(({ trafficClass }) => (trafficClass & 3) === 2));
    const again = peer.pass(seconds(2)).filter(({ length }) => length > 0);
    ok(again.length > 0 && again.every(({ seq, trafficClass }) => seq > 10_000 || trafficClass === 0));
    expect(
      peer.send({ flags: "A", ack: 1, length: 10 }, { flags: "A", ack: 1, seq: 31, length: 10 }).slice(-1),
      [
        { trafficClass: 0, length: 0 },
      ],
    );
    peer.send({ flags: "A", window: 0 });
    const probes = peer.pass(seconds(5));
    ok(probes.length > 0 && probes.every(({ trafficClass }) => trafficClass === 0));
  },
);

familyTest(
  "tcp: a mark is echoed on every acknowledgment until the sender says that it has heard (RFC 3168 6.1.3)",
  () => {
    const peer = settledWithEcn();
    const data = (fields: object) => peer.send({ flags: "A", length: 1_000, ...fields });
    data({ trafficClass: 2 });
    expect(data({ trafficClass: 3 }), [{ flags: "AE" }]);
    data({ trafficClass: 2 });
    expect(data({ trafficClass: 2 }), [{ flags: "AE" }]);
    data({ flags: "AC", trafficClass: 2 });
    expect(data({ trafficClass: 2 }), [{ flags: "A" }]);
  },
);

familyTest(
  "tcp: a mark on what carries no data is none, and no acknowledgment is answered for it (RFC 3168 6.1.3, 6.1.4)",
  () => {
    const peer = settledWithEcn();
    deepEqual(peer.send({ flags: "A", trafficClass: 3 }), []);
    equal(peer.connection.ecnEcho, false);
  },
);

familyTest(
  "tcp: an echoed mark reduces the window once a flight, and the next new data says so (RFC 3168 6.1.2)",
  () => {
    const peer = marked();
    peer.flush();
    peer.pass(RTT);
    const { control } = peer.connection;
    const before = control.cwnd;
    peer.send({ flags: "AE", ack: 1_001 });
    const after = control.cwnd;
    ok(after < before);
    equal(peer.tcp.counters.retransmitted, 0, "nothing is lost");
    const sent = [2_001, 3_001, 4_001, 5_001, 6_001].flatMap((ack) => peer.send({ flags: "AE", ack }));
    ok(Math.abs(control.cwnd - after) < 1_000, "one flight, one reduction");
    deepEqual(sent.map(({ flags }) => flags).slice(0, 2), ["AC", "A"]);
  },
);

familyTest("tcp: an acknowledgment with a mark opens no window (RFC 3168 6.1.2)", () => {
  for (const congestion of [() => new NewReno(), () => new Cubic()]) {
    const peer = settled({ ...WIDE, tcp: { congestion } });
    peer.connection.hasEcn = true;
    peer.user.write(60_000);
    peer.flush();
    peer.pass(RTT);
    const { control } = peer.connection;
    peer.send({ flags: "AE", ack: 1_001 });
    // Slow start again, so that any growth is seen.
    Object.assign(control, { ssthresh: Infinity });
    const { cwnd } = control;
    for (const ack of [2_001, 3_001, 4_001]) peer.send({ flags: "AE", ack });
    equal(control.cwnd, cwnd);
    peer.send({ flags: "A", ack: 10_001 });
    ok(control.cwnd > cwnd);
  }
});

familyTest(
  "tcp: whatever reduces the window, the first new data behind it says so, once (RFC 3168 6.1.2)",
  () => {
    const lost = marked();
    lost.flush();
    lost.pass(RTT);
    const sent = lost.send({ flags: "A", ack: 1, sack: [[1_001, 9_001]] });
    deepEqual(sent.map(({ seq, flags }) => [seq, flags]).slice(0, 3), [[1, "A"], [10_001, "AC"], [
      11_001,
      "A",
    ]]);
    const late = marked();
    late.flush();
    ok(late.pass(milliseconds(900)).every(({ seq, flags }) => seq !== 1 || flags === "A"));
    equal(late.tcp.counters.timeouts, 1);
    const fresh = late.send({ flags: "A", ack: late.expected }).filter(({ length }) => length > 0);
    deepEqual(fresh.map(({ flags }) => flags.replace("P", "")).slice(0, 2), ["AC", "A"]);
  },
);

familyTest("tcp: that is said though the segment could not leave at first (RFC 3168 6.1.2)", () => {
  const peer = settled({ ...WIDE, syn: { ...WIDE.syn, mss: 1_400 } });
  peer.connection.hasEcn = true;
  peer.user.write(60_000);
  peer.flush();
  peer.pass(RTT);
  const { flight } = peer.connection;
  // The path has become narrower, so what is tried first is refused.
  peer.host.ip.pathMtus.learn(Address.parse(peerAddress()), 1_300, 1_500, peer.now);
  const sent = [
    ...peer.send({ flags: "AE", ack: 1 + distance(flight.una, flight.end) }),
    ...peer.pass(seconds(1)),
  ];
  ok(sent.length > 2 && sent[0]!.length < 1_300);
  deepEqual(sent.map(({ flags }) => flags).slice(0, 2), ["AC", "A"]);
});

familyTest(
  "tcp: a mark among losses is of the same window, and the next window is another one (RFC 3168 6.1.2)",
  () => {
    const peer = marked();
    peer.user.write(500_000);
    peer.flush();
    peer.pass(RTT);
    const { connection } = peer;
    peer.send({ flags: "A", ack: 1, sack: [[1_001, 8_001]] });
    const { ssthresh } = connection.control;
    const recover = connection.recoverPoint - peer.irs;
    peer.send({ flags: "AE", ack: 1, sack: [[1_001, 10_001]] });
    equal(connection.control.ssthresh, ssthresh);
    peer.pass(RTT);
    peer.send({ flags: "A", ack: recover });
    equal(connection.control.ssthresh, ssthresh);
    peer.pass(RTT / 2);
    peer.send({ flags: "A", ack: recover, sack: [[recover + 1_000, recover + 5_000]] });
    ok(connection.control.ssthresh < ssthresh, "a loss of the next window");
  },
);

familyTest("tcp: marks mean nothing to a connection without ECN (RFC 3168 6.1.1)", () => {
  const peer = settled(WIDE);
  peer.user.write(10_000);
  ok(peer.flush().every(({ trafficClass }) => trafficClass === 0));
  const { cwnd } = peer.connection.control;
  peer.send({ flags: "AE", ack: 1_001 });
  ok(peer.connection.control.cwnd >= cwnd);
  peer.send({ flags: "A", length: 10, trafficClass: 3 });
  expect(peer.send({ flags: "A", seq: 31, length: 10 }), [{ flags: "A" }]);
});
