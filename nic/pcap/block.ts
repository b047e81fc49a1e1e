/**
 * The layout of pcapng (draft-ietf-opsawg-pcapng): blocks of `type, length, body, length`, whose bodies end in options of
 * `code, length, value`. Offsets count from a block's first byte.
 *
 * @module
 */
import { PcapError } from "./error.ts";
import { get16, get32 } from "./words.ts";

/** What a block is. */
export const BlockType = {
  /** Describes an interface; packets refer to it by its place in the section. */
  Interface: 1,
  /** A packet in the way of the first pcapng programs. */
  ObsoletePacket: 2,
  /** A packet without timestamp or options, of interface 0. */
  SimplePacket: 3,
  /** Counters of an interface. */
  Statistics: 5,
  /** A packet. */
  EnhancedPacket: 6,
  /** Begins a section; reads the same in both byte orders. */
  Section: 0x0a0d0d0a,
} as const;

/** Options whose codes are the same in every block. */
export const OPTION_END = 0, OPTION_COMMENT = 1;

/** Options of a section: shb_userappl. */
export const SECTION_APPLICATION = 4;

/** Options of an interface: if_name, if_tsresol, if_tsoffset. */
export const INTERFACE_NAME = 2, INTERFACE_RESOLUTION = 9, INTERFACE_OFFSET = 14;

/** Options of a packet: epb_flags, the same number as the obsolete block's pack_flags. */
export const PACKET_FLAGS = 2;

/** The bits of epb_flags that tell the direction, and their values. */
export const DIRECTION_MASK = 3, DIRECTION_IN = 1, DIRECTION_OUT = 2;

/** Options of statistics: isb_ifrecv, isb_ifdrop. */
export const STATISTICS_RECEIVED = 4, STATISTICS_DROPPED = 5;

/** What a section begins with after its length, in the byte order of all that follows. */
export const BYTE_ORDER = 0x1a2b3c4d;

/** A block's type, its length, and the shortest block there is. */
export const TYPE = 0, LENGTH = 4, MIN_LENGTH = 12;

/** The length at a block's end. */
export const TRAILER_LENGTH = 4;

/** Section header block: byte order, version, section length, options. */
export const SECTION_ORDER = 8, SECTION_MAJOR = 12, SECTION_LENGTH = 16, SECTION_OPTIONS = 24;

/** Interface description block: link type, snap length, options. */
export const INTERFACE_LINK_TYPE = 8, INTERFACE_SNAP = 12, INTERFACE_OPTIONS = 16;

/** Enhanced packet block: interface, upper and lower word of the timestamp, lengths, data; then options. */
export const PACKET_INTERFACE = 8, PACKET_HIGH = 12, PACKET_LOW = 16;
/** Enhanced packet block: bytes captured, bytes on the wire, data; options follow the data. */
export const PACKET_CAPTURED = 20, PACKET_ORIGINAL = 24, PACKET_DATA = 28;

/** Simple packet block: bytes on the wire, data. */
export const SIMPLE_ORIGINAL = 8, SIMPLE_DATA = 12;

/** Interface statistics block: interface, upper and lower word of the timestamp, options. */
export const STATISTICS_INTERFACE = 8, STATISTICS_HIGH = 12, STATISTICS_LOW = 16, STATISTICS_OPTIONS = 20;

/** A length with the padding to whole words that data and option values have. */
export function padded(length: number): number {
  return length + (-length & 3);
}

/** Takes an option: its value is `bytes[at..at + length)`. */
export type OptionVisitor = (code: number, at: number, length: number) => void;

/**
 * Shows the options in `bytes[at..end)` to `visit`, up to the end mark or, where there is none, to the end.
 *
 * @throws {PcapError} An option runs over the end of its block; `position` is that of `bytes[0]` in the file.
 */
export function eachOption(
  bytes: Uint8Array,
  at: number,
  end: number,
  little: boolean,
  position: number,
  visit: OptionVisitor,
): void {
  while (at + 4 <= end) {
    const code = get16(bytes, at, little);
    const length = get16(bytes, at + 2, little);
    if (code === OPTION_END) return;
    if (padded(length) > end - at - 4) {
      throw new PcapError(
        position + at,
        `option ${code} claims ${length} bytes, but its block has ${end - at - 4} left`,
      );
    }
    visit(code, at + 4, length);
    at += 4 + padded(length);
  }
}

/** Whether a section begins in little-endian order, or in big-endian; undefined: neither, it is no pcapng. */
export function isLittle(bytes: Uint8Array, at: number): boolean | undefined {
  if (get32(bytes, at + SECTION_ORDER, true) === BYTE_ORDER) return true;
  return get32(bytes, at + SECTION_ORDER, false) === BYTE_ORDER ? false : undefined;
}
