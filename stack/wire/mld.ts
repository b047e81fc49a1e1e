/**
 * Multicast Listener Discovery of both versions: RFC 3810 5, RFC 2710 3. Bodies of ICMPv6 messages; `at` is the offset
 * of the ICMPv6 header.
 *
 * @module
 */
import type { Address } from "./address.ts";
import { get16, put16, put32 } from "./bytes.ts";
import { Type } from "./icmpv6.ts";

/** The length of the messages of version 1. */
export const LENGTH = 24;
/** The length of a query of version 2 before its sources. */
export const QUERY2_LENGTH = 28;
/** The length of a report of version 2 before its records. */
export const REPORT2_LENGTH = 8;
/** The length of a record without sources in a report of version 2. */
export const RECORD_LENGTH = 20;

const MAX_RESPONSE = 4;
/** Where the group lies in a message of version 1 and in a query: `address.readV6(bytes, at + GROUP)`. */
export const GROUP = 8;
const RECORD_GROUP = 4;

/** A query's Maximum Response Code: milliseconds, in version 2 as {@linkcode codeValue} reads it. */
export function code(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + MAX_RESPONSE);
}

/** A code of 16 bits as a number: from 32768 on it is a floating-point one (RFC 3810 5.1.3). */
export function codeValue(code: number): number {
  return code < 32_768 ? code : ((code & 0xfff) | 0x1000) << (((code >> 12) & 0x7) + 3);
}

/** Writes a report or a done message of version 1, checksum 0. */
export function emit(bytes: Uint8Array, at: number, type: number, group: Address): void {
  put32(bytes, at, type << 24);
  put32(bytes, at + MAX_RESPONSE, 0);
  group.writeV6(bytes, at + GROUP);
}

/** Writes a report of version 2 for so many records, which follow; checksum 0. */
export function emitReport(bytes: Uint8Array, at: number, records: number): void {
  put32(bytes, at, Type.MulticastListenerReportV2 << 24);
  put32(bytes, at + 4, records);
}

/** Writes a record without sources. */
export function emitRecord(bytes: Uint8Array, record: number, type: number, group: Address): void {
  put16(bytes, record, type << 8);
  put16(bytes, record + 2, 0);
  group.writeV6(bytes, record + RECORD_GROUP);
}
