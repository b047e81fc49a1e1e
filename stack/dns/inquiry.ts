/**
 * One open question of a resolver: which server is asked, how often, and on which port.
 *
 * @module
 */
import { type Instant, NEVER } from "../store/time.ts";
import type { Tcp } from "../tcp/endpoint.ts";
import type { Binding } from "../udp/bindings.ts";
import type { Udp } from "../udp/endpoint.ts";
import type { UdpIn } from "../udp/packet.ts";
import type { Address } from "../wire/address.ts";
import * as dns from "../wire/dns.ts";
import { nameBytes } from "../wire/dns-name.ts";
import { WireError } from "../wire/error.ts";
import { type DnsAnswer, readAnswer, type Reading } from "./answer.ts";
import { answers, isUnread, mixCase, QUERY_MAX, writeQuery } from "./question.ts";
import { TcpQuery } from "./tcp-query.ts";

/** Ports of the range for this use (RFC 6056 3.2 recommends all from 1024 on), and how many are tried. */
const PORT_FIRST = 1_024, PORT_COUNT = 0x10000 - PORT_FIRST, PORT_TRIES = 16;

/** What an {@linkcode Inquiry} is made of. */
export interface InquiryInit {
  /** The name that was asked for in the beginning. */
  readonly question: string;
  /** The name that is asked for: where its aliases have led. */
  readonly name: string;
  /** The type. */
  readonly type: number;
  /** Who is asked, and where. */
  readonly servers: readonly Address[];
  readonly port: number;
  /** How many more aliases may be followed, and for how many seconds those hold that were. */
  readonly aliases: number;
  readonly ttlMax: number;
  /** Chance for the case of letters, if that is wanted. */
  readonly mixCase: (() => number) | undefined;
}

/** A question that is asked of one server after the other. */
export class Inquiry {
  /** What it was made of. */
  readonly init: InquiryInit;
  /** The resolver's key for it. */
  readonly key: string;
  /** Who waits for the answer. */
  readonly listeners: Set<(answer: DnsAnswer) => void> = new Set();
  /** When something is to be done. */
  due: Instant = 0;
  /** How often all servers were asked. */
  round = 0;
  /** Whether a query is out whose answer is waited for. */
  isWaiting = false;
  /** Whether any server has answered anything. */
  wasHeard = false;
  readonly #wire: Uint8Array;
  readonly #bytes = new Uint8Array(QUERY_MAX);
  #server = 0;
  #id = 0;
  #asked: Uint8Array;
  #binding: Binding | undefined;
  #tcp: TcpQuery | undefined;
  #edns = true;
  /** Since when the query waits for its way to be found. */
  #since: Instant = NEVER;

  /** A question that is due. */
  constructor(init: InquiryInit, key: string) {
    this.init = init;
    this.key = key;
    this.#wire = nameBytes(init.name)!;
    this.#asked = this.#wire;
  }

  /** Whom to ask now. */
  get server(): Address | undefined {
    return this.init.servers[this.#server];
  }

  /** Gives this server up; the one after it is next, and behind the last one the first, in a new round. */
  next(): void {
    this.close();
    this.#edns = true;
    this.#server++;
    if (this.#server < this.init.servers.length) return;
    this.#server = 0;
    this.round++;
  }

  /** The server does not know EDNS0: it is asked without, once. */
  withoutEdns(now: Instant): void {
    this.due = now;
    if (!this.#edns) return this.next();
    this.close();
    this.#edns = false;
  }

  /** Whether the query may go on to wait for its way, since when it does. */
  mayWait(now: Instant, patience: Instant): boolean {
    if (this.#since === NEVER) this.#since = now;
    return now < this.#since + patience;
  }

  /**
   * Takes a port and a number, both of chance (RFC 5452 9.2), unless it has them. Answers with the port; undefined: none
   * was free.
   */
  open(
    udp: Udp,
    random: () => number,
    take: (packet: UdpIn) => void,
    refused: () => void,
  ): number | undefined {
    if (this.#binding !== undefined) return this.#binding.port;
    const peer = { address: this.server!, port: this.init.port };
    this.#id = random() & 0xffff;
    const chance = this.init.mixCase;
    this.#asked = chance === undefined ? this.#wire : mixCase(this.#wire, chance);
    for (let tries = 0; tries < PORT_TRIES && this.#binding === undefined; tries++) {
      const port = PORT_FIRST + Math.floor((random() >>> 0) / 0x1_0000_0000 * PORT_COUNT);
      // Who answers for a group is not known before.
      this.#binding = udp.bind(peer.address.isMulticast ? { port } : { port, peer, onError: refused }, take);
    }
    return this.#binding?.port;
  }

  /** The query's bytes, which the next one overwrites. */
  query(): Uint8Array {
    return this.#bytes.subarray(
      0,
      writeQuery(this.#bytes, this.#id, this.#asked, this.init.type, this.#edns),
    );
  }

  /** The query is out; its answer is waited for until then. */
  sent(until: Instant): void {
    this.isWaiting = true;
    this.due = until;
    this.#since = NEVER;
  }

  /** Asks again over TCP; false: no connection is to be had. */
  overTcp(
    tcp: Tcp,
    server: Address,
    own: Address,
    done: (response: Uint8Array | undefined) => void,
  ): boolean {
    // A connection for each server and question at most: an answer that is cut short there is none.
    if (this.#tcp !== undefined) return false;
    const query = this.query().slice();
    this.#binding?.close();
    this.#binding = undefined;
    this.#tcp = new TcpQuery(tcp, server, this.init.port, own, query, done);
    return !this.#tcp.isRefused;
  }

  /** What a message says that came to the query's port, or the counter of why it says nothing. */
  read(bytes: Uint8Array, at: number, end: number): Reading | "malformed" | "stray" {
    if (isUnread(bytes, at, end, this.#id)) return { status: "format" };
    if (!answers(bytes, at, end, this.#id, this.#asked, this.init.type)) return "stray";
    if (dns.check(bytes, at, end) !== WireError.None) return "malformed";
    return readAnswer(bytes, at, end, this.init.name, this.init.type);
  }

  /** Frees the port and the connection. */
  close(): void {
    this.isWaiting = false;
    this.#since = NEVER;
    this.#binding?.close();
    this.#binding = undefined;
    this.#tcp?.cancel();
    this.#tcp = undefined;
  }
}
