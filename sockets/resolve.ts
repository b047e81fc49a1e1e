/**
 * Records in the shapes of `Deno.resolveDns`.
 *
 * @module
 */
import type { QueryOptions } from "../stack/dns/resolver.ts";
import { Address } from "../stack/wire/address.ts";
import { Type } from "../stack/wire/dns.ts";
import type { DnsRecord, RecordData } from "../stack/wire/dns-record.ts";
import { coded } from "./errors.ts";
import { type Names, notFound, toAscii } from "./names.ts";

/** The types of records that can be asked for by name. */
export type ResolveType =
  | "A"
  | "AAAA"
  | "CAA"
  | "CNAME"
  | "MX"
  | "NAPTR"
  | "NS"
  | "PTR"
  | "SOA"
  | "SRV"
  | "TXT";

/** How a name is resolved: assignable from `Deno.ResolveDnsOptions`. */
export interface ResolveOptions {
  /** The server to ask, in place of the stack's own. */
  readonly nameServer?: { readonly ipAddr: string; readonly port?: number };
  /** Gives it up. */
  readonly signal?: AbortSignal;
}

/** A record as `Deno.resolveDns` answers. */
export type ResolvedRecord =
  | string
  | string[]
  | Deno.CaaRecord
  | Deno.MxRecord
  | Deno.NaptrRecord
  | Deno.SoaRecord
  | Deno.SrvRecord;

/** The same for the resolver. */
export function queryOptions(
  { nameServer, signal }: ResolveOptions,
): QueryOptions & { signal?: AbortSignal } {
  const { ipAddr, port } = nameServer ?? {};
  return {
    ...(ipAddr === undefined ? {} : { servers: [Address.parse(ipAddr)] }),
    ...(port === undefined ? {} : { port }),
    ...(signal === undefined ? {} : { signal }),
  };
}

/** What `stack.resolve` answers. */
export async function resolveNames(
  names: Names,
  query: string,
  recordType: ResolveType,
  options: ResolveOptions,
): Promise<ResolvedRecord[]> {
  const type = Type[recordType];
  const answer = await names.ask(toAscii(query), type, { ...queryOptions(options), search: true });
  if (answer.status === "found") return answer.records.map(shaped);
  if (answer.status !== "no-data") throw notFound(query, [answer]);
  throw coded(new Deno.errors.NotFound(`${query} has no ${recordType} record`), "ENODATA");
}

const decoder = new TextDecoder();

function shaped({ data }: DnsRecord): ResolvedRecord {
  if (data instanceof Address) return String(data);
  if (typeof data === "string") return absolute(data);
  if (isBytes(data)) return data.toHex();
  if (Array.isArray(data)) return data.map((part: Uint8Array) => decoder.decode(part));
  return withDots(data as Exclude<RecordData, Address | string | Uint8Array | readonly Uint8Array[]>);
}

function isBytes(data: RecordData): data is Uint8Array {
  return data instanceof Uint8Array;
}

/** Names with the dot that `Deno.resolveDns` puts behind them. */
function withDots(
  data: Exclude<RecordData, Address | string | Uint8Array | readonly Uint8Array[]>,
): Deno.CaaRecord | Deno.MxRecord | Deno.NaptrRecord | Deno.SoaRecord | Deno.SrvRecord {
  if ("exchange" in data) return { ...data, exchange: absolute(data.exchange) };
  if ("target" in data) return { ...data, target: absolute(data.target) };
  if ("mname" in data) return { ...data, mname: absolute(data.mname), rname: absolute(data.rname) };
  if ("replacement" in data) return { ...data, replacement: absolute(data.replacement) };
  return { ...data };
}

function absolute(name: string): string {
  return `${name}.`;
}
