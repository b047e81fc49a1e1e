/**
 * A host's own records for multicast DNS (RFC 6762), and the messages that carry them.
 *
 * @module
 */
import { reverseName } from "../dns/search.ts";
import { Address } from "../wire/address.ts";
import * as dns from "../wire/dns.ts";
import { nameBytes } from "../wire/dns-name.ts";

/** Where multicast DNS is spoken (RFC 6762 3). */
export const GROUP_V4: Address = Address.parse("224.0.0.251");
/** The same for IPv6. */
export const GROUP_V6: Address = Address.parse("ff02::fb");

/** The domain of the link. */
export const DOMAIN = "local";

/** RFC 6762 10: the time to live of a host's records, and of answers to those who are no multicast DNS (6.7). */
export const TTL = 120, LEGACY_TTL = 10;

/** The bit of a class that says: these are all records of that name and type (RFC 6762 10.2). */
export const FLUSH = 0x8000;
/** The bit of a question's class that says: answer me alone (RFC 6762 5.4). */
export const UNICAST = 0x8000;

/** One of our records. */
export interface OwnRecord {
  readonly name: string;
  readonly type: number;
  readonly data: Uint8Array;
}

/** The records of a host: its addresses, and its name for each of them. */
export function hostRecords(name: string, addresses: readonly Address[]): OwnRecord[] {
  const target = nameBytes(name)!;
  return addresses.flatMap((address) => [
    { name, type: address.isV4 ? dns.Type.A : dns.Type.AAAA, data: addressBytes(address) },
    { name: reverseName(String(address)), type: dns.Type.PTR, data: target },
  ]);
}

/** An address' bytes as a record has them. */
export function addressBytes(address: Address): Uint8Array {
  const bytes = new Uint8Array(address.isV4 ? 4 : 16);
  if (address.isV4) address.writeV4(bytes, 0);
  else address.writeV6(bytes, 0);
  return bytes;
}

/** RFC 6762 6.1: says which types a name has, so that nobody waits for others. Types up to 255. */
export function absence(name: string, types: readonly number[]): OwnRecord {
  const bits = new Uint8Array(1 + (Math.max(...types) >> 3));
  for (const type of types) bits[type >> 3]! |= 0x80 >> (type & 7);
  return { name, type: dns.Type.NSEC, data: Uint8Array.from([...nameBytes(name)!, 0, bits.length, ...bits]) };
}

/** The longest message, which is no fragment on an Ethernet (RFC 6762 17). */
const MESSAGE_MAX = 1_400;

/** What an answer to somebody who is no multicast DNS repeats of the question (RFC 6762 6.7). */
export interface LegacyQuestion {
  readonly id: number;
  readonly name: string;
  readonly type: number;
}

/** Messages of records, as many as those need; with `legacy`, answers to somebody who is no multicast DNS. */
export function writeResponses(
  records: readonly OwnRecord[],
  ttl: number,
  legacy?: LegacyQuestion,
): Uint8Array[] {
  const messages: Uint8Array[] = [];
  const start = dns.HEADER_LENGTH +
    (legacy === undefined ? 0 : nameBytes(legacy.name)!.length + dns.QUESTION_FIELDS);
  let first = 0;
  for (let next = 0, length = start; next < records.length; next++) {
    const { name, data } = records[next]!;
    const more = nameBytes(name)!.length + dns.RECORD_FIELDS + data.length;
    if (length + more > MESSAGE_MAX) {
      messages.push(writeResponse(records.slice(first, next), ttl, legacy));
      first = next;
      length = start;
    }
    length += more;
  }
  if (first < records.length) messages.push(writeResponse(records.slice(first), ttl, legacy));
  return messages;
}

function writeResponse(records: readonly OwnRecord[], ttl: number, legacy?: LegacyQuestion): Uint8Array {
  const bytes = new Uint8Array(MESSAGE_MAX);
  const flags = dns.Flag.Response | dns.Flag.Authoritative;
  let at = dns.emit(bytes, 0, legacy?.id ?? 0, flags, legacy === undefined ? 0 : 1, records.length, 0, 0);
  if (legacy !== undefined) at = dns.putQuestion(bytes, at, nameBytes(legacy.name)!, legacy.type);
  // RFC 6762 6.7: to whom the bit would be a strange class it is not sent. A PTR is nobody's alone, unless it is ours.
  const clas = legacy === undefined ? dns.CLASS_IN | FLUSH : dns.CLASS_IN;
  for (const record of records) {
    at = dns.putRecord(bytes, at, nameBytes(record.name)!, record.type, clas, ttl, record.data);
  }
  return bytes.slice(0, at);
}

/** RFC 6762 8.1: asks for any record of a name, and says which ones the asker wants to have. */
export function writeProbe(name: string, records: readonly OwnRecord[]): Uint8Array {
  const bytes = new Uint8Array(MESSAGE_MAX);
  const wire = nameBytes(name)!;
  let at = dns.emit(bytes, 0, 0, 0, 1, 0, records.length, 0);
  at = dns.putQuestion(bytes, at, wire, dns.Type.ANY, dns.CLASS_IN | UNICAST);
  for (const { type, data } of records) at = dns.putRecord(bytes, at, wire, type, dns.CLASS_IN, TTL, data);
  return bytes.slice(0, at);
}

/** RFC 6762 8.2: which of two sets of records comes later: by class, type and bytes. Above 0: the first one. */
export function compareRecords(
  one: readonly Pick<OwnRecord, "type" | "data">[],
  other: readonly Pick<OwnRecord, "type" | "data">[],
): number {
  const [a, b] = [one, other].map((records) => [...records].sort(compare));
  for (let index = 0; index < Math.max(a!.length, b!.length); index++) {
    const [left, right] = [a![index], b![index]];
    if (left === undefined || right === undefined) return left === undefined ? -1 : 1;
    const difference = compare(left, right);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compare(one: Pick<OwnRecord, "type" | "data">, other: Pick<OwnRecord, "type" | "data">): number {
  if (one.type !== other.type) return one.type - other.type;
  const length = Math.min(one.data.length, other.data.length);
  for (let index = 0; index < length; index++) {
    const difference = one.data[index]! - other.data[index]!;
    if (difference !== 0) return difference;
  }
  return one.data.length - other.data.length;
}
