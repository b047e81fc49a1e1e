/**
 * Writing classic pcap, for programs that do not read pcapng.
 *
 * @module
 */
import type { Instant } from "../../stack/store/time.ts";
import { MAGIC_NANOSECONDS, MAJOR, MINOR, RECORD_HEADER_LENGTH } from "./classic.ts";
import { Output, type PcapSink } from "./output.ts";
import { LinkType } from "./packet.ts";
import { type FrameWriter, type PcapWriterOptions, snapLengthOf } from "./writer.ts";

/** Writes frames as classic pcap with nanosecond stamps. The format has no place for directions, comments and names. */
export class ClassicPcapWriter implements FrameWriter {
  readonly #output: Output;
  readonly #snapLength: number;
  readonly #wallClock: Instant;
  #ended = false;

  /** Begins a file; its header goes out with the first piece. Throws a RangeError for a snap length out of range. */
  constructor(sink: PcapSink, options: PcapWriterOptions = {}) {
    this.#snapLength = snapLengthOf(options);
    this.#wallClock = options.wallClock ?? 0;
    const least = this.#snapLength + RECORD_HEADER_LENGTH;
    this.#output = new Output(sink, Math.max(least, options.bufferSize ?? 262_144));
    this.#output.put32(MAGIC_NANOSECONDS);
    this.#output.put16s(MAJOR, MINOR);
    // The time zone and the precision of the stamps, which every program leaves 0.
    this.#output.put32(0);
    this.#output.put32(0);
    this.#output.put32(this.#snapLength);
    this.#output.put32(options.linkType ?? LinkType.Ethernet);
  }

  begin(bytes: Uint8Array, start: number, end: number, timestamp: Instant): void {
    if (this.#ended) return;
    const length = end - start;
    const captured = Math.min(length, this.#snapLength);
    const time = timestamp + this.#wallClock;
    const seconds = Math.floor(time / 1_000_000);
    this.#output.reserve(RECORD_HEADER_LENGTH + captured);
    this.#output.put32(seconds);
    this.#output.put32((time - seconds * 1_000_000) * 1_000);
    this.#output.put32(captured);
    this.#output.put32(length);
    this.#output.putFrame(bytes, start, captured);
  }

  finish(): void {}

  flush(): void {
    this.#output.flush();
  }

  end(): void {
    this.#ended = true;
    this.#output.flush();
  }
}
