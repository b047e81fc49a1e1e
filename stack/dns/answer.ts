/**
 * What a response says about a question: records, or that there are none.
 *
 * @module
 */
import type { Address } from "../wire/address.ts";
import * as dns from "../wire/dns.ts";
import { type DnsRecord, readMessage, type SoaData } from "../wire/dns-record.ts";

/** What became of a question. */
export type DnsStatus =
  /** There are such records. */
  | "found"
  /** There is no such name (NXDOMAIN). */
  | "no-name"
  /** There is the name, but not such a record of it. */
  | "no-data"
  /** The servers could not say, or refused to. */
  | "failed"
  /** No server has answered. */
  | "timeout"
  /** No server is known. */
  | "no-server";

/** The answer to a question. Names in it are in lower case, without a dot at their end. */
export interface DnsAnswer {
  /** What became of it. */
  readonly status: DnsStatus;
  /** The name that was asked for. */
  readonly question: string;
  /** The name that has the records: where the aliases lead (CNAME). */
  readonly name: string;
  /** The records of the type that was asked for. */
  readonly records: readonly DnsRecord[];
  /** All records of the response, aliases and the start of authority among them. */
  readonly all: readonly DnsRecord[];
  /** Flags of the response's header; 0: there was none. */
  readonly flags: number;
  /** For how many seconds it holds. */
  readonly ttl: number;
  /** Who has said it; undefined: nobody, or it was remembered. */
  readonly server: Address | undefined;
}

/** How many aliases are followed. */
export const ALIASES_MAX = 8;

/** RFC 2308 5: how long an absence is remembered at most, in seconds. */
const NEGATIVE_MAX = 10_800;

/** What a response says, or why it does not answer. */
export type Reading =
  /** It answers the question. */
  | Omit<DnsAnswer, "question" | "server">
  /** It names an alias that leads out of it: that is to be asked for. */
  | { readonly status: "alias"; readonly name: string; readonly ttl: number }
  /** It was cut short. */
  | { readonly status: "truncated" }
  /** The server does not know EDNS0 (RFC 6891 7). */
  | { readonly status: "format" }
  /** Another server may do better. */
  | { readonly status: "useless"; readonly flags: number };

/** Reads the response at `bytes[at..end)` to a question, to which it was found to belong. */
export function readAnswer(bytes: Uint8Array, at: number, end: number, name: string, type: number): Reading {
  const flags = dns.flags(bytes, at);
  if ((flags & dns.Flag.Truncated) !== 0) return { status: "truncated" };
  const code = dns.responseCode(bytes, at);
  if (code === dns.ResponseCode.FormatError || code === dns.ResponseCode.NotImplemented) {
    return { status: "format" };
  }
  const message = readMessage(bytes, at, end);
  const isAnswer = code === dns.ResponseCode.NoError || code === dns.ResponseCode.NameError;
  if (message === undefined || !isAnswer) return { status: "useless", flags };
  const all = message.records.filter((record) => record.type !== dns.Type.OPT);
  const given = all.filter((record) =>
    record.section === dns.Section.Answer && record.class === dns.CLASS_IN
  );
  const { owner, ttl, isAlias, isLoop } = follow(given, name, type);
  if (isLoop) return { status: "useless", flags };
  const records = given.filter((record) => {
    return record.name === owner && (record.type === type || type === dns.Type.ANY);
  });
  const found = { name: owner, all, flags };
  if (records.length > 0) {
    return { ...found, status: "found", records, ttl: Math.min(ttl, ...records.map((record) => record.ttl)) };
  }
  const negative = negativeTtl(all, ttl);
  if (code === dns.ResponseCode.NameError) return { ...found, status: "no-name", records, ttl: negative };
  // RFC 2308 2.1: an alias without data behind it, and without authority for there being none, leads elsewhere.
  if (isAlias && negative === 0) return { status: "alias", name: owner, ttl };
  // A server that only knows whom else to ask is none for us (a referral, or a lame one).
  const isReferral = negative === 0 && (flags & (dns.Flag.Authoritative | dns.Flag.RecursionAvailable)) === 0;
  if (isReferral) return { status: "useless", flags };
  return { ...found, status: "no-data", records, ttl: negative };
}

/** Where the aliases of a name lead, and for how long they hold. */
function follow(records: readonly DnsRecord[], name: string, type: number) {
  let owner = name;
  let ttl = Infinity;
  let count = 0;
  if (type === dns.Type.CNAME || type === dns.Type.ANY) return { owner, ttl, isAlias: false, isLoop: false };
  for (; count <= ALIASES_MAX; count++) {
    const alias = records.find((record) => record.name === owner && record.type === dns.Type.CNAME);
    if (alias === undefined || typeof alias.data !== "string") break;
    owner = alias.data;
    ttl = Math.min(ttl, alias.ttl);
  }
  return { owner, ttl, isAlias: count > 0, isLoop: count > ALIASES_MAX };
}

/** RFC 2308 5: an absence may be remembered as long as the zone's SOA says; without one, not at all. */
function negativeTtl(all: readonly DnsRecord[], ttl: number): number {
  const soa = all.find((record) => record.section === dns.Section.Authority && record.type === dns.Type.SOA);
  if (soa === undefined) return 0;
  const { minimum } = soa.data as SoaData;
  return Math.min(ttl, soa.ttl, minimum, NEGATIVE_MAX);
}
