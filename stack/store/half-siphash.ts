/**
 * HalfSipHash-1-3 (Aumasson and Bernstein, SipHash's 32-bit sibling): a keyed hash of 32-bit words, for hash tables.
 * Without the key nobody can choose inputs that collide. It is too short for authentication.
 *
 * @module
 */

/**
 * The 32-bit hash, signed, of `words[at .. at + count)`, each word taken as four bytes in little-endian order, under
 * the 64-bit key `key0`, `key1` (its low word first). One round a word, three to finish.
 */
export function halfSipHash(
  words: Int32Array,
  at: number,
  count: number,
  key0: number,
  key1: number,
): number {
  let v0 = key0 | 0;
  let v1 = key1 | 0;
  let v2 = key0 ^ 0x6c796765;
  let v3 = key1 ^ 0x74656462;
  // After the words come the block that holds only the length in bytes, and then three rounds over nothing.
  for (let step = 0; step < count + 4; step++) {
    const block = step < count ? words[at + step]! : step === count ? count << 26 : 0;
    if (step === count + 1) v2 ^= 0xff;
    v3 ^= block;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= block;
  }
  return v1 ^ v3;
}
