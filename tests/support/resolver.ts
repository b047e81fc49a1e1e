/**
 * A resolver on virtual time, and servers whose every word a test chooses.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import type { DnsAnswer } from "../../stack/dns/answer.ts";
import { type QueryOptions, Resolver, type ResolverOptions } from "../../stack/dns/resolver.ts";
import { protocols } from "../../stack/ip/protocols.ts";
import { Random } from "../../stack/loss/random.ts";
import { type Instant, NEVER } from "../../stack/store/time.ts";
import { Udp } from "../../stack/udp/endpoint.ts";
import { Address } from "../../stack/wire/address.ts";
import { get16 } from "../../stack/wire/bytes.ts";
import * as dns from "../../stack/wire/dns.ts";
import { readMessage } from "../../stack/wire/dns-record.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import * as udpWire from "../../stack/wire/udp.ts";
import { datagram } from "./dhcp.ts";
import { dnsMessage, type MessageFields } from "./dns.ts";
import { OWN, PEER, PEER_MAC, read } from "./frames.ts";
import { type Host, host } from "./host.ts";

/** A query that has left. */
export interface Query {
  readonly to: string;
  readonly port: number;
  readonly id: number;
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  /** The size of EDNS0; undefined: it has none. */
  readonly edns: number | undefined;
  readonly bytes: Uint8Array;
}

/** A host with a resolver. */
export class ResolverWorld {
  readonly host: Host;
  readonly resolver: Resolver;
  readonly answers: DnsAnswer[] = [];
  #now: Instant = 0;

  constructor(options: Partial<ResolverOptions> = {}, seed = 1) {
    const udp = new Udp();
    const random = new Random(seed);
    let resolver: Resolver | undefined;
    this.host = host({
      guard: false,
      receive: ({ icmp }) => protocols({ udp: udp.recv(), icmp: icmp.recv(udp.errors()) }),
      send: ({ ip }) => {
        const servers = [Address.parse(PEER)];
        resolver = new Resolver({ ip, udp, random: () => random.next(), servers, ...options });
        return udp.send(resolver);
      },
    });
    this.host.knows("10.0.0.3", PEER_MAC);
    ok(resolver !== undefined);
    this.resolver = resolver;
  }

  /** The time. */
  get now(): Instant {
    return this.#now;
  }

  /** Goes to a time and answers with the queries that leave at it. */
  at(now: Instant): Query[] {
    this.#now = now;
    return this.host.at(now).transmit().flatMap((frame) => readQuery(frame) ?? []);
  }

  /** Goes on until the resolver asks somebody. */
  query(): Query {
    for (let turns = 0; turns < 1_000; turns++) {
      const { deadline } = this.host;
      ok(deadline !== NEVER, "the resolver asks nobody any more");
      const [first] = this.at(Math.max(this.#now, deadline));
      if (first !== undefined) return first;
    }
    throw new Error("the resolver asks nobody");
  }

  /** Goes on until the resolver waits for nothing any more, and answers with all that it has asked. */
  exhaust(): Query[] {
    const all: Query[] = [];
    while (this.host.deadline !== NEVER) all.push(...this.at(Math.max(this.#now, this.host.deadline)));
    return all;
  }

  /** Asks for the name's addresses, or what else. */
  ask(name: string, type: number = dns.Type.A, options?: QueryOptions): void {
    this.resolver.query(name, type, this.#now, (answer) => void this.answers.push(answer), options);
  }

  /** A response to a query arrives from whom it was asked, with these fields. */
  respond(
    query: Query,
    fields: MessageFields,
    from: { source?: string; port?: number; to?: number } = {},
  ): void {
    const questions = [[query.name, query.type]] as const;
    const message = dnsMessage({ id: query.id, questions, ...fields });
    this.deliver(message, from.source ?? query.to, from.port ?? 53, from.to ?? query.port);
  }

  /** A datagram arrives. */
  deliver(payload: Uint8Array, source: string, sourcePort: number, port: number): void {
    this.host.deliver(datagram(payload, source, sourcePort, OWN, port));
  }

  /** The one answer there is. */
  get answer(): DnsAnswer {
    equal(this.answers.length, 1, "one answer");
    return this.answers[0]!;
  }

  /** The last answer as "status data data". */
  get outcome(): string {
    const answer = this.answers.at(-1);
    return answer === undefined
      ? ""
      : [answer.status, ...answer.records.map(({ data }) => String(data))].join(" ");
  }
}

/** Takes a frame with a query of DNS apart, or answers undefined if it has none. */
export function readQuery(frame: Uint8Array): Query | undefined {
  const view = read(frame);
  if (
    view.ip?.protocol !== Protocol.Udp || ![dns.PORT, dns.MULTICAST_PORT].includes(get16(view.payload, 2))
  ) {
    return undefined;
  }
  const bytes = view.payload.slice(udpWire.HEADER_LENGTH);
  equal(dns.check(bytes, 0, bytes.length), 0, "what is sent is well-formed");
  const message = readMessage(bytes, 0, bytes.length);
  const question = message?.questions[0];
  ok(question !== undefined && message?.questions.length === 1);
  return {
    to: view.ip.destination,
    port: get16(view.payload, 0),
    id: dns.id(bytes, 0),
    name: question.name,
    type: question.type,
    flags: dns.flags(bytes, 0),
    edns: message?.records.find((record) => record.type === dns.Type.OPT)?.class,
    bytes,
  };
}
