/**
 * Memory that many have for a moment only, one after the other. To make a typed array costs half a microsecond and
 * more, for its memory lies outside of the engine's heap; to take one that somebody has given back costs next to nothing.
 *
 * @module
 */

import { checkSize } from "./size.ts";

/** A typed array, as far as it matters here. */
interface Sized {
  readonly length: number;
  readonly byteLength: number;
}

/** Arrays given back and not yet used again, by their length, which is a power of two. */
export class Spares<A extends Sized> {
  readonly #make: (length: number) => A;
  readonly #longest: number;
  readonly #most: number;
  /** One list for each power of two. */
  readonly #lists: A[][];
  #bytes = 0;

  /**
   * None yet. `make` makes a new one; longer ones than `longest` are not kept, nor more than `most` bytes in all.
   *
   * @throws {RangeError} unless the longest is a whole number from 1 to 2^30.
   */
  constructor(make: (length: number) => A, longest: number, most: number) {
    this.#make = make;
    this.#longest = checkSize("longest", longest, 1, 2 ** 30);
    this.#most = most;
    this.#lists = Array.from({ length: listOf(longest) + 1 }, () => []);
  }

  /** How many bytes are kept at present. */
  get bytes(): number {
    return this.#bytes;
  }

  /** An array of this length, a power of two; what it holds is undefined. */
  take(length: number): A {
    const spare = length > this.#longest ? undefined : this.#lists[listOf(length)]!.pop();
    if (spare === undefined) return this.#make(length);
    this.#bytes -= spare.byteLength;
    return spare;
  }

  /** Gives an array back. An empty one is nothing. */
  give(array: A): void {
    const { length, byteLength } = array;
    if (length === 0 || length > this.#longest || this.#bytes + byteLength > this.#most) return;
    this.#bytes += byteLength;
    this.#lists[listOf(length)]!.push(array);
  }
}

function listOf(length: number): number {
  return 31 - Math.clz32(length);
}
