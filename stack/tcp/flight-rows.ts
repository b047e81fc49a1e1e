/**
 * The words that {@linkcode Flight} keeps of each segment, a row each, and searches among them that need not walk.
 *
 * @module
 */
import { after } from "./sequence.ts";

/** The peer has it: a SACK block covers it. */
export const SACKED = 1;
/** Taken to be lost, and not sent again yet. */
export const LOST = 2;
/** Sent more than once. */
export const RESENT = 4;

/**
 * Words of each segment's row: where it ends, when it last left, what became of it, and, if it is reported as received,
 * from which row on, counted from its own, the search for one that is not goes on (0: the next).
 */
export const STRIDE = 4, SENT_AT = 1, FLAGS = 2, SKIP = 3;

/**
 * A segment that is reported in part is divided only into pieces of this many bytes or more; so a peer that reports
 * single bytes cannot make the flight grow. What is smaller counts as not received, which costs a byte or two.
 */
export const LEAST_PIECE = 512;

/**
 * The first row from `from` on, and before `tail`, that is not reported as received. Whoever is on the way learns of it,
 * so that a peer that reports the same again and again does not have us walk again and again.
 */
export function skipReceived(rows: Int32Array, from: number, tail: number): number {
  let end = from;
  while (end < tail && (rows[end * STRIDE + FLAGS]! & SACKED) !== 0) {
    end += Math.max(1, rows[end * STRIDE + SKIP]!);
  }
  for (let at = from; at < end;) {
    const next = at + Math.max(1, rows[at * STRIDE + SKIP]!);
    rows[at * STRIDE + SKIP] = end - at;
    at = next;
  }
  return end;
}

/** The first row from `head` on, and before `tail`, that ends after a sequence number. */
export function firstEndingAfter(rows: Int32Array, head: number, tail: number, sequence: number): number {
  let low = head;
  let high = tail;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (after(rows[middle * STRIDE]!, sequence)) high = middle;
    else low = middle + 1;
  }
  return low;
}
