/** Many segments in one, where the NIC cuts and joins them: the rules about segments hold for each of them. */
import { deepEqual, equal } from "node:assert/strict";
import { Segmentation } from "../../../stack/frame.ts";
import type { Slot } from "../../../stack/slot.ts";
import { milliseconds } from "../../../stack/store/time.ts";
import { familyTest, isV6 } from "../../support/family.ts";
import { established, expect, type PeerOptions, settled, type TcpPeer } from "../../support/peer-tcp.ts";

/** A connection over such a NIC whose congestion window holds `segments` segments of 1,000 bytes. */
function wide(segments: number, options: PeerOptions = {}): TcpPeer {
  const peer = settled({ offload: true, slots: 32, ...options });
  peer.connection.control.cwnd = segments * 1_000;
  // Or else it would be taken for idle so far, and start anew.
  peer.connection.lastSentAt = peer.now;
  return peer;
}

const WITH_SACK: PeerOptions = { syn: { mss: 1_000, sackPermitted: true } };

familyTest("tcp: new data leaves as many segments in one, each of them as long as the path takes", () => {
  const peer = wide(40);
  peer.user.write(20_000);
  const sizes: number[] = [];
  const kind = isV6() ? Segmentation.TcpV6 : Segmentation.TcpV4;
  const { sender, nic } = peer.host;
  nic.tx(8, {
    send: (slot: Slot) => {
      sender.send(slot);
      if (slot.queued && slot.frame.segmentation === kind) sizes.push(slot.frame.segmentSize);
    },
  });
  deepEqual(sizes, [1_000]);
  equal(peer.connection.flight.count, 20, "each of them is in the flight by itself");
  equal(peer.connection.flight.endOf(0) - peer.connection.flight.start(0), 1_000);
});

familyTest(
  "tcp: no more leaves at once than half of the congestion window, nor than the window takes",
  () => {
    const peer = wide(10);
    peer.user.write(20_000);
    expect(peer.flush(), [{ seq: 1, length: 5_000 }, { seq: 5_001, length: 5_000 }]);
    const narrow = wide(100, { window: 3_500 });
    narrow.user.write(20_000);
    expect(narrow.flush(), [{ seq: 1, length: 3_000 }]);
  },
);

familyTest(
  "tcp: what is paced leaves at once as much as a millisecond takes at that rate, two segments at least",
  () => {
    for (const [rate, length] of [[10_000_000, 10_000], [4_500_000, 4_000], [1_000, 2_000]] as const) {
      const peer = wide(100);
      Object.assign(peer.connection.control, { pacingRate: rate });
      peer.user.write(30_000);
      expect(peer.flush().slice(0, 1), [{ seq: 1, length }]);
    }
  },
);

familyTest("tcp: no more leaves at once than an IP packet holds, in whole segments", () => {
  const peer = wide(1_000, { window: 0xffff, syn: { mss: 1_000, scale: 7 } });
  peer.send({ flags: "A", window: 0xffff });
  peer.user.write(200_000);
  expect(peer.flush().slice(0, 3), [{ length: 65_000 }, { length: 65_000 }, { length: 65_000 }]);
});

familyTest("tcp: a short end of the data goes along, pushed, where Nagle lets it go (RFC 9293 3.7.4)", () => {
  const peer = wide(40);
  peer.user.write(4_300);
  expect(peer.flush(), [{ seq: 1, length: 4_300, push: true }]);
  equal(peer.connection.flight.count, 5);
  peer.user.write(2_300);
  expect(peer.flush(), [{ seq: 4_301, length: 2_000, push: false }], "a short one is out already");
  expect(peer.send({ flags: "A", ack: 4_301 }), [{ seq: 6_301, length: 300, push: true }]);
});

familyTest("tcp: the FIN goes along with the last of the segments, and has its number in the flight", () => {
  const peer = wide(40);
  peer.user.write(3_000);
  peer.connection.close();
  expect(peer.flush(), [{ flags: "FA", seq: 1, length: 3_000 }]);
  const { flight } = peer.connection;
  deepEqual([flight.count, flight.endOf(2) - flight.start(2)], [3, 1_001]);
});

familyTest(
  "tcp: of many segments that left in one, only the one that was lost is sent again (RFC 2018 5)",
  () => {
    const peer = wide(40, WITH_SACK);
    peer.user.write(20_000);
    peer.flush();
    expect(peer.send({ flags: "A", ack: 3_001, sack: [[4_001, 20_001]] }), [{ seq: 3_001, length: 1_000 }]);
    equal(peer.tcp.counters.retransmitted, 1);
  },
);

familyTest("tcp: a timeout sends one segment again, not all that left in one (RFC 5681 3.1)", () => {
  const peer = wide(40);
  peer.user.write(20_000);
  peer.flush();
  expect(peer.pass(milliseconds(1_100)).slice(0, 1), [{ seq: 1, length: 1_000 }]);
});

familyTest("tcp: a tail loss probe is a single segment (RFC 8985 7.3)", () => {
  const peer = wide(10, WITH_SACK);
  peer.user.write(30_000);
  expect(peer.flush(), [{ length: 5_000 }, { length: 5_000 }]);
  expect(peer.pass(milliseconds(50)), [{ seq: 10_001, length: 1_000 }]);
});

familyTest("tcp: CWR is on one segment, which therefore leaves by itself (RFC 3168 6.1.2)", () => {
  const peer = wide(40);
  peer.connection.hasEcn = true;
  peer.connection.cwrWanted = true;
  peer.user.write(10_000);
  expect(peer.flush(), [
    { flags: "AC", seq: 1, length: 1_000, trafficClass: 2 },
    { flags: "A", seq: 1_001, length: 9_000, trafficClass: 2 },
  ]);
});

familyTest(
  "tcp: the options of every segment count, so that none of them is longer than the path takes",
  () => {
    const peer = wide(40, { syn: { mss: 1_000, timestamps: [1, 0] } });
    peer.user.write(9_880);
    expect(peer.flush(), [{ seq: 1, length: 9_880 }], "ten segments of 988 bytes");
    equal(peer.connection.flight.count, 10);
  },
);

familyTest("tcp: a NIC that cuts nothing is handed single segments", () => {
  const peer = settled();
  peer.user.write(3_000);
  expect(peer.flush(), [{ length: 1_000 }, { length: 1_000 }, { length: 1_000 }]);
});

familyTest(
  "tcp: segments that the NIC has joined count as that many for delayed acknowledgment (RFC 5681 4.2)",
  () => {
    const peer = wide(10);
    expect(peer.send({ flags: "A", length: 1_000, segmentSize: 1_000 }), [], "a single one may wait");
    expect(peer.send({ flags: "A", length: 10_000, segmentSize: 1_000 }), [{ flags: "A", ack: 11_001 }]);
    equal(peer.connection.rcvMss, 1_000, "their length is not taken for the peer's MSS");
  },
);

familyTest("tcp: a burst of joined segments is acknowledged once, with the latest window", () => {
  const peer = wide(10, { buffer: 1 << 17 });
  expect(
    peer.send(...Array.from({ length: 3 }, () => ({ flags: "A", length: 10_000, segmentSize: 1_000 }))),
    [{ flags: "A", ack: 30_001 }],
  );
});

familyTest(
  "tcp: joined segments that reach beyond the window are taken as far as it goes (RFC 9293 3.10.7.4)",
  () => {
    const peer = wide(10, { buffer: 1 << 13 });
    const [answer] = peer.send({ flags: "A", length: 20_000, segmentSize: 1_000 });
    equal(answer?.ack, 8_193);
    equal(answer?.window, 0);
  },
);

familyTest(
  "tcp: joined segments behind a gap are one range, reported at once (RFC 2018 4, RFC 5681 4.2)",
  () => {
    const peer = wide(10, { ...WITH_SACK, buffer: 1 << 16 });
    expect(peer.send({ flags: "A", seq: 5_001, length: 20_000, segmentSize: 1_000 }), [
      { flags: "A", ack: 1, sack: [[5_001, 25_001]] },
    ]);
    expect(peer.send({ flags: "A", seq: 1, length: 5_000, segmentSize: 1_000 }), [{
      flags: "A",
      ack: 25_001,
    }]);
  },
);

familyTest(
  "tcp: joined segments to nobody are answered by one reset, numbered behind them all (RFC 9293 3.10.7.1)",
  () => {
    const peer = established({ offload: true, slots: 32 });
    expect(peer.send({ flags: "P", seq: 1, ownPort: 81, length: 30_000, segmentSize: 1_000 }), [
      { flags: "RA", seq: -peer.irs | 0, ack: 30_001, length: 0 },
    ]);
  },
);

familyTest("tcp: what the NIC has not verified is verified, however many segments it is", () => {
  const peer = wide(10);
  deepEqual(peer.send({ flags: "A", length: 3_000, checksumError: 1 }), []);
  equal(peer.tcp.counters.wrongChecksum, 1);
  expect(peer.send({ flags: "A", seq: 1, length: 3_000, checksumError: 1, segmentSize: 1_000 }), [
    { flags: "A", ack: 3_001 },
  ], "what it says to have verified is not looked at");
});
