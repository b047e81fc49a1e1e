/**
 * Look-up by address or connection: keys of a few 32-bit words, values that are indices elsewhere.
 *
 * @module
 */

import { halfSipHash } from "./half-siphash.ts";
import { checkSize } from "./size.ts";

/** What a look-up answers when the key is absent. */
export const ABSENT: number = -1;

/** Set in every stored hash, so that 0 marks a free slot. The slot comes from the other end of the hash. */
const IN_USE = 1 << 31;

/**
 * A hash map of fixed capacity, from keys of a fixed number of 32-bit words to signed 32-bit values.
 *
 * Open addressing with linear probing, at most two thirds full; a removal moves the entries behind it back, so that
 * nothing is left to slow later look-ups. The hash is keyed: whoever does not know the seed cannot aim keys at one
 * slot. Nothing is allocated after construction.
 *
 * A key is named by an array and the offset of its first word, or for keys of four words by the words themselves.
 * A stored value of -1 cannot be told from an absent one.
 */
export class HashMap {
  /** How many entries fit. */
  readonly capacity: number;
  /** How many 32-bit words a key has. */
  readonly keyWords: number;
  readonly #seed0: number;
  readonly #seed1: number;
  readonly #mask: number;
  readonly #hashes: Int32Array;
  readonly #keys: Int32Array;
  readonly #values: Int32Array;
  readonly #probe: Int32Array;
  #size = 0;

  /**
   * The seed is 64 bits that a peer cannot guess, as two words.
   *
   * @throws {RangeError} unless the capacity is a whole number from 1 to 2^22 and `keyWords` one from 1 to 32.
   */
  constructor(capacity: number, keyWords: number, seed: readonly [number, number]) {
    this.capacity = checkSize("capacity", capacity, 1, 2 ** 22);
    this.keyWords = checkSize("keyWords", keyWords, 1, 32);
    this.#seed0 = seed[0] | 0;
    this.#seed1 = seed[1] | 0;
    const slots = 1 << (32 - Math.clz32(Math.ceil(capacity * 1.5)));
    this.#mask = slots - 1;
    this.#hashes = new Int32Array(slots);
    this.#keys = new Int32Array(slots * keyWords);
    this.#values = new Int32Array(slots);
    this.#probe = new Int32Array(keyWords);
  }

  /** How many entries the map holds. */
  get size(): number {
    return this.#size;
  }

  /** The value of the key `words[at .. at + keyWords)`, or {@linkcode ABSENT}. */
  lookup(words: Int32Array, at: number = 0): number {
    const slot = this.#find(words, at, this.#hash(words, at));
    return slot < 0 ? ABSENT : this.#values[slot]!;
  }

  /** Stores a value under a key, in place of any value it had. Answers false, without effect, when the map is full. */
  insert(words: Int32Array, at: number, value: number): boolean {
    const hash = this.#hash(words, at);
    const slot = this.#find(words, at, hash);
    if (slot < 0) return this.#fill(~slot, hash, words, at, value);
    this.#values[slot] = value;
    return true;
  }

  /** Stores a value under a new key. Answers false, without effect, when the key has a value or the map is full. */
  add(words: Int32Array, at: number, value: number): boolean {
    const hash = this.#hash(words, at);
    const slot = this.#find(words, at, hash);
    return slot < 0 && this.#fill(~slot, hash, words, at, value);
  }

  /** Removes a key and answers the value it had, or {@linkcode ABSENT}. */
  remove(words: Int32Array, at: number = 0): number {
    const slot = this.#find(words, at, this.#hash(words, at));
    if (slot < 0) return ABSENT;
    const value = this.#values[slot]!;
    this.#close(slot);
    this.#size--;
    return value;
  }

  /** {@linkcode lookup} of a key of four words. */
  lookup4(a: number, b: number, c: number, d: number): number {
    return this.lookup(this.#key4(a, b, c, d), 0);
  }

  /** {@linkcode insert} of a key of four words. */
  insert4(a: number, b: number, c: number, d: number, value: number): boolean {
    return this.insert(this.#key4(a, b, c, d), 0, value);
  }

  /** {@linkcode remove} of a key of four words. */
  remove4(a: number, b: number, c: number, d: number): number {
    return this.remove(this.#key4(a, b, c, d), 0);
  }

  /** Removes every entry. */
  clear(): void {
    this.#hashes.fill(0);
    this.#size = 0;
  }

  #key4(a: number, b: number, c: number, d: number): Int32Array {
    if (this.keyWords !== 4) {
      throw new TypeError(`this map's keys have ${this.keyWords} words, not 4: use an array`);
    }
    const probe = this.#probe;
    probe[0] = a;
    probe[1] = b;
    probe[2] = c;
    probe[3] = d;
    return probe;
  }

  #hash(words: Int32Array, at: number): number {
    return halfSipHash(words, at, this.keyWords, this.#seed0, this.#seed1) | IN_USE;
  }

  /** The slot of a key, or the complement of the free slot where it belongs. One slot in three is always free. */
  #find(words: Int32Array, at: number, hash: number): number {
    const hashes = this.#hashes;
    const mask = this.#mask;
    for (let slot = hash & mask;; slot = (slot + 1) & mask) {
      const stored = hashes[slot]!;
      if (stored === 0) return ~slot;
      if (stored === hash && this.#holds(slot, words, at)) return slot;
    }
  }

  #holds(slot: number, words: Int32Array, at: number): boolean {
    const base = slot * this.keyWords;
    for (let i = 0; i < this.keyWords; i++) {
      if (this.#keys[base + i] !== words[at + i]) return false;
    }
    return true;
  }

  #fill(slot: number, hash: number, words: Int32Array, at: number, value: number): boolean {
    if (this.#size === this.capacity) return false;
    this.#hashes[slot] = hash;
    for (let i = 0; i < this.keyWords; i++) this.#keys[slot * this.keyWords + i] = words[at + i]!;
    this.#values[slot] = value;
    this.#size++;
    return true;
  }

  /** Frees a slot, and moves back into it what a look-up would otherwise no longer reach. */
  #close(slot: number): void {
    const hashes = this.#hashes;
    const mask = this.#mask;
    let hole = slot;
    for (let from = (slot + 1) & mask;; from = (from + 1) & mask) {
      const hash = hashes[from]!;
      if (hash === 0) break;
      // An entry may move as far back as the slot its hash names, and no farther.
      if (((from - hash) & mask) < ((from - hole) & mask)) continue;
      hashes[hole] = hash;
      this.#values[hole] = this.#values[from]!;
      for (let i = 0; i < this.keyWords; i++) {
        this.#keys[hole * this.keyWords + i] = this.#keys[from * this.keyWords + i]!;
      }
      hole = from;
    }
    hashes[hole] = 0;
  }
}
