/**
 * A question to a DNS server: its bytes, and how its answer is known.
 *
 * @module
 */
import * as dns from "../wire/dns.ts";

/** The size of responses that is asked for: no fragment on any path of the Internet (RFC 9715 3). */
export const EDNS_SIZE = 1_232;

/** The longest query: a header, the longest name, and the record of EDNS0. */
export const QUERY_MAX = dns.HEADER_LENGTH + 255 + dns.QUESTION_FIELDS + 11;

/** Writes a query for the name's wire form to the start of `bytes`. Answers with its length. */
export function writeQuery(
  bytes: Uint8Array,
  id: number,
  name: Uint8Array,
  type: number,
  edns: boolean,
): number {
  let at = dns.emit(bytes, 0, id, dns.Flag.RecursionDesired, 1, 0, 0, edns ? 1 : 0);
  at = dns.putQuestion(bytes, at, name, type);
  return edns ? dns.putEdns(bytes, at, EDNS_SIZE) : at;
}

/**
 * Whether `bytes[at..end)` answers the query of this number about this name, letter for letter as it was asked: whoever
 * forges an answer has to guess all that (RFC 5452 9.1).
 */
export function answers(
  bytes: Uint8Array,
  at: number,
  end: number,
  id: number,
  name: Uint8Array,
  type: number,
): boolean {
  const question = at + dns.HEADER_LENGTH;
  const fields = question + name.length;
  if (fields + dns.QUESTION_FIELDS > end || dns.id(bytes, at) !== id) return false;
  if ((dns.flags(bytes, at) & dns.Flag.Response) === 0 || dns.opcode(bytes, at) !== 0) return false;
  if (dns.questions(bytes, at) !== 1) return false;
  for (let index = 0; index < name.length; index++) {
    if (bytes[question + index] !== name[index]) return false;
  }
  return dns.typeOf(bytes, fields) === type && dns.classOf(bytes, fields) === dns.CLASS_IN;
}

/**
 * Whether `bytes[at..end)` says of the query of this number that it could not be read, without repeating its question: so
 * do servers that do not know EDNS0 (RFC 6891 7).
 */
export function isUnread(bytes: Uint8Array, at: number, end: number, id: number): boolean {
  return end - at >= dns.HEADER_LENGTH && dns.id(bytes, at) === id && dns.questions(bytes, at) === 0 &&
    (dns.flags(bytes, at) & dns.Flag.Response) !== 0 && dns.opcode(bytes, at) === 0 &&
    dns.responseCode(bytes, at) === dns.ResponseCode.FormatError;
}

/**
 * The name with the case of its letters left to chance (draft-vixie-dnsext-dns0x20): servers copy it, so each letter is
 * one more bit that a forger has to guess.
 */
export function mixCase(name: Uint8Array, random: () => number): Uint8Array {
  const mixed = name.slice();
  let label = 0;
  for (let at = 0; at < name.length; at++) {
    // Bytes of length look like letters to whoever does not count.
    if (at === label) {
      label += 1 + name[at]!;
      continue;
    }
    const lower = name[at]! | 0x20;
    if (lower >= 0x61 && lower <= 0x7a && (random() & 1) !== 0) mixed[at]! ^= 0x20;
  }
  return mixed;
}
