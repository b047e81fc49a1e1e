/**
 * Whether a path's bandwidth has stopped growing (draft-ietf-ccwg-bbr 5.3.1.2, BBRCheckFullBWReached).
 *
 * @module
 */
import type { DeliverySample } from "./sample.ts";

/** A bandwidth that grows by less in three rounds is the path's. */
const GROWTH = 1.25, ROUNDS = 3;

/** BBR.full_bw and what belongs to it. */
export class Plateau {
  /** BBR.full_bw_now: it has stopped since the last look began. */
  isReached = false;
  #bandwidth = 0;
  #count = 0;

  /** A new look begins, at this bandwidth: BBRResetFullBW. */
  begin(bandwidth: number): void {
    this.#bandwidth = bandwidth;
    this.#count = 0;
    this.isReached = false;
  }

  /** Takes a sample, one of each round; answers whether the plateau was reached with it. */
  take(s: DeliverySample, isRoundStart: boolean): boolean {
    if (this.isReached || !isRoundStart || s.isAppLimited || s.rate === 0) return false;
    if (s.rate >= this.#bandwidth * GROWTH) {
      this.begin(s.rate);
      return false;
    }
    this.isReached = ++this.#count >= ROUNDS;
    return this.isReached;
  }
}
