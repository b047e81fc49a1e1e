/**
 * Pacing: segments leave at the rate that the congestion control has found, not in bursts of a window. A bucket of
 * bytes fills at that rate; a segment may leave while it is not empty, and may overdraw it.
 *
 * Timers ring to a millisecond, so the bucket holds as much as passes in one: on a path whose round trip is shorter
 * acknowledgments are what lets it flow, and the rate is kept all the same.
 *
 * @module
 */
import { elapsed, LONGEST, type Micros } from "./clock.ts";
import type { Connection } from "./connection.ts";
import { TimerKind } from "./timers.ts";

/** What the bucket holds, as a length of time. */
const DEPTH = 1_000;
/** And at least so many segments: draft-ietf-ccwg-bbr 5.6.3, BBR.send_quantum. */
const LEAST_SEGMENTS = 2;
/** However low the rate is said to be, so many segments may leave in a second. */
const LEAST_A_SECOND = 1;

/** The bucket of a connection. */
export class Pacer {
  #credit = 0;
  #filledAt: Micros = 0;
  #isFresh = true;

  /** How long from `now` on nothing may leave, in microseconds; 0: something may. */
  wait(control: { readonly pacingRate: number }, mss: number, now: Micros): number {
    const rate = Math.max(control.pacingRate, mss * LEAST_A_SECOND);
    const depth = Math.max(LEAST_SEGMENTS * mss, rate * DEPTH / 1e6);
    const passed = elapsed(this.#filledAt, now);
    // After a pause, even one longer than the clock tells, it is full.
    if (this.#isFresh || passed < 0 || passed > LONGEST) this.#credit = depth;
    else this.#credit = Math.min(depth, this.#credit + rate * passed / 1e6);
    this.#isFresh = false;
    this.#filledAt = now;
    if (this.#credit > 0) return 0;
    return Math.min(LONGEST, 1 + Math.ceil(-this.#credit * 1e6 / rate)) | 0;
  }

  /** So many bytes have left. */
  take(length: number): void {
    this.#credit -= length;
  }
}

/** How long from now on a connection must not send what its congestion control rules; 0: it may. */
export function pacingWait(c: Connection, now: Micros): number {
  return c.pacer === undefined || c.control.pacingRate === 0 ? 0 : c.pacer.wait(c.control, c.sndMss, now);
}

/** What is to be sent goes on when the time has come. */
export function armPacing(c: Connection, wait: number): void {
  if (c.unsent > 0 || c.flight.lost > 0) c.tcp.connections.armIn(c, TimerKind.Pacing, wait);
}
