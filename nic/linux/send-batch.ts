/**
 * Sending several frames with one call, sendmmsg(2).
 *
 * @module
 */
import { errno, type Libc, libc, memory } from "./libc.ts";
import { addressOf, putAddress } from "./mapping.ts";

/** Words of `struct mmsghdr`: a `struct msghdr` of 56 bytes, the length that was sent, padding. */
const MESSAGE_WORDS = 16;
/** Where a message has the address of its `struct iovec`, and how many there are. */
const VECTOR = 4, VECTOR_COUNT = 6;
/** Words of `struct iovec`: an address and a length, 64 bits each. */
const VECTOR_WORDS = 4, LENGTH = 2;

/** Frames on their way to a socket. Their memory must stay as it is until they are flushed. */
export class SendBatch {
  /** How many frames there are. */
  count = 0;
  /** How many bytes they have. */
  bytes = 0;
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #messages: Int32Array<ArrayBuffer>;
  readonly #vectors: Int32Array<ArrayBuffer>;

  /** A batch of up to `capacity` frames for a socket. */
  constructor(fd: number, capacity: number) {
    this.#libc = libc();
    this.#fd = fd;
    this.#messages = new Int32Array(memory(capacity * MESSAGE_WORDS * 4).buffer);
    const vectors = memory(capacity * VECTOR_WORDS * 4);
    this.#vectors = new Int32Array(vectors.buffer);
    const address = addressOf(vectors);
    for (let index = 0; index < capacity; index++) {
      putAddress(this.#messages, index * MESSAGE_WORDS + VECTOR, address + index * VECTOR_WORDS * 4);
      this.#messages[index * MESSAGE_WORDS + VECTOR_COUNT] = 1;
    }
  }

  /** Adds a frame that lies at `address`. There must be room. */
  add(address: number, length: number): void {
    const at = this.count++ * VECTOR_WORDS;
    putAddress(this.#vectors, at, address);
    this.#vectors[at + LENGTH] = length;
    this.bytes += length;
  }

  /** The length of a frame in bytes. */
  lengthOf(index: number): number {
    return this.#vectors[index * VECTOR_WORDS + LENGTH]!;
  }

  /** Sends frames from number `from` on. Answers how many the socket took; of the next one it says why not: -errno. */
  send(from: number): number {
    const messages = from === 0 ? this.#messages : this.#messages.subarray(from * MESSAGE_WORDS);
    const sent = this.#libc.sendmmsg(this.#fd, messages, this.count - from, 0);
    return sent < 0 ? -errno() : sent;
  }

  /** Starts over. */
  clear(): void {
    this.count = this.bytes = 0;
  }
}
