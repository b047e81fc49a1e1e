/**
 * CUBIC (RFC 9438) but for losses that show no congestion, which leave the window as it is: a deliberate deviation from
 * RFC 9438 4.6, for long fast paths on which frames are damaged now and then. RFC 9438 5.2 has a window of 1.22 / sqrt(p)
 * segments there, however much the path would carry.
 *
 * @module
 */
import type { Micros } from "../clock.ts";
import { Cubic } from "./cubic.ts";
import { LossJudge } from "./loss-judge.ts";

/** RFC 9438 where a loss has a queue beside it, or is one of many; see {@linkcode LossJudge}. */
export class CubicPlus extends Cubic {
  /** "cubic+" */
  override readonly name: string = "cubic+";
  /** Tells which losses are spared. */
  readonly judge: LossJudge = new LossJudge();

  /** Starts over for a connection whose segments carry `mss` bytes. */
  override reset(mss: number): void {
    super.reset(mss);
    this.judge.reset();
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
}
