/**
 * BBR (draft-ietf-ccwg-bbr-06, the third version): sends at the rate at which the path delivers, with as much in flight
 * as a model of the path says that it holds. A loss is not congestion unless too many are. Names are the draft's, and so
 * are the sections that this and the files beside it name.
 *
 * @module
 */
import type { Micros } from "../clock.ts";
import { firstRate, leastWindow, probeRttWindow, withBudget, withHeadroom } from "./bbr-limits.ts";
import { inflightAtLoss, isTooHigh } from "./bbr-loss.ts";
import { BbrModel, BETA } from "./bbr-model.ts";
import { Plateau } from "./bbr-plateau.ts";
import { ProbeRtt } from "./bbr-probe-rtt.ts";
import { Slope } from "./bbr-slope.ts";
import { isAskingForLoss, isInCycle, PACING_GAIN, Phase, State, WINDOW_GAIN } from "./bbr-state.ts";
import { Saved } from "./bbr-undo.ts";
import { ProbeWait } from "./bbr-wait.ts";
import { type CongestionControl, initialWindow } from "./control.ts";
import type { DeliverySample, LostSegment } from "./sample.ts";

/** BBR.PacingMarginPercent */
const MARGIN = 0.99;
/** BBR.StartupFullLossCnt */
const FULL_LOSSES = 6;
/** Rounds after which a queue need not have run empty. */
const DRAIN_ROUNDS = 3;

/** One flow's BBR. */
export class Bbr implements CongestionControl {
  readonly name: string = "bbr";
  cwnd: number = 0;
  /** There is none: a window that was cut grows back to what the model says. */
  readonly ssthresh: number = Infinity;
  pacingRate: number = 0;
  readonly #model = new BbrModel();
  readonly #plateau = new Plateau();
  readonly #probeRtt = new ProbeRtt();
  readonly #slope = new Slope();
  readonly #saved = new Saved();
  readonly #wait = new ProbeWait();
  #mss = 0;
  #state: State = State.Startup;
  #phase: Phase = Phase.Init;
  /** BBR.full_bw_reached */
  #isFull = false;
  #drainRound = 0;
  /** Ranges of the stream lost in this round. */
  #lossRanges = 0;
  /** BBR.is_bw_probe_sample: what is lost now answers the probe. */
  #isProbeSample = false;
  /** BBR.prev_probe_too_high: the last probe found that the path held too much. */
  #wasTooHigh = false;
  /** BBR.prev_probe_precautionary: the last probe ended early, where the one before had found too much. */
  #wasPrecautionary = false;
  /** The window to come back to after a recovery or a probe. */
  #priorCwnd = 0;
  #inRecovery = false;
  /** BBR.idle_restart */
  #isIdle = false;
  /** Bytes delivered since the start, as far as that matters. */
  #deliveredInAll = 0;

  get isHoldingBack(): boolean {
    return this.#state === State.ProbeRtt;
  }

  reset(mss: number): void {
    this.#mss = mss;
    this.cwnd = initialWindow(mss);
    this.pacingRate = 0;
    this.#model.reset();
    this.#state = State.Startup;
    this.#phase = Phase.Init;
    this.#isFull = this.#inRecovery = this.#isIdle = false;
    this.#isProbeSample = this.#wasTooHigh = this.#wasPrecautionary = false;
    this.#plateau.begin(0);
    this.#slope.stop();
    this.#saved.forget();
    this.#wait.reset();
    this.#lossRanges = this.#priorCwnd = this.#deliveredInAll = 0;
  }

  setMss(mss: number): void {
    this.#mss = mss;
  }

  /** What is acknowledged is heard of by {@linkcode Bbr.onDelivery}. */
  onAck(): void {}

  // 5.6.4.4: BBROnEnterFastRecovery. The losses are known already.
  onLoss(): void {
    if (!this.#saved.isHeld) this.#saved.save(this.#model);
    this.#saveWindow();
    this.#inRecovery = true;
  }

  // 5.6.4.4: BBROnEnterRTO
  onTimeout(): void {
    this.onLoss();
    this.cwnd = this.#mss;
  }

  onRecovered(): void {
    this.#inRecovery = false;
    this.#saved.end();
    this.#restoreWindow();
  }

  /** A pause as such says nothing: see {@linkcode Bbr.onRestart}. */
  onIdle(): void {}

  // 5.4.1: BBRHandleRestartFromIdle
  onRestart(now: Micros): void {
    this.#isIdle = true;
    this.#model.restartAggregation(now);
    if (isInCycle(this.#state)) this.#setRate(1);
    else if (this.#state === State.ProbeRtt && this.#probeRtt.isOverAfterPause(now)) this.#endProbeRtt(now);
  }

  // 5.5.10.2: BBRHandleLostPacket
  onLostSegment(l: LostSegment): void {
    if (!this.#saved.isHeld && !this.#inRecovery) this.#saved.save(this.#model);
    this.#model.noteLoss(l.delivered);
    if (l.isApart) this.#lossRanges++;
    if (this.#isProbeSample && isTooHigh(l, this.#mss)) this.#onTooHigh(inflightAtLoss(l), l.isAppLimited);
  }

  // 3.7: a mark is congestion, whatever the state. It is never taken back.
  onMark(inFlight: number): void {
    const model = this.#model;
    model.noteLoss(model.delivered);
    if (this.#state === State.Startup) this.#endStartup();
    else if (this.#isProbeSample) this.#onTooHigh(inFlight, false);
    this.#saved.forget();
  }

  // 5.5.11.2: BBRHandleSpuriousLossDetection
  undo(): void {
    const saved = this.#saved;
    const from = saved.state;
    this.#inRecovery = false;
    this.#restoreWindow();
    this.#model.forgetRound();
    this.#plateau.begin(0);
    saved.restore(this.#model);
    saved.forget();
    if (from === State.Startup && this.#state !== State.Startup) {
      this.#isFull = false;
      if (this.#state !== State.ProbeRtt) this.#state = State.Startup;
    } else if (from === State.Up && this.#state !== State.Up && this.#state !== State.ProbeRtt) {
      this.#startRefill();
    }
  }

  /** 5.2.3: BBRUpdateModelAndState and BBRUpdateControlParameters. */
  onDelivery(s: DeliverySample): void {
    const model = this.#model;
    if (s.acked > 0 && this.#deliveredInAll < 1 << 28) this.#deliveredInAll += s.acked;
    if (s.hasRate) {
      this.#wait.mix(s.now);
      model.update(s, isAskingForLoss(this.#state), this.cwnd);
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

  // 5.3.1.3: too many losses end the start as well, once they have been repaired for a round trip.
  #checkStartupDone(s: DeliverySample): void {
    if (this.#state === State.Startup) {
      const { isLossRoundStart } = this.#model;
      if (
        isLossRoundStart && this.#inRecovery && this.#lossRanges >= FULL_LOSSES && isTooHigh(s, this.#mss)
      ) {
        this.#saved.state = State.Startup;
        this.#endStartup();
      } else if (this.#isFull) this.#startDrain();
    }
    if (this.#model.isLossRoundStart) this.#lossRanges = 0;
  }

  #endStartup(): void {
    const model = this.#model;
    model.inflightLongTerm = Math.max(model.product(model.bandwidth), model.inflightLatest);
    this.#isFull = true;
    this.#startDrain();
  }

  #startDrain(): void {
    this.#state = State.Drain;
    this.#drainRound = this.#model.rounds;
  }

  #checkDrain(s: DeliverySample): void {
    if (this.#state !== State.Drain) return;
    const isLate = this.#model.rounds > this.#drainRound + DRAIN_ROUNDS;
    if (isLate || s.inFlight <= this.#inflight(this.#model.bandwidth)) this.#startDown();
  }

  // 5.3.3.9: BBRUpdateProbeBWCyclePhase
  #updateCycle(s: DeliverySample): void {
    if (!this.#isFull || this.#adaptLongTerm(s)) return;
    switch (this.#state) {
      case State.Down:
        if (!this.#checkTimeToProbe() && this.#isTimeToCruise(s)) this.#state = State.Cruise;
        break;
      case State.Cruise:
        this.#checkTimeToProbe();
        break;
      case State.Refill:
        if (this.#model.isRoundStart) this.#startUp(s);
        break;
      case State.Up:
        if (!this.#isTimeToGoDown(s)) break;
        this.#wasTooHigh = false;
        this.#startDown();
    }
  }

  #checkTimeToProbe(): boolean {
    const isDue = this.#wait.isOver(this.#model, this.#target(), this.#mss);
    if (isDue) this.#startRefill();
    return isDue;
  }

  #isTimeToCruise(s: DeliverySample): boolean {
    const { inflightLongTerm } = this.#model;
    return s.inFlight <= withHeadroom(inflightLongTerm, this.#mss) &&
      s.inFlight <= this.#inflight(this.#model.maxBandwidth.value);
  }

  // 5.3.3.7: up until the bandwidth no longer grows; and no further than what was too much the last time.
  #isTimeToGoDown(s: DeliverySample): boolean {
    const { inflightLongTerm } = this.#model;
    if (this.#wasTooHigh && s.inFlight >= inflightLongTerm) {
      this.#wasPrecautionary = true;
      return true;
    }
    if (s.isWindowLimited && this.cwnd >= inflightLongTerm) this.#plateau.begin(s.rate);
    else if (this.#plateau.isReached) return true;
    return false;
  }

  #startDown(): void {
    const model = this.#model;
    model.resetSignals();
    this.#slope.stop();
    this.#state = State.Down;
    this.#phase = Phase.Stopping;
    this.#wait.begin(model);
    model.startRound();
  }

  #startRefill(): void {
    this.#state = State.Refill;
    this.#phase = Phase.Refilling;
    this.#model.forgetLosses();
    this.#slope.begin();
    this.#wasPrecautionary = false;
    this.#model.startRound();
  }

  #startUp(s: DeliverySample): void {
    this.#state = State.Up;
    this.#phase = Phase.Starting;
    this.#isProbeSample = true;
    this.#plateau.begin(s.rate);
    this.#slope.raise(this.cwnd, this.#mss);
    this.#model.startRound();
  }

  // 5.3.3.9: BBRAdaptLongTermModel. Answers whether it has decided what comes next.
  #adaptLongTerm(s: DeliverySample): boolean {
    const model = this.#model;
    if (this.#phase === Phase.Starting && model.isRoundStart) this.#phase = Phase.Feedback;
    if (this.#phase === Phase.Stopping && model.isRoundStart) {
      this.#isProbeSample = false;
      this.#phase = Phase.Init;
      if (isInCycle(this.#state)) {
        if (!s.isAppLimited && s.rate > 0) model.maxBandwidth.advance();
        if (this.#wasPrecautionary && !this.#wasTooHigh) {
          this.#startRefill();
          return true;
        }
      }
    }
    if (model.inflightLongTerm === Infinity || isTooHigh(s, this.#mss)) return false;
    if (s.flightSize > model.inflightLongTerm) model.inflightLongTerm = s.flightSize;
    if (this.#state === State.Up) this.#probeUpward(s);
    return false;
  }

  // 5.5.10.2: BBRHandleInflightTooHigh
  #onTooHigh(inFlight: number, isAppLimited: boolean): void {
    this.#isProbeSample = false;
    this.#wasTooHigh = true;
    if (!isAppLimited) this.#model.inflightLongTerm = Math.max(inFlight, this.#target() * BETA);
    if (this.#state !== State.Up) return;
    this.#saved.state = State.Up;
    this.#startDown();
  }

  #probeUpward(s: DeliverySample): void {
    const model = this.#model;
    if (!s.isWindowLimited || this.cwnd < model.inflightLongTerm) return;
    model.inflightLongTerm += this.#slope.take(s.acked) * this.#mss;
    if (model.isRoundStart) this.#slope.raise(this.cwnd, this.#mss);
  }

  // 5.3.4.3: BBRCheckProbeRTT
  #checkProbeRtt(s: DeliverySample): void {
    const model = this.#model;
    if (this.#state !== State.ProbeRtt && model.isProbeRttDue && !this.#isIdle) {
      this.#state = State.ProbeRtt;
      this.#saveWindow();
      this.#probeRtt.begin();
      this.#phase = Phase.Stopping;
      model.startRound();
    }
    if (this.#state === State.ProbeRtt) {
      this.#probeRtt.take(model, s.inFlight, probeRttWindow(model, this.#mss));
      if (this.#probeRtt.isOver(s.now)) this.#endProbeRtt(s.now);
    }
    if (s.acked > 0) this.#isIdle = false;
  }

  // 5.3.4.4
  #endProbeRtt(now: Micros): void {
    const model = this.#model;
    model.onProbedRtt(now);
    this.#restoreWindow();
    model.forgetLosses();
    if (!this.#isFull) this.#state = State.Startup;
    else {
      this.#startDown();
      this.#state = State.Cruise;
    }
  }

  // 5.6.2: BBRSetPacingRateWithGain
  #setRate(gain: number): void {
    const rate = gain * this.#model.bandwidth * MARGIN;
    if (this.pacingRate === 0) this.pacingRate = firstRate(this.#model.minRtt, this.#mss);
    if (this.#isFull || rate > this.pacingRate) this.pacingRate = rate;
  }

  // 5.6.4.2: BBRQuantizationBudget
  #withBudget(cap: number): number {
    const least = withBudget(cap, this.pacingRate, this.#mss);
    return this.#state === State.Up ? least + 2 * this.#mss : least;
  }

  // 5.6.4.2: BBRInflight(1.0), of that bandwidth.
  #inflight(bandwidth: number): number {
    return this.#withBudget(this.#model.product(bandwidth));
  }

  // 5.3.3.8.3: BBRTargetInflight. No less than what both ends need to go on.
  #target(): number {
    return Math.min(this.#inflight(this.#model.bandwidth), this.cwnd);
  }

  // 5.6.4.6: BBRSetCwnd
  #setWindow(s: DeliverySample): void {
    const model = this.#model;
    const state = this.#state;
    const product = model.minRtt === 0
      ? initialWindow(this.#mss)
      : Math.floor(WINDOW_GAIN[state]! * model.product(model.bandwidth));
    const most = this.#withBudget(product + model.extraAcked.value);
    if (this.#isFull) this.cwnd = Math.min(this.cwnd + s.acked, most);
    else if (this.cwnd < most || this.#deliveredInAll < initialWindow(this.#mss)) this.cwnd += s.acked;
    const least = leastWindow(this.#mss);
    let cap = model.inflightShortTerm;
    if (isInCycle(state) && state !== State.Cruise) cap = Math.min(cap, model.inflightLongTerm);
    else if (state >= State.Cruise) cap = Math.min(cap, withHeadroom(model.inflightLongTerm, this.#mss));
    if (state === State.ProbeRtt) cap = Math.min(cap, probeRttWindow(model, this.#mss));
    this.cwnd = Math.floor(Math.min(Math.max(this.cwnd, least), Math.max(cap, least)));
  }

  // 5.6.4.4: BBRSaveCwnd and BBRRestoreCwnd
  #saveWindow(): void {
    const isCut = this.#inRecovery || this.#state === State.ProbeRtt;
    this.#priorCwnd = isCut ? Math.max(this.#priorCwnd, this.cwnd) : this.cwnd;
  }

  #restoreWindow(): void {
    this.cwnd = Math.max(this.cwnd, this.#priorCwnd);
  }
}
