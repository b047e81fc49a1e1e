/**
 * The memory behind a connection's buffers: there only while there is data.
 *
 * @module
 */
import { copyBytes } from "../store/copy.ts";
import { Spares } from "../store/spares.ts";

/** The least ring that is made, and the step in which it grows is doubling. */
const LEAST = 4_096;

/** So much is kept of what was given back: most connections need their memory for a moment only. */
const MOST_SPARE = 8 << 20;

const spares = new Spares<Uint8Array>((length) => new Uint8Array(length), MOST_SPARE, MOST_SPARE);

const NO_BYTES = new Uint8Array(0);

/** A ring of bytes whose length is a power of two, made when it is first needed and given back when it is empty. */
export class GrowingRing {
  #bytes: Uint8Array = NO_BYTES;
  #head = 0;

  /** Makes the ring hold `length` bytes behind the head, keeping the first `kept`. */
  reserve(length: number, kept: number): void {
    const old = this.#bytes;
    if (length <= old.length) return;
    let size = Math.max(LEAST, old.length);
    while (size < length) size *= 2;
    const bytes = spares.take(size);
    this.copyOut(0, bytes, 0, kept);
    this.#bytes = bytes;
    this.#head = 0;
    spares.give(old);
  }

  /** Copies `source[at..at + length)` to `offset` behind the head. */
  copyIn(offset: number, source: Uint8Array, at: number, length: number): void {
    const ring = this.#bytes;
    const start = (this.#head + offset) & (ring.length - 1);
    const first = Math.min(length, ring.length - start);
    copyBytes(ring, start, source, at, first);
    if (first < length) copyBytes(ring, 0, source, at + first, length - first);
  }

  /** Copies `length` bytes from `offset` behind the head on to `target[at..)`. */
  copyOut(offset: number, target: Uint8Array, at: number, length: number): void {
    if (length === 0) return;
    const ring = this.#bytes;
    const start = (this.#head + offset) & (ring.length - 1);
    const first = Math.min(length, ring.length - start);
    copyBytes(target, at, ring, start, first);
    if (first < length) copyBytes(target, at + first, ring, 0, length - first);
  }

  /** Drops the first `count` bytes. */
  advance(count: number): void {
    this.#head = (this.#head + count) & (this.#bytes.length - 1);
  }

  /** Gives the memory back: nothing in it is wanted any more. */
  release(): void {
    spares.give(this.#bytes);
    this.#bytes = NO_BYTES;
    this.#head = 0;
  }
}
