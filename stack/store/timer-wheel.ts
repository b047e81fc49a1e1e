/**
 * Many timers, most of which are moved or cancelled before they ring.
 *
 * @module
 */

import { Links } from "./links.ts";
import { checkSize } from "./size.ts";
import { type Instant, milliseconds, NEVER } from "./time.ts";

// A tick's number is written in digits of 5 bits: level k of the wheel has a slot for each value of digit k. Ticks
// are safe integers, 53 bits; they are taken apart at bit 30, because bitwise operators see 32 bits.
const DIGIT_BITS = 5;
const SLOTS = 1 << DIGIT_BITS;
const LOW_LEVELS = 6;
const LEVELS = 11;
const LOW_SPAN = 2 ** (LOW_LEVELS * DIGIT_BITS);
const MAX_TICK = Number.MAX_SAFE_INTEGER;

// Timers that were armed for a time already past. There are two such lists: one rings while the other fills.
const OVERDUE = LEVELS * SLOTS;

/**
 * A hierarchical timer wheel. A timer is a number from 0 to capacity - 1, an index into the owner's own tables.
 *
 * A timer rings in the first {@linkcode advance} whose time has reached the first tick at or after the time it was
 * armed for: up to one tick late, never early. Any time a number can hold may be armed.
 *
 * Arming, moving and cancelling take constant time. A timer stands at the level of the highest digit in which its
 * tick differs from the present one, and moves down as that digit is reached, at most once a level. So all timers of
 * a level come before all of the next, and the present slot's neighbours need no search.
 */
export class TimerWheel {
  /** How many timers there are. */
  readonly capacity: number;
  /** The length of a tick in microseconds. */
  readonly tick: Instant;
  readonly #links: Links;
  /** The tick of each armed timer. */
  readonly #ticks: Float64Array;
  /** No timer of the slot has an earlier tick. Exact until a timer is cancelled. */
  readonly #earliest = new Float64Array(LEVELS * SLOTS);
  /** For each level a bit for each slot that is not empty, and a bit for each level that is not. */
  readonly #slots = new Int32Array(LEVELS);
  #levels = 0;
  // The tick that the slots are relative to. While timers ring it is the tick of those that ring.
  #low = 0;
  #high = 0;
  readonly #clock = { now: 0 };
  /** The latest time that `advance` was given. */
  #now: Instant = 0;
  /** The last tick that `advance` was asked to reach. What is armed up to it is overdue. */
  #horizon = 0;
  #overdue = OVERDUE;

  /**
   * No timer is armed, and the time is 0. `tick` is the granularity in microseconds.
   *
   * @throws {RangeError} unless the capacity is a whole number from 1 to 2^23 and the tick one from 1 to 10^9.
   */
  constructor(capacity: number, tick: Instant = milliseconds(1)) {
    this.capacity = checkSize("capacity", capacity, 1, 2 ** 23);
    this.tick = checkSize("tick", tick, 1, 1e9);
    this.#links = new Links(capacity, LEVELS * SLOTS + 2);
    this.#ticks = new Float64Array(capacity);
  }

  /** Whether a timer is armed. It is not while it rings, unless it was armed again. */
  armed(timer: number): boolean {
    return this.#links.listOf(timer) >= 0;
  }

  /**
   * Arms a timer, or moves an armed one. A time already past rings in the next {@linkcode advance}; one that is armed
   * in the course of an `advance`, and due by its time, in the one after it. {@linkcode NEVER} cancels.
   *
   * @throws {RangeError} if there is no such timer, or the time is not a number.
   */
  arm(timer: number, at: Instant): void {
    if (timer < 0 || timer >= this.capacity || Number.isNaN(at)) {
      throw new RangeError(
        `timer must be 0 to ${this.capacity - 1}, at a time: cannot arm ${timer} at ${at}`,
      );
    }
    this.cancel(timer);
    this.#ticks[timer] = Math.ceil(at / this.tick);
    this.#fileArmed(timer);
  }

  /**
   * Arms a timer for `delay` from the time of the last {@linkcode advance} on, as {@linkcode TimerWheel.arm} does for an
   * instant. Nothing is allocated for a delay that is a small integer.
   *
   * @throws {RangeError} if there is no such timer, or the delay is not a number.
   */
  armIn(timer: number, delay: Instant): void {
    if (timer < 0 || timer >= this.capacity || Number.isNaN(delay)) {
      throw new RangeError(
        `timer must be 0 to ${this.capacity - 1}, after a time: cannot arm ${timer} after ${delay}`,
      );
    }
    const tick = Math.ceil((this.#now + delay) / this.tick);
    if (this.#ticks[timer] === tick && tick > this.#horizon && this.armed(timer)) return;
    this.cancel(timer);
    this.#ticks[timer] = tick;
    this.#fileArmed(timer);
  }

  #fileArmed(timer: number): void {
    const tick = this.#ticks[timer]!;
    if (tick > MAX_TICK) return;
    if (tick <= this.#horizon) this.#links.pushBack(this.#overdue, timer);
    else this.#file(timer);
  }

  /** Disarms a timer, if it is armed. */
  cancel(timer: number): void {
    const slot = this.#links.remove(timer);
    if (slot < 0 || slot >= OVERDUE || !this.#links.isEmpty(slot)) return;
    const level = slot >> DIGIT_BITS;
    this.#slots[level] = this.#slots[level]! & ~(1 << (slot & (SLOTS - 1)));
    if (this.#slots[level] === 0) this.#levels &= ~(1 << level);
  }

  /**
   * When {@linkcode advance} may next have something to do; {@linkcode NEVER} while no timer is armed. Constant time.
   *
   * It is never after the tick at which the earliest timer rings, and is that tick unless an earlier timer of the same
   * slot was cancelled or moved. In that case the `advance` at this time moves the slot's timers down, and the next
   * answer is later: whoever waits until the deadline before each `advance` never spins.
   */
  deadline(): Instant {
    const links = this.#links;
    if (!links.isEmpty(OVERDUE) || !links.isEmpty(OVERDUE + 1)) return this.#horizon * this.tick;
    return this.#levels === 0 ? NEVER : this.#earliest[this.#firstSlot()]! * this.tick;
  }

  /**
   * Calls `onExpire` for each timer that is due by `now`, tick by tick, and answers how many there were. Overdue ones
   * come first, in the order of their arming. The callback may arm and cancel every timer, its own included. A `now`
   * before the last one counts as the last one. Time passed costs nothing: a call takes time in the number of slots
   * and of the timers that it reaches, however long ago the last was.
   *
   * @throws {RangeError} if the time is not a finite number.
   */
  advance(now: Instant, onExpire: (timer: number) => void): number {
    this.#clock.now = now;
    return this.follow(this.#clock, onExpire);
  }

  /**
   * The same up to the time that a clock shows. The engine keeps an instant on the heap while it is handed to a
   * function; in a field of an object it does not.
   *
   * @throws {RangeError} if the time is not a finite number.
   */
  follow(clock: { readonly now: Instant }, onExpire: (timer: number) => void): number {
    const { now } = clock;
    if (!Number.isFinite(now)) throw new RangeError(`the time to advance to must be a number: ${now}`);
    if (now > this.#now) this.#now = now;
    this.#horizon = Math.max(this.#horizon, Math.floor(now / this.tick));
    const overdue = this.#overdue;
    this.#overdue = overdue === OVERDUE ? OVERDUE + 1 : OVERDUE;
    let count = this.#ring(overdue, onExpire);
    while (this.#levels !== 0) {
      const slot = this.#firstSlot();
      if (!this.#enter(slot)) break;
      if (slot < SLOTS) count += this.#ring(slot, onExpire);
      else this.#moveDown(slot);
    }
    this.#high = Math.floor(this.#horizon / LOW_SPAN);
    this.#low = this.#horizon - this.#high * LOW_SPAN;
    return count;
  }

  #ring(list: number, onExpire: (timer: number) => void): number {
    let count = 0;
    for (let timer = this.#links.head(list); timer >= 0; timer = this.#links.head(list)) {
      this.cancel(timer);
      onExpire(timer);
      count++;
    }
    return count;
  }

  #moveDown(slot: number): void {
    for (let timer = this.#links.head(slot); timer >= 0; timer = this.#links.head(slot)) {
      this.cancel(timer);
      this.#file(timer);
    }
  }

  /** Puts a timer whose tick is not before the present one into its slot. */
  #file(timer: number): void {
    const tick = this.#ticks[timer]!;
    const high = Math.floor(tick / LOW_SPAN);
    const low = tick - high * LOW_SPAN;
    const slot = high === this.#high
      ? slotOf(low, low ^ this.#low)
      : LOW_LEVELS * SLOTS + slotOf(high, high ^ this.#high);
    const level = slot >> DIGIT_BITS;
    if (this.#links.isEmpty(slot) || tick < this.#earliest[slot]!) this.#earliest[slot] = tick;
    this.#links.pushBack(slot, timer);
    this.#slots[level] = this.#slots[level]! | (1 << (slot & (SLOTS - 1)));
    this.#levels |= 1 << level;
  }

  /** The slot of the earliest timers. There must be one. */
  #firstSlot(): number {
    const level = lowestBit(this.#levels);
    return (level << DIGIT_BITS) | lowestBit(this.#slots[level]!);
  }

  /** Makes the slot's first tick the present one; false, without effect, if that lies beyond the horizon. */
  #enter(slot: number): boolean {
    const level = slot >> DIGIT_BITS;
    const digit = slot & (SLOTS - 1);
    const inLow = level < LOW_LEVELS;
    const low = inLow ? withDigit(this.#low, level, digit) : 0;
    const high = inLow ? this.#high : withDigit(this.#high, level - LOW_LEVELS, digit);
    if (high * LOW_SPAN + low > this.#horizon) return false;
    this.#low = low;
    this.#high = high;
    return true;
  }
}

/** The slot, counted from level 0, for a number that differs from the present one by these bits. */
function slotOf(value: number, difference: number): number {
  const level = ((31 - Math.clz32(difference | 1)) / DIGIT_BITS) | 0;
  return (level << DIGIT_BITS) | ((value >> (level * DIGIT_BITS)) & (SLOTS - 1));
}

/** The number with one digit replaced and all lower ones 0. */
function withDigit(value: number, level: number, digit: number): number {
  const shift = level * DIGIT_BITS;
  return (value & ~((SLOTS << shift) - 1)) | (digit << shift);
}

function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}
