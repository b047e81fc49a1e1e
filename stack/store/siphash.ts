/**
 * SipHash-2-4 (Aumasson and Bernstein), over 32-bit words: a keyed hash that a stranger cannot foresee.
 *
 * @module
 */

/** Its 128-bit key: four words of real randomness. */
export type SipKey = readonly [number, number, number, number];

// The 64-bit state words as pairs, low half first; a typed array keeps them unboxed.
const v = new Int32Array(8);

function addPair(a: number, b: number): void {
  const low = (v[a]! >>> 0) + (v[b]! >>> 0);
  v[a + 1] = (v[a + 1]! + v[b + 1]! + (low > 0xffffffff ? 1 : 0)) | 0;
  v[a] = low | 0;
}

function rotatePair(a: number, bits: number): void {
  const low = v[a]!, high = v[a + 1]!;
  if (bits === 32) {
    v[a] = high;
    v[a + 1] = low;
    return;
  }
  v[a] = (low << bits) | (high >>> (32 - bits));
  v[a + 1] = (high << bits) | (low >>> (32 - bits));
}

function xorPair(a: number, b: number): void {
  v[a] = v[a]! ^ v[b]!;
  v[a + 1] = v[a + 1]! ^ v[b + 1]!;
}

function round(): void {
  addPair(0, 2);
  rotatePair(2, 13);
  xorPair(2, 0);
  rotatePair(0, 32);
  addPair(4, 6);
  rotatePair(6, 16);
  xorPair(6, 4);
  addPair(0, 6);
  rotatePair(6, 21);
  xorPair(6, 0);
  addPair(4, 2);
  rotatePair(2, 17);
  xorPair(2, 4);
  rotatePair(4, 32);
}

function mix(low: number, high: number): void {
  v[6] = v[6]! ^ low;
  v[7] = v[7]! ^ high;
  round();
  round();
  v[0] = v[0]! ^ low;
  v[1] = v[1]! ^ high;
}

/** The low 32 bits, signed, of the hash of `words[0..count)`, each taken as four bytes in little-endian order. */
export function sipHash(words: Int32Array, count: number, key: SipKey): number {
  v[0] = key[0] ^ 0x70736575;
  v[1] = key[1] ^ 0x736f6d65;
  v[2] = key[2] ^ 0x6e646f6d;
  v[3] = key[3] ^ 0x646f7261;
  v[4] = key[0] ^ 0x6e657261;
  v[5] = key[1] ^ 0x6c796765;
  v[6] = key[2] ^ 0x79746573;
  v[7] = key[3] ^ 0x74656462;
  let index = 0;
  for (; index + 2 <= count; index += 2) mix(words[index]!, words[index + 1]!);
  // The last block holds what is left over and, in its top byte, the length in bytes modulo 256.
  mix(index < count ? words[index]! : 0, (count * 4) << 24);
  v[4] = v[4]! ^ 0xff;
  round();
  round();
  round();
  round();
  return v[0]! ^ v[2]! ^ v[4]! ^ v[6]!;
}
