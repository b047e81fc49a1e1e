import assert from "node:assert/strict";
import { milliseconds } from "../../../stack/store/time.ts";
import { Cubic } from "../../../stack/tcp/congestion/cubic.ts";
import { CubicPlus } from "../../../stack/tcp/congestion/cubic-plus.ts";
import { LossJudge } from "../../../stack/tcp/congestion/loss-judge.ts";
import { Recovery } from "../../../stack/tcp/connection.ts";
import {
  onEcnEcho,
  onProbeSent,
  onProbeTimeout,
  onReorderingTimeout,
  onRetransmissionTimeout,
} from "../../../stack/tcp/recovery.ts";
import { check, fc } from "../../support/property.ts";
import { Script } from "./script.ts";
import { MSS, Transfer } from "./transfer.ts";

const RTT = milliseconds(40);
/** As long as no queue is one. */
const JITTER = RTT / 32;

/** A sender in slow start with so many segments in flight, whose round trips were all the same. */
function sender(window: number, control: Cubic = new CubicPlus()): Script {
  const script = new Script({ segments: 100_000 }, control);
  for (let round = 0; round < 3; round++) {
    script.send();
    script.wait(RTT);
    const end = script.c.flight.end / MSS;
    for (let ack = script.c.flight.una / MSS + 1; ack <= end; ack++) script.ack(ack);
  }
  control.cwnd = window * MSS;
  script.send();
  assert.equal(script.threshold, Infinity);
  return script;
}

/** Segments from the first in flight on are lost, and those behind them arrive, as many as `until`. */
function lose(script: Script, lost: number, until: number, wait = RTT): void {
  const first = script.c.flight.una / MSS;
  script.wait(wait);
  for (let next = lost + 1; next <= until; next++) {
    script.ack(first, { sack: [[first + lost, first + next]] });
  }
}

Deno.test("cubic+: a loss with no queue beside it leaves window and slow start as they are", () => {
  const script = sender(100);
  const first = script.c.flight.una / MSS;
  lose(script, 1, 20);
  assert.equal(script.c.recovery, Recovery.Fast);
  const [resent, ...others] = script.send();
  assert.equal(resent, -first - 1, "it is sent again");
  assert.equal(others.length, 17, "and a new one leaves for each that has arrived since (RFC 9937)");
  script.wait(RTT).ack(script.c.flight.end / MSS);
  assert.equal(script.c.recovery, Recovery.None);
  assert.deepEqual([script.window, script.threshold], [100, Infinity]);
  assert.equal(script.c.judge?.spared, 1);
});

Deno.test("cubic+: a loss behind a queue of a thirtieth of the round trip is congestion (RFC 9438 4.6)", () => {
  const script = sender(100);
  lose(script, 1, 20, RTT + JITTER);
  assert.equal(script.threshold, Infinity, "so much is no queue");
  const other = sender(100);
  lose(other, 1, 20, RTT + JITTER + 1);
  assert.equal(other.threshold, 70);
});

Deno.test("cubic+: one loss of a small flight, or many of a large one, is congestion whatever the queue", () => {
  const small = sender(49);
  lose(small, 1, 20);
  assert.equal(small.threshold, 34.3);
  const large = sender(200);
  lose(large, 5, 30);
  assert.equal(large.threshold, 140);
  const few = sender(200);
  lose(few, 4, 30);
  assert.equal(few.threshold, Infinity);
});

Deno.test("cubic+: it turns out to be congestion while the losses are being repaired, and counts once", () => {
  const script = sender(200);
  const first = script.c.flight.una / MSS;
  lose(script, 4, 30);
  script.send();
  assert.equal(script.threshold, Infinity);
  // A fifth loss of 200.
  for (let next = 32; next < 40; next++) script.ack(first, { sack: [[first + 31, first + next]] });
  assert.equal(script.threshold, 140);
  for (let next = 42; next < 50; next++) script.ack(first, { sack: [[first + 41, first + next]] });
  assert.equal(script.threshold, 140);
  script.send();
  script.wait(RTT).ack(script.c.recoverPoint / MSS);
  assert.equal(script.c.recovery, Recovery.None);
  assert.equal(script.window, 140);
  assert.equal(script.c.judge?.spared, 0, "nothing was spared");
});

Deno.test("cubic+: what had left when it turned out to be congestion is part of it (RFC 6582 3.2)", () => {
  const script = sender(200);
  const first = script.c.flight.una / MSS;
  const end = script.c.flight.end / MSS;
  lose(script, 4, 30);
  script.send();
  const last = script.c.flight.end / MSS;
  assert.ok(last > end, "new segments left while the losses were spared");
  for (let next = 32; next < 40; next++) script.ack(first, { sack: [[first + 31, first + next]] });
  assert.equal(script.threshold, 140);
  script.send();
  // All that was in flight when the first was lost has arrived; a tenth of what left later has not.
  script.wait(RTT).ack(end);
  for (let next = end + 11; next <= last; next++) script.ack(end, { sack: [[end + 10, next]] });
  assert.equal(script.threshold, 140);
});

Deno.test("cubic+: losses found while others are repaired count for all that has arrived meanwhile, not for one flight", () => {
  for (const [delivered, isCongestion] of [[100, true], [149, true], [150, false]] as const) {
    const judge = new LossJudge();
    for (let sample = 0; sample < 16; sample++) judge.onRoundTrip(RTT);
    judge.begin(100 * MSS);
    judge.onLost(2 * MSS);
    judge.onLost(MSS, delivered * MSS);
    assert.equal(judge.isCongestion(RTT), isCongestion, `three of ${delivered}`);
  }
});

Deno.test("cubic+: a queue that is seen while losses are being repaired makes congestion of them", () => {
  const script = sender(200);
  const first = script.c.flight.una / MSS;
  lose(script, 1, 20);
  assert.equal(script.threshold, Infinity);
  script.wait(2 * JITTER);
  for (let next = 21; next <= 36; next++) script.ack(first, { sack: [[first + 1, first + next]] });
  assert.equal(script.threshold, 140);
});

Deno.test("cubic+: a mark of congestion is congestion always (RFC 3168 6.1.2), also among spared losses", () => {
  const script = sender(100);
  onEcnEcho(script.c, script.now);
  assert.equal(script.threshold, 70);
  const other = sender(100);
  lose(other, 1, 20);
  onEcnEcho(other.c, other.now);
  assert.equal(other.threshold, 70);
  other.send();
  other.wait(RTT).ack(other.c.recoverPoint / MSS);
  assert.equal(other.window, 70);
});

Deno.test("cubic+: a timeout is congestion always (RFC 5681 3.1), also among spared losses", () => {
  const script = sender(100);
  lose(script, 1, 20);
  script.send();
  script.wait(script.c.rtt.rto);
  onRetransmissionTimeout(script.c, script.now);
  assert.deepEqual([script.window, script.threshold], [1, 70]);
  onRetransmissionTimeout(script.c, script.now);
  assert.deepEqual([script.window, script.threshold], [1, 70], "the second one changes nothing");
  assert.equal(script.c.judge?.spared, 0, "nothing was spared");
});

Deno.test("cubic+: a loss that RACK finds by its timer is spared as well", () => {
  const script = sender(100);
  const first = script.c.flight.una / MSS;
  script.wait(RTT);
  for (let next = 1; next <= 16; next++) script.ack(first + next);
  const at = script.ack(first + 16, { sack: [[first + 17, first + 18]] });
  script.wait(at - script.now);
  onReorderingTimeout(script.c, script.now);
  assert.equal(script.c.recovery, Recovery.Fast);
  assert.equal(script.threshold, Infinity);
});

Deno.test("cubic+: nor is a loss congestion that a tail loss probe has repaired (RFC 8985 7.4)", () => {
  for (const [out, threshold] of [[60, Infinity], [40, 28.699]] as const) {
    const script = sender(100);
    const { c } = script;
    const end = c.flight.end / MSS;
    script.wait(RTT);
    for (let next = 99; next >= out; next--) script.ack(end - next);
    onProbeTimeout(c);
    c.flight.resend(c.flight.lastUnreceived(), MSS, script.now);
    onProbeSent(c, true);
    script.send(1);
    script.wait(RTT).ack(end + 1);
    assert.equal(c.probeOut, false);
    assert.equal(script.threshold, threshold);
  }
});

Deno.test("cubic+: before round trips are known, and after a pause, a loss is congestion", () => {
  const control = new CubicPlus();
  const script = sender(100, control);
  control.onIdle(1, script.now);
  control.cwnd = 100 * MSS;
  control.ssthresh = Infinity;
  lose(script, 1, 4);
  assert.equal(script.threshold, 70);
});

Deno.test("cubic+: whatever is lost, every byte arrives, with SACK and without", () => {
  check(
    fc.property(
      fc.integer({ min: 1, max: 400 }),
      fc.double({ min: 0, max: 0.15, noNaN: true }),
      fc.integer(),
      fc.boolean(),
      fc.boolean(),
      (segments, share, seed, hasSack, hasRate) => {
        let state = seed | 1;
        const random = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) | 0) >>> 16;
        new Transfer({
          length: segments * MSS,
          hasSack,
          control: new CubicPlus(),
          drop: () => random() % 1_000 < share * 1_000,
          ...(hasRate && { rate: 1e6, queue: 20 * MSS }),
        }).run();
      },
    ),
    { runs: 300 },
  );
});
