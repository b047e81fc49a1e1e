/**
 * Time as the stack sees it: a number handed in from outside, never read from a clock here, so that the same
 * code runs live, in simulation and in a browser.
 *
 * @module
 */

/** A point on a monotonic clock, or a length of time: whole microseconds. */
export type Instant = number;

/** The instant that never comes: what a layer without a timer answers when asked for its deadline. */
export const NEVER: Instant = Infinity;

/** Milliseconds as an {@linkcode Instant}. */
export function milliseconds(count: number): Instant {
  return Math.round(count * 1_000);
}

/** Seconds as an {@linkcode Instant}. */
export function seconds(count: number): Instant {
  return Math.round(count * 1_000_000);
}

/** Whether the time `at` has come: it has at that very instant. */
export function expired(at: Instant, now: Instant): boolean {
  return now >= at;
}
