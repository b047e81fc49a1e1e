/**
 * A line of frames from one thread to one other, in shared memory: one of them only puts, the other only takes, and
 * neither ever waits. What was put is there for whoever takes the other end over, if a thread ends.
 *
 * @module
 */
import { Checksum, type Frame, Segmentation } from "../../stack/frame.ts";
import { copyBytes } from "../../stack/store/copy.ts";

/** What a record of a ring is. */
export const RecordKind = {
  /** A frame. */
  Frame: 0,
  /** A question: the frame's bytes are what is asked. */
  Question: 1,
} as const;

/** One of {@linkcode RecordKind}'s numbers. */
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind];

/** What stands beside a frame in a ring. Reused. */
export class FrameNote {
  /** What it is. */
  kind: RecordKind = RecordKind.Frame;
  /** To how many more it is to be passed on if it is not the taker's. */
  left = 0;
}

/** Words before the records, with the two positions far enough apart for two processors. */
const PUT = 0, TAKEN = 16, HEAD = 32;

/** Words before a record's bytes: their length, the note, and where a partial checksum is. */
const LENGTH = 0, NOTE = 1, CHECKSUM_AT = 2, CHECKSUM_FIELD = 3, RECORD_HEAD = 4;

/** In place of a length: nothing more fits before the end, the next record is at the beginning. */
const SKIP = -1;

/** A ring over a part of a buffer. Positions count bytes and wrap with 32 bits. */
export class FrameRing {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #capacity: number;

  /** How many bytes of a buffer a ring of this capacity takes. */
  static size(capacity: number): number {
    return HEAD * 4 + capacity;
  }

  /** The ring at `at` in the buffer, which is all zeros or one already. The capacity is a power of two. */
  constructor(buffer: ArrayBufferLike, at: number, capacity: number) {
    if (capacity < 64 || (capacity & (capacity - 1)) !== 0) {
      throw new RangeError(`a ring's capacity is a power of two of 64 or more, not ${capacity}`);
    }
    this.#capacity = capacity;
    this.#words = new Int32Array(buffer, at, FrameRing.size(capacity) / 4);
    this.#bytes = new Uint8Array(buffer, at + HEAD * 4, capacity);
  }

  /** Whether there is nothing to take. */
  get isEmpty(): boolean {
    return Atomics.load(this.#words, PUT) === Atomics.load(this.#words, TAKEN);
  }

  /**
   * Puts a frame, behind the first `headLength` bytes of `head` if there is one. What is said of its checksum stays
   * true; it must be one packet. False: there is no room.
   */
  put(frame: Frame, { kind, left }: Readonly<FrameNote>, head?: Frame, headLength: number = 0): boolean {
    const words = this.#words, bytes = this.#bytes;
    const length = headLength + frame.length;
    const size = RECORD_HEAD * 4 + ((length + 15) & ~15);
    let put = Atomics.load(words, PUT);
    const free = this.#capacity - ((put - Atomics.load(words, TAKEN)) >>> 0);
    const toEnd = this.#capacity - this.#offset(put);
    const skipped = size > toEnd ? toEnd : 0;
    if (frame.segmentation !== Segmentation.None || skipped + size > free) return false;
    if (skipped > 0) {
      words[HEAD + (this.#offset(put) >> 2)] = SKIP;
      put += skipped;
    }
    const offset = this.#offset(put);
    const at = HEAD + (offset >> 2);
    words[at + LENGTH] = length;
    words[at + NOTE] = kind | frame.checksum << 4 | left << 8;
    words[at + CHECKSUM_AT] = headLength + frame.checksumAt - frame.start;
    words[at + CHECKSUM_FIELD] = frame.checksumField;
    const start = offset + RECORD_HEAD * 4;
    if (head !== undefined) copyBytes(bytes, start, head.bytes, head.start, headLength);
    copyBytes(bytes, start + headLength, frame.bytes, frame.start, frame.length);
    Atomics.store(words, PUT, (put + size) | 0);
    return true;
  }

  /**
   * Takes the next frame into `into`, and what was said of it into `note`. False: there is none, or `into` is too short
   * for it and it is gone.
   */
  take(into: Frame, note: FrameNote): boolean {
    const words = this.#words;
    let taken = Atomics.load(words, TAKEN);
    const put = Atomics.load(words, PUT);
    if (taken === put) return false;
    if (words[HEAD + (this.#offset(taken) >> 2)] === SKIP) taken += this.#capacity - this.#offset(taken);
    const offset = this.#offset(taken);
    const at = HEAD + (offset >> 2);
    const length = words[at + LENGTH]!;
    const size = RECORD_HEAD * 4 + ((length + 15) & ~15);
    // Nobody writes such a thing; if memory was spoilt all the same, nothing in the ring can be believed.
    if (length < 0 || size > (put - taken) >>> 0 || offset + size > this.#capacity) {
      Atomics.store(words, TAKEN, put);
      return false;
    }
    const fits = into.resize(length);
    if (fits) {
      copyBytes(into.bytes, into.start, this.#bytes, offset + RECORD_HEAD * 4, length);
      this.#read(into, note, at);
    }
    Atomics.store(words, TAKEN, (taken + size) | 0);
    return fits;
  }

  #read(into: Frame, note: FrameNote, at: number): void {
    const words = this.#words;
    const said = words[at + NOTE]!;
    note.kind = (said & 0xf) === RecordKind.Question ? RecordKind.Question : RecordKind.Frame;
    note.left = said >>> 8;
    const checksum = said >>> 4 & 0xf;
    if (checksum === Checksum.Verified) into.checksum = Checksum.Verified;
    else if (checksum === Checksum.Partial) {
      into.leaveChecksum(into.start + words[at + CHECKSUM_AT]!, words[at + CHECKSUM_FIELD]!);
    }
  }

  /** Where in the ring a position is. */
  #offset(position: number): number {
    return position & (this.#capacity - 1);
  }
}
