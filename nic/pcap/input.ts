/**
 * The bytes of a file as they come in, piece by piece.
 *
 * @module
 */

const INITIAL = 65_536;

/** Bytes that have come and are not used up, in one piece. Grows by what has come, not by what a file claims. */
export class Input {
  /** Where the bytes lie; replaced when it grows, and moved within. */
  bytes: Uint8Array = new Uint8Array(INITIAL);
  /** The first byte that is not used up. */
  start = 0;
  /** One past the last byte that has come. */
  end = 0;
  #dropped = 0;

  /** How many bytes there are. */
  get length(): number {
    return this.end - this.start;
  }

  /** The place in the file of `bytes[0]`. */
  get base(): number {
    return this.#dropped;
  }

  /** The place in the file of the next byte. */
  get position(): number {
    return this.#dropped + this.start;
  }

  /** Adds a copy of what comes next. */
  push(chunk: Uint8Array): void {
    if (this.end + chunk.length > this.bytes.length) this.#makeRoom(this.length + chunk.length);
    this.bytes.set(chunk, this.end);
    this.end += chunk.length;
  }

  /** Uses up `count` bytes, which must be there. */
  consume(count: number): void {
    this.start += count;
  }

  #makeRoom(needed: number): void {
    const { bytes, start, end } = this;
    if (needed > bytes.length) {
      this.bytes = new Uint8Array(Math.max(needed, 2 * bytes.length));
      this.bytes.set(bytes.subarray(start, end));
    } else {
      bytes.copyWithin(0, start, end);
    }
    this.#dropped += start;
    this.end -= start;
    this.start = 0;
  }
}
