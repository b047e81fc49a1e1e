/**
 * BBR's model of a path: how fast it delivers, how long a round trip takes, and how much it holds without losing more
 * than it should (draft-ietf-ccwg-bbr 5.5, the third version). Names are the draft's.
 *
 * @module
 */
import { seconds } from "../../store/time.ts";
import { elapsed, type Micros } from "../clock.ts";
import { MaxOfTwo } from "./filters.ts";
import type { DeliverySample } from "./sample.ts";

/** BBR.MinRTTFilterLen and BBR.ProbeRTTInterval. */
const MIN_RTT_WINDOW = seconds(10), PROBE_RTT_INTERVAL = seconds(5);
/** BBR.Beta: what is left of a bound when it proves too high. */
export const BETA = 0.7;
/** Windows of BBR.ExtraACKedFilterLen, ten rounds, made of two halves. */
const EXTRA_ACKED_ROUNDS = 5;

/** What the path is believed to be. Bytes, bytes a second, microseconds. */
export class BbrModel {
  /** BBR.bw: the bandwidth in use. */
  bandwidth = 0;
  /** BBR.max_bw */
  readonly maxBandwidth: MaxOfTwo = new MaxOfTwo();
  /** BBR.bw_shortterm: what losses outside of probing leave of it. */
  bandwidthShortTerm: number = Infinity;
  /** BBR.inflight_shortterm */
  inflightShortTerm: number = Infinity;
  /** BBR.inflight_longterm: what the path has been seen to hold. */
  inflightLongTerm: number = Infinity;
  /** BBR.min_rtt; 0: none was measured. */
  minRtt = 0;
  /** Whether a probe of it is due. */
  isProbeRttDue = false;
  /** BBR.extra_acked: by how much acknowledgments come in bunches. */
  readonly extraAcked: MaxOfTwo = new MaxOfTwo();
  /** BBR.round_count */
  rounds = 0;
  /** A round trip has passed with this acknowledgment. */
  isRoundStart = false;
  /** A round trip has passed since the first loss. */
  isLossRoundStart = false;
  /** C.delivered, the low 32 bits. */
  delivered = 0;
  /** When the last acknowledgment came. */
  now: Micros = 0;
  /** BBR.rounds_since_bw_probe */
  roundsSinceProbe = 0;
  /** BBR.bw_latest and BBR.inflight_latest: the best of this round. */
  #bandwidthLatest = 0;
  #inflightLatest = 0;
  #hasLossInRound = false;
  #lossRoundDelivered = 0;
  #nextRoundDelivered = 0;
  #probeRttMinDelay = 0;
  #probeRttMinAt: Micros = 0;
  #minRttAt: Micros = 0;
  #extraAckedAt: Micros = 0;
  #extraAckedDelivered = 0;
  #extraAckedRounds = 0;

  /** Nothing is known. */
  reset(): void {
    this.bandwidth =
      this.minRtt =
      this.rounds =
      this.delivered =
      this.roundsSinceProbe =
        0;
    this.maxBandwidth.reset();
    this.extraAcked.reset();
    this.forgetLosses();
    this.inflightLongTerm = Infinity;
    this.isRoundStart = this.isLossRoundStart = this.isProbeRttDue = false;
    this.#bandwidthLatest =
      this.#inflightLatest =
      this.#lossRoundDelivered =
      this.#nextRoundDelivered =
        0;
    this.#hasLossInRound = false;
    this.#probeRttMinDelay = this.#extraAckedDelivered = this.#extraAckedRounds = 0;
  }

  /** BBR.inflight_latest */
  get inflightLatest(): number {
    return this.#inflightLatest;
  }

  /** BBRUpdateLatestDeliverySignals and BBRUpdateCongestionSignals. `isProbing`: losses are what is asked for. */
  update(s: DeliverySample, isProbing: boolean, cwnd: number): void {
    this.isLossRoundStart = false;
    this.now = s.now;
    this.delivered = s.delivered;
    if (s.rate > this.#bandwidthLatest) this.#bandwidthLatest = s.rate;
    if (s.flightDelivered > this.#inflightLatest) this.#inflightLatest = s.flightDelivered;
    if (((s.priorDelivered - this.#lossRoundDelivered) | 0) >= 0) {
      this.#lossRoundDelivered = s.delivered;
      this.isLossRoundStart = true;
    }
    this.#updateRound(s);
    if (s.rate > 0 && (s.rate >= this.maxBandwidth.value || !s.isAppLimited)) this.maxBandwidth.add(s.rate);
    if (!this.isLossRoundStart) return;
    if (!isProbing && this.#hasLossInRound) this.#lowerBounds(cwnd);
    this.#hasLossInRound = false;
  }

  /** BBRNoteLoss: the first loss begins a round trip, at the end of which the bounds are lowered. */
  noteLoss(delivered: number): void {
    this.delivered = delivered;
    if (!this.#hasLossInRound) this.#lossRoundDelivered = delivered;
    this.#hasLossInRound = true;
  }

  /** Losses of this round were none. */
  forgetRound(): void {
    this.#hasLossInRound = false;
  }

  /** BBRResetCongestionSignals */
  resetSignals(): void {
    this.#hasLossInRound = false;
    this.#bandwidthLatest = this.#inflightLatest = 0;
  }

  /** BBRAdvanceLatestDeliverySignals and BBRBoundBWForModel. */
  finish(s: DeliverySample): void {
    if (this.isLossRoundStart) {
      this.#bandwidthLatest = s.rate;
      this.#inflightLatest = s.flightDelivered;
    }
    this.bandwidth = Math.min(this.maxBandwidth.value, this.bandwidthShortTerm);
  }

  /** BBRStartRound: a round is over when what is sent from now on is acknowledged. */
  startRound(): void {
    this.#nextRoundDelivered = this.delivered;
  }

  /** BBRResetShortTermModel */
  forgetLosses(): void {
    this.bandwidthShortTerm = this.inflightShortTerm = Infinity;
  }

  /** BBRUpdateMinRTT */
  updateMinRtt(s: DeliverySample): void {
    const isFirst = this.#probeRttMinDelay === 0;
    // Before the first round trip is measured there is none that could be too old.
    this.isProbeRttDue = !isFirst && isOver(this.#probeRttMinAt, s.now, PROBE_RTT_INTERVAL);
    if (s.rtt >= 0 && (s.rtt < this.#probeRttMinDelay || isFirst || this.isProbeRttDue)) {
      this.#probeRttMinDelay = Math.max(1, s.rtt);
      this.#probeRttMinAt = s.now;
    }
    if (this.#probeRttMinDelay === 0) return;
    if (
      this.#probeRttMinDelay < this.minRtt || this.minRtt === 0 ||
      isOver(this.#minRttAt, s.now, MIN_RTT_WINDOW)
    ) {
      this.minRtt = this.#probeRttMinDelay;
      this.#minRttAt = this.#probeRttMinAt;
    }
  }

  /** The round trip was probed. */
  onProbedRtt(now: Micros): void {
    this.#probeRttMinAt = now;
  }

  /** Nothing was in flight, so that no acknowledgments were awaited. */
  restartAggregation(now: Micros): void {
    this.#extraAckedAt = now;
  }

  /** BBRUpdateACKAggregation. `isFull`: the bandwidth is known. */
  updateAggregation(s: DeliverySample, cwnd: number, isFull: boolean): void {
    if (this.isRoundStart && ++this.#extraAckedRounds >= (isFull ? EXTRA_ACKED_ROUNDS : 1)) {
      this.#extraAckedRounds = 0;
      this.extraAcked.advance();
    }
    let expected = this.bandwidth * Math.max(0, elapsed(this.#extraAckedAt, s.now)) / 1e6;
    if (this.#extraAckedDelivered <= expected) {
      this.#extraAckedDelivered = expected = 0;
      this.#extraAckedAt = s.now;
    }
    this.#extraAckedDelivered += s.acked;
    this.extraAcked.add(Math.floor(Math.min(this.#extraAckedDelivered - expected, cwnd)));
  }

  /** BBR.bdp, of that bandwidth. */
  product(bandwidth: number): number {
    return Math.floor(bandwidth * this.minRtt / 1e6);
  }

  #updateRound(s: DeliverySample): void {
    this.isRoundStart = s.hasRate && ((s.priorDelivered - this.#nextRoundDelivered) | 0) >= 0;
    if (!this.isRoundStart) return;
    this.startRound();
    this.rounds++;
    this.roundsSinceProbe++;
  }

  /** BBRInitLowerBounds and BBRLossLowerBounds */
  #lowerBounds(cwnd: number): void {
    if (this.bandwidthShortTerm === Infinity) this.bandwidthShortTerm = this.maxBandwidth.value;
    if (this.inflightShortTerm === Infinity) this.inflightShortTerm = cwnd;
    this.bandwidthShortTerm = Math.max(this.#bandwidthLatest, BETA * this.bandwidthShortTerm);
    this.inflightShortTerm = Math.max(this.#inflightLatest, BETA * this.inflightShortTerm);
  }
}

/** Whether a time has passed; it has as well if the clock of segments does not reach back so far. */
export function isOver(since: Micros, now: Micros, time: number): boolean {
  const age = elapsed(since, now);
  return age < 0 || age > time;
}
