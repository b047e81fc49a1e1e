/** The two ends of a stream over TCP: bytes out of a table, and bytes that are only counted. */
import { BufferSize, type ReceiveBuffer, type SendBuffer } from "../../mod.ts";
import { COOKIE_LENGTH } from "./protocol.ts";

/** The longest segment there is. */
const SEGMENT = 1 << 16;
/** Enough that what compresses on its way does not find much. */
const ROUND = 1 << 17;

/** Noise, always the same, long enough that a segment may begin anywhere in the first round. */
const TABLE: Uint8Array = noise(ROUND + SEGMENT);

function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0, word = 1; at < ROUND; at++) {
    word = (Math.imul(word, 1_103_515_245) + 12_345) | 0;
    bytes[at] = word >>> 16;
  }
  bytes.copyWithin(ROUND, 0, SEGMENT);
  return bytes;
}

/** Writes payload that follows on `from` bytes of it. */
export function fillPayload(from: number, bytes: Uint8Array, at: number, length: number): void {
  const start = from % ROUND;
  bytes.set(TABLE.subarray(start, start + length), at);
}

/** What a buffer without an end seems to hold. */
const PLENTY = 1 << 24;

/** A cookie if there is one, then as much payload as may be sent now. */
export class DataSource implements SendBuffer {
  length: number;
  readonly #head: Uint8Array;
  /** Bytes that were acknowledged, of the head as well. */
  #at = 0;
  #isEndless = false;

  /** With a head, that is sent first. */
  constructor(head: Uint8Array) {
    this.#head = head;
    this.length = head.length;
  }

  fill(offset: number, bytes: Uint8Array, at: number, length: number): void {
    let from = this.#at + offset - this.#head.length;
    for (; from < 0 && length > 0; from++, at++, length--) bytes[at] = this.#head[this.#head.length + from]!;
    if (length > 0) fillPayload(from, bytes, at, length);
  }

  ack(count: number): void {
    this.#at += count;
    if (!this.#isEndless) this.length -= count;
  }

  /** Payload that was acknowledged. */
  get acknowledged(): number {
    return Math.max(0, this.#at - this.#head.length);
  }

  /** Payload that was sent, if so many bytes are in flight. */
  sent(inFlight: number): number {
    return Math.max(0, this.#at + inFlight - this.#head.length);
  }

  /** Payload up to a total may be sent; Infinity: there is no end. Never less than before. */
  offer(total: number): void {
    this.#isEndless = total === Infinity;
    this.length = this.#isEndless ? PLENTY : Math.max(0, this.#head.length + total - this.#at);
  }

  /** Nothing follows what is in flight. */
  end(inFlight: number): void {
    this.#isEndless = false;
    this.length = inFlight;
  }
}

/** What is offered of a window at first; then it follows the path. */
const WINDOW = 1 << 16;

/** A cookie, if one is to come, then bytes that are counted. */
export class DataSink extends BufferSize implements ReceiveBuffer {
  /** The cookie; empty: none is to come. */
  readonly cookie: Uint8Array;
  /** Bytes of it that have come. */
  #head = 0;
  /** Payload received. */
  total = 0;
  /** Whether what follows the cookie is taken. */
  #isOpen: boolean;

  constructor(hasCookie: boolean) {
    super(undefined, WINDOW);
    this.cookie = new Uint8Array(hasCookie ? COOKIE_LENGTH : 0);
    this.#isOpen = !hasCookie;
  }

  /** Nothing behind the cookie is taken until it is known what follows. */
  get window(): number {
    return this.#isOpen ? this.limit : this.cookie.length - this.#head;
  }

  /** Whether the cookie has come. */
  get isIdentified(): boolean {
    return this.#head === this.cookie.length;
  }

  /** Payload may follow. */
  open(): void {
    this.#isOpen = true;
  }

  write(offset: number, bytes: Uint8Array, at: number, length: number): void {
    const { cookie } = this;
    if (this.#head === cookie.length) return;
    for (let index = 0, to = this.#head + offset; index < length && to < cookie.length; index++, to++) {
      cookie[to] = bytes[at + index]!;
    }
  }

  advance(count: number): void {
    const left = this.cookie.length - this.#head;
    if (left === 0) {
      this.total += count;
      return;
    }
    const taken = Math.min(left, count);
    this.#head += taken;
    this.total += count - taken;
  }
}
