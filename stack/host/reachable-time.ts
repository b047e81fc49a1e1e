/**
 * How long an answer proves its sender reachable (RFC 4861 6.3.2).
 *
 * @module
 */
import type { Random } from "../loss/random.ts";
import { type Instant, seconds } from "../store/time.ts";

/** How long one random value is used (RFC 4861 6.3.4: a few hours). */
const SPREAD_TIME = seconds(7_200);
// RFC 4861 10: MIN_RANDOM_FACTOR and MAX_RANDOM_FACTOR.
const SPREAD_MIN = 0.5, SPREAD_MAX = 1.5;

/** A random share of the base of each family, the same for a while. */
export class ReachableTime {
  readonly #bases: Float64Array;
  readonly #random: Random;
  #factor = 1;
  #factorUntil: Instant = -1;

  /** The same base for both. */
  constructor(base: Instant, random: Random) {
    this.#bases = new Float64Array(2).fill(base);
    this.#random = random;
  }

  /** Sets a family's base, the number of which is 0 or 1. RFC 4861 6.3.4: a new base means a new random value. */
  set(family: number, base: Instant): void {
    if (this.#bases[family] !== base) this.#factorUntil = -1;
    this.#bases[family] = base;
  }

  /** How long an answer of now counts. */
  next(family: number, now: Instant): Instant {
    if (now >= this.#factorUntil) {
      this.#factor = SPREAD_MIN + this.#random.fraction() * (SPREAD_MAX - SPREAD_MIN);
      this.#factorUntil = now + SPREAD_TIME;
    }
    return Math.floor(this.#bases[family]! * this.#factor);
  }
}
