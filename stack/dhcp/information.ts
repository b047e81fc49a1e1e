/**
 * Stateless DHCPv6 (RFC 8415 6.1, 18.2.6): what a host needs beside its addresses, when routers say that it is to be had.
 *
 * Like any sender it is asked for datagrams (`udp.send(information)`).
 *
 * @module
 */
import { LayerError } from "../error.ts";
import type { TimedSender } from "../handler.ts";
import type { Ip } from "../ip/endpoint.ts";
import { type Instant, NEVER, seconds } from "../store/time.ts";
import type { Binding } from "../udp/bindings.ts";
import type { Udp } from "../udp/endpoint.ts";
import type { UdpIn, UdpRaw } from "../udp/packet.ts";
import { Address } from "../wire/address.ts";
import { get32, put16 } from "../wire/bytes.ts";
import * as dhcp from "../wire/dhcpv6.ts";
import { readNames } from "../wire/dns-name.ts";
import { WireError } from "../wire/error.ts";
import type { Mac } from "../wire/mac.ts";
import { fraction } from "./backoff.ts";

/** How a {@linkcode DhcpInformation} is set up. */
export interface DhcpInformationOptions {
  /** Whose link-local address it asks from. */
  readonly ip: Ip;
  /** Whose port 546 it takes. */
  readonly udp: Udp;
  /** The own hardware address. */
  readonly mac: Mac;
  /** Answers with 32 random bits. */
  readonly random: () => number;
  /** Whether routers say that there is something to be asked for (RFC 4861 4.2, the O flag). */
  readonly isWanted: () => boolean;
}

/** What came to a {@linkcode DhcpInformation}, by what became of it. */
export class DhcpInformationCounters {
  /** Replies that were used. */
  received = 0;
  /** Requests sent. */
  sent = 0;
  /** Not sent: no address yet, or the NIC refused. */
  notSent = 0;
  /** Dropped: truncated or malformed. */
  malformed = 0;
  /** Dropped: of another exchange, for another client, without a server, or from another port than a server's. */
  stray = 0;
}

/** RFC 8415 7.6: the first wait at random, then repetitions. */
const MAX_DELAY: Instant = seconds(1), FIRST: Instant = seconds(1), LONGEST: Instant = seconds(3_600);
/** RFC 8415 21.23: how long what was told is good, in seconds: unless told, and at least. */
const REFRESH = 86_400, REFRESH_MIN = 600;
/** RFC 8415 21.25: the longest wait that a server may ask for, in seconds, and the shortest. */
const MAX_RT_LEAST = 60, MAX_RT_MOST = 86_400;
/** Servers and domains that are kept. */
const LIST_MAX = 8;

const SERVERS = Address.parse("ff02::1:2");

/** Asks for DNS servers and domains, and asks again when they are old. */
export class DhcpInformation implements TimedSender<UdpRaw> {
  /** What passed and what was dropped. */
  readonly counters: DhcpInformationCounters = new DhcpInformationCounters();
  /** Grows with every reply that was used. */
  version = 0;
  /** DNS servers, the best first. */
  servers: readonly Address[] = [];
  /** Domains to look short names up in. */
  search: readonly string[] = [];
  readonly #options: DhcpInformationOptions;
  readonly #binding: Binding;
  readonly #identifier: Uint8Array;
  #isAsking = false;
  #transaction = 0;
  #due: Instant = NEVER;
  #wait: Instant = 0;
  /** The longest wait between two tries: INF_MAX_RT. */
  #longest: Instant = LONGEST;
  #began: Instant = NEVER;

  /** A client that asks when there is something to be asked for. Throws an Error if port 546 is taken. */
  constructor(options: DhcpInformationOptions) {
    const binding = options.udp.bind({ port: dhcp.CLIENT_PORT }, (packet) => this.receive(packet));
    if (binding === undefined) throw new Error("UDP port 546 is taken, so DHCPv6 cannot be spoken");
    this.#binding = binding;
    this.#options = options;
    this.#identifier = dhcp.linkIdentifier(options.mac);
  }

  /** Whether something is to be learnt and was not yet. */
  get isPending(): boolean {
    return this.version === 0 && this.#options.isWanted();
  }

  /** Frees the port. */
  close(): void {
    this.#binding.close();
    this.#due = NEVER;
  }

  /** Takes a datagram that came to the port. */
  receive(packet: UdpIn): void {
    const { frame: { bytes, end }, payloadAt: at, sourcePort, info: { timestamp: now } } = packet;
    const { counters } = this;
    if (dhcp.check(bytes, at, end) !== WireError.None) {
      counters.malformed++;
      return;
    }
    const client = dhcp.optionValue(bytes, at, end, dhcp.Option.ClientId);
    const isOurs = client === undefined || sameBytes(client, this.#identifier);
    // RFC 8415 16.10: a reply without a server's identifier, or of another exchange, is dropped.
    const isReply = this.#isAsking && dhcp.type(bytes, at) === dhcp.MessageType.Reply &&
      dhcp.transaction(bytes, at) === this.#transaction && sourcePort === dhcp.SERVER_PORT;
    if (!isReply || !isOurs || dhcp.optionValue(bytes, at, end, dhcp.Option.ServerId) === undefined) {
      counters.stray++;
      return;
    }
    counters.received++;
    this.servers = addresses(dhcp.optionValue(bytes, at, end, dhcp.Option.DnsServers));
    const domains = dhcp.optionValue(bytes, at, end, dhcp.Option.DomainList);
    this.search = domains === undefined ? [] : readNames(domains, 0, domains.length, LIST_MAX);
    this.version++;
    this.#isAsking = false;
    const most = dhcp.optionValue(bytes, at, end, dhcp.Option.InfMaxRt);
    const wait = most?.length === 4 ? get32(most, 0) >>> 0 : 0;
    // RFC 8415 21.25: values outside are ignored.
    if (wait >= MAX_RT_LEAST && wait <= MAX_RT_MOST) this.#longest = seconds(wait);
    const refresh = dhcp.optionValue(bytes, at, end, dhcp.Option.InformationRefreshTime);
    const told = refresh?.length === 4 ? get32(refresh, 0) >>> 0 : REFRESH;
    this.#due = told === 0xffffffff ? NEVER : now + seconds(Math.max(REFRESH_MIN, told));
  }

  send(raw: UdpRaw): void {
    const now = raw.info.timestamp;
    if (!this.#options.isWanted()) {
      this.#isAsking = false;
      // What is known grows old all the same: two routers of a link need not say the same.
      if (this.version === 0) this.#due = NEVER;
      return;
    }
    if (!this.#isAsking && this.version === 0 && this.#due === NEVER) {
      this.#due = now + this.#chance(MAX_DELAY);
    }
    if (now < this.#due) return;
    if (!this.#isAsking) this.#begin();
    this.#ask(raw, now);
    // RFC 8415 15: each wait is twice the one before, a tenth more or less.
    const twice = this.#wait === 0 ? FIRST : Math.min(this.#longest, 2 * this.#wait);
    this.#wait = twice + Math.round(twice * (fraction(this.#options.random) - 0.5) / 5);
    this.#due = now + this.#wait;
  }

  deadline(): Instant {
    if (!this.#options.isWanted()) return NEVER;
    return !this.#isAsking && this.version === 0 && this.#due === NEVER ? 0 : this.#due;
  }

  #begin(): void {
    this.#isAsking = true;
    this.#transaction = this.#options.random() & 0xffffff;
    this.#wait = 0;
    this.#began = NEVER;
  }

  #ask(raw: UdpRaw, now: Instant): void {
    if (this.#began === NEVER) this.#began = now;
    const elapsed = new Uint8Array(2);
    put16(elapsed, 0, Math.min(0xffff, Math.floor((now - this.#began) / 10_000)));
    const bytes = new Uint8Array(128);
    let at = dhcp.emit(bytes, 0, dhcp.MessageType.InformationRequest, this.#transaction);
    at = dhcp.putOption(bytes, at, dhcp.Option.ClientId, this.#identifier);
    at = dhcp.putOption(bytes, at, dhcp.Option.ElapsedTime, elapsed);
    at = dhcp.putOption(bytes, at, dhcp.Option.OptionRequest, WANTED);
    const out = raw.prepare({
      source: this.#linkLocal() ?? UNSPECIFIED,
      destination: SERVERS,
      sourcePort: dhcp.CLIENT_PORT,
      destinationPort: dhcp.SERVER_PORT,
      length: at,
    });
    if (typeof out === "number") {
      this.counters.notSent++;
      return;
    }
    out.frame.bytes.set(bytes.subarray(0, at), out.payloadAt);
    if (out.send() === LayerError.None) this.counters.sent++;
    else this.counters.notSent++;
  }

  #linkLocal(): Address | undefined {
    return [...this.#options.ip.addresses].find(({ address }) => !address.isV4 && address.isLinkLocal)
      ?.address;
  }

  #chance(most: Instant): Instant {
    return Math.round(fraction(this.#options.random) * most);
  }
}

const UNSPECIFIED = new Address();

/** Servers, domains, how long they are good, and how often may be asked at most (RFC 8415 18.2.6). */
const WANTED = [
  dhcp.Option.DnsServers,
  dhcp.Option.DomainList,
  dhcp.Option.InformationRefreshTime,
  dhcp.Option.InfMaxRt,
].flatMap((code) => [code >> 8, code & 0xff]);

function addresses(value: Uint8Array | undefined): Address[] {
  const all: Address[] = [];
  for (let at = 0; value !== undefined && at + 16 <= value.length && all.length < LIST_MAX; at += 16) {
    const address = new Address().readV6(value, at);
    if (!address.isV4 && address.isUnicast && !address.isLoopback) all.push(address);
  }
  return all;
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
