/**
 * The bytes that a drill sends and looks for: each is known by its place, so that a lost, doubled or moved one shows.
 *
 * @module
 */

/** The byte at this offset of a stream. */
function streamByte(offset: number): number {
  // 251 is prime: no power of two apart do two equal runs lie.
  return (offset % 251) ^ ((offset >>> 8) & 0xff);
}

/** `length` bytes of a stream from this offset on. */
export function streamBytes(offset: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => streamByte(offset + index));
}

/** The payload of a datagram of this length. */
export function datagramBytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + length * 7 + 11) & 0xff);
}

/** Where two texts of bytes first differ; -1: nowhere, up to the shorter one's end. */
export function firstDifference(one: Uint8Array, other: Uint8Array): number {
  const length = Math.min(one.length, other.length);
  for (let index = 0; index < length; index++) if (one[index] !== other[index]) return index;
  return -1;
}
