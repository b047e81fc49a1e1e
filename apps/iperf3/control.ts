/** The control connection: single bytes, and JSON behind its length. */
import { type Connection, StreamReceive, StreamSend } from "../../mod.ts";
import { parseJson } from "./json.ts";
import type { State } from "./protocol.ts";

/** A power of two that holds the longest text with its length. */
const BUFFER = 1 << 17;
/** The bytes of a text's length, and of a number. */
const WORD = 4;

/** A text is longer than it may be, or no JSON. */
export const GARBLED = Symbol("garbled");

const encoder = new TextEncoder();

/** One end of it. What comes is read as what is expected: a byte, a word, a text. */
export class Control {
  readonly received: StreamReceive = new StreamReceive(BUFFER);
  readonly #sent = new StreamSend(BUFFER);
  readonly #head = new Uint8Array(WORD);
  /** How long the text is whose length has been read; negative: none has. */
  #length = -1;
  #connection: Connection | undefined;

  /** The buffer that is to be the connection's. */
  get buffer(): StreamSend {
    return this.#sent;
  }

  /** From now on it speaks over this connection, which has its buffers. */
  attach(connection: Connection): void {
    this.#connection = connection;
    connection.noDelay = true;
  }

  /** Sends bytes as they are. */
  bytes(bytes: Uint8Array): void {
    this.#sent.write(bytes);
    this.#connection?.flush();
  }

  /** Sends a state. */
  state(state: State): void {
    this.bytes(Uint8Array.of(state));
  }

  /** Sends numbers of four bytes, the most significant first. */
  words(...words: readonly number[]): void {
    const bytes = new Uint8Array(WORD * words.length);
    const view = new DataView(bytes.buffer);
    words.forEach((word, index) => view.setInt32(WORD * index, word));
    this.bytes(bytes);
  }

  /** Sends an object as text behind its length. */
  json(object: Record<string, unknown>): void {
    const text = encoder.encode(JSON.stringify(object));
    this.words(text.length);
    this.bytes(text);
  }

  /** The next byte; undefined: none is there. */
  readState(): number | undefined {
    if (this.received.length === 0) return undefined;
    this.received.read(this.#head, 0, 1);
    this.#connection?.flush();
    return this.#head[0]!;
  }

  /** The next number of four bytes; undefined: it is not all there. */
  readWord(): number | undefined {
    if (this.received.length < WORD) return undefined;
    this.received.read(this.#head);
    this.#connection?.flush();
    return new DataView(this.#head.buffer).getInt32(0);
  }

  /** The next text's value; undefined: it is not all there. `longest` is in bytes, less than the buffer's. */
  readJson(longest: number): unknown {
    if (this.#length < 0) {
      const length = this.readWord();
      if (length === undefined) return undefined;
      if (length < 0 || length > longest) return GARBLED;
      this.#length = length;
    }
    if (this.received.length < this.#length) return undefined;
    const text = new Uint8Array(this.#length);
    this.#length = -1;
    this.received.read(text);
    this.#connection?.flush();
    return parseJson(text) ?? GARBLED;
  }
}
