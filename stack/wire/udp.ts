/**
 * The UDP header, RFC 768.
 *
 * @module
 */
import type { Address } from "./address.ts";
import { get16, put16 } from "./bytes.ts";
import { checksum as compute, fold, pseudo } from "./checksum.ts";
import { WireError } from "./error.ts";
import { Protocol } from "./protocol.ts";

/** The header's length in bytes. */
export const HEADER_LENGTH = 8;
/** The longest datagram in bytes, header included. */
export const LENGTH_MAX = 65_535;

const SOURCE_PORT = 0;
const DESTINATION_PORT = 2;
const LENGTH = 4;
/** Where the checksum lies in the header: what a NIC that fills it is told. */
export const CHECKSUM = 6;

/** The checksum field of a sender that computed none. */
export const NO_CHECKSUM = 0;

/** The source port; 0 means that no reply is wanted. */
export function sourcePort(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + SOURCE_PORT);
}

/** The destination port. */
export function destinationPort(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + DESTINATION_PORT);
}

/** The length in bytes of header and data. */
export function length(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + LENGTH);
}

/** The checksum of pseudo-header, header and data; {@linkcode NO_CHECKSUM} if the sender computed none. */
export function checksum(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + CHECKSUM);
}

/** Sets the source port. */
export function setSourcePort(bytes: Uint8Array, at: number, port: number): void {
  put16(bytes, at + SOURCE_PORT, port);
}

/** Sets the destination port. */
export function setDestinationPort(bytes: Uint8Array, at: number, port: number): void {
  put16(bytes, at + DESTINATION_PORT, port);
}

/** Sets the length in bytes of header and data. */
export function setLength(bytes: Uint8Array, at: number, length: number): void {
  put16(bytes, at + LENGTH, length);
}

/** Sets the checksum field as it is; see {@linkcode sentChecksum}. */
export function setChecksum(bytes: Uint8Array, at: number, checksum: number): void {
  put16(bytes, at + CHECKSUM, checksum);
}

/**
 * Writes the header, checksum 0: {@linkcode fillChecksum} or the NIC fills it. `length` includes the header.
 */
export function emit(
  bytes: Uint8Array,
  at: number,
  sourcePort: number,
  destinationPort: number,
  length: number,
): void {
  put16(bytes, at + SOURCE_PORT, sourcePort);
  put16(bytes, at + DESTINATION_PORT, destinationPort);
  put16(bytes, at + LENGTH, length);
  put16(bytes, at + CHECKSUM, NO_CHECKSUM);
}

/**
 * What is sent for a computed checksum: 0 would mean none, so it is sent as its equal 0xffff (RFC 768
 * "Fields").
 */
export function sentChecksum(computed: number): number {
  return computed === NO_CHECKSUM ? 0xffff : computed;
}

/** Computes and sets the checksum of the datagram, whose length field is set, between these addresses. */
export function fillChecksum(bytes: Uint8Array, at: number, source: Address, destination: Address): void {
  const length = get16(bytes, at + LENGTH);
  put16(bytes, at + CHECKSUM, 0);
  const computed = compute(bytes, at, at + length, pseudo(source, destination, Protocol.Udp, length));
  put16(bytes, at + CHECKSUM, sentChecksum(computed));
}

/** Sets the checksum field to the pseudo-header's sum, for a NIC that adds the rest and complements it. */
export function fillPartialChecksum(
  bytes: Uint8Array,
  at: number,
  source: Address,
  destination: Address,
): void {
  put16(bytes, at + CHECKSUM, fold(pseudo(source, destination, Protocol.Udp, get16(bytes, at + LENGTH))));
}

/**
 * Whether the checksum of the datagram, whose length was checked, is right between these addresses. None at
 * all is right over IPv4 (RFC 1122 4.1.3.4) and wrong over IPv6 (RFC 8200 8.1).
 */
export function verifyChecksum(
  bytes: Uint8Array,
  at: number,
  source: Address,
  destination: Address,
): boolean {
  if (get16(bytes, at + CHECKSUM) === NO_CHECKSUM) return source.isV4;
  const length = get16(bytes, at + LENGTH);
  return compute(bytes, at, at + length, pseudo(source, destination, Protocol.Udp, length)) === 0;
}

/** Checks that `bytes[at..end)` starts with a whole datagram. The checksum is apart. */
export function check(bytes: Uint8Array, at: number, end: number): WireError {
  if (end - at < HEADER_LENGTH) return WireError.Truncated;
  const length = get16(bytes, at + LENGTH);
  if (length < HEADER_LENGTH) return WireError.Malformed;
  return end - at < length ? WireError.Truncated : WireError.None;
}
