/**
 * What a user gives a connection: where data to be sent comes from, and where received data goes. And buffers that
 * serve most.
 *
 * @module
 */

/**
 * The user's data until the peer has acknowledged it, so it is the retransmission store as well: what was once there
 * must stay the same. Offset 0 is the first byte that is not acknowledged.
 */
export interface SendBuffer {
  /** How many bytes there are, sent or not. */
  readonly length: number;
  /** Copies the bytes from `offset` on to `bytes[at..at + length)`. */
  readonly fill: (offset: number, bytes: Uint8Array, at: number, length: number) => void;
  /** Forgets the first `count` bytes: the peer has them. */
  readonly ack: (count: number) => void;
}

/** Where received data goes. Offset 0 is the next byte that is expected. */
export interface ReceiveBuffer {
  /** How many bytes from offset 0 on there is room for. What was offered stays offered. */
  readonly window: number;
  /** Takes `bytes[at..at + length)` to `offset`, which is beyond 0 for what arrived out of order. */
  readonly write: (offset: number, bytes: Uint8Array, at: number, length: number) => void;
  /** The next `count` bytes are complete: they are the user's, and offset 0 moves on. */
  readonly advance: (count: number) => void;
}

/** Has nothing to send. */
export const EMPTY: SendBuffer = { length: 0, fill: () => {}, ack: () => {} };

/** Takes everything and keeps nothing, but counts it. */
export class Sink implements ReceiveBuffer {
  readonly window: number;
  /** Bytes taken so far. */
  total = 0;

  /** A sink that offers a window of `window` bytes. */
  constructor(window: number = 1 << 20) {
    this.window = window;
  }

  write(): void {}

  advance(count: number): void {
    this.total += count;
  }
}

/** Sends the bytes of an array, without copying them before. */
export class FromBytes implements SendBuffer {
  readonly #bytes: Uint8Array;
  #at = 0;

  /** The array must not change until it is sent. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get length(): number {
    return this.#bytes.length - this.#at;
  }

  fill(offset: number, bytes: Uint8Array, at: number, length: number): void {
    bytes.set(this.#bytes.subarray(this.#at + offset, this.#at + offset + length), at);
  }

  ack(count: number): void {
    this.#at += count;
  }
}

/** Receives into an array, as much as it holds. */
export class IntoBytes implements ReceiveBuffer {
  readonly #bytes: Uint8Array;
  /** Bytes received in order so far. */
  length = 0;

  /** An array to be filled from its start. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get window(): number {
    return this.#bytes.length - this.length;
  }

  write(offset: number, bytes: Uint8Array, at: number, length: number): void {
    this.#bytes.set(bytes.subarray(at, at + length), this.length + offset);
  }

  advance(count: number): void {
    this.length += count;
  }
}

/** The least ring that is made, and the step in which it grows is doubling. */
const RING_LENGTH = 4_096;

/** A ring of bytes whose length is a power of two, made when it is first needed and given back when it is empty. */
class GrowingRing {
  readonly limit: number;
  bytes: Uint8Array = NO_BYTES;
  head = 0;

  constructor(limit: number) {
    if (!Number.isInteger(limit) || limit < RING_LENGTH || (limit & (limit - 1)) !== 0) {
      throw new RangeError(`a buffer's limit must be a power of two from ${RING_LENGTH}, not ${limit}`);
    }
    this.limit = limit;
  }

  /** Makes the ring hold `length` bytes behind the head, keeping the first `kept`. */
  reserve(length: number, kept: number): void {
    if (length <= this.bytes.length) return;
    let size = Math.max(RING_LENGTH, this.bytes.length);
    while (size < length) size *= 2;
    const bytes = new Uint8Array(size);
    this.copyOut(0, bytes, 0, kept);
    this.bytes = bytes;
    this.head = 0;
  }

  copyIn(offset: number, source: Uint8Array, at: number, length: number): void {
    const ring = this.bytes;
    const start = (this.head + offset) & (ring.length - 1);
    const first = Math.min(length, ring.length - start);
    copy(source, at, ring, start, first);
    if (first < length) copy(source, at + first, ring, 0, length - first);
  }

  copyOut(offset: number, target: Uint8Array, at: number, length: number): void {
    const ring = this.bytes;
    if (length === 0) return;
    const start = (this.head + offset) & (ring.length - 1);
    const first = Math.min(length, ring.length - start);
    copy(ring, start, target, at, first);
    if (first < length) copy(ring, 0, target, at + first, length - first);
  }

  advance(count: number): void {
    this.head = (this.head + count) & (this.bytes.length - 1);
  }

  release(): void {
    this.bytes = NO_BYTES;
    this.head = 0;
  }
}

const NO_BYTES = new Uint8Array(0);

/** Short copies go byte by byte, which is faster than making a view of the source. */
const VIEW_FROM = 64;

function copy(source: Uint8Array, from: number, target: Uint8Array, at: number, length: number): void {
  if (length < VIEW_FROM) {
    for (let index = 0; index < length; index++) target[at + index] = source[from + index]!;
  } else target.set(source.subarray(from, from + length), at);
}

/** A send buffer that the user writes to: grows on demand up to its limit, and holds nothing while all is acknowledged. */
export class StreamSend implements SendBuffer {
  readonly #ring: GrowingRing;
  #length = 0;

  /** `limit` is a power of two. */
  constructor(limit: number = 1 << 20) {
    this.#ring = new GrowingRing(limit);
  }

  get length(): number {
    return this.#length;
  }

  /** How many bytes may be written now. */
  get free(): number {
    return this.#ring.limit - this.#length;
  }

  /** Takes as much of `source[at..at + length)` as there is room for, and answers how much that was. */
  write(source: Uint8Array, at: number = 0, length: number = source.length - at): number {
    const count = Math.min(length, this.free);
    if (count === 0) return 0;
    this.#ring.reserve(this.#length + count, this.#length);
    this.#ring.copyIn(this.#length, source, at, count);
    this.#length += count;
    return count;
  }

  fill(offset: number, bytes: Uint8Array, at: number, length: number): void {
    this.#ring.copyOut(offset, bytes, at, length);
  }

  ack(count: number): void {
    this.#ring.advance(count);
    this.#length -= count;
    if (this.#length === 0) this.#ring.release();
  }
}

/** A receive buffer that the user reads from: grows on demand up to its limit, and holds nothing while it is empty. */
export class StreamReceive implements ReceiveBuffer {
  readonly #ring: GrowingRing;
  #length = 0;
  /** How far beyond offset 0 something was written out of order. */
  #reach = 0;

  /** `limit` is a power of two. */
  constructor(limit: number = 1 << 20) {
    this.#ring = new GrowingRing(limit);
  }

  /** Bytes that can be read. */
  get length(): number {
    return this.#length;
  }

  get window(): number {
    return this.#ring.limit - this.#length;
  }

  write(offset: number, bytes: Uint8Array, at: number, length: number): void {
    const start = this.#length + offset;
    this.#ring.reserve(start + length, this.#length + this.#reach);
    this.#ring.copyIn(start, bytes, at, length);
    this.#reach = Math.max(this.#reach, offset + length);
  }

  advance(count: number): void {
    this.#length += count;
    this.#reach = Math.max(0, this.#reach - count);
  }

  /** Moves as much as fits to `target[at..at + length)`, and answers how much that was. */
  read(target: Uint8Array, at: number = 0, length: number = target.length - at): number {
    const count = Math.min(length, this.#length);
    this.#ring.copyOut(0, target, at, count);
    this.discard(count);
    return count;
  }

  /**
   * Drops the first `count` bytes.
   *
   * @throws {RangeError} if there are fewer.
   */
  discard(count: number): void {
    if (count > this.#length) throw new RangeError(`cannot discard ${count} of ${this.#length} bytes`);
    this.#ring.advance(count);
    this.#length -= count;
    if (this.#length === 0 && this.#reach === 0) this.#ring.release();
  }
}
