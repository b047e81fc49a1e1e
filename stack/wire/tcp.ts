/**
 * The TCP header, RFC 9293 3.1. Its option list is in `tcp-options.ts`.
 *
 * @module
 */
import type { Address } from "./address.ts";
import { get16, get32, put16, put32 } from "./bytes.ts";
import { checksum as compute, fold, pseudo } from "./checksum.ts";
import { WireError } from "./error.ts";
import { Protocol } from "./protocol.ts";

/** The length in bytes of a header without options: the shortest. */
export const HEADER_LENGTH = 20;
/** The length in bytes of the longest header. */
export const HEADER_LENGTH_MAX = 60;

const SOURCE_PORT = 0;
const DESTINATION_PORT = 2;
const SEQUENCE = 4;
const ACKNOWLEDGMENT = 8;
const DATA_OFFSET = 12;
const FLAGS = 13;
const WINDOW = 14;
/** Where the checksum lies in the header: what a NIC that fills it is told. */
export const CHECKSUM = 16;
const URGENT_POINTER = 18;

/** The control bits. */
export const Flag = {
  /** No more data from the sender. */
  Fin: 0x01,
  /** Synchronize sequence numbers. */
  Syn: 0x02,
  /** Reset the connection. */
  Rst: 0x04,
  /** Push what is buffered to the reader. */
  Psh: 0x08,
  /** The acknowledgment field counts. */
  Ack: 0x10,
  /** The urgent pointer counts. */
  Urg: 0x20,
  /** Congestion was experienced (RFC 3168 6.1). */
  Ece: 0x40,
  /** The congestion window was reduced (RFC 3168 6.1). */
  Cwr: 0x80,
} as const;
/** One of {@linkcode Flag}'s bits. */
export type Flag = (typeof Flag)[keyof typeof Flag];

/** The source port. */
export function sourcePort(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + SOURCE_PORT);
}

/** The destination port. */
export function destinationPort(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + DESTINATION_PORT);
}

/** The sequence number of the first byte, or of the SYN. Signed: compare by the signed difference. */
export function sequence(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + SEQUENCE);
}

/**
 * The next sequence number expected, if {@linkcode Flag.Ack} is set. Signed: compare by the signed
 * difference.
 */
export function acknowledgment(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + ACKNOWLEDGMENT);
}

/** The header's length in bytes, options included: 20 to 60 if well-formed. */
export function headerLength(bytes: Uint8Array, at: number): number {
  return (bytes[at + DATA_OFFSET]! >> 4) << 2;
}

/** All {@linkcode Flag} bits. */
export function flags(bytes: Uint8Array, at: number): number {
  return bytes[at + FLAGS]!;
}

/** The window as sent, not scaled (RFC 7323 2.3). */
export function window(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + WINDOW);
}

/** The checksum of pseudo-header, header and data. */
export function checksum(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + CHECKSUM);
}

/** Where the urgent data ends, as an offset from the sequence number, if {@linkcode Flag.Urg} is set. */
export function urgentPointer(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + URGENT_POINTER);
}

/** Sets the source port. */
export function setSourcePort(bytes: Uint8Array, at: number, port: number): void {
  put16(bytes, at + SOURCE_PORT, port);
}

/** Sets the destination port. */
export function setDestinationPort(bytes: Uint8Array, at: number, port: number): void {
  put16(bytes, at + DESTINATION_PORT, port);
}

/** Sets the sequence number. */
export function setSequence(bytes: Uint8Array, at: number, sequence: number): void {
  put32(bytes, at + SEQUENCE, sequence);
}

/** Sets the acknowledgment number. */
export function setAcknowledgment(bytes: Uint8Array, at: number, acknowledgment: number): void {
  put32(bytes, at + ACKNOWLEDGMENT, acknowledgment);
}

/** Sets the header's length in bytes, a multiple of 4 from 20 to 60. The reserved bits become 0. */
export function setHeaderLength(bytes: Uint8Array, at: number, length: number): void {
  bytes[at + DATA_OFFSET] = length << 2;
}

/** Sets all {@linkcode Flag} bits. */
export function setFlags(bytes: Uint8Array, at: number, flags: number): void {
  bytes[at + FLAGS] = flags;
}

/** Sets the window as it is sent, not scaled. */
export function setWindow(bytes: Uint8Array, at: number, window: number): void {
  put16(bytes, at + WINDOW, window);
}

/** Sets the checksum. */
export function setChecksum(bytes: Uint8Array, at: number, checksum: number): void {
  put16(bytes, at + CHECKSUM, checksum);
}

/** Sets the urgent pointer. */
export function setUrgentPointer(bytes: Uint8Array, at: number, pointer: number): void {
  put16(bytes, at + URGENT_POINTER, pointer);
}

/**
 * Writes the first 20 bytes of a header, checksum and urgent pointer 0: {@linkcode fillChecksum} or the NIC
 * fills the checksum. `headerLength` includes the options, which the caller writes behind.
 */
export function emit(
  bytes: Uint8Array,
  at: number,
  sourcePort: number,
  destinationPort: number,
  sequence: number,
  acknowledgment: number,
  headerLength: number,
  flags: number,
  window: number,
): void {
  put16(bytes, at + SOURCE_PORT, sourcePort);
  put16(bytes, at + DESTINATION_PORT, destinationPort);
  put32(bytes, at + SEQUENCE, sequence);
  put32(bytes, at + ACKNOWLEDGMENT, acknowledgment);
  bytes[at + DATA_OFFSET] = headerLength << 2;
  bytes[at + FLAGS] = flags;
  put16(bytes, at + WINDOW, window);
  put32(bytes, at + CHECKSUM, 0);
}

/** Computes and sets the checksum of the segment `bytes[at..end)` between these addresses. */
export function fillChecksum(
  bytes: Uint8Array,
  at: number,
  end: number,
  source: Address,
  destination: Address,
): void {
  put16(bytes, at + CHECKSUM, 0);
  put16(
    bytes,
    at + CHECKSUM,
    compute(bytes, at, end, pseudo(source, destination, Protocol.Tcp, end - at)),
  );
}

/** Sets the checksum field to the pseudo-header's sum, for a NIC that adds the rest and complements it. */
export function fillPartialChecksum(
  bytes: Uint8Array,
  at: number,
  end: number,
  source: Address,
  destination: Address,
): void {
  put16(bytes, at + CHECKSUM, fold(pseudo(source, destination, Protocol.Tcp, end - at)));
}

/** Whether the checksum of the segment `bytes[at..end)` is right between these addresses. */
export function verifyChecksum(
  bytes: Uint8Array,
  at: number,
  end: number,
  source: Address,
  destination: Address,
): boolean {
  return compute(bytes, at, end, pseudo(source, destination, Protocol.Tcp, end - at)) === 0;
}

/** Checks that `bytes[at..end)` starts with a whole header. The options and the checksum are apart. */
export function check(bytes: Uint8Array, at: number, end: number): WireError {
  if (end - at < HEADER_LENGTH) return WireError.Truncated;
  const header = headerLength(bytes, at);
  if (header < HEADER_LENGTH) return WireError.Malformed;
  return end - at < header ? WireError.Truncated : WireError.None;
}

const FLAG_NAMES = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"] as const;

/** The flags in words, as in `SYN ACK`, for printing. */
export function flagNames(flags: number): string {
  const names = FLAG_NAMES.filter((_, bit) => ((flags >> bit) & 1) !== 0);
  return names.length === 0 ? "no flags" : names.join(" ");
}
