/**
 * CUBIC (RFC 9438): the window is a cubic function of the time since the last loss, flat around the size at which it
 * happened, so that long fast paths are filled and short ones behave as RFC 5681 has them.
 *
 * @module
 */
import { seconds } from "../../store/time.ts";
import { elapsed, type Micros } from "../clock.ts";
import {
  afterIdle,
  type CongestionControl,
  initialWindow,
  slowStart,
  thresholdAfterIdle,
} from "./control.ts";
import { HyStart } from "./hystart.ts";

/** How steep the function is, in segments a second cubed (RFC 9438 5.1). */
const C = 0.4;
/** What a loss leaves of the window (RFC 9438 4.6). */
const BETA = 0.7;
/** The growth that gives a Reno flow with CUBIC's decrease the average window of standard Reno (RFC 9438 4.3). */
const ALPHA = 3 * (1 - BETA) / (1 + BETA);

/** How many times as large the window may become in a round trip (RFC 9438 4.2). */
export const GROWTH_LIMIT = 1.5;

/** RFC 9438, with fast convergence and the Reno-friendly region. The window's names are the RFC's, in segments. */
export class Cubic implements CongestionControl {
  readonly name: string = "cubic";
  cwnd: number = 0;
  ssthresh: number = Infinity;
  readonly pacingRate: number = 0;
  /** How fast time passes for the function. RFC 9438 has 1; its constant C is as if multiplied by the cube. */
  protected pace: number = 1;
  /** How many times as large the window may become in a round trip. */
  protected growthLimit: number = GROWTH_LIMIT;
  #mss = 0;
  /** What the rounding of `cwnd` to whole bytes has left over. */
  #fraction = 0;
  #isAfterTimeout = false;
  readonly #hystart = new HyStart();
  /** Where the function is flat: the window before the last loss, or less by fast convergence. */
  #wMax = 0;
  /** The window before the last loss. */
  #cwndPrior = 0;
  /** Whether an epoch of congestion avoidance has begun. */
  #inEpoch = false;
  /** How long it has lasted until `#seenAt`, at its pace: it may be hours, more than the clock of segments tells. */
  #elapsed = 0;
  #seenAt: Micros = 0;
  #k = 0;
  #origin = 0;
  /** What standard Reno would have reached. */
  #wEst = 0;
  readonly #prior = {
    cwnd: 0,
    ssthresh: Infinity,
    wMax: 0,
    cwndPrior: 0,
    inEpoch: false,
    elapsed: 0,
    seenAt: 0,
    k: 0,
    origin: 0,
    wEst: 0,
    isAfterTimeout: false,
  };

  reset(mss: number): void {
    this.#mss = mss;
    this.cwnd = initialWindow(mss);
    this.ssthresh = Infinity;
    this.#wMax = this.#cwndPrior = this.#fraction = 0;
    this.#isAfterTimeout = false;
    this.#inEpoch = false;
    this.#prior.cwnd = 0;
    this.#hystart.reset();
  }

  setMss(mss: number): void {
    // What is counted in segments stays the same number of bytes.
    this.#wMax *= this.#mss / mss;
    this.#cwndPrior *= this.#mss / mss;
    this.#inEpoch = false;
    this.#prior.cwnd = 0;
    this.#mss = mss;
  }

  onRoundTrip(rtt: number, una: number, end: number): void {
    if (this.ssthresh === Infinity) this.#hystart.onRoundTrip(rtt, una, end);
  }

  onAck(acked: number, srtt: number, now: Micros, isLimited: boolean): void {
    if (!isLimited) {
      this.#hystart.reset();
      // RFC 9438 5.8: time in which the window was not needed does not let it grow.
      this.#inEpoch = false;
      return;
    }
    if (this.#hystart.isOver && this.ssthresh === Infinity) this.ssthresh = this.cwnd;
    if (this.cwnd < this.ssthresh) {
      this.cwnd += this.ssthresh === Infinity
        ? this.#hystart.growth(acked, this.#mss)
        : slowStart(acked, this.#mss, this.#isAfterTimeout);
      return;
    }
    this.#isAfterTimeout = false;
    this.#avoid(acked, srtt, now);
  }

  onLoss(inFlight: number, _now: Micros): void {
    this.#remember();
    this.#decrease(inFlight);
  }

  onTimeout(inFlight: number, _now: Micros): void {
    this.#remember();
    this.#decrease(inFlight);
    // RFC 9438 4.8: the next epoch is flat at its beginning.
    this.#wMax = 0;
    this.cwnd = this.#mss;
    this.#isAfterTimeout = true;
  }

  onRecovered(): void {
    this.cwnd = this.ssthresh;
  }

  onIdle(timeouts: number, _now: Micros): void {
    this.ssthresh = thresholdAfterIdle(this.ssthresh, this.cwnd);
    this.cwnd = afterIdle(this.cwnd, this.#mss, timeouts);
    this.#inEpoch = false;
    this.#hystart.reset();
  }

  undo(): void {
    const prior = this.#prior;
    if (prior.cwnd === 0) return;
    // RFC 9438 4.9.2
    this.cwnd = Math.max(this.cwnd, prior.cwnd);
    this.ssthresh = Math.max(this.ssthresh, prior.ssthresh);
    this.#wMax = prior.wMax;
    this.#cwndPrior = prior.cwndPrior;
    this.#inEpoch = prior.inEpoch;
    this.#elapsed = prior.elapsed;
    this.#seenAt = prior.seenAt;
    this.#k = prior.k;
    this.#origin = prior.origin;
    this.#wEst = prior.wEst;
    this.#isAfterTimeout = prior.isAfterTimeout;
    prior.cwnd = 0;
  }

  #avoid(acked: number, srtt: number, now: Micros): void {
    const mss = this.#mss;
    const cwnd = (this.cwnd + this.#fraction) / mss;
    if (!this.#inEpoch) this.#begin(cwnd);
    else this.#elapsed += Math.max(0, elapsed(this.#seenAt, now)) * this.pace;
    this.#seenAt = now;
    const t = this.#elapsed / seconds(1);
    // Of a window, so that an acknowledgment of more than one does not overshoot.
    const share = Math.min(1, acked / mss / cwnd);
    // RFC 9438 4.3: from the window before the loss on, Reno's own increase.
    this.#wEst += (this.#wEst >= this.#cwndPrior ? 1 : ALPHA) * share;
    let next: number;
    if (this.#cubic(t) < this.#wEst) next = Math.max(cwnd, this.#wEst);
    else {
      // RFC 9438 4.2, 4.4, 4.5: towards where the function will be a round trip from now.
      const target = Math.min(
        Math.max(this.#cubic(t + srtt * this.pace / seconds(1)), cwnd),
        this.growthLimit * cwnd,
      );
      next = cwnd + (target - cwnd) * share;
    }
    this.cwnd = Math.floor(next * mss);
    this.#fraction = next * mss - this.cwnd;
  }

  /** RFC 9438 4.2, figure 1. */
  #cubic(t: number): number {
    return C * (t - this.#k) ** 3 + this.#origin;
  }

  #begin(cwnd: number): void {
    this.#inEpoch = true;
    this.#elapsed = 0;
    this.#wEst = cwnd;
    if (cwnd < this.#wMax) {
      // RFC 9438 4.2, figure 2
      this.#k = Math.cbrt((this.#wMax - cwnd) / C);
      this.#origin = this.#wMax;
    } else {
      // RFC 9438 4.8, 4.10
      this.#k = 0;
      this.#origin = this.#wMax = cwnd;
    }
  }

  #decrease(inFlight: number): void {
    const cwnd = this.cwnd / this.#mss;
    this.#cwndPrior = cwnd;
    // RFC 9438 4.7: a flow that lost below its last maximum leaves room for new ones.
    this.#wMax = cwnd < this.#wMax ? cwnd * (1 + BETA) / 2 : cwnd;
    this.ssthresh = Math.max(
      Math.floor(Math.min(this.cwnd, Math.max(inFlight, this.#mss)) * BETA),
      2 * this.#mss,
    );
    this.#inEpoch = false;
  }

  #remember(): void {
    const prior = this.#prior;
    prior.cwnd = this.cwnd;
    prior.ssthresh = this.ssthresh;
    prior.wMax = this.#wMax;
    prior.cwndPrior = this.#cwndPrior;
    prior.inEpoch = this.#inEpoch;
    prior.elapsed = this.#elapsed;
    prior.seenAt = this.#seenAt;
    prior.k = this.#k;
    prior.origin = this.#origin;
    prior.wEst = this.#wEst;
    prior.isAfterTimeout = this.#isAfterTimeout;
  }
}
