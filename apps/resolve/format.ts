/** DNS records as dig writes them. */
import { Address, DnsFlag, type DnsRecord, DnsResponseCode, DnsType, type RecordData } from "../../mod.ts";
import type { Json } from "../cli/output.ts";

const NAMES = new Map<number, string>(Object.entries(DnsType).map(([name, number]) => [number, name]));

/** A type's name, or TYPE and its number (RFC 3597 5). */
export function typeName(type: number): string {
  return NAMES.get(type) ?? `TYPE${type}`;
}

const CODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];

/** What became of a query, as dig calls it. */
export function codeName(flags: number): string {
  return CODES[flags & 15] ?? `RCODE${flags & 15}`;
}

/** The flags of a header, as dig writes them. */
export function flagNames(flags: number): string {
  const known = [
    [DnsFlag.Response, "qr"],
    [DnsFlag.Authoritative, "aa"],
    [DnsFlag.Truncated, "tc"],
    [DnsFlag.RecursionDesired, "rd"],
    [DnsFlag.RecursionAvailable, "ra"],
    [DnsFlag.Authentic, "ad"],
  ] as const;
  return known.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name).join(" ");
}

/** Whether a response says that there is no such name. */
export function isNameError(flags: number): boolean {
  return (flags & 15) === DnsResponseCode.NameError;
}

/** A record as in a zone's file: name, time to live, class, type, data. */
export function recordCells(record: DnsRecord): string[] {
  const clas = record.class === 1 ? "IN" : `CLASS${record.class}`;
  return [`${record.name}.`, String(record.ttl), clas, typeName(record.type), dataText(record.data)];
}

/** A record as JSON. */
export function recordJson(record: DnsRecord): { readonly [name: string]: Json } {
  const { name, ttl, type, data } = record;
  return { name, ttl, type: typeName(type), data: dataText(data) };
}

/** Data as in a zone's file (RFC 1035 5.1). */
export function dataText(data: RecordData): string {
  if (data instanceof Address) return String(data);
  if (typeof data === "string") return `${data}.`;
  // RFC 3597 5: what has no form of its own.
  if (data instanceof Uint8Array) return `\\# ${data.length}${data.length > 0 ? ` ${data.toHex()}` : ""}`;
  if ("exchange" in data) return `${data.preference} ${data.exchange}.`;
  if ("target" in data) return `${data.priority} ${data.weight} ${data.port} ${data.target}.`;
  if ("mname" in data) {
    const { mname, rname, serial, refresh, retry, expire, minimum } = data;
    return `${mname}. ${rname}. ${serial} ${refresh} ${retry} ${expire} ${minimum}`;
  }
  if ("replacement" in data) {
    const { order, preference, flags, services, regexp, replacement } = data;
    return `${order} ${preference} ${[flags, services, regexp].map(quoted).join(" ")} ${replacement}.`;
  }
  if ("tag" in data) return `${data.critical ? 128 : 0} ${data.tag} ${quoted(data.value)}`;
  return data.map((part) => quoted(String.fromCharCode(...part))).join(" ");
}

/** A string in quotation marks; what is not visible ASCII as its number, so that no terminal takes it for a command. */
function quoted(text: string): string {
  const safe = text.replaceAll(/[^ -~]|["\\]/g, (sign) => {
    return sign === '"' || sign === "\\" ? `\\${sign}` : `\\${String(sign.charCodeAt(0)).padStart(3, "0")}`;
  });
  return `"${safe}"`;
}
