/** The retransmission timer: RFC 6298, Karn, RFC 7323 4. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { milliseconds, seconds } from "../../../stack/store/time.ts";
import { familyTest } from "../../support/family.ts";
import { type Answer, established, expect, settled, type TcpPeer, times } from "../../support/peer-tcp.ts";

/** Sends one segment and has it acknowledged after `rtt`, a few times. */
function measure(peer: TcpPeer, rtt: number, count: number): void {
  for (let index = 0; index < count; index++) {
    peer.user.write(1_000);
    peer.flush();
    peer.pass(rtt);
    peer.send({ flags: "A" });
  }
}

const gaps = (answers: readonly Answer[], start: number) =>
  times(answers, start).map((time, index, all) => time - (all[index - 1] ?? 0));

familyTest(
  "tcp: the timeout is a round trip and four times its variation, and 200 ms of that at least (RFC 6298 2)",
  () => {
    for (const rtt of [milliseconds(10), milliseconds(300)]) {
      const peer = settled();
      measure(peer, rtt, 40);
      const { srtt, rto } = peer.connection.rtt;
      ok(Math.abs(srtt - rtt) <= milliseconds(2), `SRTT ${srtt}`);
      ok(Math.abs(rto - rtt - milliseconds(200)) <= milliseconds(4), `RTO ${rto}`);
    }
  },
);

familyTest("tcp: each timeout is twice the one before, up to two minutes (RFC 6298 5.5, 2.5)", () => {
  const peer = settled();
  measure(peer, milliseconds(100), 20);
  peer.user.write(500);
  const start = peer.now;
  const sent = peer.pass(seconds(800));
  equal(sent.shift()!.length, 500);
  const between = gaps(sent, start);
  for (const [index, gap] of between.entries()) {
    if (index > 0) ok(Math.abs(gap - Math.min(2 * between[index - 1]!, 120_000)) <= 2, `${between}`);
  }
  ok(between.includes(120_000));
  for (const { seq, length } of sent) deepEqual([seq, length], [20_001, 500]);
});

familyTest(
  "tcp: the user timeout ends what stays unanswered, and only then (RFC 9293 3.8.3, RFC 5482)",
  () => {
    const peer = settled();
    peer.connection.userTimeout = seconds(30);
    peer.user.write(500);
    peer.pass(seconds(29));
    deepEqual(peer.user.heard, ["opened"]);
    peer.pass(seconds(60));
    deepEqual(peer.user.heard, ["opened", "TimedOut"]);
  },
);

familyTest("tcp: progress, however slow, puts the user timeout off (RFC 5482 3)", () => {
  const peer = settled();
  peer.connection.userTimeout = seconds(30);
  peer.user.write(500);
  for (let ack = 2; ack < 20; ack++) {
    peer.pass(seconds(20));
    peer.send({ flags: "A", ack });
  }
  deepEqual(peer.user.heard, ["opened"]);
});

familyTest(
  "tcp: what was sent twice is not measured, and the backoff stays until something is (RFC 6298 3, 5.7, Karn)",
  () => {
    const peer = settled();
    measure(peer, milliseconds(50), 20);
    const { srtt } = peer.connection.rtt;
    peer.user.write(500);
    peer.pass(seconds(1));
    peer.send({ flags: "A" });
    equal(peer.connection.rtt.srtt, srtt);
    ok(peer.connection.rtt.backoff > 0, "the next segment's timeout is still a long one");
    measure(peer, milliseconds(50), 1);
    equal(peer.connection.rtt.backoff, 0);
  },
);

familyTest("tcp: with timestamps a retransmission is measured, by what is echoed (RFC 7323 4.1)", () => {
  const peer = established({ syn: { mss: 1_000, timestamps: [1, 0] } });
  peer.user.write(500);
  const [first] = peer.flush();
  const [, again] = [first, ...peer.pass(milliseconds(1_500)).slice(-1)];
  ok(again !== undefined);
  const wait = milliseconds(80);
  peer.pass(wait);
  const before = peer.connection.rtt.srtt;
  peer.send({ flags: "A", timestamps: [2, again.timestamps![0]] });
  ok(peer.connection.rtt.srtt !== before);
  equal(peer.connection.rtt.backoff, 0);
});

familyTest(
  "tcp: an acknowledgment of new data starts the timer anew, a duplicate does not (RFC 6298 5.3)",
  () => {
    const peer = settled();
    measure(peer, milliseconds(100), 40);
    peer.user.write(2_000);
    peer.flush();
    peer.pass(milliseconds(150));
    peer.send({ flags: "A", ack: 41_001 });
    const { rto } = peer.connection.rtt;
    const start = peer.now;
    peer.pass(milliseconds(100));
    peer.send({ flags: "A", ack: 41_001, window: 65_534 });
    const [again] = peer.pass(seconds(1));
    expect([again!], [{ seq: 41_001, length: 1_000 }]);
    ok(again!.time - start <= rto + milliseconds(2), "the window update has not put it off");
    ok(again!.time - start >= rto);
  },
);

familyTest(
  "tcp: new data leaves a timer alone that runs, and with all acknowledged none does (RFC 6298 5.1, 5.2)",
  () => {
    const peer = settled();
    measure(peer, milliseconds(100), 20);
    const { rto } = peer.connection.rtt;
    const start = peer.now;
    peer.user.write(1_000);
    peer.flush();
    peer.pass(rto / 2);
    peer.user.write(1_000);
    peer.flush();
    const [again] = peer.pass(rto);
    equal(again?.seq, 20_001);
    ok(again.time - start <= rto + milliseconds(2), `${again.time - start} of ${rto}`);
    peer.send({ flags: "A" });
    deepEqual(peer.pass(seconds(30)), []);
  },
);

familyTest(
  "tcp: a timeout sends the first segment alone again, and the others as it is acknowledged (RFC 6298 5.4, RFC 5681 3.1)",
  () => {
    const peer = settled();
    peer.user.write(5_000);
    peer.flush();
    const [again, ...rest] = peer.pass(milliseconds(1_100)).slice(0, 1);
    expect([again!, ...rest], [{ seq: 1, length: 1_000 }]);
    equal(peer.connection.control.cwnd, 1_000);
  },
);

familyTest("tcp: bytes that are sent again are the same, cut wherever (RFC 9293 3.8.1)", () => {
  const peer = settled();
  peer.user.write(3_000);
  const first = peer.flush();
  const bytes = new Uint8Array(3_000);
  for (const { seq, data } of first) bytes.set(data, seq - 1);
  peer.send({ flags: "A", ack: 501 });
  for (const { seq, data } of peer.pass(seconds(10))) {
    deepEqual(data, bytes.slice(seq - 1, seq - 1 + data.length));
  }
});
