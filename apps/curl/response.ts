/** Reads a response of HTTP/1.1 from a stream of bytes (RFC 9112). */
import { CurlError, CurlStatus } from "./failure.ts";

/** The head of a response. */
export interface Head {
  readonly status: number;
  /** The status line, the header's lines, and an empty one. */
  readonly lines: readonly string[];
}

/** No head is longer: 256 KiB, a little less than curl takes. */
const HEAD_MAX = 1 << 18;

const latin1 = new TextDecoder("latin1");

/** A response, read from chunks as they arrive. Every method rejects with a {@linkcode CurlError}, or as the stream does. */
export class ResponseReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #peer: string;
  #buffer: Uint8Array = new Uint8Array(0);
  #room = HEAD_MAX;
  #hasBegun = false;

  /** A reader of the response that `peer`, as messages call it, sends. */
  constructor(chunks: AsyncIterator<Uint8Array>, peer: string) {
    this.#chunks = chunks;
    this.#peer = peer;
  }

  /** Reads the head; those of interim responses (RFC 9110 15.2) are read over. */
  async head(): Promise<Head> {
    for (;;) {
      const first = await this.#line();
      const [, digits] = /^HTTP\/1\.[01] (\d{3})(?: .*)?$/.exec(first) ?? [];
      if (digits === undefined) throw this.#weird("its first line is none of HTTP/1.1");
      const lines = [first];
      for (let line = await this.#line();; line = await this.#line()) {
        // RFC 9112 5.2: what is folded is joined by a space.
        if (lines.length > 1 && /^[\t ]/.test(line)) {
          lines.push(`${lines.pop()} ${line.trim()}`);
          continue;
        }
        lines.push(line);
        if (line === "") break;
        if (!/^[!#$%&'*+\-.^_`|~\w]+:/.test(line)) throw this.#weird("a line of its header has no name");
      }
      const status = Number(digits);
      if (status >= 200 || status === 101) return { status, lines };
    }
  }

  /** Reads the body and hands on what comes of it. */
  async body({ status, lines }: Head, isHead: boolean, take: (bytes: Uint8Array) => void): Promise<void> {
    // RFC 9112 6.3
    if (isHead || status === 204 || status === 304) return;
    const codings = values(lines, "transfer-encoding").at(-1);
    if (codings !== undefined && /(^|,)\s*chunked$/i.test(codings)) return await this.#chunked(take);
    const lengths = values(lines, "content-length").flatMap((list) => list.split(","));
    const [length, ...others] = new Set(lengths.map((one) => one.trim()));
    if (codings !== undefined || length === undefined) {
      let bytes: Uint8Array | undefined = this.#take(Infinity);
      for (; bytes !== undefined; bytes = await this.#next()) take(bytes);
    } else if (others.length > 0 || !/^\d{1,15}$/.test(length)) throw this.#weird("its length is unclear");
    else await this.#exactly(Number(length), take);
  }

  /** RFC 9112 7.1 */
  async #chunked(take: (bytes: Uint8Array) => void): Promise<void> {
    for (;;) {
      this.#room = HEAD_MAX;
      const [, digits] = /^([\da-f]{1,12})[ \t]*(?:;.*)?$/i.exec(await this.#line()) ?? [];
      if (digits === undefined) throw this.#weird("a chunk's length is none");
      const length = parseInt(digits, 16);
      if (length === 0) break;
      await this.#exactly(length, take);
      if (await this.#line() !== "") throw this.#weird("a chunk is longer than it says");
    }
    while (await this.#line() !== "");
  }

  async #exactly(length: number, take: (bytes: Uint8Array) => void): Promise<void> {
    for (let left = length; left > 0;) {
      if (this.#buffer.length === 0) await this.#more();
      const bytes = this.#take(left);
      left -= bytes.length;
      take(bytes);
    }
  }

  async #line(): Promise<string> {
    let from = 0;
    for (;;) {
      const end = this.#buffer.indexOf(0x0a, from);
      if (end >= 0) {
        if ((this.#room -= end + 1) < 0) throw this.#weird("its header is too long");
        return latin1.decode(this.#take(end + 1)).replace(/\r?\n$/, "");
      }
      from = this.#buffer.length;
      if (from > this.#room) throw this.#weird("its header is too long");
      await this.#more();
    }
  }

  /** Takes as much as there is, at most `length`. */
  #take(length: number): Uint8Array {
    const bytes = this.#buffer.subarray(0, Math.min(length, this.#buffer.length));
    this.#buffer = this.#buffer.subarray(bytes.length);
    return bytes;
  }

  async #more(): Promise<void> {
    const bytes = await this.#next();
    if (bytes === undefined) {
      throw this.#hasBegun
        ? new CurlError(CurlStatus.Partial, `the connection to ${this.#peer} ended before the response did`)
        : new CurlError(CurlStatus.Empty, `empty reply from ${this.#peer}`);
    }
    if (this.#buffer.length === 0) this.#buffer = bytes;
    else {
      const both = new Uint8Array(this.#buffer.length + bytes.length);
      both.set(this.#buffer);
      both.set(bytes, this.#buffer.length);
      this.#buffer = both;
    }
  }

  async #next(): Promise<Uint8Array | undefined> {
    const { value, done } = await this.#chunks.next();
    if (done === true) return undefined;
    this.#hasBegun = true;
    return value;
  }

  #weird(why: string): CurlError {
    return new CurlError(CurlStatus.WeirdReply, `${this.#peer} does not answer in HTTP/1.1: ${why}`);
  }
}

function values(lines: readonly string[], name: string): string[] {
  return lines.filter((line) => line.toLowerCase().startsWith(`${name}:`))
    .map((line) => line.slice(name.length + 1).trim());
}
