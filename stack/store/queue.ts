/**
 * First in, first out, for indices.
 *
 * @module
 */

import { checkSize } from "./size.ts";

/** A queue of fixed capacity of signed 32-bit numbers: slots to send, nodes to visit. -1 stands for "none". */
export class Queue {
  /** How many numbers fit. */
  readonly capacity: number;
  readonly #values: Int32Array;
  #head = 0;
  #size = 0;

  /**
   * An empty queue with room for `capacity` numbers.
   *
   * @throws {RangeError} unless the capacity is a whole number from 1 to 2^24.
   */
  constructor(capacity: number) {
    this.capacity = checkSize("capacity", capacity, 1, 2 ** 24);
    this.#values = new Int32Array(capacity);
  }

  /** How many numbers wait. */
  get size(): number {
    return this.#size;
  }

  /** Appends a number; false when the queue is full. */
  push(value: number): boolean {
    if (this.#size === this.capacity) return false;
    this.#values[this.#position(this.#size)] = value;
    this.#size++;
    return true;
  }

  /** Takes the number out that waits longest; -1 from an empty queue. */
  shift(): number {
    if (this.#size === 0) return -1;
    const value = this.#values[this.#head]!;
    this.#head = this.#position(1);
    this.#size--;
    return value;
  }

  /** The number that waits `index` places behind the front; -1 past the end. */
  at(index: number): number {
    return index >= 0 && index < this.#size ? this.#values[this.#position(index)]! : -1;
  }

  /** Takes every number out. */
  clear(): void {
    this.#head = 0;
    this.#size = 0;
  }

  #position(index: number): number {
    const position = this.#head + index;
    return position < this.capacity ? position : position - this.capacity;
  }
}
