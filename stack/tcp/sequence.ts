/**
 * Sequence number arithmetic (RFC 9293 3.4): 32-bit words that wrap, kept signed so that they stay unboxed.
 *
 * A comparison is right as long as the two are less than 2^31 apart, which windows of up to 2^30 guarantee.
 *
 * @module
 */

/** `sequence` moved on by `count`, which may be negative. */
export function add(sequence: number, count: number): number {
  return (sequence + count) | 0;
}

/** How far `to` is ahead of `from`: negative when it is behind. */
export function distance(from: number, to: number): number {
  return (to - from) | 0;
}

/** Whether `a` comes before `b`. */
export function before(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

/** Whether `a` comes after `b`. */
export function after(a: number, b: number): boolean {
  return ((b - a) | 0) < 0;
}

/** Whether `a` comes before `b`, or is `b`. */
export function upTo(a: number, b: number): boolean {
  return ((b - a) | 0) >= 0;
}

/** Whether `sequence` lies in the window of `length` numbers from `start` on; no window holds anything. */
export function inWindow(sequence: number, start: number, length: number): boolean {
  return ((sequence - start) >>> 0) < length;
}

/** The later of two. */
export function latest(a: number, b: number): number {
  return ((a - b) | 0) > 0 ? a : b;
}
