/**
 * What delivery was like when each segment in flight left (draft-ietf-ccwg-bbr 4.1.2.1.2, per-packet state), beside the
 * segments of a {@linkcode Flight}, and kept only for a congestion control that asks for it.
 *
 * @module
 */
import { Spares } from "../store/spares.ts";
import type { Micros } from "./clock.ts";

const DELIVERED = 0, DELIVERED_AT = 1, FIRST_SENT_AT = 2, LOST = 3, IN_FLIGHT = 4;
/** Words a segment, of which some are not used: what is spared has a power of two of them. */
const STRIDE = 8;
/** Segments that there is room for at first, and those that are kept room for. */
const FIRST_ROWS = 8, MOST_ROWS = 4_096;

const spares = new Spares<Int32Array>((length) => new Int32Array(length), MOST_ROWS * STRIDE, 2 << 20);

const NOTHING = new Int32Array(0);

/** How much room is taken next time by whoever had `length` words and used `used` of them: no less than `least`. */
export function roomAfter(length: number, used: number, least: number): number {
  return 2 * used <= length && length > least ? length / 2 : length;
}

/** A row of numbers for each place of a flight's segments. */
export class Marks {
  #words: Int32Array = NOTHING;
  /** The words that the next flight begins with. */
  #room = FIRST_ROWS * STRIDE;

  /** Notes what holds as the segment at a place leaves. `inFlight` is with itself; negative: it is application-limited. */
  set(
    at: number,
    delivered: number,
    deliveredAt: Micros,
    firstSentAt: Micros,
    lost: number,
    inFlight: number,
  ): void {
    const first = at * STRIDE;
    if (first + STRIDE > this.#words.length) this.#grow(at + 1);
    this.#words[first + DELIVERED] = delivered;
    this.#words[first + DELIVERED_AT] = deliveredAt;
    this.#words[first + FIRST_SENT_AT] = firstSentAt;
    this.#words[first + LOST] = lost;
    this.#words[first + IN_FLIGHT] = inFlight;
  }

  /** Bytes delivered in all when the segment left. */
  delivered(at: number): number {
    return this.#words[at * STRIDE + DELIVERED]!;
  }

  /** When the last of them were. */
  deliveredAt(at: number): Micros {
    return this.#words[at * STRIDE + DELIVERED_AT]!;
  }

  /** When the first segment left of the flight that this one is part of. */
  firstSentAt(at: number): Micros {
    return this.#words[at * STRIDE + FIRST_SENT_AT]!;
  }

  /** Bytes lost in all when it left. */
  lost(at: number): number {
    return this.#words[at * STRIDE + LOST]!;
  }

  /** Bytes in flight then; negative: the sender had no more. */
  inFlight(at: number): number {
    return this.#words[at * STRIDE + IN_FLIGHT]!;
  }

  /** Segments [from, to) move to the front. */
  shift(from: number, to: number): void {
    this.#words.copyWithin(0, from * STRIDE, to * STRIDE);
  }

  /** The segment at a place becomes two; the flight ends at `tail` before. */
  split(at: number, tail: number): void {
    if ((tail + 1) * STRIDE > this.#words.length) this.#grow(tail + 1);
    this.#words.copyWithin((at + 1) * STRIDE, at * STRIDE, tail * STRIDE);
  }

  /** The flight has landed, that had so many segments. */
  release(used: number): void {
    if (this.#words.length > 0) {
      this.#room = roomAfter(this.#words.length, used * STRIDE, FIRST_ROWS * STRIDE);
    }
    spares.give(this.#words);
    this.#words = NOTHING;
  }

  #grow(rows: number): void {
    const old = this.#words;
    let length = old.length === 0 ? this.#room : old.length;
    while (length < rows * STRIDE) length *= 2;
    this.#words = spares.take(length);
    if (old.length > 0) this.#words.set(old);
    spares.give(old);
  }
}
