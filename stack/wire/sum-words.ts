/**
 * The sum of RFC 1071 in JavaScript, for bytes that lie in no arena: 32 bits at a time where a view of them as words is
 * worth keeping, else a byte at a time.
 *
 * @module
 */

/**
 * Adds the 16-bit words of `bytes[at..end)`, an odd last byte padded with a zero, to `initial`. The result
 * has 16 bits. Any offset, any length up to 256 KiB; fastest in a long buffer of fixed size that is used again
 * and again.
 */
export function sumWords(bytes: Uint8Array, at: number, end: number, initial: number): number {
  return end - at >= WORDS_FROM && hasWords(bytes)
    ? sumAligned(bytes, at, end, initial)
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
function sumAligned(bytes: Uint8Array, at: number, end: number, initial: number): number {
  const words = present.words;
  const skew = present.skew;
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

// Making a view of bytes as words costs more than a packet's sum, so the views of a few buffers are kept; short
// ones are not worth keeping alive.
const WORTH_A_VIEW = 1 << 15;
const VIEWS = 8;

/** Bytes, and the same as words. */
class Words {
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
const views: Words[] = [];
let oldest = 0;
let present = new Words(new Uint8Array(0));

/** Makes `present` that of `bytes`. False: these have none, so they are summed by bytes. */
function hasWords(bytes: Uint8Array): boolean {
  return bytes === present.bytes || findWords(bytes);
}

function findWords(bytes: Uint8Array): boolean {
  if (bytes.length < WORTH_A_VIEW || !LITTLE_ENDIAN) return false;
  for (const known of views) {
    if (known.bytes === bytes) {
      present = known;
      return true;
    }
  }
  // The length of a view on a buffer that can grow does not stay that of its words.
  const buffer = bytes.buffer;
  if (buffer instanceof ArrayBuffer ? buffer.resizable : buffer.growable) return false;
  present = new Words(bytes);
  views[oldest] = present;
  oldest = (oldest + 1) % VIEWS;
  return true;
}

/** The sum in 16 bits, carries added back in. Takes any 32 bits, signed or not. */
export function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}
