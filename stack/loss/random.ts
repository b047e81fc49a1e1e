/**
 * Reproducible randomness: the same seed gives the same sequence, everywhere.
 *
 * @module
 */

/** How many words of 32 bits there are. */
const WORDS = 0x1_0000_0000;

/** xoshiro128** (Blackman and Vigna) behind a seed of 32 bits. Not for secrets. */
export class Random {
  /** The seed it was made from. */
  readonly seed: number;
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;

  /** A sequence; every seed is good, 0 included, since a mixer spreads it over the state. */
  constructor(seed: number) {
    this.seed = seed >>> 0;
    let state = this.seed;
    const mix = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let word = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
      word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
      return word ^ (word >>> 16);
    };
    this.#a = mix();
    this.#b = mix();
    this.#c = mix();
    this.#d = mix();
  }

  /** The next 32 bits, signed. */
  next(): number {
    const product = Math.imul(this.#b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** A fraction from 0 up to, not including, 1. */
  fraction(): number {
    return (this.next() >>> 0) / WORDS;
  }

  /** Whether an event of this probability happens. A probability of 0 or less draws nothing. */
  chance(probability: number): boolean {
    // The word is compared, not the fraction: a fraction handed from call to call is an object to the engine.
    return probability > 0 && (this.next() >>> 0) < probability * WORDS;
  }

  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number {
    return Math.floor((this.next() >>> 0) / WORDS * limit);
  }
}
