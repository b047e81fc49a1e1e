/**
 * A list that never grows past the room it was given.
 *
 * @module
 */

import { checkSize } from "./size.ts";

/**
 * A list of fixed capacity. It is also what a partly filled slice is elsewhere: room for `capacity` values, of which
 * the first `size` count. What does not fit is refused with `false`; what is taken out is no longer referred to.
 */
export class List<T> {
  /** How many values fit. */
  readonly capacity: number;
  readonly #values: (T | undefined)[];
  #size = 0;

  /**
   * An empty list with room for `capacity` values.
   *
   * @throws {RangeError} unless the capacity is a whole number from 0 to 2^24.
   */
  constructor(capacity: number) {
    this.capacity = checkSize("capacity", capacity, 0, 2 ** 24);
    this.#values = new Array<T | undefined>(capacity).fill(undefined);
  }

  /** How many values the list holds. */
  get size(): number {
    return this.#size;
  }

  /** The value at an index; nothing outside the list. */
  at(index: number): T | undefined {
    return this.#values[index];
  }

  /** Replaces the value at an index. Answers false, without effect, outside the list. */
  set(index: number, value: T): boolean {
    if (!this.#has(index)) return false;
    this.#values[index] = value;
    return true;
  }

  /** Appends a value; false when the list is full. */
  push(value: T): boolean {
    if (this.#size === this.capacity) return false;
    this.#values[this.#size++] = value;
    return true;
  }

  /** Takes the last value out; nothing from an empty list. */
  pop(): T | undefined {
    return this.removeAt(this.#size - 1);
  }

  /** Puts a value at an index from 0 to size, before what stood there; false when full or outside. O(size). */
  insertAt(index: number, value: T): boolean {
    if (this.#size === this.capacity || (index !== this.#size && !this.#has(index))) return false;
    for (let i = this.#size++; i > index; i--) this.#values[i] = this.#values[i - 1];
    this.#values[index] = value;
    return true;
  }

  /** Takes the value at an index out and closes the gap, in order; nothing outside the list. O(size). */
  removeAt(index: number): T | undefined {
    if (!this.#has(index)) return undefined;
    const value = this.#values[index];
    const last = --this.#size;
    for (let i = index; i < last; i++) this.#values[i] = this.#values[i + 1];
    this.#values[last] = undefined;
    return value;
  }

  /** Takes the value at an index out and moves the last one into its place; nothing outside the list. O(1). */
  swapRemove(index: number): T | undefined {
    if (!this.#has(index)) return undefined;
    const value = this.#values[index];
    const last = --this.#size;
    this.#values[index] = this.#values[last];
    this.#values[last] = undefined;
    return value;
  }

  /** Takes every value out. */
  clear(): void {
    this.#values.fill(undefined, 0, this.#size);
    this.#size = 0;
  }

  #has(index: number): boolean {
    return index >= 0 && index < this.#size;
  }
}
