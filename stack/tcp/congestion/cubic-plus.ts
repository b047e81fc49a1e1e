/**
 * CUBIC (RFC 9438) but for losses that show no congestion, which leave the window as it is: a deliberate deviation from
 * RFC 9438 4.6, for long fast paths on which frames are damaged now and then. RFC 9438 5.2 has a window of 1.22 / sqrt(p)
 * segments there, however much the path would carry. Such a path sees a congestion seldom, and an epoch lasts long, so
 * that flows which share it would take minutes to become equal: the more losses are spared, the faster time passes.
 *
 * @module
 */
import type { Micros } from "../clock.ts";
import { Cubic, GROWTH_LIMIT } from "./cubic.ts";
import { LossJudge } from "./loss-judge.ts";

/** How many times as fast as RFC 9438's the function may become: C is 50 then, and an epoch a fifth as long. */
const MAX_PACE = 5;
/**
 * Then a round trip adds no more than this, half of what the judge takes for a queue: what is added leaves within one
 * flight, at the rate of the bottleneck, and waits there.
 */
const PACED_GROWTH_LIMIT = 1 + 1 / 64;
/** What one reduction of the window counts for in the average of losses spared for each. */
const WEIGHT = 1 / 4;

/** RFC 9438 where a loss has a queue beside it, or is one of many; see {@linkcode LossJudge}. */
export class CubicPlus extends Cubic {
  /** "cubic+" */
  override readonly name: string = "cubic+";
  /** Tells which losses are spared. */
  readonly judge: LossJudge = new LossJudge();
  /** How many losses were spared for each that was not, as far as that matters. */
  #spared = 0;

  /** Starts over for a connection whose segments carry `mss` bytes. */
  override reset(mss: number): void {
    super.reset(mss);
    this.judge.reset();
    this.#spared = 0;
    this.pace = 1;
  }

  /** Opens the window, the faster the more losses show no congestion. */
  override onAck(acked: number, srtt: number, now: Micros, isLimited: boolean): void {
    this.pace = Math.min(1 + Math.max(this.#spared, this.judge.spared), MAX_PACE);
    this.growthLimit = this.pace > 1 ? PACED_GROWTH_LIMIT : GROWTH_LIMIT;
    super.onAck(acked, srtt, now, isLimited);
  }

  /** A loss that shows congestion, or a mark of it. */
  override onLoss(inFlight: number, now: Micros): void {
    super.onLoss(inFlight, now);
    this.#countSpared();
  }

  /** A timeout, which is congestion always. */
  override onTimeout(inFlight: number, now: Micros): void {
    super.onTimeout(inFlight, now);
    this.#countSpared();
  }

  /** Takes a round trip, for slow start and for what a loss means. */
  override onRoundTrip(rtt: number, una: number, end: number): void {
    super.onRoundTrip(rtt, una, end);
    this.judge.onRoundTrip(rtt);
  }

  /** A pause: the window shrinks (RFC 2861), and what was known of the queue is old. */
  override onIdle(timeouts: number, now: Micros): void {
    super.onIdle(timeouts, now);
    this.judge.forget();
  }

  #countSpared(): void {
    const { judge } = this;
    this.#spared += (Math.min(judge.spared, MAX_PACE - 1) - this.#spared) * WEIGHT;
    judge.spared = 0;
  }
}
