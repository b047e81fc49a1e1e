/**
 * Reading capture files, pcap or pcapng, whole or as they come in.
 *
 * @module
 */
import { BlockType } from "./block.ts";
import { MAGIC_MICROSECONDS, MAGIC_NANOSECONDS, MAGIC_PATCHED } from "./classic.ts";
import { ClassicFormat } from "./classic-format.ts";
import { PcapError } from "./error.ts";
import type { Format } from "./format.ts";
import { Input } from "./input.ts";
import { NgFormat } from "./ng-format.ts";
import type { PcapInterface, PcapPacket } from "./packet.ts";
import { get16, get32 } from "./words.ts";

const MAGIC_GZIP = 0x1f8b, MAGIC_ZSTD = 0xfd2fb528;

// A whole file goes in piece by piece, so that no second one is needed to hold it.
const PIECE = 65_536;

/**
 * Takes a capture file in pieces of any size and gives its packets back. It holds no more than the pieces not yet read
 * and one record, of at most 16 MiB; a length in the file alone allocates nothing.
 *
 * ```ts
 * const reader = new PcapReader();
 * for await (const chunk of file.readable) {
 *   reader.push(chunk);
 *   for (let packet = reader.next(); packet !== undefined; packet = reader.next()) console.log(packet.timestamp);
 * }
 * reader.finish();
 * ```
 */
export class PcapReader {
  readonly #input = new Input();
  #format: Format | undefined;
  #failure: PcapError | undefined;

  /** The file's format; undefined until its first four bytes have come. */
  get format(): "pcap" | "pcapng" | undefined {
    return this.#format?.name;
  }

  /** The interfaces known so far: in pcapng, those of the current section with their last statistics. */
  get interfaces(): readonly PcapInterface[] {
    return this.#format?.interfaces ?? [];
  }

  /** Adds what comes next in the file. The chunk is copied: its memory can be used again. */
  push(chunk: Uint8Array): void {
    if (this.#failure === undefined) this.#input.push(chunk);
  }

  /**
   * The next packet; undefined: it has not come whole.
   *
   * @throws {PcapError} The file is malformed there; it cannot be read on.
   */
  next(): PcapPacket | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      if (this.#format === undefined) {
        if (this.#input.length < 4) return undefined;
        this.#format = recognize(this.#input);
      }
      return this.#format.next(this.#input);
    } catch (error) {
      if (error instanceof PcapError) this.#failure = error;
      throw error;
    }
  }

  /**
   * Says that nothing more comes, after {@linkcode PcapReader.next} has given the last packet.
   *
   * @throws {PcapError} The file ends within a record, or is empty.
   */
  finish(): void {
    if (this.#failure !== undefined) throw this.#failure;
    const { position, length } = this.#input;
    if (position > 0 && length === 0) return;
    throw new PcapError(
      position,
      position === 0 && length === 0
        ? "the file is empty"
        : `the file ends ${length} bytes into the header or record that begins here`,
    );
  }
}

/**
 * The packets of a whole file.
 *
 * @throws {PcapError} after the last good packet, where the file is malformed or cut off.
 */
export function* readPcap(bytes: Uint8Array): Generator<PcapPacket, void> {
  const reader = new PcapReader();
  for (let at = 0; at < bytes.length; at += PIECE) {
    reader.push(bytes.subarray(at, at + PIECE));
    yield* drain(reader);
  }
  reader.finish();
}

/**
 * The packets of a file that comes in pieces, such as `file.readable`.
 *
 * @throws {PcapError} after the last good packet, where the file is malformed or cut off.
 */
export async function* readPcapStream(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<PcapPacket, void> {
  const reader = new PcapReader();
  for await (const chunk of chunks) {
    reader.push(chunk);
    yield* drain(reader);
  }
  reader.finish();
}

function* drain(reader: PcapReader): Generator<PcapPacket, void> {
  for (let packet = reader.next(); packet !== undefined; packet = reader.next()) yield packet;
}

function recognize(input: Input): Format {
  const { bytes, start } = input;
  for (const little of [true, false]) {
    const magic = get32(bytes, start, little);
    if (magic === BlockType.Section) return new NgFormat();
    if (magic === MAGIC_MICROSECONDS || magic === MAGIC_NANOSECONDS) return new ClassicFormat(magic, little);
    if (magic === MAGIC_PATCHED) {
      throw new PcapError(0, "pcap of a patched libpcap (a1b2cd34), which is not read");
    }
  }
  if (get16(bytes, start, false) === MAGIC_GZIP || get32(bytes, start, true) === MAGIC_ZSTD) {
    throw new PcapError(0, "the file is compressed; unpack it first");
  }
  throw new PcapError(0, "neither pcap nor pcapng");
}
