/**
 * A stub resolver (RFC 1034 5.3.1): asks servers, remembers what they say, and asks again.
 *
 * Like any sender it is asked for datagrams (`udp.send(resolver)`), and has a port of chance for each of them. Over TCP it
 * asks when an answer fits no datagram. Answers are told in the middle of a burst, so whoever hears one only notes it.
 *
 * @module
 */
import { type Failure, LayerError } from "../error.ts";
import type { TimedSender } from "../handler.ts";
import type { Ip } from "../ip/endpoint.ts";
import { type Instant, milliseconds, NEVER, seconds } from "../store/time.ts";
import type { Tcp } from "../tcp/endpoint.ts";
import type { Udp } from "../udp/endpoint.ts";
import type { UdpIn, UdpRaw } from "../udp/packet.ts";
import { Address } from "../wire/address.ts";
import * as dns from "../wire/dns.ts";
import { canonicalName } from "../wire/dns-name.ts";
import { ALIASES_MAX, type DnsAnswer, type DnsStatus } from "./answer.ts";
import { DnsCache } from "./cache.ts";
import { ResolverCounters } from "./counters.ts";
import { Inquiry, type InquiryInit } from "./inquiry.ts";
import { localAnswer } from "./local.ts";
import { askInTurn, candidates } from "./search.ts";

/** How a {@linkcode Resolver} is set up. */
export interface ResolverOptions {
  /** Whose addresses queries come from. */
  readonly ip: Ip;
  /** Whose ports are used. */
  readonly udp: Udp;
  /** Asked over when an answer fits no datagram; absent: such answers fail. */
  readonly tcp?: Tcp;
  /** Answers with 32 random bits, which nobody can foresee: they keep forged answers out (RFC 5452). */
  readonly random: () => number;
  /** Servers that the user names; they are asked before those of {@linkcode Resolver.learn}. */
  readonly servers?: readonly Address[];
  /** Domains to look short names up in. */
  readonly search?: readonly string[];
  /** How many answers are remembered. Default 1,024. */
  readonly cache?: number;
  /** Whether the case of letters in queries is left to chance. Default false: some servers do not copy it. */
  readonly mixCase?: boolean;
}

/** How a question is asked. */
export interface QueryOptions {
  /** Servers in place of the resolver's own; what they say is neither remembered nor taken from memory. */
  readonly servers?: readonly Address[];
  /** Their port. Default 53. */
  readonly port?: number;
}

/** Is told an answer. */
export type Answered = (answer: DnsAnswer) => void;

/** A question that can be given up. */
export interface Pending {
  /** Nobody is told any more. */
  readonly cancel: () => void;
}

/** Questions that may be open at once, and servers that are asked. */
const OPEN_MAX = 256, SERVERS_MAX = 8;

/** How long a server has for its answer: in the first round, the second, the third. */
const PATIENCE: readonly Instant[] = [seconds(1), seconds(2), seconds(4)];

/** How long it has over TCP. */
const TCP_PATIENCE: Instant = seconds(5);

/** A query that waits for its neighbour is tried again. */
const RETRY: Instant = milliseconds(10);

/** A resolver for a host. */
export class Resolver implements TimedSender<UdpRaw> {
  /** What was asked and heard. */
  readonly counters: ResolverCounters = new ResolverCounters();
  /** What is remembered. */
  readonly cache: DnsCache;
  readonly #options: ResolverOptions;
  readonly #learnt = new Map<string, { servers: readonly Address[]; search: readonly string[] }>();
  readonly #open = new Map<string, Inquiry>();
  #servers: readonly Address[] = [];
  #search: readonly string[] = [];
  #isStopping = false;

  /** A resolver that has asked nothing yet. */
  constructor(options: ResolverOptions) {
    this.#options = options;
    this.cache = new DnsCache(options.cache ?? 1_024);
    this.#list();
  }

  /** The servers, in the order in which they are asked. */
  get servers(): readonly Address[] {
    return this.#servers;
  }

  /** How many questions are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Domains to look short names up in, in their order. */
  get search(): readonly string[] {
    return this.#search;
  }

  /**
   * Servers and search domains that somebody tells of, such as "dhcp", in place of what it told before. They stand behind
   * those of the options. When the servers are others, what is remembered is forgotten.
   */
  learn(source: string, servers: readonly Address[], search: readonly string[] = []): void {
    this.#learnt.set(source, { servers: servers.map((server) => new Address().copy(server)), search });
    const before = this.#servers.join();
    this.#list();
    // Another network may have other answers to the same questions.
    if (this.#servers.join() !== before) this.cache.clear();
  }

  /**
   * Asks for the records of a type that a name has, as it is written: no domain is put behind it. `now` is the present
   * time. `done` is told the answer once, perhaps before this returns.
   */
  query(name: string, type: number, now: Instant, done: Answered, options: QueryOptions = {}): Pending {
    const question = canonicalName(name);
    if (question === undefined) {
      done(nothing("no-name", name));
      return NOTHING;
    }
    const known = options.servers !== undefined
      ? undefined
      : localAnswer(question, type) ?? this.cache.get(question, type, now);
    if (known !== undefined) {
      this.counters.remembered++;
      done(known);
      return NOTHING;
    }
    // RFC 6762 3: names of the link are asked for on the link, as who asks once does (5.1).
    const isLocal = options.servers === undefined && (question === "local" || question.endsWith(".local"));
    const { servers = isLocal ? this.#groups() : this.#servers } = options;
    const port = options.port ?? (isLocal ? dns.MULTICAST_PORT : dns.PORT);
    return this.#ask({
      question,
      name: question,
      type,
      servers,
      port,
      aliases: ALIASES_MAX,
      ttlMax: Infinity,
      mixCase: this.#options.mixCase === true ? this.#options.random : undefined,
    }, done);
  }

  /** The same with the search list: the first of the names that `name` may stand for that has such records. */
  lookup(name: string, type: number, now: Instant, done: Answered, options: QueryOptions = {}): Pending {
    const names = candidates(name, this.search);
    if (names === undefined) {
      done(nothing("no-name", name));
      return NOTHING;
    }
    const ask = (name: string, answered: Answered) => this.query(name, type, now, answered, options);
    return askInTurn(names, ask, () => !this.#isStopping, done);
  }

  send(raw: UdpRaw): void {
    const now = raw.info.timestamp;
    for (const inquiry of this.#open.values()) {
      if (now < inquiry.due) continue;
      if (this.#transmit(inquiry, raw, now)) return;
    }
  }

  deadline(): Instant {
    let next: Instant = NEVER;
    for (const inquiry of this.#open.values()) next = Math.min(next, inquiry.due);
    return next;
  }

  /** Gives every question up: each is told that it failed. */
  stop(): void {
    this.#isStopping = true;
    for (const inquiry of [...this.#open.values()]) {
      this.#finish(inquiry, nothing("failed", inquiry.init.question));
    }
    this.#isStopping = false;
  }

  /** The groups of multicast DNS, of those families that have an own address. */
  #groups(): readonly Address[] {
    const own = [...this.#options.ip.addresses];
    return [MDNS_V4, MDNS_V6].filter((group) => own.some(({ isV4 }) => isV4 === group.isV4));
  }

  #list(): void {
    const learnt = [...this.#learnt.values()];
    const { servers = [], search = [] } = this.#options;
    const all = [...servers, ...learnt.flatMap((one) => one.servers)];
    const different = all.filter((server, index) => all.findIndex((other) => other.equals(server)) === index);
    this.#servers = different.slice(0, SERVERS_MAX);
    this.#search = [...new Set([...search, ...learnt.flatMap((one) => one.search)])];
  }

  #ask(init: InquiryInit, done: Answered): Pending {
    const { question, servers } = init;
    const key = keyOf(init);
    let inquiry = this.#open.get(key);
    if (inquiry === undefined) {
      if (servers.length === 0 || this.#open.size >= OPEN_MAX) {
        this.counters.refused++;
        done(nothing(servers.length === 0 ? "no-server" : "failed", question));
        return NOTHING;
      }
      inquiry = new Inquiry(init, key);
      this.#open.set(key, inquiry);
    }
    inquiry.listeners.add(done);
    return {
      cancel: () => {
        // Another inquiry has the question since an alias was followed, or since somebody has asked it anew.
        const asked = this.#open.get(key);
        if (asked?.listeners.delete(done) !== true) return;
        if (asked.listeners.size === 0) this.#finish(asked, undefined);
      },
    };
  }

  /** Sends the query that is due. True: the buffer is used. */
  #transmit(inquiry: Inquiry, raw: UdpRaw, now: Instant): boolean {
    if (inquiry.isWaiting) {
      this.counters.timeouts++;
      inquiry.next();
    }
    const server = inquiry.server;
    if (server === undefined || inquiry.round >= PATIENCE.length) {
      this.#finish(inquiry, nothing(inquiry.wasHeard ? "failed" : "timeout", inquiry.init.question));
      return false;
    }
    const error = this.#post(inquiry, server, raw, now);
    if (error === LayerError.None) {
      this.counters.sent++;
      return true;
    }
    // The next hop is being looked up: this query goes when that is done, within its time.
    const isWaiting = error === LayerError.Unreachable &&
      this.#options.ip.path.source(server, now) !== undefined &&
      inquiry.mayWait(now, PATIENCE[inquiry.round]!);
    if (isWaiting) {
      inquiry.due = now + RETRY;
      return false;
    }
    this.counters.notSent++;
    inquiry.next();
    inquiry.due = now;
    return false;
  }

  #post(inquiry: Inquiry, server: Address, raw: UdpRaw, now: Instant): Failure | typeof LayerError.None {
    const { udp, random } = this.#options;
    const port = inquiry.open(udp, random, (packet) => {
      const { bytes, end } = packet.frame;
      if (server.isMulticast && !this.#isNear(packet)) {
        this.counters.stray++;
        return;
      }
      this.#take(inquiry, bytes, packet.payloadAt, end, packet.info.timestamp);
    }, () => {
      // RFC 1122 4.1.3.3: nobody listens there.
      inquiry.next();
      inquiry.due = 0;
    });
    if (port === undefined) return LayerError.Exhausted;
    const query = inquiry.query();
    const out = raw.prepare({
      source: UNSPECIFIED,
      destination: server,
      sourcePort: port,
      destinationPort: inquiry.init.port,
      length: query.length,
      ...(server.isMulticast ? { hopLimit: 255 } : {}),
    });
    if (typeof out === "number") return out;
    out.frame.bytes.set(query, out.payloadAt);
    inquiry.sent(now + PATIENCE[inquiry.round]!);
    return out.send();
  }

  /** RFC 6762 6, 11: an answer from the link comes from its port, and from the link. */
  #isNear({ ip: { source }, sourcePort }: UdpIn): boolean {
    const isOnLink = source.isLinkLocal || this.#options.ip.addresses.onLink(source) !== undefined;
    return sourcePort === dns.MULTICAST_PORT && isOnLink;
  }

  #take(inquiry: Inquiry, bytes: Uint8Array, at: number, end: number, now: Instant): void {
    if (!inquiry.isWaiting) {
      this.counters.stray++;
      return;
    }
    const reading = inquiry.read(bytes, at, end);
    if (typeof reading === "string") {
      this.counters[reading]++;
      return;
    }
    this.counters.received++;
    inquiry.wasHeard = true;
    switch (reading.status) {
      case "truncated":
        return this.#goToTcp(inquiry, now);
      case "format":
        return inquiry.withoutEdns(now);
      case "useless":
        this.counters.useless++;
        inquiry.next();
        inquiry.due = now;
        return;
      case "alias":
        return this.#follow(inquiry, reading.name, reading.ttl);
    }
    const { question, type, servers, ttlMax } = inquiry.init;
    const ttl = Math.min(reading.ttl, ttlMax);
    const answer: DnsAnswer = { ...reading, ttl, question, server: inquiry.server };
    if (servers === this.#servers || inquiry.server?.isMulticast) this.cache.put(question, type, answer, now);
    this.#finish(inquiry, answer);
  }

  #goToTcp(inquiry: Inquiry, now: Instant): void {
    const { tcp, ip } = this.#options;
    const server = inquiry.server!;
    const own = ip.path.source(server, now);
    const isBegun = tcp !== undefined && own !== undefined &&
      inquiry.overTcp(tcp, server, own, (response) => {
        if (response !== undefined) return this.#take(inquiry, response, 0, response.length, tcp.now);
        inquiry.next();
        inquiry.due = tcp.now;
      });
    if (isBegun) {
      this.counters.overTcp++;
      inquiry.sent(now + TCP_PATIENCE);
    } else {
      inquiry.next();
      inquiry.due = now;
    }
  }

  /** RFC 1034 5.3.3: what the server did not follow is asked for. */
  #follow(inquiry: Inquiry, name: string, ttl: number): void {
    const { init } = inquiry;
    const aliases = init.aliases - 1;
    const all = [...inquiry.listeners];
    this.#finish(inquiry, undefined);
    for (const done of all) {
      if (aliases < 0) done(nothing("failed", init.question));
      else this.#ask({ ...init, name, aliases, ttlMax: Math.min(init.ttlMax, ttl) }, done);
    }
  }

  #finish(inquiry: Inquiry, answer: DnsAnswer | undefined): void {
    inquiry.close();
    this.#open.delete(inquiry.key);
    const listeners = [...inquiry.listeners];
    inquiry.listeners.clear();
    if (answer !== undefined) { for (const done of listeners) done(answer); }
  }
}

const UNSPECIFIED = new Address();

const MDNS_V4 = Address.parse("224.0.0.251"), MDNS_V6 = Address.parse("ff02::fb");

/** Questions that are the same are asked once. */
function keyOf({ question, type, servers, port }: InquiryInit): string {
  return `${type} ${question} ${port} ${servers.join()}`;
}

const NOTHING: Pending = { cancel: () => {} };

function nothing(status: DnsStatus, question: string): DnsAnswer {
  return { status, question, name: question, records: [], all: [], flags: 0, ttl: 0, server: undefined };
}
