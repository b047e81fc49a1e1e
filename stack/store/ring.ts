/**
 * A byte stream's buffer: what is put in at one end comes out at the other.
 *
 * @module
 */

import { copyBytes } from "./copy.ts";

/**
 * A ring of bytes in `bytes[base..limit)`. From its head on, `available` bytes can be read; behind their tail, `free`
 * bytes can be written. Data ahead of its turn is written beyond the tail by {@linkcode writeAt} and becomes readable
 * when {@linkcode commit} moves the tail over it.
 *
 * Whoever wants no copy works in `bytes` itself: a region of it is given by its start and its length up to the place
 * where the ring wraps, so that everything takes two steps at the most.
 */
export class RingBuffer {
  /** The memory the ring lies in. */
  readonly bytes: Uint8Array;
  /** The ring's first byte. */
  readonly base: number;
  /** One past the ring's last byte. */
  readonly limit: number;
  #head: number;
  #available = 0;

  /**
   * An empty ring over `bytes[base..limit)`: an array of its own, or a part of an arena.
   *
   * @throws {RangeError} unless base and limit are whole numbers and the ring a part of `bytes` of at least one byte.
   */
  constructor(bytes: Uint8Array, base: number = 0, limit: number = bytes.length) {
    const whole = Number.isInteger(base) && Number.isInteger(limit);
    if (!whole || base < 0 || base >= limit || limit > bytes.length) {
      throw new RangeError(
        `a ring must be a part of its ${bytes.length} bytes and not empty: ${base} to ${limit}`,
      );
    }
    this.bytes = bytes;
    this.base = base;
    this.limit = limit;
    this.#head = base;
  }

  /** How many bytes the ring can hold. */
  get capacity(): number {
    return this.limit - this.base;
  }

  /** How many bytes can be read. */
  get available(): number {
    return this.#available;
  }

  /** How many more bytes can be written. */
  get free(): number {
    return this.capacity - this.#available;
  }

  /** Appends `source[at .. at + length)`, as much of it as is free. Answers how many bytes that was. */
  enqueue(source: Uint8Array, at: number = 0, length: number = source.length - at): number {
    const count = this.writeAt(0, source, at, length);
    this.#available += count;
    return count;
  }

  /** Takes up to `length` bytes out, to `target` from `at` on. Answers how many bytes that was. */
  dequeue(target: Uint8Array, at: number = 0, length: number = target.length - at): number {
    const count = this.peek(0, target, at, length);
    this.discard(count);
    return count;
  }

  /**
   * Copies up to `length` bytes from the readable one at `offset` on, to `target` from `at` on, and leaves them in the
   * ring. Answers how many bytes that was.
   */
  peek(offset: number, target: Uint8Array, at: number = 0, length: number = target.length - at): number {
    const count = Math.min(length, this.#available - offset, target.length - at);
    if (count <= 0 || offset < 0) return 0;
    const start = this.readStart(offset);
    const before = Math.min(count, this.limit - start);
    copyBytes(target, at, this.bytes, start, before);
    copyBytes(target, at + before, this.bytes, this.base, count - before);
    return count;
  }

  /**
   * Copies `source[at .. at + length)` to `offset` bytes beyond the tail, as much of it as is free there, and leaves
   * the tail where it is. Answers how many bytes that was.
   */
  writeAt(offset: number, source: Uint8Array, at: number = 0, length: number = source.length - at): number {
    const count = Math.min(length, this.free - offset, source.length - at);
    if (count <= 0 || offset < 0) return 0;
    const start = this.writeStart(offset);
    const before = Math.min(count, this.limit - start);
    copyBytes(this.bytes, start, source, at, before);
    copyBytes(this.bytes, this.base, source, at + before, count - before);
    return count;
  }

  /**
   * Makes the first `length` bytes beyond the tail readable.
   *
   * @throws {RangeError} if fewer are free.
   */
  commit(length: number): void {
    if (length < 0 || length > this.free) {
      throw new RangeError(`cannot commit ${length} bytes: ${this.free} are free`);
    }
    this.#available += length;
  }

  /**
   * Drops the first `length` readable bytes.
   *
   * @throws {RangeError} if fewer are available.
   */
  discard(length: number): void {
    if (length < 0 || length > this.#available) {
      throw new RangeError(`cannot discard ${length} bytes: ${this.#available} are available`);
    }
    this.#head = this.#position(length);
    this.#available -= length;
  }

  /** Drops everything. */
  clear(): void {
    this.#head = this.base;
    this.#available = 0;
  }

  /** Where in `bytes` the readable byte at `offset` stands; `offset` from 0 to `available`. */
  readStart(offset: number = 0): number {
    return this.#position(offset);
  }

  /** How many readable bytes stand together from {@linkcode readStart} of the same offset on. */
  readLength(offset: number = 0): number {
    return Math.max(0, Math.min(this.#available - offset, this.limit - this.readStart(offset)));
  }

  /** Where in `bytes` the free byte at `offset` beyond the tail stands; `offset` from 0 to `free`. */
  writeStart(offset: number = 0): number {
    return this.#position(this.#available + offset);
  }

  /** How many free bytes stand together from {@linkcode writeStart} of the same offset on. */
  writeLength(offset: number = 0): number {
    return Math.max(0, Math.min(this.free - offset, this.limit - this.writeStart(offset)));
  }

  #position(offset: number): number {
    const position = this.#head + offset;
    return position < this.limit ? position : position - this.capacity;
  }
}
