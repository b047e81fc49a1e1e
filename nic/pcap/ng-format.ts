/**
 * Reading pcapng: sections of either byte order, their interfaces, packets and statistics. Other blocks are skipped.
 *
 * @module
 */
import type { Instant } from "../../stack/store/time.ts";
import {
  BlockType,
  DIRECTION_IN,
  DIRECTION_MASK,
  DIRECTION_OUT,
  eachOption,
  INTERFACE_LINK_TYPE,
  INTERFACE_NAME,
  INTERFACE_OFFSET,
  INTERFACE_OPTIONS,
  INTERFACE_RESOLUTION,
  INTERFACE_SNAP,
  isLittle,
  LENGTH,
  MIN_LENGTH,
  OPTION_COMMENT,
  PACKET_CAPTURED,
  PACKET_DATA,
  PACKET_FLAGS,
  PACKET_HIGH,
  PACKET_INTERFACE,
  PACKET_LOW,
  PACKET_ORIGINAL,
  padded,
  SECTION_MAJOR,
  SECTION_OPTIONS,
  SECTION_ORDER,
  SIMPLE_DATA,
  SIMPLE_ORIGINAL,
  STATISTICS_DROPPED,
  STATISTICS_INTERFACE,
  STATISTICS_OPTIONS,
  STATISTICS_RECEIVED,
  TRAILER_LENGTH,
  TYPE,
} from "./block.ts";
import { PcapError } from "./error.ts";
import type { Format } from "./format.ts";
import type { Input } from "./input.ts";
import { MAX_CAPTURED, type PcapInterface, type PcapPacket } from "./packet.ts";
import { fromTicks, MICROSECONDS, ticksPerSecond } from "./timestamp.ts";
import { get16, get32, get64 } from "./words.ts";

/** No block is believed that is longer; a packet with many comments has far less. */
const MAX_BLOCK = 16 * 1_024 * 1_024;

/** No section is believed that has more interfaces; with the limit on names it bounds the memory. */
const MAX_INTERFACES = 4_096;

/** Longer names and comments are cut. */
const MAX_NAME = 256, MAX_COMMENT = 65_536;

class Interface implements PcapInterface {
  linkType: number;
  snapLength: number;
  name?: string;
  received?: number;
  dropped?: number;
  ticksPerSecond = ticksPerSecond(MICROSECONDS);
  offsetSeconds = 0n;

  constructor(linkType: number, snapLength: number) {
    this.linkType = linkType;
    this.snapLength = snapLength;
  }
}

/** A pcapng file. */
export class NgFormat implements Format {
  readonly name = "pcapng";
  interfaces: Interface[] = [];
  readonly #decoder = new TextDecoder();
  #little = true;
  #timestamp: Instant = 0;
  // The block being read: where it lies in the input, and in the file.
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  #base = 0;

  next(input: Input): PcapPacket | undefined {
    while (input.length >= MIN_LENGTH) {
      const length = this.#readLength(input);
      if (input.length < length) return undefined;
      this.#bytes = input.bytes;
      this.#base = input.base;
      this.#at = input.start;
      this.#end = input.start + length - TRAILER_LENGTH;
      const trailer = get32(this.#bytes, this.#end, this.#little);
      if (trailer !== length) {
        throw this.#error(
          length - TRAILER_LENGTH,
          `a block of ${length} bytes says at its end that it has ${trailer}`,
        );
      }
      const packet = this.#readBlock();
      input.consume(length);
      if (packet !== undefined) return packet;
    }
    return undefined;
  }

  #error(offset: number, problem: string): PcapError {
    return new PcapError(this.#base + this.#at + offset, problem);
  }

  #readLength(input: Input): number {
    const { bytes, start: at, position } = input;
    if (get32(bytes, at + TYPE, this.#little) === BlockType.Section) {
      const little = isLittle(bytes, at);
      if (little === undefined) {
        throw new PcapError(position + SECTION_ORDER, "a section begins without pcapng's byte order mark");
      }
      this.#little = little;
    }
    const length = get32(bytes, at + LENGTH, this.#little);
    if (length < MIN_LENGTH || length % 4 !== 0) {
      throw new PcapError(
        position + LENGTH,
        `a block claims ${length} bytes; it must be whole words, 12 bytes or more`,
      );
    }
    if (length > MAX_BLOCK) {
      throw new PcapError(
        position + LENGTH,
        `a block claims ${length} bytes; at most ${MAX_BLOCK} are believed`,
      );
    }
    return length;
  }

  #readBlock(): PcapPacket | undefined {
    switch (this.#get32(TYPE)) {
      case BlockType.Section:
        this.#readSection();
        return undefined;
      case BlockType.Interface:
        this.#readInterface();
        return undefined;
      case BlockType.Statistics:
        this.#readStatistics();
        return undefined;
      case BlockType.EnhancedPacket:
        this.#need("a packet block", PACKET_DATA);
        return this.#readPacket(this.#get32(PACKET_INTERFACE));
      case BlockType.ObsoletePacket:
        // The same layout, but that the interface has 16 bits, before a count of losses.
        this.#need("a packet block", PACKET_DATA);
        return this.#readPacket(get16(this.#bytes, this.#at + PACKET_INTERFACE, this.#little));
      case BlockType.SimplePacket:
        return this.#readSimple();
      default:
        return undefined;
    }
  }

  #readSection(): void {
    this.#need("a section header", SECTION_OPTIONS);
    const major = get16(this.#bytes, this.#at + SECTION_MAJOR, this.#little);
    if (major !== 1) throw this.#error(SECTION_MAJOR, `pcapng version ${major}; only 1 is read`);
    this.interfaces = [];
  }

  #readInterface(): void {
    this.#need("an interface description", INTERFACE_OPTIONS);
    if (this.interfaces.length >= MAX_INTERFACES) {
      throw this.#error(0, `more than ${MAX_INTERFACES} interfaces in a section`);
    }
    const linkType = get16(this.#bytes, this.#at + INTERFACE_LINK_TYPE, this.#little);
    const added = new Interface(linkType, this.#get32(INTERFACE_SNAP));
    this.#eachOption(INTERFACE_OPTIONS, (code, at, length) => {
      if (code === INTERFACE_NAME) added.name = this.#text(at, Math.min(length, MAX_NAME));
      else if (code === INTERFACE_RESOLUTION && length === 1) {
        added.ticksPerSecond = ticksPerSecond(this.#bytes[at]!);
      } else if (code === INTERFACE_OFFSET && length === 8) {
        added.offsetSeconds = BigInt.asIntN(64, get64(this.#bytes, at, this.#little));
      }
    });
    this.interfaces.push(added);
  }

  #readStatistics(): void {
    this.#need("interface statistics", STATISTICS_OPTIONS);
    const about = this.#interface(this.#get32(STATISTICS_INTERFACE));
    this.#eachOption(STATISTICS_OPTIONS, (code, at, length) => {
      if (length !== 8) return;
      if (code === STATISTICS_RECEIVED) about.received = Number(get64(this.#bytes, at, this.#little));
      else if (code === STATISTICS_DROPPED) about.dropped = Number(get64(this.#bytes, at, this.#little));
    });
  }

  #readPacket(interfaceId: number): PcapPacket {
    const { linkType, ticksPerSecond, offsetSeconds } = this.#interface(interfaceId);
    const captured = this.#get32(PACKET_CAPTURED);
    const options = PACKET_DATA + padded(captured);
    if (captured > MAX_CAPTURED || this.#at + options > this.#end) {
      throw this.#error(
        PACKET_CAPTURED,
        `a packet claims ${captured} captured bytes; its block has ${
          this.#end - this.#at - PACKET_DATA
        } for it, ` +
          `and at most ${MAX_CAPTURED} are believed`,
      );
    }
    const ticks = (BigInt(this.#get32(PACKET_HIGH)) << 32n) | BigInt(this.#get32(PACKET_LOW));
    this.#timestamp = fromTicks(ticks, ticksPerSecond, offsetSeconds);
    let flags = 0;
    let comment: string | undefined;
    this.#eachOption(options, (code, at, length) => {
      if (code === PACKET_FLAGS && length === 4) flags = get32(this.#bytes, at, this.#little);
      else if (code === OPTION_COMMENT && (comment === undefined || comment.length < MAX_COMMENT)) {
        const text = this.#text(at, length);
        comment = comment === undefined ? text : `${comment}\n${text}`;
      }
    });
    const direction = flags & DIRECTION_MASK;
    return {
      timestamp: this.#timestamp,
      bytes: this.#slice(PACKET_DATA, captured),
      originalLength: Math.max(captured, this.#get32(PACKET_ORIGINAL)),
      linkType,
      interfaceId,
      ...(direction === DIRECTION_IN
        ? { direction: "in" }
        : direction === DIRECTION_OUT
        ? { direction: "out" }
        : {}),
      ...(comment === undefined ? {} : { comment }),
    };
  }

  /** It tells no time, so it has that of the packet before; its length follows from two others. */
  #readSimple(): PcapPacket {
    this.#need("a simple packet block", SIMPLE_DATA);
    const { linkType, snapLength } = this.#interface(0);
    const originalLength = this.#get32(SIMPLE_ORIGINAL);
    const captured = snapLength === 0 ? originalLength : Math.min(originalLength, snapLength);
    const room = this.#end - this.#at - SIMPLE_DATA;
    if (captured > MAX_CAPTURED || captured > room) {
      throw this.#error(
        SIMPLE_ORIGINAL,
        `a packet claims ${captured} captured bytes; its block has ${room} for it, and at most ${MAX_CAPTURED} are believed`,
      );
    }
    const bytes = this.#slice(SIMPLE_DATA, captured);
    return { timestamp: this.#timestamp, bytes, originalLength, linkType, interfaceId: 0 };
  }

  #interface(id: number): Interface {
    const found = this.interfaces[id];
    if (found === undefined) {
      throw this.#error(
        PACKET_INTERFACE,
        `interface ${id} of a section that has described ${this.interfaces.length}`,
      );
    }
    return found;
  }

  #need(what: string, length: number): void {
    if (this.#at + length <= this.#end) return;
    throw this.#error(
      LENGTH,
      `${what} of ${this.#end - this.#at + TRAILER_LENGTH} bytes; it has at least ${length + TRAILER_LENGTH}`,
    );
  }

  #get32(offset: number): number {
    return get32(this.#bytes, this.#at + offset, this.#little);
  }

  #slice(offset: number, length: number): Uint8Array {
    return this.#bytes.slice(this.#at + offset, this.#at + offset + length);
  }

  #text(at: number, length: number): string {
    return this.#decoder.decode(this.#bytes.subarray(at, at + length));
  }

  #eachOption(offset: number, visit: (code: number, at: number, length: number) => void): void {
    eachOption(this.#bytes, this.#at + offset, this.#end, this.#little, this.#base, visit);
  }
}
