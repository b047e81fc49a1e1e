/**
 * The clock of a NIC that has none of its own.
 *
 * @module
 */
import type { Instant } from "../stack/store/time.ts";

/** Microseconds since the program began, which never go back: the clock of the NICs of Linux. */
export function monotonic(): Instant {
  return Math.round(performance.now() * 1_000);
}
