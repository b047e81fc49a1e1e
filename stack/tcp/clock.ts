/**
 * The clock of segments: the low 32 bits of an {@linkcode Instant}, kept signed so that they stay unboxed, and compared
 * as sequence numbers are. An `Instant` of a machine that has run for an hour is no small integer to the engine, which
 * puts it on the heap whenever a call takes or returns one.
 *
 * Two of them are told apart as long as they are less than 35 minutes from each other. What may wait longer (an idle
 * connection, keepalive, the user timeout, RFC 7323's 24 days) is kept as an `Instant` in a field.
 *
 * @module
 */
import type { Instant } from "../store/time.ts";

/** A point in time: microseconds, the low 32 bits. */
export type Micros = number;

/** The longest that a length of time between two {@linkcode Micros} is taken for one: 17 minutes. */
export const LONGEST = 1 << 30;

/** Where an endpoint's time is read. Handed on itself, since the number in it would be put on the heap for each call. */
export class Clock {
  /** The time. */
  now: Instant = 0;
  /** The clock of segments. */
  micros: Micros = 0;
  /** The clock of timestamps (RFC 7323 5.4): milliseconds, the low 32 bits. */
  millis = 0;
  /** Microseconds since that has moved on. */
  microsOfMilli = 0;

  /** It is `now`. */
  set(now: Instant): void {
    this.now = now;
    this.#divide();
  }

  /** It is what a NIC's clock shows. */
  follow(nic: { readonly timestamp: Instant }): void {
    if (nic.timestamp === this.now) return;
    this.now = nic.timestamp;
    this.#divide();
  }

  #divide(): void {
    const millis = Math.floor(this.now / 1_000);
    this.micros = this.now | 0;
    this.millis = millis | 0;
    this.microsOfMilli = (this.now - millis * 1_000) | 0;
  }
}

/** Microseconds from one point in time to a later one; negative: it is earlier, or too far off. */
export function elapsed(from: Micros, to: Micros): number {
  return (to - from) | 0;
}

/** The point in time `delay` after another. */
export function later(from: Micros, delay: number): Micros {
  return (from + delay) | 0;
}
