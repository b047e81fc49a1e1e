/**
 * Which bytes of a stream have come, when they do not come in order.
 *
 * @module
 */

import { checkSize } from "./size.ts";

/**
 * Keeps the ranges that have come, as offsets from the front: the first byte that the reader has not yet taken. What
 * is contiguous with the front is kept apart from the ranges that have a hole before them, of which there is room
 * for a fixed number; so data at the front is always accepted, and never adds a range.
 *
 * The ranges are numbered from 0 in order of offset; they neither overlap nor touch. Offsets and lengths are in
 * bytes, and together stay below 2^31. Every operation takes time in the number of ranges and allocates nothing.
 */
export class Assembler {
  /** How many ranges with a hole before them fit. */
  readonly capacity: number;
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  /** When the range last changed, as a count of changes that may wrap. */
  readonly #changed: Int32Array;
  #changes = 0;
  #ranges = 0;
  #contiguous = 0;

  /**
   * Nothing has come yet; there is room for `capacity` ranges with a hole before them.
   *
   * @throws {RangeError} unless the capacity is a whole number from 0 to 65,536.
   */
  constructor(capacity: number) {
    this.capacity = checkSize("capacity", capacity, 0, 65_536);
    this.#starts = new Int32Array(capacity);
    this.#ends = new Int32Array(capacity);
    this.#changed = new Int32Array(capacity);
  }

  /** How many bytes stand at the front without a hole, ready for {@linkcode takeFront}. */
  get contiguous(): number {
    return this.#contiguous;
  }

  /** How many ranges have a hole before them. */
  get ranges(): number {
    return this.#ranges;
  }

  /** The offset of a range's first byte. */
  start(range: number): number {
    return this.#starts[range]!;
  }

  /** The offset behind a range's last byte. */
  end(range: number): number {
    return this.#ends[range]!;
  }

  /**
   * Notes that `length` bytes at `offset` have come, whether new or not. Answers false, with nothing changed, if that
   * needs one more range than there is room for; never for data that touches the front.
   *
   * @throws {RangeError} if offset or length is negative, or their sum is 2^31 or more.
   */
  add(offset: number, length: number): boolean {
    const end = this.#checkedEnd(offset, length);
    if (length === 0) return true;
    if (offset <= this.#contiguous) {
      this.#advance(end);
      return true;
    }
    // Ranges [first, last) overlap or touch the new one, and become one with it.
    const first = this.#firstEndingAt(offset);
    let last = first;
    while (last < this.#ranges && this.#starts[last]! <= end) last++;
    if (first === last) {
      if (this.#ranges === this.capacity) return false;
      this.#move(first, first + 1);
      this.#starts[first] = offset;
      this.#ends[first] = end;
    } else {
      this.#starts[first] = Math.min(this.#starts[first]!, offset);
      this.#ends[first] = Math.max(this.#ends[last - 1]!, end);
      this.#move(last, first + 1);
    }
    this.#changes = (this.#changes + 1) | 0;
    this.#changed[first] = this.#changes;
    return true;
  }

  /** Whether every byte of `length` bytes at `offset` has come before. True for no bytes. */
  has(offset: number, length: number): boolean {
    const end = this.#checkedEnd(offset, length);
    if (length === 0 || end <= this.#contiguous) return true;
    const range = this.#firstEndingAt(end);
    return range < this.#ranges && this.#starts[range]! <= offset;
  }

  /** Takes what is contiguous with the front: answers how many bytes, and moves the front behind them. */
  takeFront(): number {
    const taken = this.#contiguous;
    for (let i = 0; i < this.#ranges; i++) {
      this.#starts[i] = this.#starts[i]! - taken;
      this.#ends[i] = this.#ends[i]! - taken;
    }
    this.#contiguous = 0;
    return taken;
  }

  /**
   * The range that `rank` others were added to more recently than to it, or -1: rank 0 is the range that holds the
   * latest data. The order in which SACK blocks are reported (RFC 2018 4).
   */
  recent(rank: number): number {
    let newest = -1;
    for (let step = 0; step <= rank; step++) {
      const before = newest;
      newest = -1;
      for (let i = 0; i < this.#ranges; i++) {
        const older = before < 0 || this.#age(i) > this.#age(before);
        if (older && (newest < 0 || this.#age(i) < this.#age(newest))) newest = i;
      }
      if (newest < 0) return -1;
    }
    return newest;
  }

  /** Forgets what lies at `offset` or behind it. */
  cut(offset: number): void {
    this.#contiguous = Math.min(this.#contiguous, offset);
    while (this.#ranges > 0 && this.#starts[this.#ranges - 1]! >= offset) this.#ranges--;
    if (this.#ranges > 0) {
      this.#ends[this.#ranges - 1] = Math.min(this.#ends[this.#ranges - 1]!, offset);
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.#ranges = 0;
    this.#contiguous = 0;
  }

  #checkedEnd(offset: number, length: number): number {
    const end = offset + length;
    if ((offset | length | end) < 0) {
      throw new RangeError(
        `offset and length must be at least 0 and their sum below 2^31: ${offset}, ${length}`,
      );
    }
    return end;
  }

  /** Moves the end of what is contiguous, and takes in the ranges that it reaches. */
  #advance(end: number): void {
    if (end > this.#contiguous) this.#contiguous = end;
    let reached = 0;
    while (reached < this.#ranges && this.#starts[reached]! <= this.#contiguous) {
      this.#contiguous = Math.max(this.#contiguous, this.#ends[reached]!);
      reached++;
    }
    if (reached > 0) this.#move(reached, 0);
  }

  /** The first range whose end is at `offset` or behind it; the number of ranges if there is none. */
  #firstEndingAt(offset: number): number {
    let range = 0;
    while (range < this.#ranges && this.#ends[range]! < offset) range++;
    return range;
  }

  /** Moves the ranges from `from` on so that they are numbered from `to` on. */
  #move(from: number, to: number): void {
    if (from === to) return;
    this.#starts.copyWithin(to, from, this.#ranges);
    this.#ends.copyWithin(to, from, this.#ranges);
    this.#changed.copyWithin(to, from, this.#ranges);
    this.#ranges += to - from;
  }

  #age(range: number): number {
    return (this.#changes - this.#changed[range]!) >>> 0;
  }
}
