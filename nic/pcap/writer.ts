/**
 * Writing pcapng.
 *
 * @module
 */
import type { Instant } from "../../stack/store/time.ts";
import type { Direction } from "../observe.ts";
import {
  BlockType,
  BYTE_ORDER,
  DIRECTION_IN,
  DIRECTION_OUT,
  INTERFACE_NAME,
  INTERFACE_RESOLUTION,
  LENGTH,
  OPTION_COMMENT,
  OPTION_END,
  PACKET_DATA,
  PACKET_FLAGS,
  padded,
  SECTION_APPLICATION,
  STATISTICS_DROPPED,
  STATISTICS_RECEIVED,
  TRAILER_LENGTH,
} from "./block.ts";
import { Output, type PcapSink } from "./output.ts";
import { LinkType, MAX_CAPTURED } from "./packet.ts";
import { NANOSECONDS, NanosecondWords } from "./timestamp.ts";
import { put32 } from "./words.ts";

/** How a capture is written. */
export interface PcapWriterOptions {
  /** What the frames start with. Default {@linkcode LinkType.Ethernet}. */
  readonly linkType?: number;
  /** At most so many bytes of a frame are kept, 1 to 262,144. Default 262,144: all. */
  readonly snapLength?: number;
  /** The interface's name, such as "tap:tap0". Only pcapng tells it. */
  readonly interfaceName?: string;
  /** What was the time, in microseconds since 1970, at instant 0 of the frames' clock. Default 0. */
  readonly wallClock?: Instant;
  /** Bytes gathered before they go to the sink. Default 256 KiB, and always enough for a frame. */
  readonly bufferSize?: number;
}

/** What an interface has counted in the end. */
export interface PcapStatistics {
  /** Frames received. */
  readonly received: number;
  /** Frames lost for want of room. */
  readonly dropped: number;
}

/** What {@linkcode capture} needs of a writer; both formats' writers are. */
export interface FrameWriter {
  /** Adds the frame `bytes[start..end)`, copied as it is now. Until it is finished, it can be given a comment. */
  begin(bytes: Uint8Array, start: number, end: number, timestamp: Instant, direction?: Direction): void;
  /** Finishes the frame begun last, with a comment if one is given. Without such a frame, does nothing. */
  finish(comment?: string): void;
  /** Hands what has been gathered to the sink, so that the file can be read up to here. */
  flush(): void;
  /** Finishes the file. Frames written after that are ignored; a second call does nothing. */
  end(statistics?: PcapStatistics): void;
}

/** A comment has at most so many bytes; what is longer is cut. */
const MAX_COMMENT = 1_024;

/** Comments kept encoded: drop reasons, of which there are a few dozens. */
const CACHED_COMMENTS = 256;

/** What a packet block has besides its data, at most: header, flags, comment, end of options, trailer. */
const PACKET_OVERHEAD = PACKET_DATA + 8 + 4 + MAX_COMMENT + 4 + TRAILER_LENGTH;

/** The checked snap length of the options. */
export function snapLengthOf(options: PcapWriterOptions): number {
  const length = options.snapLength ?? MAX_CAPTURED;
  if (Number.isInteger(length) && length >= 1 && length <= MAX_CAPTURED) return length;
  throw new RangeError(`the snap length must be a whole number from 1 to ${MAX_CAPTURED}, not ${length}`);
}

/**
 * Writes frames as pcapng, with nanosecond stamps, directions and comments. It does no input or output itself: pieces of
 * the file go to a sink, which must take them whole.
 *
 * ```ts
 * const file = Deno.openSync("out.pcapng", { create: true, write: true, truncate: true });
 * const writer = new PcapWriter((chunk) => {
 *   for (let at = 0; at < chunk.length;) at += file.writeSync(chunk.subarray(at));
 * }, { wallClock: Date.now() * 1_000 - nic.now() });
 * ```
 */
export class PcapWriter implements FrameWriter {
  readonly #output: Output;
  readonly #snapLength: number;
  readonly #time: NanosecondWords;
  readonly #encoder = new TextEncoder();
  readonly #comments = new Map<string, Uint8Array>();
  #block = -1;
  #direction: Direction | undefined;
  #received = 0;
  #ended = false;

  /** Begins a file; its header goes out with the first piece. Throws a RangeError for a snap length out of range. */
  constructor(sink: PcapSink, options: PcapWriterOptions = {}) {
    this.#snapLength = snapLengthOf(options);
    this.#time = new NanosecondWords(options.wallClock ?? 0);
    const name = this.#encode(options.interfaceName ?? "");
    const least = padded(this.#snapLength) + PACKET_OVERHEAD + padded(name.length);
    this.#output = new Output(sink, Math.max(least, options.bufferSize ?? 262_144));
    this.#time.set(0);
    this.#putSection();
    this.#putInterface(options.linkType ?? LinkType.Ethernet, name);
  }

  begin(bytes: Uint8Array, start: number, end: number, timestamp: Instant, direction?: Direction): void {
    this.finish();
    if (this.#ended) return;
    const length = end - start;
    const captured = Math.min(length, this.#snapLength);
    const output = this.#output;
    output.reserve(padded(captured) + PACKET_OVERHEAD);
    this.#time.set(timestamp);
    this.#open(BlockType.EnhancedPacket);
    output.put32(0);
    output.put32(this.#time.high);
    output.put32(this.#time.low);
    output.put32(captured);
    output.put32(length);
    output.putFrame(bytes, start, captured);
    output.pad();
    this.#direction = direction;
    if (direction === "in") this.#received++;
  }

  finish(comment?: string): void {
    if (this.#block < 0) return;
    if (this.#direction !== undefined) {
      this.#output.put16s(PACKET_FLAGS, 4);
      this.#output.put32(this.#direction === "in" ? DIRECTION_IN : DIRECTION_OUT);
    }
    if (comment !== undefined) this.#putOption(OPTION_COMMENT, this.#encode(comment));
    if (this.#direction !== undefined || comment !== undefined) this.#output.put32(OPTION_END);
    this.#close();
  }

  /** Adds a frame at once: {@linkcode PcapWriter.begin} and {@linkcode PcapWriter.finish}. */
  write(
    bytes: Uint8Array,
    start: number,
    end: number,
    timestamp: Instant,
    direction?: Direction,
    comment?: string,
  ): void {
    this.begin(bytes, start, end, timestamp, direction);
    this.finish(comment);
  }

  flush(): void {
    this.finish();
    this.#output.flush();
  }

  /** Adds the interface's statistics, by default those of the frames written as received, and flushes. */
  end(statistics: PcapStatistics = { received: this.#received, dropped: 0 }): void {
    this.finish();
    if (this.#ended) return;
    this.#ended = true;
    this.#output.reserve(PACKET_OVERHEAD);
    this.#open(BlockType.Statistics);
    this.#output.put32(0);
    this.#output.put32(this.#time.high);
    this.#output.put32(this.#time.low);
    this.#putCounter(STATISTICS_RECEIVED, statistics.received);
    this.#putCounter(STATISTICS_DROPPED, statistics.dropped);
    this.#output.put32(OPTION_END);
    this.#close();
    this.#output.flush();
  }

  #putSection(): void {
    this.#open(BlockType.Section);
    this.#output.put32(BYTE_ORDER);
    this.#output.put16s(1, 0);
    // The section's length: unknown.
    this.#output.put32(-1);
    this.#output.put32(-1);
    this.#putOption(SECTION_APPLICATION, this.#encoder.encode("ethox"));
    this.#output.put32(OPTION_END);
    this.#close();
  }

  #putInterface(linkType: number, name: Uint8Array): void {
    this.#open(BlockType.Interface);
    this.#output.put16s(linkType, 0);
    this.#output.put32(this.#snapLength);
    if (name.length > 0) this.#putOption(INTERFACE_NAME, name);
    this.#output.put16s(INTERFACE_RESOLUTION, 1);
    this.#output.put32(NANOSECONDS);
    this.#output.put32(OPTION_END);
    this.#close();
  }

  #open(type: number): void {
    this.#block = this.#output.at;
    this.#output.put32(type);
    this.#output.put32(0);
  }

  #close(): void {
    const length = this.#output.at + TRAILER_LENGTH - this.#block;
    this.#output.put32(length);
    put32(this.#output.bytes, this.#block + LENGTH, length);
    this.#block = -1;
  }

  #putOption(code: number, value: Uint8Array): void {
    this.#output.put16s(code, value.length);
    this.#output.put(value, 0, value.length);
    this.#output.pad();
  }

  #putCounter(code: number, value: number): void {
    this.#output.put16s(code, 8);
    this.#output.put32(value);
    this.#output.put32(Math.floor(value / 0x1_0000_0000));
  }

  #encode(comment: string): Uint8Array {
    const known = this.#comments.get(comment);
    if (known !== undefined) return known;
    const room = new Uint8Array(MAX_COMMENT);
    // Never ends within a character, where the room does.
    const { written } = this.#encoder.encodeInto(comment, room);
    const encoded = room.slice(0, written);
    if (this.#comments.size < CACHED_COMMENTS) this.#comments.set(comment, encoded);
    return encoded;
  }
}
