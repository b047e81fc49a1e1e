/**
 * The Internet checksum: the one's complement of the one's complement sum of 16-bit words (RFC 1071), and its
 * incremental update (RFC 1624).
 *
 * A sum is a non-negative number below 2^31 that need not be folded yet; sums of parts are added as plain
 * numbers, or handed on as `initial`. Every part but the last must have an even length.
 *
 * @module
 */
import type { Address } from "./address.ts";

/**
 * Adds the 16-bit words of `bytes[at..end)`, an odd last byte padded with a zero, to `initial`. The result
 * has 16 bits. Any offset, any length up to 256 KiB; fastest in an arena of fixed size that is used again and
 * again.
 */
export function sum(bytes: Uint8Array, at: number, end: number, initial: number): number {
  return end - at >= WORDS_FROM && arenaWords(bytes)
    ? sumWords(bytes, at, end, initial)
    : sumBytes(bytes, at, end, initial);
}

function sumBytes(bytes: Uint8Array, at: number, end: number, initial: number): number {
  let high = 0;
  let low = 0;
  for (; at + 4 <= end; at += 4) {
    high = (high + bytes[at]! + bytes[at + 2]!) | 0;
    low = (low + bytes[at + 1]! + bytes[at + 3]!) | 0;
  }
  if (at + 2 <= end) {
    high += bytes[at++]!;
    low += bytes[at++]!;
  }
  if (at < end) high += bytes[at]!;
  // 2^8 times `high`, its overflow carried around by hand so that all stays below 2^31.
  return fold(fold(low) + ((high & 0xff) << 8) + (high >>> 8) + fold(initial));
}

/**
 * Sums the aligned words in the middle in the machine's byte order, which RFC 1071 2(B) allows: swap at the
 * end.
 */
function sumWords(bytes: Uint8Array, at: number, end: number, initial: number): number {
  const words = arena.words;
  const skew = arena.skew;
  // From an odd offset each pair of bytes is halves of two aligned pairs, which is one more swap.
  const odd = (at - skew) & 1;
  let edges = 0;
  if (odd !== 0) edges = bytes[at++]! << 8;
  if (((at - skew) & 2) !== 0) {
    edges += bytes[at]! | (bytes[at + 1]! << 8);
    at += 2;
  }
  let i = (at - skew) >> 2;
  const stop = i + ((end - at) >> 2);
  // The sum of the words modulo 2^32, and the sum of their high halves: the low halves' sum is what remains.
  let all = 0;
  let high = 0;
  for (; i + 8 <= stop; i += 8) {
    const a = words[i]!, b = words[i + 1]!, c = words[i + 2]!, d = words[i + 3]!;
    const e = words[i + 4]!, f = words[i + 5]!, g = words[i + 6]!, h = words[i + 7]!;
    all = (all + ((a + b) | 0) + ((c + d) | 0) + ((e + f) | 0) + ((g + h) | 0)) | 0;
    high = (high + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16)) | 0;
    high = (high + (e >>> 16) + (f >>> 16) + (g >>> 16) + (h >>> 16)) | 0;
  }
  for (; i < stop; i++) {
    const word = words[i]!;
    all = (all + word) | 0;
    high = (high + (word >>> 16)) | 0;
  }
  at = skew + (stop << 2);
  if (at + 2 <= end) {
    edges += bytes[at]! | (bytes[at + 1]! << 8);
    at += 2;
  }
  if (at < end) edges += bytes[at]!;
  const native = fold(fold(all - (high << 16)) + fold(high) + fold(edges));
  return fold((odd !== 0 ? native : ((native & 0xff) << 8) | (native >>> 8)) + fold(initial));
}

// Below this many bytes, aligning costs more than it gains.
const WORDS_FROM = 48;

// An arena's bytes seen as words. Making a view costs more than a packet's sum, so the views of a few are
// kept; a short buffer is no arena, and not worth keeping alive.
const ARENA_LENGTH = 1 << 15;
const ARENAS = 8;

class Arena {
  readonly bytes: Uint8Array;
  /** The offset in `bytes` of the first word, as a view must be aligned in its buffer. */
  readonly skew: number;
  readonly words: Int32Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.skew = -bytes.byteOffset & 3;
    const start = bytes.byteOffset + this.skew;
    this.words = new Int32Array(bytes.buffer, start, Math.max(0, bytes.length - this.skew) >> 2);
  }
}

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
const arenas: Arena[] = [];
let oldest = 0;
let arena = new Arena(new Uint8Array(0));

/** Makes `arena` that of `bytes`. False: these have none, so they are summed by bytes. */
function arenaWords(bytes: Uint8Array): boolean {
  return bytes === arena.bytes || findArena(bytes);
}

function findArena(bytes: Uint8Array): boolean {
  if (bytes.length < ARENA_LENGTH || !LITTLE_ENDIAN) return false;
  for (const known of arenas) {
    if (known.bytes === bytes) {
      arena = known;
      return true;
    }
  }
  // The length of a view on a buffer that can grow does not stay that of its words.
  const buffer = bytes.buffer;
  if (buffer instanceof ArrayBuffer ? buffer.resizable : buffer.growable) return false;
  arena = new Arena(bytes);
  arenas[oldest] = arena;
  oldest = (oldest + 1) % ARENAS;
  return true;
}

/** The sum in 16 bits, carries added back in. Takes any 32 bits, signed or not. */
export function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

/** The checksum field's value for a sum: its one's complement. 0 when the sum covers a correct checksum. */
export function finish(sum: number): number {
  return ~fold(sum) & 0xffff;
}

/** The checksum of `bytes[at..end)` and what `initial` summed. 0 when those hold a correct checksum. */
export function checksum(bytes: Uint8Array, at: number, end: number, initial: number): number {
  return finish(sum(bytes, at, end, initial));
}

/**
 * The checksum after one 16-bit word of what it covers went from `oldWord` to `newWord`.
 *
 * The same as computing it anew, unless all that is covered is zero. UDP sends a result of 0 as 0xffff.
 */
export function update16(check: number, oldWord: number, newWord: number): number {
  // RFC 1624 3, equation 3. Equation 4 (and RFC 1141) can turn out 0xffff where the whole sum gives 0.
  return finish((~check & 0xffff) + (~oldWord & 0xffff) + (newWord & 0xffff));
}

/**
 * The checksum after one 32-bit word of what it covers, at an even offset, went from `oldWord` to `newWord`.
 */
export function update32(check: number, oldWord: number, newWord: number): number {
  return update16(update16(check, oldWord >>> 16, newWord >>> 16), oldWord, newWord);
}

/**
 * The sum of the IPv4 pseudo-header of TCP and UDP (RFC 9293 3.1); `length` is that of their header and data.
 */
export function pseudoV4(source: Address, destination: Address, protocol: number, length: number): number {
  return words(source.d) + words(destination.d) + protocol + words(length);
}

/**
 * The sum of the IPv6 pseudo-header (RFC 8200 8.1); `length` is that of the upper layer's header and data.
 */
export function pseudoV6(source: Address, destination: Address, protocol: number, length: number): number {
  return words(source.a) + words(source.b) + words(source.c) + words(source.d) +
    words(destination.a) + words(destination.b) + words(destination.c) + words(destination.d) +
    protocol + words(length);
}

/** The sum of the pseudo-header of the addresses' family. */
export function pseudo(source: Address, destination: Address, protocol: number, length: number): number {
  return source.isV4
    ? pseudoV4(source, destination, protocol, length)
    : pseudoV6(source, destination, protocol, length);
}

/** The sum of a 32-bit word's two halves. */
function words(word: number): number {
  return (word >>> 16) + (word & 0xffff);
}
