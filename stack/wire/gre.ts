/**
 * The GRE header, RFC 2784 2. We write it without a checksum; keys and sequence numbers (RFC 2890) are not spoken.
 *
 * @module
 */
import { get16, put16 } from "./bytes.ts";
import { checksum } from "./checksum.ts";
import { WireError } from "./error.ts";

/** The length in bytes of a header without a checksum. */
export const HEADER_LENGTH = 4;

const FLAGS_VERSION = 0, PROTOCOL = 2;

/** RFC 2784 2.3: a receiver discards what has one of bits 1 to 5 set, which are RFC 1701's; the version is 0. */
const CHECKSUM_PRESENT = 0x8000, REFUSED = 0x7c07;

/** Whether the header has a checksum, in four more bytes. */
export function hasChecksum(bytes: Uint8Array, at: number): boolean {
  return (get16(bytes, at + FLAGS_VERSION) & CHECKSUM_PRESENT) !== 0;
}

/** The header's length in bytes: 4, or 8 with a checksum. */
export function headerLength(bytes: Uint8Array, at: number): number {
  return hasChecksum(bytes, at) ? HEADER_LENGTH + 4 : HEADER_LENGTH;
}

/** What the payload is: an EtherType. */
export function protocol(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + PROTOCOL);
}

/** Writes a header of 4 bytes. */
export function emit(bytes: Uint8Array, at: number, protocol: number): void {
  put16(bytes, at + FLAGS_VERSION, 0);
  put16(bytes, at + PROTOCOL, protocol);
}

/** Whether the checksum of a header that has one is right, over header and payload. */
export function verifyChecksum(bytes: Uint8Array, at: number, end: number): boolean {
  return checksum(bytes, at, end, 0) === 0;
}

/** Checks that `bytes[at..end)` starts with a header that can be taken; its checksum is apart. */
export function check(bytes: Uint8Array, at: number, end: number): WireError {
  if (end - at < HEADER_LENGTH) return WireError.Truncated;
  if ((get16(bytes, at + FLAGS_VERSION) & REFUSED) !== 0) return WireError.Unrecognized;
  return end - at < headerLength(bytes, at) ? WireError.Truncated : WireError.None;
}
