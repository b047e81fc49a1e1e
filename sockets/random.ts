/**
 * Chance that nobody can foresee, for numbers that keep forgers out.
 *
 * @module
 */

const words = new Int32Array(1_024);
let left = 0;

/** 32 random bits, signed. */
export function random(): number {
  if (left === 0) {
    crypto.getRandomValues(words);
    left = words.length;
  }
  return words[--left]!;
}
