/**
 * IGMP of all versions: RFC 3376 4, RFC 2236 2, RFC 1112 Appendix I. Eight bytes of type, code, checksum and group, of
 * which version 3 has more behind.
 *
 * @module
 */
import type { Address } from "./address.ts";
import { get16, put16 } from "./bytes.ts";
import { checksum as compute } from "./checksum.ts";
import { WireError } from "./error.ts";

/** The length of the messages of versions 1 and 2, and of a report of version 3 before its records. */
export const HEADER_LENGTH = 8;
/** The length of a query of version 3 before its sources. */
export const QUERY3_LENGTH = 12;
/** The length of a record without sources in a report of version 3. */
export const RECORD_LENGTH = 8;

const CODE = 1;
const CHECKSUM = 2;
/** Where the group lies: `address.readV4(bytes, at + GROUP)`. */
export const GROUP = 4;
const RECORDS = 6;
const RECORD_GROUP = 4;

/** What a message is (IANA "Internet Group Management Protocol (IGMP) Type Numbers"). */
export const Type = {
  /** Of any version. */
  Query: 0x11,
  /** RFC 1112. */
  ReportV1: 0x12,
  /** RFC 2236. */
  ReportV2: 0x16,
  /** RFC 2236. */
  Leave: 0x17,
  /** RFC 3376. */
  ReportV3: 0x22,
} as const;

/** What a record of a report says of a group (RFC 3376 4.2.12, RFC 3810 5.2.12). */
export const RecordType = {
  /** It is listened to, whoever sends. */
  IsExclude: 2,
  /** It is not listened to any more. */
  ToInclude: 3,
  /** It is listened to from now on, whoever sends. */
  ToExclude: 4,
} as const;

/** The message's type; any 8 bits. */
export function type(bytes: Uint8Array, at: number): number {
  return bytes[at]!;
}

/** A query's Max Resp Code; 0 in version 1. */
export function code(bytes: Uint8Array, at: number): number {
  return bytes[at + CODE]!;
}

/** A code of 8 bits as a number: from 128 on it is a floating-point one (RFC 3376 4.1.1). */
export function codeValue(code: number): number {
  return code < 128 ? code : ((code & 0xf) | 0x10) << (((code >> 4) & 0x7) + 3);
}

/** Checks that `bytes[at..end)` has a whole header and a right checksum. */
export function check(bytes: Uint8Array, at: number, end: number): WireError {
  if (end - at < HEADER_LENGTH) return WireError.Truncated;
  return compute(bytes, at, end, 0) === 0 ? WireError.None : WireError.WrongChecksum;
}

/** Writes a message of version 1 or 2. */
export function emit(bytes: Uint8Array, at: number, type: number, group: Address): void {
  put16(bytes, at, type << 8);
  put16(bytes, at + CHECKSUM, 0);
  group.writeV4(bytes, at + GROUP);
  put16(bytes, at + CHECKSUM, compute(bytes, at, at + HEADER_LENGTH, 0));
}

/** Writes a report of version 3 for so many records, which follow. */
export function emitReport(bytes: Uint8Array, at: number, records: number): void {
  put16(bytes, at, Type.ReportV3 << 8);
  put16(bytes, at + CHECKSUM, 0);
  put16(bytes, at + 4, 0);
  put16(bytes, at + RECORDS, records);
}

/** Writes a record without sources. */
export function emitRecord(bytes: Uint8Array, record: number, type: number, group: Address): void {
  put16(bytes, record, type << 8);
  put16(bytes, record + 2, 0);
  group.writeV4(bytes, record + RECORD_GROUP);
}

/** Computes and sets the checksum of the message `bytes[at..end)`. */
export function fillChecksum(bytes: Uint8Array, at: number, end: number): void {
  put16(bytes, at + CHECKSUM, 0);
  put16(bytes, at + CHECKSUM, compute(bytes, at, end, 0));
}

/** How many records a report of version 3 says that it has. */
export function records(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + RECORDS);
}
