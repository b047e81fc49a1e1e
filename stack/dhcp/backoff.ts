/**
 * When a DHCP client speaks again: RFC 2131 4.1.
 *
 * @module
 */
import { type Instant, seconds } from "../store/time.ts";

/** The first wait, the longest one, and how far chance moves each of them to either side. */
const FIRST: Instant = seconds(4), LONGEST: Instant = seconds(64), SPREAD: Instant = seconds(1);

/** Waits that double from 4 to 64 seconds, each moved by up to one second. */
export class Backoff {
  readonly #random: () => number;
  #wait: Instant = FIRST;
  /** How many waits there were. */
  count = 0;

  /** `random` answers with 32 random bits. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Starts over. */
  reset(): void {
    this.#wait = FIRST;
    this.count = 0;
  }

  /** The next wait. */
  next(): Instant {
    const wait = this.#wait;
    this.#wait = Math.min(LONGEST, wait * 2);
    this.count++;
    return wait + Math.round((fraction(this.#random) * 2 - 1) * SPREAD);
  }
}

/** A number from 0 up to, not including, 1. */
export function fraction(random: () => number): number {
  return (random() >>> 0) / 0x1_0000_0000;
}
