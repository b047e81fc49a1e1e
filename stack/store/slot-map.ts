/**
 * Storage whose keys go stale: a key kept too long finds nothing, rather than what took its place.
 *
 * @module
 */

import { Links } from "./links.ts";
import { checkSize } from "./size.ts";

/** What {@linkcode SlotMap.insert} answers when the map is full, and the walk at its end. No key has this value. */
export const NO_KEY: number = -1;

const FREE = 0;
const USED = 1;

/** Keys are 31 bits wide, so that they are never negative and always small integers to the engine. */
const KEY_BITS = 31;

/**
 * A map of fixed capacity that hands out its own keys.
 *
 * A key holds the index of a slot in its low bits (as many as the capacity needs) and the slot's generation in the
 * others of its 31 bits: 21 bits of generation at a capacity of 1,024, 11 bits at the largest. The generation steps
 * when the slot's value is removed, and wraps: a key kept while its slot is filled 2^(generation bits) times over
 * would become valid again. Slots are taken in the order in which they became free, so that a map far from full
 * gets there only after about 2^31 insertions.
 *
 * Everything takes constant time and allocates nothing.
 */
export class SlotMap<T> {
  /** How many values fit. */
  readonly capacity: number;
  readonly #values: (T | undefined)[];
  readonly #generations: Int32Array;
  readonly #links: Links;
  readonly #indexBits: number;
  #size = 0;

  /**
   * An empty map with room for `capacity` values.
   *
   * @throws {RangeError} unless the capacity is a whole number from 1 to 2^20.
   */
  constructor(capacity: number) {
    this.capacity = checkSize("capacity", capacity, 1, 2 ** 20);
    this.#values = new Array<T | undefined>(capacity).fill(undefined);
    this.#generations = new Int32Array(capacity);
    this.#links = new Links(capacity, 2);
    this.#indexBits = 32 - Math.clz32(capacity - 1);
    for (let index = 0; index < capacity; index++) this.#links.pushBack(FREE, index);
  }

  /** How many values the map holds. */
  get size(): number {
    return this.#size;
  }

  /** Stores a value and answers its key, or {@linkcode NO_KEY} when the map is full. */
  insert(value: T): number {
    const index = this.#links.head(FREE);
    if (index < 0) return NO_KEY;
    this.#links.pushBack(USED, index);
    this.#values[index] = value;
    this.#size++;
    return this.#key(index);
  }

  /** The value under a key; nothing if the key is stale or was never given out. */
  get(key: number): T | undefined {
    const index = this.index(key);
    return index < 0 ? undefined : this.#values[index];
  }

  /** Removes and answers the value under a key; nothing if the key is stale or was never given out. */
  remove(key: number): T | undefined {
    const index = this.index(key);
    if (index < 0) return undefined;
    const value = this.#values[index];
    this.#values[index] = undefined;
    this.#generations[index] = (this.#generations[index]! + 1) & ((1 << (KEY_BITS - this.#indexBits)) - 1);
    this.#links.pushBack(FREE, index);
    this.#size--;
    return value;
  }

  /** The index of a live key's slot, 0 to capacity - 1, for tables kept beside the map; -1 for any other key. */
  index(key: number): number {
    const index = key & ((1 << this.#indexBits) - 1);
    return this.#generations[index] === key >>> this.#indexBits && this.#links.listOf(index) === USED
      ? index
      : -1;
  }

  /** The live key of a slot, or {@linkcode NO_KEY} if the slot is free or out of range: undoes {@linkcode index}. */
  keyAt(index: number): number {
    return this.#links.listOf(index) === USED ? this.#key(index) : NO_KEY;
  }

  /** The key longest in the map, or {@linkcode NO_KEY}: where a walk over all values starts. */
  first(): number {
    return this.#keyOrNone(this.#links.head(USED));
  }

  /**
   * The key inserted after this one, or {@linkcode NO_KEY} at the end and for a stale key: to remove while walking,
   * ask for the next key first. Values inserted on the way are reached too.
   */
  next(key: number): number {
    const index = this.index(key);
    return index < 0 ? NO_KEY : this.#keyOrNone(this.#links.next(index));
  }

  #keyOrNone(index: number): number {
    return index < 0 ? NO_KEY : this.#key(index);
  }

  #key(index: number): number {
    return (this.#generations[index]! << this.#indexBits) | index;
  }
}
