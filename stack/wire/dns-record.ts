/**
 * What DNS records say: their data, taken out of a message.
 *
 * @module
 */
import { Address } from "./address.ts";
import { get16, get32 } from "./bytes.ts";
import * as dns from "./dns.ts";
import { readName } from "./dns-name.ts";

/** A mail exchange (RFC 1035 3.3.9). */
export interface MxData {
  /** The least is tried first. */
  readonly preference: number;
  /** The host. */
  readonly exchange: string;
}

/** A service's place (RFC 2782). */
export interface SrvData {
  /** The least is tried first. */
  readonly priority: number;
  /** Among equals: how often. */
  readonly weight: number;
  /** The port. */
  readonly port: number;
  /** The host. */
  readonly target: string;
}

/** The start of a zone of authority (RFC 1035 3.3.13). Times are in seconds. */
export interface SoaData {
  /** The primary server. */
  readonly mname: string;
  /** The mailbox of who is responsible. */
  readonly rname: string;
  /** The version. */
  readonly serial: number;
  /** When secondaries look for a new version. */
  readonly refresh: number;
  /** When they look again. */
  readonly retry: number;
  /** When they give up. */
  readonly expire: number;
  /** How long the absence of a record may be remembered (RFC 2308 4). */
  readonly minimum: number;
}

/** Who may issue certificates (RFC 8659). */
export interface CaaData {
  /** Whether it must be understood. */
  readonly critical: boolean;
  /** What it is about, such as "issue". */
  readonly tag: string;
  /** The value. */
  readonly value: string;
}

/** A rewriting rule (RFC 3403 4). */
export interface NaptrData {
  /** The least is tried first. */
  readonly order: number;
  /** Among equals: the least first. */
  readonly preference: number;
  /** How it goes on. */
  readonly flags: string;
  /** The service. */
  readonly services: string;
  /** The rule. */
  readonly regexp: string;
  /** The next name. */
  readonly replacement: string;
}

/** What a record says: an address, a name, strings, something of several parts, or, of an unknown type, bytes. */
export type RecordData =
  | Address
  | string
  | readonly Uint8Array[]
  | MxData
  | SrvData
  | SoaData
  | CaaData
  | NaptrData
  | Uint8Array;

/** A record. */
export interface DnsRecord {
  /** Whose it is, in lower case. */
  readonly name: string;
  /** Its type. */
  readonly type: number;
  /** Its class with all 16 bits; mDNS gives the first one a meaning of its own. */
  readonly class: number;
  /** How long it may be kept, in seconds. */
  readonly ttl: number;
  /** What it says. */
  readonly data: RecordData;
  /** The section that it is in. */
  readonly section: dns.Section;
}

/** A question. */
export interface DnsQuestion {
  /** The name, in lower case. */
  readonly name: string;
  /** The type that is asked for. */
  readonly type: number;
  /** Its class with all 16 bits. */
  readonly class: number;
}

/** A message's questions and records. */
export interface DnsMessage {
  /** What was asked. */
  readonly questions: readonly DnsQuestion[];
  /** The records of all sections, in their order. */
  readonly records: readonly DnsRecord[];
}

/** How many records of a message are looked at. */
export const RECORDS_MAX = 512;

const SECTIONS = [dns.Section.Answer, dns.Section.Authority, dns.Section.Additional];

/**
 * Takes a message apart. What is malformed ends it: whatever stands before is answered, and a record whose data are
 * malformed is left out. Undefined: not even its questions are whole.
 */
export function readMessage(bytes: Uint8Array, at: number, end: number): DnsMessage | undefined {
  if (end - at < dns.HEADER_LENGTH) return undefined;
  const questions: DnsQuestion[] = [];
  const records: DnsRecord[] = [];
  let next = at + dns.HEADER_LENGTH;
  for (let left = dns.questions(bytes, at); left > 0; left--) {
    const read = readName(bytes, at, next, end);
    if (read === undefined || read.next + dns.QUESTION_FIELDS > end) return undefined;
    questions.push({
      name: read.name,
      type: dns.typeOf(bytes, read.next),
      class: dns.classOf(bytes, read.next),
    });
    next = read.next + dns.QUESTION_FIELDS;
    if (questions.length > RECORDS_MAX) return undefined;
  }
  for (const section of SECTIONS) {
    for (let left = dns.records(bytes, at, section); left > 0; left--) {
      const read = readName(bytes, at, next, end);
      if (read === undefined || read.next + dns.RECORD_FIELDS > end) return { questions, records };
      const from = read.next + dns.RECORD_FIELDS;
      next = from + dns.dataLength(bytes, read.next);
      if (next > end || records.length === RECORDS_MAX) return { questions, records };
      const type = dns.typeOf(bytes, read.next);
      const data = readData(bytes, at, from, next, type);
      if (data === undefined) continue;
      const { name } = read;
      records.push({
        name,
        type,
        class: dns.classOf(bytes, read.next),
        ttl: dns.ttlOf(bytes, read.next),
        data,
        section,
      });
    }
  }
  return { questions, records };
}

/** The data at `bytes[at..end)` of a record in a message that begins at `start`; undefined: malformed. */
function readData(
  bytes: Uint8Array,
  start: number,
  at: number,
  end: number,
  type: number,
): RecordData | undefined {
  switch (type) {
    case dns.Type.A:
      return end - at === 4 ? new Address().readV4(bytes, at) : undefined;
    case dns.Type.AAAA: {
      if (end - at !== 16) return undefined;
      const address = new Address().readV6(bytes, at);
      // A mapped address would be taken for IPv4, which is no AAAA record's to say.
      return address.isV4 ? undefined : address;
    }
    case dns.Type.NS:
    case dns.Type.CNAME:
    case dns.Type.PTR:
      return lastName(bytes, start, at, end);
    case dns.Type.MX: {
      const exchange = lastName(bytes, start, at + 2, end);
      return exchange === undefined ? undefined : { preference: get16(bytes, at), exchange };
    }
    case dns.Type.SRV: {
      const target = lastName(bytes, start, at + 6, end);
      if (target === undefined) return undefined;
      return { priority: get16(bytes, at), weight: get16(bytes, at + 2), port: get16(bytes, at + 4), target };
    }
    case dns.Type.TXT:
      return strings(bytes, at, end);
    case dns.Type.SOA:
      return soa(bytes, start, at, end);
    case dns.Type.CAA:
      return caa(bytes, at, end);
    case dns.Type.NAPTR:
      return naptr(bytes, start, at, end);
    default:
      return bytes.slice(at, end);
  }
}

/** The name that fills the rest of a record's data. */
function lastName(bytes: Uint8Array, start: number, at: number, end: number): string | undefined {
  const read = at < end ? readName(bytes, start, at, end) : undefined;
  return read?.next === end ? read.name : undefined;
}

/** Character strings in a row: a byte of length, then so many bytes (RFC 1035 3.3). Undefined: one runs over the end. */
function strings(bytes: Uint8Array, at: number, end: number): Uint8Array[] | undefined {
  const all: Uint8Array[] = [];
  while (at < end) {
    const next = at + 1 + bytes[at]!;
    if (next > end) return undefined;
    all.push(bytes.slice(at + 1, next));
    at = next;
  }
  return all.length === 0 ? undefined : all;
}

function soa(bytes: Uint8Array, start: number, at: number, end: number): SoaData | undefined {
  const primary = readName(bytes, start, at, end);
  const mailbox = primary && readName(bytes, start, primary.next, end);
  if (mailbox === undefined || mailbox.next + 20 !== end) return undefined;
  const [serial, refresh, retry, expire, minimum] = [0, 4, 8, 12, 16].map((offset) => {
    return get32(bytes, mailbox.next + offset) >>> 0;
  }) as [number, number, number, number, number];
  return { mname: primary!.name, rname: mailbox.name, serial, refresh, retry, expire, minimum };
}

function caa(bytes: Uint8Array, at: number, end: number): CaaData | undefined {
  const tagEnd = at + 2 + (bytes[at + 1] ?? 0);
  if (end - at < 2 || tagEnd > end) return undefined;
  return {
    critical: (bytes[at]! & 0x80) !== 0,
    tag: latin1(bytes.subarray(at + 2, tagEnd)),
    value: latin1(bytes.subarray(tagEnd, end)),
  };
}

function naptr(bytes: Uint8Array, start: number, at: number, end: number): NaptrData | undefined {
  const parts: string[] = [];
  let next = at + 4;
  while (parts.length < 3) {
    const from = next + 1;
    if (next >= end) return undefined;
    next = from + bytes[next]!;
    if (next > end) return undefined;
    parts.push(latin1(bytes.subarray(from, next)));
  }
  const replacement = lastName(bytes, start, next, end);
  if (replacement === undefined) return undefined;
  const [flags = "", services = "", regexp = ""] = parts;
  return { order: get16(bytes, at), preference: get16(bytes, at + 2), flags, services, regexp, replacement };
}

/** A character a byte. */
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
