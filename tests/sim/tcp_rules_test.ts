/** Rules whose breach only long or odd transfers show: each was found by a simulation, and is shown here by itself. */
import { equal, ok } from "node:assert/strict";
import { milliseconds, seconds } from "../../mod.ts";
import { RttEstimator } from "../../stack/tcp/rtt.ts";
import { familyTest } from "../support/family.ts";
import { type Answer, expect, settled, TcpPeer } from "../support/peer-tcp.ts";

const STAMPED = { syn: { mss: 1_000, timestamps: [1_000, 0] as const } };

familyTest(
  "tcp: agreeing on ECN is no mark of congestion, so slow start has no end yet (RFC 3168 6.1.1)",
  () => {
    const peer = new TcpPeer();
    const c = peer.connect();
    equal(peer.flush()[0]?.flags, "SEC");
    peer.send({ flags: "SAE", seq: 0, ack: 1, mss: 1_000 });
    equal(c.hasEcn, true);
    equal(c.control.ssthresh, Infinity);
    equal(c.cwrWanted, false);
  },
);

familyTest(
  "tcp: wherever the numbers begin, what arrives in order is not taken for reordered (RFC 8985 6.2)",
  () => {
    for (const start of [1, 2, 3, 4, 5, 6, 7, 8].map((hour) => seconds(hour * 1_800))) {
      const peer = settled({ start, syn: { mss: 1_000, sackPermitted: true } });
      peer.user.write(5_000);
      peer.flush();
      for (const ack of [1_001, 2_001, 3_001, 5_001]) peer.send({ flags: "A", ack });
      equal(peer.connection.reorderSeen, false, `numbers from ${peer.irs >>> 0}`);
    }
  },
);

familyTest(
  "tcp: a duplicate is reported, and heard of, though the first number is 3 GiB behind (RFC 2883 4)",
  () => {
    const peer = settled({ syn: { mss: 1_000, sackPermitted: true } });
    const c = peer.connection;
    // As if 3 GiB had been sent since.
    c.iss = (c.iss - 0xc000_0000) | 0;
    peer.user.write(3_000);
    peer.flush();
    const before = c.reorderWindows;
    peer.send({ flags: "A", ack: 3_001 });
    peer.send({ flags: "A", ack: 3_001, sack: [[1, 1_001]] });
    ok(c.reorderWindows > before);
  },
);

familyTest("tcp: what comes a second time is answered with its own timestamp, not the first one's", () => {
  const peer = settled(STAMPED);
  const stamps = (value: number) => ({ timestamps: [value, 0] as const, ack: 1 });
  peer.send({ flags: "A", seq: 1, length: 100, ...stamps(2_000) });
  peer.pass(seconds(1));
  // The acknowledgment was lost: the same once more, a second later.
  const [answer] = peer.send({ flags: "A", seq: 1, length: 100, ...stamps(3_000) });
  equal(answer?.timestamps?.[1], 3_000);
});

familyTest("tcp: a timestamp counts only if the acknowledgment beside it can be right (RFC 5961 5.2)", () => {
  const peer = settled(STAMPED);
  const c = peer.connection;
  const { tsRecent } = c;
  peer.send({ flags: "A", seq: 1, ack: 500_000, timestamps: [0x7000_0000, 0] });
  equal(c.tsRecent, tsRecent, "a stranger has set the clock forward");
  peer.send({ flags: "A", seq: 1, ack: 1, length: 10, timestamps: [2_000, 0] });
  equal(peer.user.receive.length, 10);
});

familyTest("tcp: losses of acknowledgments do not multiply the timeout (RFC 6298 3)", () => {
  const rtt = new RttEstimator();
  for (let index = 0; index < 20; index++) rtt.measure(milliseconds(1), index);
  const base = rtt.rto;
  // Ten times a timeout passed, and what answers is the first try's echo.
  for (let index = 0; index < 10; index++) {
    rtt.backOff();
    rtt.measureUnsure(rtt.rto, index);
    for (let good = 0; good < 4; good++) rtt.measure(milliseconds(1), index);
  }
  ok(rtt.rto < 4 * base, `${rtt.rto} us`);
});

familyTest(
  "tcp: a path that has become longer than the timeout is learned, whatever the echo is taken for",
  () => {
    const rtt = new RttEstimator();
    for (let index = 0; index < 20; index++) rtt.measure(milliseconds(1), index);
    for (let index = 0; index < 12; index++) rtt.measureUnsure(seconds(3), index);
    ok(rtt.rto > seconds(3), `${rtt.rto} us`);
  },
);

familyTest(
  "tcp: a user's buffer that is smaller than what the SYN-ACK offered is told at once (RFC 9293 3.8.6)",
  () => {
    const peer = settled({ buffer: 4_096, tcp: { receiveWindow: 1 << 16 } });
    const [answer] = peer.send({ flags: "A", seq: 1, length: 1_000 }, {
      flags: "A",
      seq: 1_001,
      length: 1_000,
    });
    ok(answer!.window <= 4_096 - 2_000, `${answer?.window} bytes`);
    // What was offered before stays acceptable: the acknowledgment of a peer that has used it counts.
    peer.user.write(100);
    peer.flush();
    peer.send({ flags: "A", seq: 60_000, ack: 101 });
    equal(peer.user.send.length, 0);
  },
);

familyTest("tcp: a window that opens again is used at once, though timeouts had grown long meanwhile", () => {
  const peer = settled();
  peer.user.write(20_000);
  peer.flush();
  // The peer has dropped it all, and says so.
  peer.send({ flags: "A", ack: 1, window: 0 });
  const tries = peer.pass(seconds(100));
  ok(tries.length < 15, `${tries.length} segments into a closed window`);
  const answers: Answer[] = peer.send({ flags: "A", ack: 1, window: 20_000 });
  expect(answers.slice(0, 1), [{ seq: 1, length: 1_000 }]);
});

familyTest(
  "tcp: what can never leave does not keep its slot: neither a reset nor a last acknowledgment",
  () => {
    for (const last of ["reset", "acknowledgment"]) {
      const peer = settled();
      const c = peer.connection;
      if (last === "acknowledgment") {
        c.close();
        peer.flush();
      }
      // The neighbour is gone, and nobody answers for it.
      peer.host.ip.neighbours.remove(c.remote);
      if (last === "reset") c.abort();
      else peer.host.deliver();
      if (last === "acknowledgment") peer.send({ flags: "FA", ack: 2 });
      peer.pass(seconds(10));
      equal(peer.tcp.connections.size, 0, last);
    }
  },
);
