/**
 * Moments as capture files have them: 64-bit counts of ticks since 1970, of a length that each interface tells.
 *
 * @module
 */
import type { Instant } from "../../stack/store/time.ts";

const WORD = 0x1_0000_0000;

/** The pcapng value of if_tsresol for nanoseconds: ten to the power of -9. */
export const NANOSECONDS = 9;

/** The pcapng value of if_tsresol that holds where an interface tells none: microseconds. */
export const MICROSECONDS = 6;

/** How many ticks of an if_tsresol make a second: a power of 2 where the top bit is set, else of 10. */
export function ticksPerSecond(resolution: number): bigint {
  const exponent = BigInt(resolution & 0x7f);
  return (resolution & 0x80) !== 0 ? 1n << exponent : 10n ** exponent;
}

/** Whole microseconds since 1970; a moment that no exact number can hold becomes the nearest that one can. */
export function fromTicks(ticks: bigint, perSecond: bigint, offsetSeconds: bigint): Instant {
  const value = ticks * 1_000_000n / perSecond + offsetSeconds * 1_000_000n;
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(value)));
}

/** Instants as the two words of a 64-bit count of nanoseconds since 1970: no number holds it whole. */
export class NanosecondWords {
  /** The count's upper 32 bits. */
  high = 0;
  /** The count's lower 32 bits. */
  low = 0;
  readonly #wallClock: Instant;
  #last: Instant = NaN;

  /** The words of instants of a clock whose instant 0 was `wallClock` microseconds after 1970. */
  constructor(wallClock: Instant) {
    this.#wallClock = wallClock;
  }

  /** Sets the words. All frames of a burst have one timestamp, so the last one's words are kept. */
  set(timestamp: Instant): void {
    if (timestamp === this.#last) return;
    this.#last = timestamp;
    const microseconds = timestamp + this.#wallClock;
    const upper = Math.floor(microseconds / WORD);
    const lower = (microseconds - upper * WORD) * 1_000;
    const carry = Math.floor(lower / WORD);
    this.high = (upper * 1_000 + carry) | 0;
    this.low = (lower - carry * WORD) | 0;
  }
}
