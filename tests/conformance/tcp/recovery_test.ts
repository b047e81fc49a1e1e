/** How losses are found and repaired: RFC 5681, RFC 6582, RFC 2018, RFC 2883, RFC 8985, RFC 9937, RFC 5682. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { milliseconds, seconds } from "../../../stack/store/time.ts";
import { Address } from "../../../stack/wire/address.ts";
import { familyTest, peer as peerAddress } from "../../support/family.ts";
import { type Answer, expect, settled, type TcpPeer } from "../../support/peer-tcp.ts";

const RTT = milliseconds(100);

/** A connection with a known round trip and `segments` of a thousand bytes in flight; numbers start at `una`. */
function flight(segments: number, sackPermitted: boolean): { peer: TcpPeer; una: number; sent: Answer[] } {
  const peer = settled({ syn: { mss: 1_000, ...(sackPermitted ? { sackPermitted } : {}) }, handshake: RTT });
  for (let index = 0; index < 10; index++) {
    peer.user.write(1_000);
    peer.flush();
    peer.pass(RTT);
    peer.send({ flags: "A" });
  }
  const una = peer.expected;
  peer.connection.control.cwnd = Math.max(10, segments) * 1_000;
  peer.user.write(segments * 1_000);
  const sent = peer.flush();
  equal(sent.length, segments);
  peer.pass(RTT);
  return { peer, una, sent };
}

/** An acknowledgment of what is in order up to `ack`, with blocks of what is not; both in segments behind `una`. */
const sack = (una: number, ack: number, ...blocks: readonly (readonly [number, number])[]) => ({
  flags: "A",
  ack: una + ack * 1_000,
  ...(blocks.length === 0
    ? {}
    : { sack: blocks.map(([left, right]) => [una + left * 1_000, una + right * 1_000] as const) }),
});

/** Which segments left, counted from `una`. */
const numbers = (answers: readonly Answer[], una: number) => answers.map(({ seq }) => (seq - una) / 1_000);

familyTest("tcp: the first two duplicates let new data out (RFC 5681 3.2, step 1, RFC 3042)", () => {
  for (const sackPermitted of [true, false]) {
    const { peer, una } = flight(10, sackPermitted);
    peer.user.write(5_000);
    deepEqual(peer.flush(), [], "the window is full");
    const block = sackPermitted ? [[1, 2]] as const : [];
    deepEqual(numbers(peer.send(sack(una, 0, ...block)), una), [10]);
  }
});

familyTest("tcp: the third duplicate sends the first segment again, without a timeout (RFC 5681 3.2)", () => {
  const { peer, una } = flight(5, false);
  for (let index = 0; index < 2; index++) deepEqual(peer.send(sack(una, 0)), []);
  deepEqual(numbers(peer.send(sack(una, 0)), una), [0]);
  equal(peer.tcp.counters.timeouts, 0);
  equal(peer.tcp.counters.recoveries, 1);
});

familyTest("tcp: an acknowledgment with data, or another window, is no duplicate (RFC 5681 2)", () => {
  const { peer, una } = flight(5, false);
  for (let index = 0; index < 5; index++) {
    peer.send({ ...sack(una, 0), length: 10 });
    peer.send({ ...sack(una, 0), window: 60_000 - index });
  }
  equal(peer.tcp.counters.recoveries, 0);
});

familyTest("tcp: without SACK a partial acknowledgment shows the next loss (RFC 6582 3.2, step 3)", () => {
  const { peer, una } = flight(8, false);
  for (let index = 0; index < 3; index++) peer.send(sack(una, 0));
  deepEqual(numbers(peer.send(sack(una, 3)), una).slice(0, 1), [3]);
  deepEqual(numbers(peer.send(sack(una, 5)), una).slice(0, 1), [5]);
  peer.send(sack(una, 8));
  equal(peer.tcp.counters.timeouts, 0);
  equal(peer.tcp.counters.recoveries, 1, "it was one recovery");
  equal(peer.tcp.counters.retransmitted, 3);
});

familyTest("tcp: only what is missing is sent again (RFC 2018 5)", () => {
  const { peer, una } = flight(10, true);
  const again = [
    ...peer.send(sack(una, 0, [1, 2])),
    ...peer.send(sack(una, 0, [1, 3])),
    ...peer.send(sack(una, 0, [6, 7], [1, 3])),
    ...peer.send(sack(una, 0, [6, 10], [1, 3])),
    ...peer.pass(milliseconds(30)),
  ];
  deepEqual(numbers(again, una), [0, 3, 4, 5]);
  peer.send(sack(una, 10));
  equal(peer.tcp.counters.timeouts, 0);
});

familyTest(
  "tcp: what was sent a quarter of a round trip before something that has arrived is lost (RFC 8985 6.2)",
  () => {
    const { peer, una } = flight(4, true);
    const start = peer.now;
    deepEqual(peer.send(sack(una, 0, [2, 3])), [], "it may have been overtaken");
    const again = peer.pass(milliseconds(60));
    deepEqual([...numbers(again, una), ...numbers(peer.send(sack(una, 1, [2, 3])), una)], [0, 1]);
    ok(again[0]!.time - start <= milliseconds(30));
  },
);

familyTest(
  "tcp: a retransmission that is lost is found by what is sent behind it, without a timeout (RFC 8985 3.2)",
  () => {
    const { peer, una } = flight(6, true);
    deepEqual(numbers(peer.send(sack(una, 0, [1, 4])), una), [0]);
    peer.user.write(4_000);
    const fresh = [...peer.pass(RTT), ...peer.send(sack(una, 0, [1, 6]))];
    ok(numbers(fresh, una).includes(6));
    peer.pass(RTT);
    const again = [...peer.send(sack(una, 0, [1, 7])), ...peer.pass(milliseconds(50))];
    ok(numbers(again, una).includes(0), "the first one once more");
    equal(peer.tcp.counters.timeouts, 0);
  },
);

familyTest("tcp: a lost end of a flight is probed for after two round trips (RFC 8985 7)", () => {
  const { peer, una } = flight(3, true);
  peer.send(sack(una, 2));
  const start = peer.now;
  const [probe] = peer.pass(seconds(1));
  deepEqual(numbers([probe!], una), [2]);
  ok(probe!.time - start <= 2 * RTT + milliseconds(210));
  equal(peer.tcp.counters.probes, 1);
});

familyTest(
  "tcp: a probe that brings no new losses ends there, and new data is preferred for it (RFC 8985 7.3)",
  () => {
    const { peer, una } = flight(3, true);
    peer.connection.control.cwnd = 3_000;
    peer.user.write(1_000);
    const [probe] = peer.pass(seconds(1));
    deepEqual(numbers([probe!], una), [3]);
  },
);

familyTest(
  "tcp: a probe that could not leave at first leaves before the timeout all the same (RFC 8985 7.3)",
  () => {
    const peer = settled({ syn: { mss: 1_400, sackPermitted: true }, handshake: RTT });
    peer.user.write(4_200);
    peer.flush();
    peer.pass(RTT);
    peer.send({ flags: "A", ack: 1_401 });
    // The path has become narrower, so what is tried first is refused.
    peer.host.ip.pathMtus.learn(Address.parse(peerAddress()), 1_300, 1_500, peer.now);
    const [probe] = peer.pass(2 * RTT + milliseconds(20));
    ok(probe!.length < 1_300);
    equal(probe!.seq, 2_801);
    equal(peer.tcp.counters.probes, 1);
    equal(peer.tcp.counters.timeouts, 0);
  },
);

familyTest("tcp: the probe shows that more is missing, which is then sent again (RFC 8985 7.1)", () => {
  const { peer, una } = flight(6, true);
  peer.send(sack(una, 1));
  const [probe] = peer.pass(milliseconds(210));
  deepEqual(numbers([probe!], una), [5]);
  peer.pass(RTT);
  const again = [...peer.send(sack(una, 1, [5, 6])), ...peer.pass(milliseconds(100))];
  again.push(...peer.send(sack(una, 3, [5, 6])));
  deepEqual(numbers(again, una), [1, 2, 3, 4]);
});

familyTest("tcp: a duplicate that is reported takes a wrong reduction back (RFC 2883 4, RFC 3708 2)", () => {
  const { peer, una } = flight(8, true);
  const { cwnd } = peer.connection.control;
  peer.send(sack(una, 0, [1, 4]));
  ok(peer.connection.control.cwnd < cwnd);
  peer.pass(milliseconds(20));
  peer.send(sack(una, 8));
  peer.send(sack(una, 8, [0, 1]));
  ok(peer.connection.control.cwnd >= cwnd);
  equal(peer.tcp.counters.undone, 1);
});

familyTest(
  "tcp: a timeout that was too early is taken back by what acknowledges the originals (RFC 5682 3.1)",
  () => {
    const { peer, una } = flight(6, false);
    const { cwnd } = peer.connection.control;
    const [again] = peer.pass(milliseconds(350)).filter(({ seq }) => seq === una);
    ok(again !== undefined);
    peer.user.write(4_000);
    const fresh = peer.send(sack(una, 1));
    deepEqual(numbers(fresh, una), [6, 7], "new data instead of repetitions");
    peer.send(sack(una, 2));
    ok(peer.connection.control.cwnd >= cwnd);
    equal(peer.tcp.counters.undone, 1);
  },
);

familyTest("tcp: SACK blocks of nonsense change nothing (RFC 2018 3, RFC 2883 4)", () => {
  const { peer, una } = flight(6, true);
  const blocks = [[-3, -2], [7, 9], [4, 2], [0, 0], [-2, 3], [5, 7]] as const;
  for (const block of blocks) peer.send(sack(una, 0, block));
  equal(peer.connection.flight.sacked, 0);
  deepEqual(numbers(peer.pass(milliseconds(50)), una), []);
});

familyTest(
  "tcp: what a peer has reported and then takes back is sent again after a timeout (RFC 2018 8)",
  () => {
    const { peer, una } = flight(5, true);
    peer.send(sack(una, 0, [2, 5]));
    peer.pass(milliseconds(50));
    const sent = new Set<number>();
    let ack = 0;
    for (let round = 0; round < 60 && ack < 5; round++) {
      for (const number of numbers(peer.pass(seconds(2)), una)) sent.add(number);
      while (sent.has(ack)) ack++;
      peer.send(sack(una, ack));
    }
    equal(ack, 5, "though it had them, it says now that it has not");
  },
);

familyTest(
  "tcp: recovery sends about half of what arrives, one segment at least, and never a burst (RFC 9937 6.2)",
  () => {
    const { peer, una } = flight(20, true);
    peer.user.write(40_000);
    const out = numbers(peer.send(sack(una, 0, [1, 4])), una).length;
    ok(out <= 4, `${out} segments at the start`);
    let sent = out;
    for (let right = 5; right <= 20; right++) {
      const count = peer.send(sack(una, 0, [1, right])).length;
      ok(count <= 2, `${count} for one that has arrived`);
      sent += count;
    }
    const share = sent / 20;
    ok(share > 0.4 && share < 0.9, `${sent} for 20`);
  },
);

// The receiver's side.

familyTest(
  "tcp: what is out of order is reported, the latest first, three blocks with timestamps and four without (RFC 2018 4)",
  () => {
    for (const timestamps of [undefined, [1, 0] as const]) {
      const peer = settled({
        syn: { mss: 1_000, sackPermitted: true, ...(timestamps === undefined ? {} : { timestamps }) },
      });
      const starts = [201, 401, 601, 801, 1_001];
      let last: Answer | undefined;
      for (const seq of starts) {
        [last] = peer.send({
          flags: "A",
          seq,
          length: 100,
          ...(timestamps === undefined ? {} : { timestamps }),
        });
        equal(last?.ack, 1);
        deepEqual(last?.sack?.[0], [seq, seq + 100]);
      }
      const blocks = starts.toReversed().slice(0, timestamps === undefined ? 4 : 3).map((
        seq,
      ) => [seq, seq + 100]);
      deepEqual(last?.sack, blocks);
    }
  },
);

familyTest("tcp: no SACK is sent to a peer that has not asked for it (RFC 2018 2)", () => {
  const peer = settled();
  expect(peer.send({ flags: "A", seq: 201, length: 100 }), [{ flags: "A", ack: 1 }]);
  equal(peer.send({ flags: "A", seq: 301, length: 100 })[0]?.sack, undefined);
});

familyTest("tcp: a duplicate is reported once, before other blocks (RFC 2883 4)", () => {
  const peer = settled({ syn: { mss: 1_000, sackPermitted: true } });
  peer.send({ flags: "A", seq: 1, length: 500 });
  expect(peer.send({ flags: "A", seq: 101, length: 100 }), [{ ack: 501, sack: [[101, 201]] }]);
  peer.send({ flags: "A", seq: 1_001, length: 100 });
  expect(peer.send({ flags: "A", seq: 1_001, length: 100 }), [
    { ack: 501, sack: [[1_001, 1_101], [1_001, 1_101]] },
  ]);
  expect(peer.send({ flags: "A", seq: 401, length: 200 }), [{
    ack: 601,
    sack: [[401, 501], [1_001, 1_101]],
  }]);
  expect(peer.send({ flags: "A", seq: 701, length: 10 }), [{ ack: 601, sack: [[701, 711], [1_001, 1_101]] }]);
});

familyTest(
  "tcp: a peer that sends a byte here and a byte there makes us keep no more than 128 ranges",
  () => {
    const peer = settled({ syn: { mss: 1_000, sackPermitted: true } });
    for (let index = 0; index < 200; index++) peer.send({ flags: "A", seq: 3 + index * 2, length: 1 });
    equal(peer.connection.ranges.ranges, 128);
    equal(peer.tcp.counters.tooManyRanges, 72);
    for (let index = 0; index < 201; index++) peer.send({ flags: "A", seq: 1 + index * 2, length: 2 });
    equal(peer.user.receive.length, 402, "and all of it arrives in the end");
  },
);

familyTest(
  "tcp: acknowledgments that we send do not put a tail loss probe off, however often a peer has us send them (RFC 8985 7.2)",
  () => {
    const { peer, una } = flight(1, true);
    const probed = () => peer.tcp.counters.probes > 0;
    let answers: Answer[] = [];
    for (let passed = 0; passed < 50 && !probed(); passed++) {
      // A byte of data every 20 ms, or an old number: each has us answer at once or soon.
      peer.send({ flags: "A", length: 1, ack: una });
      peer.send({ flags: "A", seq: 0, ack: una });
      answers = peer.pass(milliseconds(20));
    }
    ok(probed(), "a second of acknowledgments, and no probe");
    deepEqual(answers.filter(({ length }) => length > 0).map(({ seq }) => seq), [una]);
  },
);

familyTest(
  "tcp: new data puts a probe off, but not beyond the timeout of what is in flight (RFC 8985 7.2, RFC 6298 5.1)",
  () => {
    const { peer } = flight(1, true);
    const { connection, tcp } = peer;
    connection.noDelay = true;
    connection.userTimeout = seconds(2);
    const start = peer.now;
    // A peer that has gone, and a user who writes a few bytes every 50 ms all the same.
    for (let passed = 0; passed < 100 && connection.index >= 0; passed++) {
      peer.user.write(10);
      peer.pass(milliseconds(50));
      if (peer.now - start >= seconds(1)) ok(tcp.counters.probes > 0 && tcp.counters.timeouts > 0);
    }
    deepEqual(peer.user.heard, ["opened", "TimedOut"]);
  },
);

familyTest(
  "tcp: after a timeout what tells whether it was too early leaves at once, though it is short (RFC 5682 3.1, step 2b)",
  () => {
    for (const sackPermitted of [false, true]) {
      const { peer, una } = flight(3, sackPermitted);
      peer.user.write(300);
      peer.flush();
      // Another short segment is out, so this one waits (RFC 9293 3.7.4); if there are probes, the second of them.
      for (let left = sackPermitted ? 2 : 1; left > 0; left--) {
        peer.user.write(100);
        peer.pass(milliseconds(1));
        if (left > 1) peer.pass(2 * RTT + milliseconds(10));
      }
      const resent = peer.pass(milliseconds(400)).filter(({ seq }) => seq === una);
      equal(resent.length, 1, "a timeout");
      ok(peer.connection.unsent > 0);
      const [fresh] = peer.send(sack(una, 1));
      deepEqual([fresh?.length, peer.connection.unsent], [100, 0]);
    }
  },
);

familyTest(
  "tcp: what had arrived before a pause, however long, makes nothing lost after it (RFC 8985 6.2)",
  () => {
    // The clock of segments is halfway round after 36 minutes, and back after 72.
    for (const minutes of [1, 20, 40, 60, 71, 75, 100]) {
      const { peer, una, sent } = flight(4, true);
      peer.send(sack(una, sent.length));
      peer.pass(seconds(60 * minutes));
      peer.user.write(8_000);
      equal(peer.flush().length, 8, "segments");
      // The path has become slower meanwhile.
      peer.pass(RTT * 1.6);
      expect(peer.send(sack(una, sent.length + 2)), [], `after ${minutes} minutes`);
      equal(peer.tcp.counters.recoveries, 0);
    }
  },
);

familyTest(
  "tcp: a path that reorders does not put off the timeout of what the peer has taken back (RFC 6298 5.1, RFC 2018 8)",
  () => {
    const { peer, una } = flight(10, true);
    peer.send(sack(una, 0, [1, 3]), sack(una, 3));
    ok(peer.connection.reorderSeen);
    peer.send(sack(una, 3, [4, 6]), sack(una, 4));
    const { now } = peer;
    const { rto } = peer.connection.rtt;
    let again: Answer | undefined;
    for (let next = 10; next < 50 && again === undefined; next += 2) {
      peer.user.write(2_000);
      const sent = peer.flush();
      sent.push(...peer.pass(RTT / 2), ...peer.send(sack(una, 4, [next + 1, next + 2], [6, next])));
      sent.push(...peer.pass(RTT / 10), ...peer.send(sack(una, 4, [6, next + 2])));
      again = sent.find(({ seq }) => seq === una + 4_000);
    }
    ok(
      again !== undefined && again.time <= now + rto + milliseconds(1),
      `${(again?.time ?? 0) - now} us, ${rto}`,
    );
  },
);
