/**
 * A small map whose keys are kept in order, for tables that people set up: routes, names, groups.
 *
 * @module
 */

import { List } from "./list.ts";
import { type Compare, OrderedList } from "./ordered.ts";

/**
 * A map of fixed capacity that is sorted by key. Unlike a `HashMap` it takes keys and values of any type, is walked in
 * the order of its keys (`keyAt`, `valueAt`), and costs a move of all that comes after to insert and remove.
 */
export class OrderedMap<K, V> {
  readonly #keys: OrderedList<K>;
  readonly #values: List<V>;

  /**
   * An empty map with room for `capacity` entries, its keys in the order of `compare`.
   *
   * @throws {RangeError} unless the capacity is a whole number from 0 to 2^24.
   */
  constructor(capacity: number, compare: Compare<K>) {
    this.#keys = new OrderedList(capacity, compare);
    this.#values = new List(capacity);
  }

  /** How many entries fit. */
  get capacity(): number {
    return this.#keys.capacity;
  }

  /** How many entries the map holds. */
  get size(): number {
    return this.#keys.size;
  }

  /** The value of a key; nothing if it is absent. */
  get(key: K): V | undefined {
    return this.#values.at(this.#keys.find(key));
  }

  /** Stores a value under a key, in place of any value it had; false, without effect, when the map is full. */
  set(key: K, value: V): boolean {
    const index = this.#keys.find(key);
    if (index >= 0) return this.#values.set(index, value);
    return this.#values.insertAt(this.#keys.lowerBound(key), value) && this.#keys.insert(key);
  }

  /** Removes a key and answers its value; nothing if it is absent. */
  remove(key: K): V | undefined {
    const index = this.#keys.find(key);
    this.#keys.removeAt(index);
    return this.#values.removeAt(index);
  }

  /** The key at an index of the order; nothing outside the map. */
  keyAt(index: number): K | undefined {
    return this.#keys.at(index);
  }

  /** The value at an index of the order; nothing outside the map. */
  valueAt(index: number): V | undefined {
    return this.#values.at(index);
  }

  /** Removes every entry. */
  clear(): void {
    this.#keys.clear();
    this.#values.clear();
  }
}
