/**
 * Proportional rate reduction (RFC 6937): how much may leave for each acknowledgment while losses are repaired, so
 * that the flight shrinks to the new window evenly and never by a burst.
 *
 * @module
 */
import { type Losses, outstanding, pipeOf } from "./loss.ts";

/** Fast recovery begins (RFC 6937 3). */
export function prrStart(c: Losses): void {
  c.prrDelivered = 0;
  c.prrOut = 0;
  c.prrFlight = Math.max(1, outstanding(c));
}

/** `delivered` bytes have arrived, or more are known to be lost: sets the window for what may leave now. */
export function prrUpdate(c: Losses, delivered: number): void {
  const ssthresh = c.judge?.isSparing === true ? c.judge.window : c.control.ssthresh;
  const mss = c.sndMss;
  const pipe = pipeOf(c);
  c.prrDelivered += delivered;
  let count: number;
  if (pipe > ssthresh) {
    count = Math.ceil(c.prrDelivered * ssthresh / c.prrFlight) - c.prrOut;
  } else {
    // The slow start reduction bound: a segment more than was delivered.
    const limit = Math.max(c.prrDelivered - c.prrOut, delivered) + mss;
    count = Math.min(ssthresh - pipe, limit);
  }
  // The fast retransmit itself always leaves.
  if (c.prrOut === 0) count = Math.max(count, mss);
  c.control.cwnd = pipe + Math.max(0, count);
}
