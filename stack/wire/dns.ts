/**
 * The DNS message (RFC 1035 4.1), its header, questions and the frame of its records. All functions take the packet's
 * bytes and the offset of the message's first byte.
 *
 * @module
 */
import { get16, get32, put16, put32 } from "./bytes.ts";
import { skipName } from "./dns-name.ts";
import { WireError } from "./error.ts";

/** The header's length in bytes. */
export const HEADER_LENGTH = 12;
/** The port of DNS servers, and that of mDNS. */
export const PORT = 53, MULTICAST_PORT = 5353;

const ID = 0;
const FLAGS = 2;
const QUESTIONS = 4;
const ANSWERS = 6;
const AUTHORITY = 8;
const ADDITIONAL = 10;

/** Bits of the header's flags (RFC 1035 4.1.1, RFC 4035 3.1.6). */
export const Flag = {
  /** A response. */
  Response: 0x8000,
  /** The responder has authority for the name. */
  Authoritative: 0x0400,
  /** Cut short: ask again over TCP. */
  Truncated: 0x0200,
  /** Recursion is wanted. */
  RecursionDesired: 0x0100,
  /** Recursion is offered. */
  RecursionAvailable: 0x0080,
  /** The data is authentic, says the server. */
  Authentic: 0x0020,
} as const;

/** What became of a query (RFC 1035 4.1.1), among the 16 of the header. */
export const ResponseCode = {
  NoError: 0,
  FormatError: 1,
  ServerFailure: 2,
  NameError: 3,
  NotImplemented: 4,
  Refused: 5,
} as const;

/** The types of records that are known here. */
export const Type = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  NAPTR: 35,
  OPT: 41,
  NSEC: 47,
  ANY: 255,
  CAA: 257,
} as const;

/** The class of the Internet. */
export const CLASS_IN = 1;
/** The class that stands for every one, in questions. */
export const CLASS_ANY = 255;

/** The message's number. */
export function id(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + ID);
}

/** The bits of {@linkcode Flag}, the operation and the response code. */
export function flags(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + FLAGS);
}

/** The operation: 0 is a query, all others are something else. */
export function opcode(bytes: Uint8Array, at: number): number {
  return (bytes[at + FLAGS]! >> 3) & 15;
}

/** What became of the query: a {@linkcode ResponseCode}. */
export function responseCode(bytes: Uint8Array, at: number): number {
  return bytes[at + FLAGS + 1]! & 15;
}

/** How many questions the header claims. */
export function questions(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + QUESTIONS);
}

/** How many records of its three sections the header claims: answer, authority, additional. */
export function records(bytes: Uint8Array, at: number, section: Section): number {
  return get16(bytes, at + section);
}

/** The sections of records; a value is where the header has its count. */
export const Section = { Answer: ANSWERS, Authority: AUTHORITY, Additional: ADDITIONAL } as const;
/** One of {@linkcode Section}'s. */
export type Section = (typeof Section)[keyof typeof Section];

/** Writes the header. Answers with where the first question goes. */
export function emit(
  bytes: Uint8Array,
  at: number,
  id: number,
  flags: number,
  questions: number,
  answers: number,
  authority: number,
  additional: number,
): number {
  put16(bytes, at + ID, id);
  put16(bytes, at + FLAGS, flags);
  put16(bytes, at + QUESTIONS, questions);
  put16(bytes, at + ANSWERS, answers);
  put16(bytes, at + AUTHORITY, authority);
  put16(bytes, at + ADDITIONAL, additional);
  return at + HEADER_LENGTH;
}

/** Writes a question about a name's wire form. Answers with where the next thing goes. */
export function putQuestion(
  bytes: Uint8Array,
  at: number,
  name: Uint8Array,
  type: number,
  clas: number = CLASS_IN,
): number {
  bytes.set(name, at);
  put16(bytes, at + name.length, type);
  put16(bytes, at + name.length + 2, clas);
  return at + name.length + 4;
}

/** Writes a record. Answers with where the next one goes. */
export function putRecord(
  bytes: Uint8Array,
  at: number,
  name: Uint8Array,
  type: number,
  clas: number,
  ttl: number,
  data: Uint8Array,
): number {
  bytes.set(name, at);
  at += name.length;
  put16(bytes, at, type);
  put16(bytes, at + 2, clas);
  put32(bytes, at + 4, ttl);
  put16(bytes, at + 8, data.length);
  bytes.set(data, at + 10);
  return at + 10 + data.length;
}

/** The root's name. */
const ROOT = new Uint8Array(1);

/** Writes the record of EDNS0 (RFC 6891 6.1.2) that tells how long a response may be. */
export function putEdns(bytes: Uint8Array, at: number, size: number): number {
  return putRecord(bytes, at, ROOT, Type.OPT, size, 0, EMPTY);
}

const EMPTY = new Uint8Array(0);

/** The fixed part of a question or record behind its name, at `bytes[fields]`. */
export function typeOf(bytes: Uint8Array, fields: number): number {
  return get16(bytes, fields);
}

/** The class of a question or record. */
export function classOf(bytes: Uint8Array, fields: number): number {
  return get16(bytes, fields + 2);
}

/** How long a record may be kept, in seconds. RFC 2181 8: with the first bit set it is 0. */
export function ttlOf(bytes: Uint8Array, fields: number): number {
  return Math.max(0, get32(bytes, fields + 4));
}

/** How long a record's data are. */
export function dataLength(bytes: Uint8Array, fields: number): number {
  return get16(bytes, fields + 8);
}

/** What lies between a record's name and its data, and behind a question's name. */
export const RECORD_FIELDS = 10, QUESTION_FIELDS = 4;

/**
 * Checks that `bytes[at..end)` is a message with all the questions and records that its header claims. Names are
 * skipped, not followed. A response that is cut short may lack records; with its bit set it need only have its
 * questions.
 */
export function check(bytes: Uint8Array, at: number, end: number): WireError {
  if (end - at < HEADER_LENGTH) return WireError.Truncated;
  let next = at + HEADER_LENGTH;
  for (let left = questions(bytes, at); left > 0; left--) {
    next = skipName(bytes, next, end);
    if (next < 0 || next + QUESTION_FIELDS > end) return WireError.Malformed;
    next += QUESTION_FIELDS;
  }
  if ((flags(bytes, at) & Flag.Truncated) !== 0) return WireError.None;
  const count = records(bytes, at, Section.Answer) + records(bytes, at, Section.Authority) +
    records(bytes, at, Section.Additional);
  for (let left = count; left > 0; left--) {
    next = skipName(bytes, next, end);
    if (next < 0 || next + RECORD_FIELDS > end) return WireError.Malformed;
    next += RECORD_FIELDS + dataLength(bytes, next);
    if (next > end) return WireError.Malformed;
  }
  return WireError.None;
}
