/**
 * Reading classic pcap, of either byte order and either resolution.
 *
 * @module
 */
import {
  CAPTURED,
  FILE_HEADER_LENGTH,
  FILE_LINK_TYPE,
  FILE_MAJOR,
  FILE_MINOR,
  FILE_SNAP,
  FRACTION,
  MAGIC_NANOSECONDS,
  MAJOR,
  MINOR,
  ORIGINAL,
  RECORD_HEADER_LENGTH,
  SECONDS,
} from "./classic.ts";
import { PcapError } from "./error.ts";
import type { Format } from "./format.ts";
import type { Input } from "./input.ts";
import { MAX_CAPTURED, type PcapInterface, type PcapPacket } from "./packet.ts";
import { get16, get32 } from "./words.ts";

/** A classic file. */
export class ClassicFormat implements Format {
  readonly name = "pcap";
  readonly interfaces: PcapInterface[] = [];
  readonly #little: boolean;
  readonly #nanoseconds: boolean;
  #linkType = 0;

  /** A file that begins with `magic`, read in the byte order that `little` tells. */
  constructor(magic: number, little: boolean) {
    this.#little = little;
    this.#nanoseconds = magic === MAGIC_NANOSECONDS;
  }

  next(input: Input): PcapPacket | undefined {
    if (this.interfaces.length === 0) {
      if (input.length < FILE_HEADER_LENGTH) return undefined;
      this.#readFileHeader(input);
    }
    return this.#readRecord(input);
  }

  #readFileHeader(input: Input): void {
    const { bytes, start: at } = input;
    const little = this.#little;
    const major = get16(bytes, at + FILE_MAJOR, little);
    const minor = get16(bytes, at + FILE_MINOR, little);
    if (major !== MAJOR || minor !== MINOR) {
      throw new PcapError(input.position + FILE_MAJOR, `pcap version ${major}.${minor}; only 2.4 is read`);
    }
    // The upper bits tell about frame check sequences.
    this.#linkType = get32(bytes, at + FILE_LINK_TYPE, little) & 0xffff;
    this.interfaces.push({ linkType: this.#linkType, snapLength: get32(bytes, at + FILE_SNAP, little) });
    input.consume(FILE_HEADER_LENGTH);
  }

  #readRecord(input: Input): PcapPacket | undefined {
    if (input.length < RECORD_HEADER_LENGTH) return undefined;
    const { bytes, start: at } = input;
    const little = this.#little;
    const captured = get32(bytes, at + CAPTURED, little);
    if (captured > MAX_CAPTURED) {
      throw new PcapError(
        input.position + CAPTURED,
        `a packet claims ${captured} captured bytes; at most ${MAX_CAPTURED} are believed`,
      );
    }
    if (input.length < RECORD_HEADER_LENGTH + captured) return undefined;
    const fraction = get32(bytes, at + FRACTION, little);
    const microseconds = this.#nanoseconds ? Math.floor(fraction / 1_000) : fraction;
    const data = at + RECORD_HEADER_LENGTH;
    const packet: PcapPacket = {
      timestamp: get32(bytes, at + SECONDS, little) * 1_000_000 + microseconds,
      bytes: bytes.slice(data, data + captured),
      originalLength: Math.max(captured, get32(bytes, at + ORIGINAL, little)),
      linkType: this.#linkType,
      interfaceId: 0,
    };
    input.consume(RECORD_HEADER_LENGTH + captured);
    return packet;
  }
}
