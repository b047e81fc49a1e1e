/** The rules of draft-ietf-ccwg-bbr-06, told to a control one acknowledgment at a time. */
import assert from "node:assert/strict";
import { milliseconds, seconds } from "../../../stack/store/time.ts";
import { Bbr } from "../../../stack/tcp/congestion/bbr.ts";
import { inflightAtLoss } from "../../../stack/tcp/congestion/bbr-loss.ts";
import { DeliverySample, LostSegment } from "../../../stack/tcp/congestion/sample.ts";

const MSS = 1_000;
const RTT = milliseconds(20);
const RATE = 10e6, PRODUCT = RATE * RTT / 1e6;

/** What an acknowledgment may say otherwise than that a full path delivers at {@linkcode RATE}. */
interface Told {
  readonly rate?: number;
  readonly acked?: number;
  readonly inFlight?: number;
  readonly flightSize?: number;
  readonly flightLost?: number;
  readonly rtt?: number;
  readonly wait?: number;
  readonly isAppLimited?: boolean;
  readonly isWindowLimited?: boolean;
  /** It answers a segment of the round before, so that no round ends with it. */
  readonly isWithinRound?: boolean;
  /** It answers the first segment of this round, so that a round ends with it, but none that began since. */
  readonly isFirstOfRound?: boolean;
}

/** A flow whose every acknowledgment ends a round trip. */
class Flow {
  readonly control = new Bbr();
  readonly sample = new DeliverySample();
  readonly lost = new LostSegment();
  /** What was delivered when this round began. */
  #round = 0;

  constructor() {
    this.control.reset(MSS);
  }

  ack(told: Told = {}): this {
    const { sample, control } = this;
    const acked = told.acked ?? PRODUCT;
    sample.now = (sample.now + (told.wait ?? RTT)) | 0;
    sample.acked = acked;
    if (told.isWithinRound) sample.priorDelivered = (this.#round - 1) | 0;
    else sample.priorDelivered = told.isFirstOfRound ? this.#round : sample.delivered;
    sample.delivered = (sample.delivered + acked) | 0;
    if (!told.isWithinRound) this.#round = sample.delivered;
    sample.hasRate = true;
    sample.rate = told.rate ?? RATE;
    sample.flightDelivered = acked;
    sample.flightSize = told.flightSize ?? PRODUCT;
    sample.flightLost = told.flightLost ?? 0;
    sample.rtt = told.rtt ?? RTT;
    sample.inFlight = told.inFlight ?? PRODUCT;
    sample.isAppLimited = told.isAppLimited ?? false;
    sample.isWindowLimited = told.isWindowLimited ?? false;
    control.onDelivery(sample);
    return this;
  }

  acks(count: number, told: Told = {}): this {
    for (; count > 0; count--) this.ack(told);
    return this;
  }

  /** So many segments are lost, found together, of a flight of `flightSize` bytes. */
  lose(segments: number, flightSize: number = PRODUCT, isApart: boolean = true): this {
    const { lost, control, sample } = this;
    for (let index = 1; index <= segments; index++) {
      lost.length = MSS;
      lost.flightSize = flightSize;
      lost.flightLost = index * MSS;
      lost.isApart = isApart || index === 1;
      lost.isAppLimited = false;
      lost.delivered = sample.delivered;
      control.onLostSegment(lost);
    }
    return this;
  }

  /** Losses are being repaired. */
  recover(): this {
    this.control.onLoss();
    return this;
  }

  /** By what the bandwidth is multiplied: the state's mark. */
  get gain(): number {
    return Math.round(this.control.pacingRate / (0.99 * RATE) * 100) / 100;
  }

  /** The bandwidth is known, the queue has run empty. */
  cruise(): this {
    return this.acks(4).ack();
  }

  /** Up to the phase that probes the bandwidth. */
  up(): this {
    this.cruise().ack({ wait: seconds(3.1), rtt: RTT - 1 });
    return this.ack();
  }
}

const STARTUP = 2.77, DRAIN = 0.5, DOWN = 0.9, CRUISE = 1, UP = 1.25;

Deno.test("bbr 5.3.1.2: three rounds without growth by a quarter end the start; what comes within a round does not count (A.1)", () => {
  const flow = new Flow().ack().ack({ rate: 1.3 * RATE }).acks(2);
  assert.ok(flow.gain >= STARTUP, "a growth began the count anew");
  flow.acks(5, { isWithinRound: true, rate: 1.2 * RATE });
  assert.ok(flow.gain >= STARTUP);
  flow.ack({ inFlight: 10 * PRODUCT });
  assert.equal(Math.round(flow.gain / 1.3 * 100) / 100, DRAIN);
});

Deno.test("bbr 5.3.1.2: one sample of each round is compared, not the best one", () => {
  const flow = new Flow().ack();
  // Growth by 30 % a round; a better sample within the rounds must not hide it.
  for (let round = 1, rate = 1.3 * RATE; round <= 5; round++, rate *= 1.3) {
    flow.ack({ rate: 4 * RATE, isWithinRound: true }).ack({ rate });
  }
  assert.equal(flow.gain, 11.08);
});

Deno.test("bbr 5.3.1.2: application-limited rounds end no start (A.7)", () => {
  assert.equal(new Flow().ack().acks(20, { isAppLimited: true }).gain, STARTUP);
});

Deno.test("bbr 5.3.1.3: six ranges lost, more than the threshold, and a round of recovery end the start (A.2)", () => {
  const told = { flightLost: PRODUCT / 10, inFlight: 10 * PRODUCT, isAppLimited: true };
  const start = () => new Flow().ack();
  assert.equal(start().lose(6).recover().ack({ ...told, isWithinRound: true }).gain, STARTUP, "no round yet");
  assert.equal(start().lose(6).recover().ack(told).gain, DRAIN);
  assert.equal(start().lose(5).recover().ack(told).gain, STARTUP, "five ranges");
  assert.equal(start().lose(6, PRODUCT, false).recover().ack(told).gain, STARTUP, "one range of six");
  assert.equal(start().lose(6).ack(told).gain, STARTUP, "no recovery");
  assert.equal(
    start().lose(6).recover().ack({ ...told, flightLost: MSS }).gain,
    STARTUP,
    "below the threshold",
  );
});

Deno.test("bbr 5.3.2: after three rounds the queue is left as it is (A.3, A.4)", () => {
  const full = () => new Flow().acks(4, { inFlight: 10 * PRODUCT });
  assert.equal(full().gain, DRAIN);
  assert.equal(full().acks(3, { inFlight: 10 * PRODUCT }).gain, DRAIN);
  assert.equal(full().acks(4, { inFlight: 10 * PRODUCT }).gain, DOWN);
  assert.equal(full().ack({ inFlight: PRODUCT }).gain, CRUISE);
});

Deno.test("bbr 5.3.3.9: down lasts until no more is in flight than the greatest bandwidth, not the present one, needs (A.8)", () => {
  const flow = new Flow().acks(4, { inFlight: 10 * PRODUCT }).acks(4, { inFlight: 10 * PRODUCT });
  assert.equal(flow.gain, DOWN);
  // The short-term bandwidth is lowered to 0.7 of it.
  flow.ack({ inFlight: 10 * PRODUCT, rate: RATE / 2 });
  flow.lose(1).ack({ inFlight: 10 * PRODUCT, rate: RATE / 2 });
  assert.equal(flow.gain, 0.63);
  assert.equal(flow.ack({ rate: RATE / 2 }).gain, 0.7, "cruising at what is left of it");
});

Deno.test("bbr 5.3.3.8: after 2 to 3 s, and a round of refilling, the bandwidth is probed; a plateau ends that (A.5, A.9)", () => {
  const flow = new Flow().cruise();
  assert.equal(flow.gain, CRUISE);
  assert.equal(flow.up().gain, UP);
  assert.equal(flow.acks(2).gain, UP);
  assert.equal(flow.ack({ inFlight: 10 * PRODUCT }).gain, DOWN);
});

Deno.test("bbr 5.5.10.2: of what was in flight when the lost segment left the bound is made, whatever was since (A.6, A.21)", () => {
  const flow = new Flow().up();
  assert.equal(flow.gain, UP);
  // What is acknowledged now left with a quarter in flight.
  flow.lose(20, 300 * MSS).ack({
    flightSize: PRODUCT / 4,
    flightLost: 20 * MSS,
    inFlight: 10 * PRODUCT,
    acked: 500 * MSS,
  });
  assert.equal(flow.gain, DOWN);
  assert.equal(flow.control.cwnd, 299 * MSS);
});

Deno.test("bbr 5.5.10.2: InflightAtLoss is within the segment whose loss was too much", () => {
  const lost = new LostSegment();
  Object.assign(lost, { length: 10 * MSS, flightSize: 100 * MSS, flightLost: 10 * MSS });
  assert.equal(Math.round(inflightAtLoss(lost)), Math.round(90 * MSS + 0.02 * 90 * MSS / 0.98));
  Object.assign(lost, { length: MSS, flightSize: 100 * MSS, flightLost: 6 * MSS });
  assert.equal(inflightAtLoss(lost), 99 * MSS);
});

Deno.test("bbr 5.5.10.2, NoteLoss: bounds are lowered a whole round after the first loss", () => {
  const flow = new Flow().cruise().ack({ rate: RATE / 2 }).ack({ isWithinRound: true, rate: RATE / 2 }).lose(
    1,
  );
  flow.ack({ isFirstOfRound: true, rate: RATE / 2 });
  assert.equal(flow.gain, CRUISE, "what is acknowledged left before the loss was found");
  flow.ack({ rate: RATE / 2 });
  assert.ok(flow.gain < CRUISE, `${flow.gain}`);
});

Deno.test("bbr 5.5.10.3: probing ends with a clean sheet: its losses lower nothing afterwards (ResetCongestionSignals)", () => {
  const slow = { rate: RATE / 4, inFlight: 10 * PRODUCT };
  const flow = new Flow().up().acks(2, slow).ack({ ...slow, isWithinRound: true }).lose(1);
  // The plateau ends the probe before the round of the loss is over.
  assert.equal(flow.ack({ ...slow, isFirstOfRound: true }).gain, DOWN);
  assert.equal(flow.ack(slow).gain, DOWN, "not 0.7 of it");
});

Deno.test("bbr 5.3.3.6: after a probe that found too much the next one stops there, and the one after that does not", () => {
  const flow = new Flow().up();
  flow.lose(20, 300 * MSS).ack();
  flow.ack();
  // Two seconds later: up again, until that much is in flight.
  flow.ack({ wait: seconds(3.1), rtt: RTT - 2 }).ack({ inFlight: PRODUCT });
  assert.equal(flow.gain, UP);
  flow.ack({ inFlight: 299 * MSS });
  assert.equal(flow.gain, DOWN);
  // A round without losses later: no cruise, but the same again, this time without a stop.
  flow.ack({ inFlight: 299 * MSS });
  flow.ack({ inFlight: 299 * MSS });
  assert.equal(flow.gain, UP);
  assert.equal(flow.ack({ inFlight: 299 * MSS }).gain, UP);
});

Deno.test("bbr 5.3.4: five seconds without a lower round trip bring ProbeRTT, after 200 ms it is over (A.10)", () => {
  const flow = new Flow().cruise();
  // The first of the five acknowledgments so far has measured it.
  flow.acks(seconds(5) / RTT - 4);
  assert.ok(!flow.control.isHoldingBack);
  flow.ack();
  assert.ok(flow.control.isHoldingBack);
  assert.equal(flow.control.cwnd, PRODUCT / 2);
  flow.acks(10, { inFlight: PRODUCT / 2 });
  assert.ok(flow.control.isHoldingBack);
  flow.acks(2, { inFlight: PRODUCT / 2 });
  assert.ok(!flow.control.isHoldingBack);
  assert.equal(flow.gain, CRUISE);
});

Deno.test("bbr 5.3.4.4: a start that ProbeRTT has interrupted goes on (A.20)", () => {
  const flow = new Flow().ack({ isAppLimited: true }).ack({ wait: seconds(6), isAppLimited: true });
  assert.ok(flow.control.isHoldingBack);
  flow.acks(14, { inFlight: 0, isAppLimited: true });
  assert.ok(!flow.control.isHoldingBack);
  assert.equal(flow.ack({ rate: 2 * RATE }).gain, 5.54);
});

Deno.test("bbr 5.4.1: whoever restarts from idle needs no ProbeRTT, and sends at the bandwidth (A.11)", () => {
  const flow = new Flow().up();
  assert.equal(flow.gain, UP);
  flow.control.onRestart((flow.sample.now + seconds(6)) | 0);
  assert.equal(flow.gain, 1);
  flow.ack({ wait: seconds(6) });
  assert.ok(!flow.control.isHoldingBack);
  flow.ack({ wait: seconds(6) });
  assert.ok(flow.control.isHoldingBack, "the next one has no such excuse");
});

Deno.test("bbr 5.4.1: a pause in ProbeRTT may be its end, before anything is sent", () => {
  const flow = new Flow().cruise().ack({ wait: seconds(6), inFlight: 0 });
  const { control } = flow;
  assert.equal(control.cwnd, PRODUCT / 2);
  control.onRestart((flow.sample.now + milliseconds(100)) | 0);
  assert.ok(control.isHoldingBack, "too early");
  control.onRestart((flow.sample.now + milliseconds(201)) | 0);
  assert.ok(!control.isHoldingBack);
  assert.ok(control.cwnd >= 2 * PRODUCT, `${control.cwnd}`);
});

Deno.test("bbr 5.5.5: two rounds without a reliable sample do not forget the bandwidth", () => {
  // A probe of the bandwidth is over, and then one of the round trip.
  const flow = new Flow().up().acks(3).ack({ rate: 0 }).ack({ rate: 0, wait: seconds(6) });
  assert.ok(flow.control.isHoldingBack);
  flow.acks(14, { rate: 0, inFlight: 0 });
  assert.ok(!flow.control.isHoldingBack);
  assert.equal(flow.gain, CRUISE);
});

Deno.test("bbr 5.5.9: what one acknowledgment brings is an extra, too (A.12, A.13)", () => {
  const flow = new Flow().cruise().acks(3, { acked: 100 * MSS, wait: RTT });
  // Half of the product came at once, after which nothing for as long as that takes.
  assert.equal(flow.control.cwnd, 2 * PRODUCT + 200 * MSS);
});

Deno.test("bbr 5.5.11: a recovery for nothing gives back the start (A.18)", () => {
  const flow = new Flow().ack().lose(6).recover().ack({ flightLost: PRODUCT / 10, inFlight: 10 * PRODUCT });
  assert.equal(flow.gain, DRAIN);
  flow.control.undo();
  assert.equal(flow.ack({ rate: 2 * RATE }).gain, 5.54);
});

Deno.test("bbr 5.5.11: and the probe of the bandwidth, with the bounds, by a round of refilling (A.18)", () => {
  // That it was for nothing shows before its end or after.
  for (const isOver of [false, true]) {
    const flow = new Flow().up();
    const { control } = flow;
    const { cwnd } = control;
    flow.lose(20, 150 * MSS).recover().ack({ inFlight: 10 * PRODUCT });
    assert.equal(flow.gain, DOWN);
    assert.ok(control.cwnd < cwnd);
    if (isOver) control.onRecovered();
    control.undo();
    assert.ok(control.cwnd >= cwnd);
    assert.equal(flow.ack().gain, UP);
    assert.ok(control.cwnd >= cwnd);
  }
});

Deno.test("bbr 5.5.11: bounds come back, but not higher than before that recovery (A.19)", () => {
  const flow = new Flow().up().lose(20, 250 * MSS).recover().ack({
    inFlight: 10 * PRODUCT,
    acked: 500 * MSS,
  });
  flow.control.onRecovered();
  flow.ack({ acked: 500 * MSS, inFlight: 10 * PRODUCT });
  assert.equal(flow.control.cwnd, 249 * MSS);
  flow.lose(1).recover().ack({ acked: 500 * MSS, inFlight: 10 * PRODUCT });
  flow.control.undo();
  flow.ack({ acked: 500 * MSS, inFlight: 10 * PRODUCT });
  assert.equal(flow.control.cwnd, 249 * MSS);
});

Deno.test("bbr 5.6.4.4: losses as such take nothing off the window", () => {
  const flow = new Flow().cruise();
  const { cwnd } = flow.control;
  flow.lose(10).recover();
  flow.sample.lost = 10 * MSS;
  flow.ack({ acked: MSS, isWithinRound: true });
  assert.ok(flow.control.cwnd >= cwnd, `${flow.control.cwnd} of ${cwnd}`);
});

Deno.test("bbr 5.6.4.3: four segments at least, from the first acknowledgment after a timeout on (A.14)", () => {
  const flow = new Flow().cruise();
  flow.control.onTimeout();
  assert.equal(flow.control.cwnd, MSS);
  flow.ack({ acked: MSS, isWithinRound: true });
  assert.equal(flow.control.cwnd, 4 * MSS);
});

Deno.test("bbr 5.6.4.2: three quanta of two segments at least are in flight, and what comes in bunches is part of them", () => {
  const flow = new Flow().acks(6, { rate: MSS * 1e6 / RTT, acked: MSS, inFlight: 0 });
  assert.equal(flow.control.cwnd, 6 * MSS);
});

Deno.test("bbr 5.6.4.2: as long as no round trip is measured the window does not grow without end", () => {
  const flow = new Flow().acks(20, { rtt: -1, acked: 10 * MSS, rate: RATE });
  assert.ok(flow.control.cwnd <= 30 * MSS, `${flow.control.cwnd}`);
});

Deno.test("bbr 3.7: a mark of congestion ends the start, and a probe of the bandwidth", () => {
  const start = new Flow().ack();
  start.control.onMark(PRODUCT);
  assert.equal(start.ack({ inFlight: 10 * PRODUCT }).gain, DRAIN);
  const probe = new Flow().up();
  probe.control.onMark(150 * MSS);
  const told = { inFlight: 10 * PRODUCT, acked: 500 * MSS, flightSize: 100 * MSS };
  probe.ack(told);
  assert.equal(probe.gain, DOWN);
  assert.equal(probe.control.cwnd, 150 * MSS);
  probe.control.undo();
  probe.ack(told);
  assert.equal(probe.control.cwnd, 150 * MSS, "no mark is taken back");
});

Deno.test("bbr 3.7: a mark otherwise lowers the bounds as a loss does", () => {
  const flow = new Flow().cruise().ack({ rate: RATE / 2 });
  flow.control.onMark(PRODUCT);
  assert.ok(flow.ack({ rate: RATE / 2 }).gain < CRUISE);
});
