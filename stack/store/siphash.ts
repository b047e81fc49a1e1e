/**
 * SipHash-2-4 (Aumasson and Bernstein), over 32-bit words: a keyed hash that a stranger cannot foresee.
 *
 * @module
 */

/** Its 128-bit key: four words of real randomness. */
export type SipKey = readonly [number, number, number, number];

const result = new Int32Array(2);

/** The low 32 bits, signed, of the hash of `words[0..count)`, each taken as four bytes in little-endian order. */
export function sipHash(words: Int32Array, count: number, key: SipKey): number {
  sipHash64(words, count, key, result);
  return result[0]!;
}

/** The whole hash, to `hash[0]` and `hash[1]`: the low half first. */
export function sipHash64(words: Int32Array, count: number, key: SipKey, hash: Int32Array): void {
  // Each of the four state words as two halves.
  let low0 = key[0] ^ 0x70736575, high0 = key[1] ^ 0x736f6d65;
  let low1 = key[2] ^ 0x6e646f6d, high1 = key[3] ^ 0x646f7261;
  let low2 = key[0] ^ 0x6e657261, high2 = key[1] ^ 0x6c796765;
  let low3 = key[2] ^ 0x79746573, high3 = key[3] ^ 0x74656462;
  // Two rounds a block. The last block holds what is left over and, in its top byte, the length in bytes modulo 256.
  const last = count >> 1, end = 2 * (last + 1);
  for (let step = 0; step < end + 4; step++) {
    const block = step >> 1;
    const isBlock = block <= last;
    const low = isBlock && 2 * block < count ? words[2 * block]! : 0;
    const high = block < last ? words[2 * block + 1]! : block === last ? (count * 4) << 24 : 0;
    if ((step & 1) === 0) {
      low3 ^= low;
      high3 ^= high;
    }
    // Then four rounds to finish.
    if (step === end) low2 ^= 0xff;

    let sum = (low0 + low1) | 0;
    high0 = (high0 + high1 + (sum >>> 0 < low1 >>> 0 ? 1 : 0)) | 0;
    low0 = sum;
    let carried = ((low1 << 13) | (high1 >>> 19)) ^ low0;
    high1 = ((high1 << 13) | (low1 >>> 19)) ^ high0;
    low1 = carried;
    carried = low0;
    low0 = high0;
    high0 = carried;

    sum = (low2 + low3) | 0;
    high2 = (high2 + high3 + (sum >>> 0 < low3 >>> 0 ? 1 : 0)) | 0;
    low2 = sum;
    carried = ((low3 << 16) | (high3 >>> 16)) ^ low2;
    high3 = ((high3 << 16) | (low3 >>> 16)) ^ high2;
    low3 = carried;

    sum = (low0 + low3) | 0;
    high0 = (high0 + high3 + (sum >>> 0 < low3 >>> 0 ? 1 : 0)) | 0;
    low0 = sum;
    carried = ((low3 << 21) | (high3 >>> 11)) ^ low0;
    high3 = ((high3 << 21) | (low3 >>> 11)) ^ high0;
    low3 = carried;

    sum = (low2 + low1) | 0;
    high2 = (high2 + high1 + (sum >>> 0 < low1 >>> 0 ? 1 : 0)) | 0;
    low2 = sum;
    carried = ((low1 << 17) | (high1 >>> 15)) ^ low2;
    high1 = ((high1 << 17) | (low1 >>> 15)) ^ high2;
    low1 = carried;
    carried = low2;
    low2 = high2;
    high2 = carried;

    if ((step & 1) !== 0) {
      low0 ^= low;
      high0 ^= high;
    }
  }
  hash[0] = low0 ^ low1 ^ low2 ^ low3;
  hash[1] = high0 ^ high1 ^ high2 ^ high3;
}
