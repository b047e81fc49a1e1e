/**
 * A token bucket: so many actions in a burst, so many a second in the long run.
 *
 * @module
 */
import { type Instant, seconds } from "./time.ts";

/** Limits the rate of what strangers can provoke (RFC 4443 2.4 f). */
export class TokenBucket {
  /** How many actions a second are allowed in the long run. */
  readonly rate: number;
  /** How many may follow each other at once. */
  readonly burst: number;
  // The level in microseconds of refilling, so that no fraction is lost between two calls.
  readonly #cost: Instant;
  #level: Instant;
  #at: Instant = 0;

  /** A full bucket. */
  constructor(rate: number, burst: number) {
    if (!(rate > 0) || !(burst >= 1)) {
      throw new RangeError("a token bucket needs a rate over 0 and a burst of 1 or more");
    }
    this.rate = rate;
    this.burst = burst;
    this.#cost = seconds(1) / rate;
    this.#level = this.#cost * burst;
  }

  /** Takes so many tokens, or what there is; false: there is none, so the action must not happen. */
  take(now: Instant, tokens: number = 1): boolean {
    const elapsed = Math.max(0, now - this.#at);
    this.#level = Math.min(this.#cost * this.burst, this.#level + elapsed);
    this.#at = now;
    if (this.#level < this.#cost) return false;
    this.#level = Math.max(0, this.#level - tokens * this.#cost);
    return true;
  }
}
