/**
 * BBR (draft-ietf-ccwg-bbr, the third version): sends at the rate at which the path delivers, with as much in flight as
 * a model of the path says that it holds. A loss is not congestion unless too many are. Names are the draft's.
 *
 * @module
 */
import { milliseconds, seconds } from "../../store/time.ts";
import { elapsed, later, type Micros } from "../clock.ts";
import { BbrModel, BETA, isOver, losesTooMuch } from "./bbr-model.ts";
import { Plateau } from "./bbr-plateau.ts";
import { PACING_GAIN, Phase, State, WINDOW_GAIN } from "./bbr-state.ts";
import { type CongestionControl, initialWindow } from "./control.ts";
import type { DeliverySample } from "./sample.ts";

/** BBR.PacingMarginPercent */
const MARGIN = 0.99;
/** BBR.Headroom */
const HEADROOM = 0.15;
/** BBR.MinPipeCwnd, in segments. */
const LEAST_SEGMENTS = 4;
/** BBR.ProbeRTTDuration */
const PROBE_RTT_TIME = milliseconds(200);
/** BBR.StartupFullLossCnt */
const FULL_LOSSES = 6;
/** BBR.send_quantum: no more than 64 KB, or what leaves in a millisecond. */
const QUANTUM_MAX = 64 * 1_024, QUANTUM_TIME = 1e-3;
/** BBR.offload_budget, in these. */
const QUANTA = 3;
/** Rounds after which a flow probes as often as Reno's would have had a loss. */
const RENO_ROUNDS = 63;

/** One flow's BBR. */
export class Bbr implements CongestionControl {
  readonly name: string = "bbr";
  cwnd: number = 0;
  /** There is none: a window that was cut grows back to what the model says. */
  readonly ssthresh: number = Infinity;
  pacingRate: number = 0;
  readonly #model = new BbrModel();
  #mss = 0;
  #state: State = State.Startup;
  #phase: Phase = Phase.Init;
  #isFull = false;
  readonly #plateau = new Plateau();
  #cycleAt: Micros = 0;
  #probeWait = 0;
  /** Losses in this round, each found with another acknowledgment. */
  #lossEvents = 0;
  /** BBR.bw_probe_samples: what is lost now answers the probe. */
  #isProbeSample = false;
  /** The last probe found that the path held too much. */
  #wasTooHigh = false;
  #probeUpAcks = 0;
  #probeUpCount = 0;
  #probeUpRounds = 0;
  #probeRttUntil: Micros = 0;
  #probeRttHolds = false;
  #probeRttRound = false;
  /** The window to come back to after a recovery or a probe. */
  #priorCwnd = 0;
  #inRecovery = false;
  #isIdle = false;
  /** Bytes delivered since the start, as far as that matters. */
  #deliveredInAll = 0;
  #undoLongTerm = 0;
  #random = 1;

  reset(mss: number): void {
    this.#mss = mss;
    this.cwnd = initialWindow(mss);
    this.pacingRate = 0;
    this.#model.reset();
    this.#state = State.Startup;
    this.#phase = Phase.Init;
    this.#isFull =
      this.#inRecovery =
      this.#isIdle =
      this.#probeRttHolds =
      this.#isProbeSample =
        false;
    this.#plateau.begin(0);
    this.#lossEvents =
      this.#priorCwnd =
      this.#deliveredInAll =
      this.#undoLongTerm =
        0;
    this.#random = 1;
  }

  setMss(mss: number): void {
    this.#mss = mss;
  }

  /** What is acknowledged is heard of by {@linkcode Bbr.onDelivery}. */
  onAck(): void {}

  onLoss(_inFlight: number, _now: Micros): void {
    this.#save();
    this.#inRecovery = true;
    this.#model.onMark();
  }

  onTimeout(_inFlight: number, _now: Micros): void {
    this.#save();
    this.#inRecovery = true;
    this.cwnd = this.#mss;
  }

  onRecovered(): void {
    this.#inRecovery = false;
    this.#restore();
  }

  // 5.4.1: BBRHandleRestartFromIdle
  onIdle(_timeouts: number, _now: Micros): void {
    this.#isIdle = true;
    if (this.#isProbingBandwidth()) this.#setRate(1);
  }

  undo(): void {
    this.#inRecovery = false;
    this.#restore();
    this.#model.forgetLosses();
    if (this.#undoLongTerm > 0) {
      this.#model.inflightLongTerm = Math.max(this.#model.inflightLongTerm, this.#undoLongTerm);
    }
  }

  /** 5.2.3: BBRUpdateModelAndState and BBRUpdateControlParameters. */
  onDelivery(s: DeliverySample): void {
    const model = this.#model;
    if (s.acked > 0 && this.#deliveredInAll < 1 << 28) this.#deliveredInAll += s.acked;
    if (s.hasRate) {
      this.#random = (Math.imul(this.#random, 1_103_515_245) + 12_345 + s.now) | 0;
      model.update(
        s,
        this.#isAskingForLoss(),
        this.#inRecovery ? Math.max(this.cwnd, this.#priorCwnd) : this.cwnd,
      );
      model.updateAggregation(s, this.cwnd, this.#isFull);
      if (this.#plateau.take(s, model.isRoundStart)) this.#isFull = true;
      this.#checkStartupDone(s);
      this.#checkDrain(s);
      this.#updateCycle(s);
      model.updateMinRtt(s);
      this.#checkProbeRtt(s);
      model.finish(s);
      this.#setRate(PACING_GAIN[this.#state]!);
    }
    this.#setWindow(s);
  }

  // 5.3.1.3: too many losses end the start as well.
  #checkStartupDone(s: DeliverySample): void {
    if (this.#state !== State.Startup) return;
    if (s.lost > 0) this.#lossEvents++;
    if (this.#model.isRoundStart) {
      if (this.#lossEvents >= FULL_LOSSES && this.#isTooHigh(s)) {
        this.#isFull = true;
        this.#model.inflightLongTerm = Math.max(this.#model.product(1), this.#model.inflightLatest);
      }
      this.#lossEvents = 0;
    }
    if (this.#isFull) this.#state = State.Drain;
  }

  #checkDrain(s: DeliverySample): void {
    if (this.#state === State.Drain && s.inFlight <= this.#inflight(1)) this.#startDown(s);
  }

  // 5.3.3.6: BBRUpdateProbeBWCyclePhase
  #updateCycle(s: DeliverySample): void {
    if (!this.#isFull) return;
    this.#adaptLongTerm(s);
    switch (this.#state) {
      case State.Down:
        if (!this.#checkTimeToProbe(s) && this.#isTimeToCruise(s)) this.#state = State.Cruise;
        break;
      case State.Cruise:
        this.#checkTimeToProbe(s);
        break;
      case State.Refill:
        if (this.#model.isRoundStart) this.#startUp(s);
        break;
      case State.Up:
        if (!this.#isTimeToGoDown(s)) break;
        this.#wasTooHigh = false;
        this.#startDown(s);
    }
  }

  #checkTimeToProbe(s: DeliverySample): boolean {
    const window = Math.min(this.#inflight(1), this.cwnd) / this.#mss;
    const isDue = isOver(this.#cycleAt, s.now, this.#probeWait) ||
      this.#model.roundsSinceProbe >= Math.min(window, RENO_ROUNDS);
    if (isDue) this.#startRefill(s);
    return isDue;
  }

  #isTimeToCruise(s: DeliverySample): boolean {
    return s.inFlight <= this.#withHeadroom() && s.inFlight <= this.#inflight(1);
  }

  // 5.3.3.4: up until the bandwidth no longer grows; and no further than what was too much the last time.
  #isTimeToGoDown(s: DeliverySample): boolean {
    if (this.#wasTooHigh && s.inFlight >= this.#model.inflightLongTerm) return true;
    if (s.isWindowLimited && this.cwnd >= this.#model.inflightLongTerm) {
      this.#plateau.begin(s.rate);
    } else if (this.#plateau.isReached) return true;
    return false;
  }

  #startDown(s: DeliverySample): void {
    this.#state = State.Down;
    this.#phase = Phase.Stopping;
    this.#probeUpCount = 0;
    this.#cycleAt = s.now;
    // 5.3.3.5.3: BBRPickProbeWait, so that flows do not probe at once.
    this.#model.roundsSinceProbe = (this.#random >>> 16) & 1;
    this.#probeWait = seconds(2) + (this.#random >>> 8) % seconds(1);
    this.#model.startRound(s.delivered);
  }

  #startRefill(s: DeliverySample): void {
    this.#state = State.Refill;
    this.#phase = Phase.Refilling;
    this.#model.forgetLosses();
    this.#probeUpRounds = this.#probeUpAcks = 0;
    this.#model.startRound(s.delivered);
  }

  #startUp(s: DeliverySample): void {
    this.#state = State.Up;
    this.#phase = Phase.Starting;
    this.#isProbeSample = true;
    this.#cycleAt = s.now;
    this.#plateau.begin(s.rate);
    this.#raiseSlope();
    this.#model.startRound(s.delivered);
  }

  // 5.5.9: BBRAdaptLongTermModel
  #adaptLongTerm(s: DeliverySample): void {
    const model = this.#model;
    if (this.#phase === Phase.Starting && model.isRoundStart) this.#phase = Phase.Feedback;
    if (this.#phase === Phase.Stopping && model.isRoundStart) {
      this.#isProbeSample = false;
      this.#phase = Phase.Init;
      if (this.#isProbingBandwidth() && !s.isAppLimited) model.maxBandwidth.advance();
    }
    if (this.#isTooHigh(s)) {
      if (this.#isProbeSample) this.#onTooHigh(s);
      return;
    }
    if (model.inflightLongTerm === Infinity) return;
    if (s.flightSize > model.inflightLongTerm) model.inflightLongTerm = s.flightSize;
    if (this.#state === State.Up) this.#probeUpward(s);
  }

  // 5.5.10.2: IsInflightTooHigh
  #isTooHigh(s: DeliverySample): boolean {
    return losesTooMuch(s.flightLost / this.#mss, s.flightSize / this.#mss);
  }

  // BBRHandleInflightTooHigh
  #onTooHigh(s: DeliverySample): void {
    const model = this.#model;
    this.#isProbeSample = false;
    this.#wasTooHigh = true;
    if (!s.isAppLimited) {
      this.#undoLongTerm = model.inflightLongTerm;
      model.inflightLongTerm = Math.max(s.flightSize, Math.min(this.#inflight(1), this.cwnd) * BETA);
    }
    if (this.#state === State.Up) this.#startDown(s);
  }

  // 5.5.9: BBRProbeInflightLongTermUpward and BBRRaiseInflightLongTermSlope
  #probeUpward(s: DeliverySample): void {
    const model = this.#model;
    if (!s.isWindowLimited || this.cwnd < model.inflightLongTerm) return;
    this.#probeUpAcks += s.acked;
    if (this.#probeUpAcks >= this.#probeUpCount) {
      const steps = Math.floor(this.#probeUpAcks / this.#probeUpCount);
      this.#probeUpAcks -= steps * this.#probeUpCount;
      model.inflightLongTerm += steps * this.#mss;
    }
    if (model.isRoundStart) this.#raiseSlope();
  }

  #raiseSlope(): void {
    const growth = 2 ** Math.min(this.#probeUpRounds++, 30);
    this.#probeUpCount = Math.max(this.cwnd / growth, this.#mss);
  }

  // 5.3.4: ProbeRTT
  #checkProbeRtt(s: DeliverySample): void {
    const model = this.#model;
    if (this.#state !== State.ProbeRtt) {
      if (!model.isProbeRttDue || this.#isIdle) {
        if (s.acked > 0) this.#isIdle = false;
        return;
      }
      this.#state = State.ProbeRtt;
      this.#save();
      this.#probeRttHolds = false;
      this.#phase = Phase.Stopping;
      model.startRound(s.delivered);
    }
    if (!this.#probeRttHolds) {
      if (s.inFlight > this.#probeRttWindow()) return;
      this.#probeRttHolds = true;
      this.#probeRttRound = false;
      this.#probeRttUntil = later(s.now, PROBE_RTT_TIME);
      model.startRound(s.delivered);
      return;
    }
    if (model.isRoundStart) this.#probeRttRound = true;
    if (!this.#probeRttRound || elapsed(this.#probeRttUntil, s.now) <= 0) return;
    model.onProbedRtt(s.now);
    this.#restore();
    model.forgetLosses();
    if (this.#isFull) {
      this.#startDown(s);
      this.#state = State.Cruise;
    } else this.#state = State.Startup;
  }

  #probeRttWindow(): number {
    return Math.max(this.#model.product(WINDOW_GAIN[State.ProbeRtt]!), LEAST_SEGMENTS * this.#mss);
  }

  // 5.6.2: BBRSetPacingRateWithGain
  #setRate(gain: number): void {
    const rate = gain * this.#model.bandwidth * MARGIN;
    if (this.pacingRate === 0) this.#initRate();
    if (this.#isFull || rate > this.pacingRate) this.pacingRate = rate;
  }

  // 5.6.2: BBRInitPacingRate, so that a first sample of little data, or of a lost segment, holds nothing back.
  #initRate(): void {
    const { minRtt } = this.#model;
    this.pacingRate = PACING_GAIN[State.Startup]! * initialWindow(this.#mss) * 1e6 /
      (minRtt || milliseconds(1));
  }

  // 5.6.4.2: BBRQuantizationBudget, with BBRUpdateOffloadBudget: one quantum at either end, and one on its way.
  #inflight(gain: number): number {
    const product = this.#model.product(gain);
    const budget = QUANTA * Math.min(this.#model.bandwidth * QUANTUM_TIME, QUANTUM_MAX);
    const least = Math.max(product, budget, LEAST_SEGMENTS * this.#mss);
    return this.#state === State.Up ? least + 2 * this.#mss : least;
  }

  // 5.6.4.7
  #withHeadroom(): number {
    const { inflightLongTerm } = this.#model;
    if (inflightLongTerm === Infinity) return Infinity;
    return Math.max(
      inflightLongTerm - Math.max(this.#mss, HEADROOM * inflightLongTerm),
      LEAST_SEGMENTS * this.#mss,
    );
  }

  // 5.6.4.6: BBRSetCwnd
  #setWindow(s: DeliverySample): void {
    const model = this.#model;
    // 5.6.4.4: BBRModulateCwndForRecovery
    if (s.lost > 0 && this.#inRecovery) this.cwnd = Math.max(this.cwnd - s.lost, this.#mss);
    if (model.minRtt > 0 && model.bandwidth > 0) {
      const most = this.#inflight(WINDOW_GAIN[this.#state]!) + model.extraAcked.value;
      if (this.#isFull) this.cwnd = Math.min(this.cwnd + s.acked, most);
      else if (this.cwnd < most || this.#deliveredInAll < initialWindow(this.#mss)) this.cwnd += s.acked;
    } else this.cwnd += s.acked;
    let cap = Infinity;
    if (this.#state === State.Cruise) cap = this.#withHeadroom();
    else if (this.#isProbingBandwidth()) cap = model.inflightLongTerm;
    else if (this.#state === State.ProbeRtt) cap = Math.min(this.#withHeadroom(), this.#probeRttWindow());
    cap = Math.max(Math.min(cap, model.inflightShortTerm), LEAST_SEGMENTS * this.#mss);
    this.cwnd = Math.floor(Math.min(this.cwnd, cap));
  }

  #save(): void {
    const isCut = this.#inRecovery || this.#state === State.ProbeRtt;
    this.#priorCwnd = isCut ? Math.max(this.#priorCwnd, this.cwnd) : this.cwnd;
  }

  #restore(): void {
    this.cwnd = Math.max(this.cwnd, this.#priorCwnd);
  }

  #isProbingBandwidth(): boolean {
    return this.#state >= State.Down && this.#state <= State.Up;
  }

  #isAskingForLoss(): boolean {
    return this.#state === State.Startup || this.#state === State.Refill || this.#state === State.Up;
  }
}
