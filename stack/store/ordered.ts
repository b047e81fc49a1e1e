/**
 * A list of fixed capacity that is always sorted.
 *
 * @module
 */

import { List } from "./list.ts";

/** Negative if `a` comes before `b`, positive if after, 0 if they are equal. */
export type Compare<T> = (a: T, b: T) => number;

/**
 * A sorted list: inserting and removing move what comes after, finding is a binary search. Equal values may stand in
 * it more than once, in the order of their insertion. A value's order must not change while it stands in the list.
 */
export class OrderedList<T> {
  readonly #values: List<T>;
  readonly #compare: Compare<T>;

  /**
   * An empty list with room for `capacity` values, in the order of `compare`.
   *
   * @throws {RangeError} unless the capacity is a whole number from 0 to 2^24.
   */
  constructor(capacity: number, compare: Compare<T>) {
    this.#values = new List(capacity);
    this.#compare = compare;
  }

  /** How many values fit. */
  get capacity(): number {
    return this.#values.capacity;
  }

  /** How many values the list holds. */
  get size(): number {
    return this.#values.size;
  }

  /** The value at an index of the order; nothing outside the list. */
  at(index: number): T | undefined {
    return this.#values.at(index);
  }

  /** The least value; nothing in an empty list. */
  first(): T | undefined {
    return this.#values.at(0);
  }

  /** Inserts a value after all that are less or equal; false, without effect, when the list is full. */
  insert(value: T): boolean {
    return this.#values.insertAt(this.#search(value, 1), value);
  }

  /** Takes the value at an index out; nothing outside the list. */
  removeAt(index: number): T | undefined {
    return this.#values.removeAt(index);
  }

  /** The index of the first value that is not less than this one; the size if all are less. */
  lowerBound(value: T): number {
    return this.#search(value, 0);
  }

  /** The index of the first value that is equal to this one, or -1. */
  find(value: T): number {
    const index = this.lowerBound(value);
    return index < this.size && this.#compare(this.#values.at(index)!, value) === 0 ? index : -1;
  }

  /** Takes every value out. */
  clear(): void {
    this.#values.clear();
  }

  /** The first index whose value compares to this one as `least` or more. */
  #search(value: T, least: 0 | 1): number {
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(this.#values.at(middle)!, value) < least) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
