/**
 * The greatest of what was seen lately, in constant space: BBR's windowed filters (draft-ietf-ccwg-bbr 5.5.3, 5.5.9).
 *
 * @module
 */

/** The greatest value of the present window and of the one before. */
export class MaxOfTwo {
  #present = 0;
  #before = 0;

  /** The greatest value. */
  get value(): number {
    return this.#present > this.#before ? this.#present : this.#before;
  }

  /** Takes a value. */
  add(value: number): void {
    if (value > this.#present) this.#present = value;
  }

  /** The present window is over. */
  advance(): void {
    this.#before = this.#present;
    this.#present = 0;
  }

  /** Nothing was seen. */
  reset(): void {
    this.#present = this.#before = 0;
  }
}
