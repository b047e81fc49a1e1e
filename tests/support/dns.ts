/**
 * DNS messages for tests, written as lists of records, and servers' answers in one line each.
 *
 * @module
 */
import { Address } from "../../stack/wire/address.ts";
import { put16, put32 } from "../../stack/wire/bytes.ts";
import * as dns from "../../stack/wire/dns.ts";
import { nameBytes } from "../../stack/wire/dns-name.ts";

/** A record: name, type, data in the way its type writes them, seconds to live. */
export interface RecordFields {
  readonly name: string;
  readonly type: keyof typeof dns.Type;
  readonly data: string | Uint8Array;
  readonly ttl?: number;
  readonly class?: number;
}

/** What a message is made of; the counts follow from the lists. */
export interface MessageFields {
  readonly id?: number;
  readonly flags?: number;
  readonly questions?: readonly (readonly [name: string, type: number, clas?: number])[];
  readonly answers?: readonly RecordFields[];
  readonly authority?: readonly RecordFields[];
  readonly additional?: readonly RecordFields[];
}

/** A name's wire form; throws where there is none. */
export function wireName(text: string): Uint8Array {
  const wire = nameBytes(text);
  if (wire === undefined) throw new Error(`${text} is no name`);
  return wire;
}

/** A message's bytes. */
export function dnsMessage(fields: MessageFields): Uint8Array {
  const { questions = [], answers = [], authority = [], additional = [] } = fields;
  const bytes = new Uint8Array(65_535);
  let at = dns.emit(
    bytes,
    0,
    fields.id ?? 0,
    fields.flags ?? dns.Flag.Response | dns.Flag.RecursionDesired | dns.Flag.RecursionAvailable,
    questions.length,
    answers.length,
    authority.length,
    additional.length,
  );
  for (const [name, type, clas] of questions) at = dns.putQuestion(bytes, at, wireName(name), type, clas);
  for (const record of [...answers, ...authority, ...additional]) {
    const { name, type, ttl = 60 } = record;
    const clas = record.class ?? dns.CLASS_IN;
    at = dns.putRecord(bytes, at, wireName(name), dns.Type[type], clas, ttl, recordData(record));
  }
  return bytes.slice(0, at);
}

function recordData({ type, data }: RecordFields): Uint8Array {
  if (typeof data !== "string") return data;
  switch (type) {
    case "A": {
      const bytes = new Uint8Array(4);
      Address.parse(data).writeV4(bytes, 0);
      return bytes;
    }
    case "AAAA": {
      const bytes = new Uint8Array(16);
      Address.parse(data).writeV6(bytes, 0);
      return bytes;
    }
    case "SOA": {
      const [mname = "", rname = "", ...times] = data.split(" ");
      const names = [...wireName(mname), ...wireName(rname)];
      const bytes = new Uint8Array(names.length + 20);
      bytes.set(names);
      times.forEach((time, index) => put32(bytes, names.length + 4 * index, Number(time)));
      return bytes;
    }
    case "MX":
    case "SRV": {
      const parts = data.split(" ");
      const name = wireName(parts.pop() ?? "");
      const bytes = new Uint8Array(2 * parts.length + name.length);
      parts.forEach((part, index) => put16(bytes, 2 * index, Number(part)));
      bytes.set(name, 2 * parts.length);
      return bytes;
    }
    case "TXT":
      return strings(data.match(/.{1,255}/gs) ?? [""]);
    default:
      return wireName(data);
  }
}

/** Character strings in a row. */
export function strings(parts: readonly string[]): Uint8Array {
  const encoder = new TextEncoder();
  return Uint8Array.from(parts.flatMap((part) => {
    const encoded = encoder.encode(part);
    return [encoded.length, ...encoded];
  }));
}
