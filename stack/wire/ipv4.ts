/**
 * The IPv4 header, RFC 791 3.1. Its option list is in `ipv4-options.ts`.
 *
 * @module
 */
import { get16, get32, put16, put32 } from "./bytes.ts";
import { finish, sum } from "./checksum.ts";
import { WireError } from "./error.ts";

export { checkOptions, hasSourceRoute } from "./ipv4-options.ts";

/** The length in bytes of a header without options: the shortest. */
export const HEADER_LENGTH = 20;
/** The length in bytes of the longest header. */
export const HEADER_LENGTH_MAX = 60;

const VERSION_LENGTH = 0;
const TRAFFIC_CLASS = 1;
const TOTAL_LENGTH = 2;
const IDENTIFICATION = 4;
const FRAGMENT = 6;
const HOP_LIMIT = 8;
const PROTOCOL = 9;
const CHECKSUM = 10;
/** Where the source lies: `address.readV4(bytes, at + SOURCE)`. */
export const SOURCE = 12;
/** Where the destination lies: `address.readV4(bytes, at + DESTINATION)`. */
export const DESTINATION = 16;

/** The flags, as they lie in the 16-bit word that they share with the fragment offset. */
export const Flag = { DontFragment: 0x4000, MoreFragments: 0x2000 } as const;
/** One of {@linkcode Flag}'s bits. */
export type Flag = (typeof Flag)[keyof typeof Flag];

/** The version, 4. */
export function version(bytes: Uint8Array, at: number): number {
  return bytes[at + VERSION_LENGTH]! >> 4;
}

/** The header's length in bytes, options included: 20 to 60 if well-formed. */
export function headerLength(bytes: Uint8Array, at: number): number {
  return (bytes[at + VERSION_LENGTH]! & 0xf) << 2;
}

/** The traffic class, RFC 791's type of service: DSCP (RFC 2474) and ECN (RFC 3168). */
export function trafficClass(bytes: Uint8Array, at: number): number {
  return bytes[at + TRAFFIC_CLASS]!;
}

/** The length in bytes of header and payload. */
export function totalLength(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + TOTAL_LENGTH);
}

/** What the fragments of one packet have in common (RFC 6864). */
export function identification(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + IDENTIFICATION);
}

/** Whether routers must drop the packet rather than fragment it. */
export function dontFragment(bytes: Uint8Array, at: number): boolean {
  return (get16(bytes, at + FRAGMENT) & Flag.DontFragment) !== 0;
}

/** Whether this is a fragment that is not the last. */
export function moreFragments(bytes: Uint8Array, at: number): boolean {
  return (get16(bytes, at + FRAGMENT) & Flag.MoreFragments) !== 0;
}

/** Where in the whole packet's payload this fragment starts, in bytes: a multiple of 8. */
export function fragmentOffset(bytes: Uint8Array, at: number): number {
  return (get16(bytes, at + FRAGMENT) & 0x1fff) << 3;
}

/** Whether this is a part of a packet and not a whole one. */
export function isFragment(bytes: Uint8Array, at: number): boolean {
  return (get16(bytes, at + FRAGMENT) & 0x3fff) !== 0;
}

/** How many more routers may pass the packet on; RFC 791's time to live. */
export function hopLimit(bytes: Uint8Array, at: number): number {
  return bytes[at + HOP_LIMIT]!;
}

/** What the payload is: one of `Protocol`'s numbers, or any other. */
export function protocol(bytes: Uint8Array, at: number): number {
  return bytes[at + PROTOCOL]!;
}

/** The checksum of the header, payload not included. */
export function headerChecksum(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + CHECKSUM);
}

/** The source address as a word. */
export function source(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + SOURCE);
}

/** The destination address as a word. */
export function destination(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + DESTINATION);
}

/** Sets the traffic class. */
export function setTrafficClass(bytes: Uint8Array, at: number, trafficClass: number): void {
  bytes[at + TRAFFIC_CLASS] = trafficClass;
}

/** Sets the length in bytes of header and payload. */
export function setTotalLength(bytes: Uint8Array, at: number, length: number): void {
  put16(bytes, at + TOTAL_LENGTH, length);
}

/** Sets the identification. */
export function setIdentification(bytes: Uint8Array, at: number, identification: number): void {
  put16(bytes, at + IDENTIFICATION, identification);
}

/** Sets {@linkcode Flag} bits and the fragment offset, which is given in bytes and a multiple of 8. */
export function setFragment(bytes: Uint8Array, at: number, flags: number, offset: number): void {
  put16(bytes, at + FRAGMENT, flags | (offset >> 3));
}

/** Sets the hop limit. */
export function setHopLimit(bytes: Uint8Array, at: number, hopLimit: number): void {
  bytes[at + HOP_LIMIT] = hopLimit;
}

/** Sets what the payload is. */
export function setProtocol(bytes: Uint8Array, at: number, protocol: number): void {
  bytes[at + PROTOCOL] = protocol;
}

/** Sets the header checksum. */
export function setHeaderChecksum(bytes: Uint8Array, at: number, checksum: number): void {
  put16(bytes, at + CHECKSUM, checksum);
}

/** Sets the source address from a word. */
export function setSource(bytes: Uint8Array, at: number, word: number): void {
  put32(bytes, at + SOURCE, word);
}

/** Sets the destination address from a word. */
export function setDestination(bytes: Uint8Array, at: number, word: number): void {
  put32(bytes, at + DESTINATION, word);
}

/**
 * Writes a whole header of 20 bytes, checksum 0: {@linkcode fillChecksum} or the NIC fills it. `flags` are
 * {@linkcode Flag} bits with a fragment offset of 0, the addresses are words.
 */
export function emit(
  bytes: Uint8Array,
  at: number,
  trafficClass: number,
  totalLength: number,
  identification: number,
  flags: number,
  hopLimit: number,
  protocol: number,
  source: number,
  destination: number,
): void {
  bytes[at + VERSION_LENGTH] = 0x45;
  bytes[at + TRAFFIC_CLASS] = trafficClass;
  put16(bytes, at + TOTAL_LENGTH, totalLength);
  put16(bytes, at + IDENTIFICATION, identification);
  put16(bytes, at + FRAGMENT, flags);
  bytes[at + HOP_LIMIT] = hopLimit;
  bytes[at + PROTOCOL] = protocol;
  put16(bytes, at + CHECKSUM, 0);
  put32(bytes, at + SOURCE, source);
  put32(bytes, at + DESTINATION, destination);
}

/** Computes and sets the header checksum. */
export function fillChecksum(bytes: Uint8Array, at: number): void {
  put16(bytes, at + CHECKSUM, 0);
  put16(bytes, at + CHECKSUM, finish(sumHeader(bytes, at)));
}

/** Whether the header checksum is right. */
export function verifyChecksum(bytes: Uint8Array, at: number): boolean {
  return finish(sumHeader(bytes, at)) === 0;
}

/** The header's sum. The fixed part is written out: as a loop it would be the dearest step of a short packet. */
function sumHeader(bytes: Uint8Array, at: number): number {
  const high = bytes[at]! + bytes[at + 2]! + bytes[at + 4]! + bytes[at + 6]! + bytes[at + 8]! +
    bytes[at + 10]! + bytes[at + 12]! + bytes[at + 14]! + bytes[at + 16]! + bytes[at + 18]!;
  const low = bytes[at + 1]! + bytes[at + 3]! + bytes[at + 5]! + bytes[at + 7]! + bytes[at + 9]! +
    bytes[at + 11]! + bytes[at + 13]! + bytes[at + 15]! + bytes[at + 17]! + bytes[at + 19]!;
  const words = (high << 8) + low;
  const length = headerLength(bytes, at);
  return length <= HEADER_LENGTH ? words : sum(bytes, at + HEADER_LENGTH, at + length, words);
}

/**
 * Checks that `bytes[at..end)` starts with a whole IPv4 packet, padding behind it allowed. Looks at structure
 * only: the checksum is apart because a NIC may have verified it, and so are the options.
 */
export function check(bytes: Uint8Array, at: number, end: number): WireError {
  if (end - at < 1) return WireError.Truncated;
  if (version(bytes, at) !== 4) return WireError.Unrecognized;
  if (end - at < HEADER_LENGTH) return WireError.Truncated;
  const header = headerLength(bytes, at);
  if (header < HEADER_LENGTH) return WireError.Malformed;
  const total = totalLength(bytes, at);
  if (total < header) return WireError.Malformed;
  return end - at < total ? WireError.Truncated : WireError.None;
}
