/**
 * What a user gives a connection: where data to be sent comes from, and where received data goes. And buffers that
 * serve most.
 *
 * @module
 */
import { BufferSize, type Growing } from "./buffer-size.ts";
import { GrowingRing } from "./growing-ring.ts";

/** What a buffer begins with that grows. A user writes when a burst is over, which takes more than windows do. */
const RECEIVE_START = 1 << 16, SEND_START = 1 << 20;

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
  /** What the layer may let grow as the path takes more; absent: the size is the user's business. */
  readonly growing?: Growing | undefined;
}

/** Where received data goes. Offset 0 is the next byte that is expected. */
export interface ReceiveBuffer {
  /** How many bytes from offset 0 on there is room for. What was offered stays offered. */
  readonly window: number;
  /** Takes `bytes[at..at + length)` to `offset`, which is beyond 0 for what arrived out of order. */
  readonly write: (offset: number, bytes: Uint8Array, at: number, length: number) => void;
  /** The next `count` bytes are complete: they are the user's, and offset 0 moves on. */
  readonly advance: (count: number) => void;
  /** What the layer may let grow as the user takes more; absent: the size is the user's business. */
  readonly growing?: Growing | undefined;
  /** Whether no room comes back by reading: then its last bytes are offered however few they are. Absent: it does. */
  readonly fillsOnce?: boolean;
}

/** Has nothing to send. */
export const EMPTY: SendBuffer = { length: 0, fill: () => {}, ack: () => {} };

/** Takes everything and keeps nothing, but counts it. */
export class Sink extends BufferSize implements ReceiveBuffer {
  /** Bytes taken so far. */
  total = 0;

  /** A sink that offers a window of `window` bytes; absent: of as many as the path takes. */
  constructor(window?: number) {
    super(window, RECEIVE_START, 0);
  }

  get window(): number {
    return this.limit;
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
  /** Nobody reads from it. */
  readonly fillsOnce: boolean = true;
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

/** A send buffer that the user writes to: its memory grows on demand, and there is none while all is acknowledged. */
export class StreamSend extends BufferSize implements SendBuffer {
  readonly #ring = new GrowingRing();
  #length = 0;

  /** A buffer of `size` bytes; absent: of as many as the path takes, 1 to 16 MiB. */
  constructor(size?: number) {
    super(size, SEND_START);
  }

  get length(): number {
    return this.#length;
  }

  /** How many bytes may be written now. */
  get free(): number {
    return this.limit - this.#length;
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

/** A receive buffer that the user reads from: its memory grows on demand, and there is none while it is empty. */
export class StreamReceive extends BufferSize implements ReceiveBuffer {
  readonly #ring = new GrowingRing();
  #length = 0;
  /** How far beyond offset 0 something was written out of order. */
  #reach = 0;

  /** A buffer of `size` bytes; absent: of twice what its user reads in a round trip, 64 KiB to 16 MiB. */
  constructor(size?: number) {
    super(size, RECEIVE_START);
  }

  /** Bytes that can be read. */
  get length(): number {
    return this.#length;
  }

  get window(): number {
    return this.limit - this.#length;
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

/**
 * What is received is what is sent: both buffers of a connection that echoes, in one ring, so that nothing is copied
 * in between. The window closes as far as the peer does not take back what it sent.
 */
export class Through extends BufferSize implements SendBuffer, ReceiveBuffer {
  readonly #ring = new GrowingRing();
  #length = 0;
  /** How far beyond offset 0 something was written out of order. */
  #reach = 0;

  /** A buffer of `size` bytes. */
  constructor(size: number = 1 << 20) {
    super(size, size);
  }

  get length(): number {
    return this.#length;
  }

  get window(): number {
    return this.limit - this.#length;
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

  fill(offset: number, bytes: Uint8Array, at: number, length: number): void {
    this.#ring.copyOut(offset, bytes, at, length);
  }

  ack(count: number): void {
    this.#ring.advance(count);
    this.#length -= count;
    if (this.#length === 0 && this.#reach === 0) this.#ring.release();
  }
}
