/**
 * Names that no server is asked for (RFC 6761).
 *
 * @module
 */
import { Address } from "../wire/address.ts";
import * as dns from "../wire/dns.ts";
import type { RecordData } from "../wire/dns-record.ts";
import type { DnsAnswer } from "./answer.ts";

const TTL = 86_400;

/** The answer to a question that is not to leave this host; undefined: servers are to be asked. */
export function localAnswer(name: string, type: number): DnsAnswer | undefined {
  const last = name.slice(name.lastIndexOf(".") + 1);
  // RFC 6761 6.4 (3): there is no such name. RFC 7686 2 (2): nor may these be asked for.
  if (last === "invalid" || last === "onion") return answer(name, "no-name", type, undefined);
  // RFC 6761 6.3 (3): the loopback address.
  if (last !== "localhost") return undefined;
  const text = type === dns.Type.A ? "127.0.0.1" : type === dns.Type.AAAA ? "::1" : undefined;
  return answer(name, text === undefined ? "no-data" : "found", type, text && Address.parse(text));
}

function answer(
  name: string,
  status: DnsAnswer["status"],
  type: number,
  data: RecordData | "" | undefined,
): DnsAnswer {
  const section = dns.Section.Answer;
  const records = data === undefined || data === ""
    ? []
    : [{ name, type, class: dns.CLASS_IN, ttl: TTL, data, section }];
  return { status, question: name, name, records, all: records, flags: 0, ttl: TTL, server: undefined };
}
