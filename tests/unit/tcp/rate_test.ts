import assert from "node:assert/strict";
import { milliseconds } from "../../../stack/store/time.ts";
import { Bbr } from "../../../stack/tcp/congestion/bbr.ts";
import type { CongestionControl } from "../../../stack/tcp/congestion/control.ts";
import type { DeliverySample, LostSegment } from "../../../stack/tcp/congestion/sample.ts";
import type { Losses } from "../../../stack/tcp/loss.ts";
import { RateSampler } from "../../../stack/tcp/rate.ts";
import { onAckReceived, onEcnEcho, onIdleRestart } from "../../../stack/tcp/recovery.ts";
import { lossesOf, MSS } from "./transfer.ts";

const RTT = milliseconds(10);

/** A flight with a sampler, sent and acknowledged by hand. Times are near the clock's turn. */
class Sampled {
  readonly c: Losses;
  readonly rates: RateSampler;
  now = 0x7fff_ff00;

  constructor(control: CongestionControl = new Bbr()) {
    this.c = lossesOf(control);
    this.rates = new RateSampler(control);
    this.c.flight.rates = this.rates;
    this.c.rtt.measure(RTT, this.now);
  }

  send(segments: number, gap = 0): this {
    const { flight } = this.c;
    for (; segments > 0; segments--) {
      flight.push(flight.end + MSS, this.now);
      this.wait(gap);
    }
    return this;
  }

  wait(time: number): this {
    this.now = (this.now + time) | 0;
    return this;
  }

  ack(upTo: number, sack?: [number, number]): DeliverySample {
    const { flight } = this.c;
    flight.begin();
    flight.ackTo(upTo * MSS);
    if (sack !== undefined) flight.sack(sack[0] * MSS, sack[1] * MSS);
    return this.rates.finish(this.c, this.now);
  }
}

Deno.test("rate: what was delivered over the time it took, in bytes a second", () => {
  const s = new Sampled().send(10).wait(RTT);
  const sample = s.ack(10);
  assert.equal(sample.acked, 10 * MSS);
  assert.equal(sample.rtt, RTT);
  assert.equal(sample.rate, 10 * MSS * 100);
  assert.equal(sample.flightDelivered, 10 * MSS);
  assert.ok(!sample.isAppLimited);
});

Deno.test("rate: the longer of the times of sending and of acknowledging counts, so that bunched ACKs do not", () => {
  const s = new Sampled().send(10, milliseconds(2)).wait(RTT);
  const sample = s.ack(10);
  // The last left 18 ms after the first, and is acknowledged 30 ms after that.
  assert.equal(Math.round(sample.rate), 333_333);
});

Deno.test("rate: an interval shorter than the least round trip says nothing", () => {
  const s = new Sampled().send(2).wait(RTT / 2);
  assert.equal(s.ack(2).rate, 0);
});

Deno.test("rate: what was sent when there was no more to send is marked, until it is all delivered", () => {
  const s = new Sampled().send(2);
  s.rates.onAppLimited(s.c.flight.pipe);
  s.send(1).wait(RTT);
  assert.ok(!s.ack(2).isAppLimited, "these left before");
  assert.ok(s.ack(3).isAppLimited);
  s.send(4).wait(RTT);
  assert.ok(!s.ack(7).isAppLimited, "and the sender had enough again");
});

Deno.test("rate: losses since a segment left are told with it, out of what was in flight then", () => {
  const s = new Sampled().send(10).wait(RTT);
  s.ack(0, [3, 4]);
  s.c.flight.markLost(0);
  s.c.flight.markLost(1);
  const sample = s.ack(0, [4, 6]);
  assert.equal(sample.lost, 2 * MSS, "a timer has found them since the acknowledgment before");
  assert.equal(sample.flightLost, 2 * MSS);
  assert.equal(sample.flightSize, 6 * MSS);
  assert.equal(s.ack(0, [6, 7]).lost, 0, "and they are told once");
});

Deno.test("rate: a segment sent twice gives a rate but no round trip (Karn)", () => {
  const s = new Sampled().send(3).wait(RTT);
  s.c.flight.markLost(0);
  s.c.flight.resend(0, MSS, s.now);
  const sample = s.wait(RTT).ack(1);
  assert.equal(sample.rtt, -1);
  assert.ok(sample.hasRate);
});

Deno.test("rate: a part of a segment counts as delivered and says nothing about times", () => {
  const s = new Sampled().send(1).wait(RTT);
  const { flight } = s.c;
  flight.begin();
  flight.ackTo(MSS / 2);
  const sample = s.rates.finish(s.c, s.now);
  assert.equal(sample.acked, MSS / 2);
  assert.ok(!sample.hasRate);
});

Deno.test("rate: flights that grow, land and are divided keep what was noted for each segment", () => {
  const s = new Sampled();
  for (let round = 0; round < 5; round++) {
    const una = s.c.flight.una / MSS;
    s.send(40).wait(RTT);
    s.ack(una + 20);
    s.send(40).wait(RTT);
    s.c.flight.markLost(0);
    s.c.flight.resend(0, MSS - 512, s.now);
    const sample = s.wait(RTT).ack(una + 80);
    assert.ok(sample.rate > 0 && sample.rate < 80 * MSS * 100, `${sample.rate}`);
  }
});

/** Notes what a control that follows a model is told. */
class Listening extends Bbr {
  readonly heard: string[] = [];
  holds = false;

  override get isHoldingBack(): boolean {
    return this.holds;
  }

  override onLostSegment(l: LostSegment): void {
    const sizes = [l.length, l.flightSize, l.flightLost, l.delivered].map((bytes) => bytes / MSS);
    this.heard.push(`lost ${sizes.join(" ")}${l.isAppLimited ? " limited" : ""}${l.isApart ? " apart" : ""}`);
  }

  override onLoss(): void {
    this.heard.push("loss");
  }

  override onMark(inFlight: number): void {
    this.heard.push(`mark ${inFlight / MSS}`);
  }

  override onRestart(): void {
    this.heard.push("restart");
  }
}

Deno.test("rate: each lost segment is told, with what was in flight as it left, lost since, and delivered by now", () => {
  const control = new Listening();
  const s = new Sampled(control).send(3);
  s.rates.onAppLimited(s.c.flight.pipe);
  s.send(7).wait(RTT);
  const { flight } = s.c;
  flight.begin();
  flight.sack(8 * MSS, 10 * MSS);
  for (const index of [0, 1, 4]) flight.markLost(index);
  s.rates.finish(s.c, s.now);
  flight.markLost(5);
  assert.deepEqual(control.heard, [
    "lost 1 1 1 2",
    "lost 1 2 2 2",
    "lost 1 5 3 2 limited apart",
    "lost 1 6 4 2 limited",
  ]);
});

Deno.test("rate: what a control sends that holds back on purpose is no measure of the path (draft-ietf-ccwg-bbr 5.3.4.3)", () => {
  for (const holds of [false, true]) {
    const control = new Listening();
    control.holds = holds;
    const s = new Sampled(control).send(2).wait(RTT);
    s.c.flight.begin();
    s.c.flight.ackTo(MSS);
    onAckReceived(s.c, s.now, true, MSS, false, false, true);
    s.send(1).wait(RTT);
    assert.equal(s.ack(3).isAppLimited, holds);
  }
});

Deno.test("recovery: a control that follows a model hears of marks as such (draft-ietf-ccwg-bbr 3.7)", () => {
  const control = new Listening();
  const s = new Sampled(control).send(4);
  onEcnEcho(s.c, s.now);
  assert.deepEqual(control.heard, ["mark 4"]);
});

Deno.test("recovery: and of each restart with nothing in flight, if there was nothing to send (draft-ietf-ccwg-bbr 5.4.1)", () => {
  const control = new Listening();
  const s = new Sampled(control).send(1).wait(RTT);
  const idle = { ...s.c, lastSentAt: 0, tcp: { clock: { now: 1, micros: s.now } } };
  s.ack(1);
  onIdleRestart(idle);
  assert.deepEqual(control.heard, [], "there was");
  s.rates.onAppLimited(0);
  onIdleRestart(idle);
  assert.deepEqual(control.heard, ["restart"]);
  s.send(1);
  onIdleRestart(idle);
  assert.deepEqual(control.heard, ["restart"], "something is in flight");
});
