/**
 * Proportional rate reduction (RFC 9937): how much may leave for each acknowledgment while losses are repaired, so
 * that the flight shrinks to the new window evenly and never by a burst.
 *
 * @module
 */
import { type Losses, outstanding, pipeOf } from "./loss.ts";

/**
 * Fast recovery begins with an acknowledgment that has delivered so many bytes. RecoverFS is what is to be delivered from
 * here on, these included: what was reported before is not (RFC 9937 6.2).
 */
export function prrStart(c: Losses, delivered: number): void {
  c.prrDelivered = 0;
  c.prrOut = 0;
  c.prrFlight = Math.max(1, outstanding(c) - c.flight.sacked - c.duplicateBytes + delivered);
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
