import assert from "node:assert/strict";
import { milliseconds, seconds } from "../../../stack/store/time.ts";
import { Bbr } from "../../../stack/tcp/congestion/bbr.ts";
import { losesTooMuch } from "../../../stack/tcp/congestion/bbr-loss.ts";
import { Slope } from "../../../stack/tcp/congestion/bbr-slope.ts";
import { DeliverySample, LostSegment } from "../../../stack/tcp/congestion/sample.ts";

const MSS = 1_000;
const RTT = milliseconds(20);
/** Bytes a second that the path carries, and what is out when it is just full. */
const RATE = 10e6, PRODUCT = RATE * RTT / 1e6;

/** A path that carries {@linkcode RATE}, told to a control one round trip at a time. */
class Path {
  readonly control = new Bbr();
  readonly sample = new DeliverySample();
  readonly lost = new LostSegment();
  /** The share of each round that is lost. */
  loss = 0;
  rtt = RTT;
  isAppLimited = false;

  constructor() {
    this.control.reset(MSS);
  }

  /** So many round trips of a sender that always has data, in ten acknowledgments each. */
  round(count = 1): this {
    const { control, sample } = this;
    for (let left = count * 10; left > 0; left--) {
      const out = control.cwnd;
      const paced = control.pacingRate === 0 ? Infinity : control.pacingRate * this.rtt / 1e6;
      const flight = Math.min(out, paced);
      const queue = Math.max(0, flight - PRODUCT);
      const trip = this.rtt + Math.round(queue / RATE * 1e6);
      sample.now = (sample.now + trip / 10) | 0;
      sample.acked = Math.round(Math.min(flight, RATE * trip / 1e6) / 10);
      sample.lost = Math.round(this.loss * flight / 10);
      sample.priorDelivered = (sample.delivered - Math.round(flight * 0.9)) | 0;
      sample.delivered = (sample.delivered + sample.acked) | 0;
      sample.hasRate = true;
      sample.flightDelivered = sample.acked * 10;
      sample.rate = sample.flightDelivered * 1e6 / trip;
      sample.flightSize = flight;
      sample.flightLost = Math.round(this.loss * flight);
      sample.isAppLimited = this.isAppLimited;
      sample.rtt = trip;
      sample.inFlight = flight;
      sample.isWindowLimited = true;
      this.#lose(sample.lost, flight);
      control.onDelivery(sample);
    }
    return this;
  }

  #lose(bytes: number, flight: number): void {
    const { lost, control } = this;
    if (bytes === 0) return;
    lost.length = bytes;
    lost.flightSize = flight;
    lost.flightLost = this.loss * flight;
    lost.isApart = true;
    lost.isAppLimited = this.isAppLimited;
    lost.delivered = this.sample.delivered;
    control.onLostSegment(lost);
  }
}

Deno.test("bbr: the start doubles what is in flight each round trip, and finds the path's rate and product", () => {
  const path = new Path();
  const first = path.control.cwnd;
  path.round(2);
  assert.ok(path.control.cwnd > 2 * first);
  path.round(20);
  const { cwnd, pacingRate } = path.control;
  assert.ok(pacingRate > 0.85 * RATE && pacingRate < 1.3 * RATE, `${pacingRate}`);
  assert.ok(cwnd > PRODUCT && cwnd < 3.5 * PRODUCT, `${cwnd} of ${PRODUCT}`);
});

Deno.test("bbr: one percent of losses is not congestion (draft-ietf-ccwg-bbr, BBR.LossThresh)", () => {
  const path = new Path().round(30);
  path.loss = 0.01;
  path.round(60);
  assert.ok(path.control.pacingRate > 0.6 * RATE, `${path.control.pacingRate}`);
  assert.ok(path.control.cwnd >= PRODUCT * 0.7, `${path.control.cwnd}`);
});

Deno.test("bbr: on a short path three of what leaves at once are in flight at least, so that neither end waits (BBRUpdateOffloadBudget)", () => {
  const path = new Path();
  path.rtt = 50;
  // A millisecond's worth is 9,900 bytes; the path itself holds 500.
  const { cwnd } = path.round(300).control;
  assert.ok(cwnd >= 0.9 * 29_700 && cwnd <= 40_000, `${cwnd}`);
});

Deno.test("bbr: ten percent are: less is kept in flight", () => {
  const path = new Path().round(30);
  const before = path.control.cwnd;
  path.loss = 0.1;
  path.round(200);
  assert.ok(path.control.cwnd < before * 0.75, `${path.control.cwnd} of ${before}`);
});

Deno.test("bbr: a window that a timeout has cut comes back at its end, or when it was for nothing", () => {
  const { control } = new Path().round(30);
  const { cwnd } = control;
  for (const end of [() => control.onRecovered(), () => control.undo()]) {
    control.onTimeout();
    assert.equal(control.cwnd, MSS);
    end();
    assert.equal(control.cwnd, cwnd);
  }
});

Deno.test("bbr: each five seconds the queue is let run empty, to see the least round trip (ProbeRTT)", () => {
  const path = new Path().round(30);
  path.rtt = RTT + milliseconds(5);
  let least = Infinity;
  for (let passed = 0; passed < seconds(11); passed += path.rtt) {
    path.round(1);
    least = Math.min(least, path.control.cwnd);
  }
  assert.ok(least <= Math.max(PRODUCT * 0.7, 4 * MSS), `${least} of ${PRODUCT}`);
  assert.ok(path.round(20).control.cwnd > PRODUCT, "and filled again");
});

Deno.test("bbr: a pause ends the probe of the round trip, however long it is (draft-ietf-ccwg-bbr 5.3.4.3)", () => {
  // The clock of segments is halfway round after 36 minutes, and back after 72.
  for (const minutes of [1, 30, 40, 60, 71, 75]) {
    const path = new Path();
    const { control, sample } = path;
    while (!control.isHoldingBack) path.round();
    path.round(3);
    assert.ok(control.isHoldingBack);
    sample.now = (sample.now + seconds(60 * minutes)) | 0;
    control.onRestart(sample.now);
    assert.equal(control.isHoldingBack, false, `after ${minutes} minutes`);
  }
});

Deno.test("bbr: whatever the clock shows when a connection begins, it does not begin with a probe of the round trip", () => {
  const path = new Path();
  const early = path.round(3).control.cwnd;
  for (const start of [seconds(20), seconds(2_000), -seconds(20)]) {
    const late = new Path();
    late.sample.now = start | 0;
    assert.equal(late.round(3).control.cwnd, early, `${start}`);
  }
});

Deno.test("bbr: what an application-limited flight delivers does not lower the rate", () => {
  const path = new Path().round(30);
  const { pacingRate } = path.control;
  path.isAppLimited = true;
  const { sample, control } = path;
  for (let i = 0; i < 50; i++) {
    sample.now = (sample.now + RTT) | 0;
    sample.acked = sample.flightDelivered = MSS;
    sample.rate = MSS * 1e6 / RTT;
    sample.priorDelivered = sample.delivered;
    sample.delivered = (sample.delivered + MSS) | 0;
    sample.inFlight = sample.lost = sample.flightLost = 0;
    control.onDelivery(sample);
  }
  assert.ok(control.pacingRate > 0.7 * pacingRate, `${control.pacingRate} of ${pacingRate}`);
});

Deno.test("bbr: until the bandwidth is known the rate is that of the first window at least (BBRInitPacingRate)", () => {
  const control = new Bbr();
  control.reset(MSS);
  const sample = new DeliverySample();
  Object.assign(sample, { acked: 1, hasRate: true, rate: 0.1, flightDelivered: 1, flightSize: 1, rtt: RTT });
  control.onDelivery(sample);
  assert.ok(control.pacingRate >= 2 * 10 * MSS * 1e6 / RTT, `${control.pacingRate}`);
});

Deno.test("bbr: of a small flight a few are lost by chance, of a large one 2 % are too many (BBR.LossThresh)", () => {
  for (const [flight, most] of [[4, 1], [20, 1], [60, 3], [150, 6], [5_000, 120]] as const) {
    assert.equal(losesTooMuch(most, flight), false, `${most} of ${flight}`);
    assert.equal(losesTooMuch(most + 1, flight), true, `${most + 1} of ${flight}`);
  }
});

Deno.test("bbr: starts over for another connection", () => {
  const path = new Path().round(30);
  path.control.reset(536);
  assert.equal(path.control.cwnd, 5_360);
  assert.equal(path.control.pacingRate, 0);
});

Deno.test("bbr: a bound that is probed grows by 1, 2, 4 segments in rounds of a window (5.3.3.9), and no more once that is over", () => {
  const slope = new Slope();
  const cwnd = 64 * MSS;
  for (let probe = 0; probe < 2; probe++) {
    slope.begin();
    for (const growth of [1, 2, 4, 8, 16, 32, 64, 64]) {
      slope.raise(cwnd, MSS);
      let grown = 0;
      for (let segment = 0; segment < 64; segment++) grown += slope.take(MSS);
      assert.equal(grown, growth);
    }
  }
  slope.stop();
  assert.equal(slope.take(100 * cwnd), 0);
});
