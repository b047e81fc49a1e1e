/**
 * The bytes of a file as they are written: gathered, and handed on in large pieces.
 *
 * @module
 */
import { copyBytes } from "../../stack/store/copy.ts";
import { put32 } from "./words.ts";

/** Takes the next bytes of a file; they are only valid during the call. What it throws passes through the writer. */
export type PcapSink = (chunk: Uint8Array) => void;

/** A buffer of fixed size in front of a sink. Allocates only when it hands a piece on. */
export class Output {
  /** The buffer. */
  readonly bytes: Uint8Array;
  /** Where the next byte goes. */
  at = 0;
  readonly #sink: PcapSink;
  readonly #words: Int32Array;
  #source: Uint8Array | undefined;
  #sourceWords: Int32Array = new Int32Array(0);

  /** A buffer of at least `size` bytes. */
  constructor(sink: PcapSink, size: number) {
    this.#sink = sink;
    this.#words = new Int32Array(Math.ceil(size / 4));
    this.bytes = new Uint8Array(this.#words.buffer);
  }

  /** Makes room for `length` more bytes, which must not be more than the buffer has. */
  reserve(length: number): void {
    if (this.at + length > this.bytes.length) this.flush();
  }

  /** Hands on what there is. */
  flush(): void {
    if (this.at === 0) return;
    const chunk = this.bytes.subarray(0, this.at);
    this.at = 0;
    this.#sink(chunk);
  }

  /** Adds 32 bits, the least significant byte first. */
  put32(value: number): void {
    put32(this.bytes, this.at, value);
    this.at += 4;
  }

  /** Adds two numbers of 16 bits, `low` first. */
  put16s(low: number, high: number): void {
    this.put32((low & 0xffff) | (high << 16));
  }

  /** Adds `source[from..from + length)`. */
  put(source: Uint8Array, from: number, length: number): void {
    copyBytes(this.bytes, this.at, source, from, length);
    this.at += length;
  }

  /** As {@linkcode Output.put}, for frames, which mostly come from one arena and lie at whole words there. */
  putFrame(source: Uint8Array, from: number, length: number): void {
    if (((this.at | (source.byteOffset + from)) & 3) === 0) this.#putWords(source, from, length);
    else copyBytes(this.bytes, this.at, source, from, length);
    this.at += length;
  }

  /** Adds zero bytes up to a multiple of four. */
  pad(): void {
    while ((this.at & 3) !== 0) this.bytes[this.at++] = 0;
  }

  /** Copied word by word, a frame needs no view of its own, unlike with `set`; only its arena does. */
  #putWords(source: Uint8Array, from: number, length: number): void {
    if (source !== this.#source) {
      this.#source = source;
      this.#sourceWords = new Int32Array(source.buffer, 0, source.buffer.byteLength >> 2);
    }
    const words = this.#words;
    const sourceWords = this.#sourceWords;
    const count = length >> 2;
    const to = this.at >> 2;
    const first = (source.byteOffset + from) >> 2;
    let word = 0;
    for (; word + 4 <= count; word += 4) {
      words[to + word] = sourceWords[first + word]!;
      words[to + word + 1] = sourceWords[first + word + 1]!;
      words[to + word + 2] = sourceWords[first + word + 2]!;
      words[to + word + 3] = sourceWords[first + word + 3]!;
    }
    for (; word < count; word++) words[to + word] = sourceWords[first + word]!;
    for (let index = count << 2; index < length; index++) this.bytes[this.at + index] = source[from + index]!;
  }
}
