/**
 * A multicast DNS responder (RFC 6762): a host's name on its link, without a server.
 *
 * The name is probed for, announced, answered for and defended; when another host has it, it becomes another one. Like
 * any sender it is asked for datagrams (`udp.send(responder)`).
 *
 * @module
 */
import { LayerError } from "../error.ts";
import type { TimedSender } from "../handler.ts";
import type { Ip } from "../ip/endpoint.ts";
import { type Instant, milliseconds, NEVER, seconds } from "../store/time.ts";
import { TokenBucket } from "../store/token-bucket.ts";
import type { Binding } from "../udp/bindings.ts";
import type { Udp } from "../udp/endpoint.ts";
import type { UdpIn, UdpRaw } from "../udp/packet.ts";
import { Address } from "../wire/address.ts";
import * as dns from "../wire/dns.ts";
import { type DnsMessage, type DnsQuestion, type DnsRecord, readMessage } from "../wire/dns-record.ts";
import { WireError } from "../wire/error.ts";
import { MdnsCounters } from "./counters.ts";
import {
  absence,
  addressBytes,
  compareRecords,
  DOMAIN,
  GROUP_V4,
  GROUP_V6,
  hostRecords,
  LEGACY_TTL,
  type OwnRecord,
  TTL,
  UNICAST,
  writeProbe,
  writeResponses,
} from "./records.ts";

/** Where a responder stands. */
export type MdnsState = "probing" | "announcing" | "running" | "leaving" | "stopped";

/** How an {@linkcode MdnsResponder} is set up. */
export interface MdnsOptions {
  /** Whose addresses the name has. */
  readonly ip: Ip;
  /** Whose port 5353 it takes. */
  readonly udp: Udp;
  /** Answers with 32 random bits. */
  readonly random: () => number;
  /** The name that is wanted: one label, without ".local". */
  readonly hostname: string;
}

/** A message that waits to leave. */
interface Letter {
  readonly destination: Address;
  readonly port: number;
  readonly bytes: Uint8Array;
}

/** RFC 6762 8.1: so many probes, so far apart; after a lost tie a second passes. */
const PROBES = 3, PROBE_INTERVAL: Instant = milliseconds(250), TIE_WAIT: Instant = seconds(1);
/** RFC 6762 8.3: so many announcements, a second apart. */
const ANNOUNCEMENTS = 2, ANNOUNCE_INTERVAL: Instant = seconds(1);
/** RFC 6762 8.1: after so many conflicts in ten seconds, five pass before each new try. */
const CONFLICTS_MAX = 15, CONFLICT_WINDOW: Instant = seconds(10), CONFLICT_WAIT: Instant = seconds(5);
/** RFC 6762 6: the same record is not said to all again within a second, but for a probe's sake (250 ms). */
const REPEAT: Instant = seconds(1), REPEAT_PROBE: Instant = milliseconds(250);
/** Messages that wait to leave. */
const LETTERS_MAX = 32;
/** Answers to single hosts, a second and at once. */
const UNICAST_RATE = 50, UNICAST_BURST = 20;

/** A host's name on the link. */
export class MdnsResponder implements TimedSender<UdpRaw> {
  /** What came and what was said. */
  readonly counters: MdnsCounters = new MdnsCounters();
  readonly #options: MdnsOptions;
  readonly #binding: Binding;
  readonly #letters: Letter[] = [];
  readonly #bucket = new TokenBucket(UNICAST_RATE, UNICAST_BURST);
  #state: MdnsState = "probing";
  #name: string;
  #number = 1;
  #count = 0;
  #due: Instant = 0;
  #version = -1;
  #records: readonly OwnRecord[] = [];
  /** When each of our records was last said to all. */
  readonly #said = new Map<string, Instant>();
  #conflicts: Instant[] = [];
  /** Whether the link may be another one since the name was probed for. */
  #isElsewhere = false;

  /** A responder that begins when it is first asked. Throws an Error if port 5353 is taken. */
  constructor(options: MdnsOptions) {
    const { ip, udp, hostname } = options;
    const binding = udp.bind({ port: dns.MULTICAST_PORT }, (packet) => this.receive(packet));
    if (binding === undefined) throw new Error("UDP port 5353 is taken, so no name can be had on the link");
    this.#binding = binding;
    this.#options = options;
    this.#name = `${hostname.toLowerCase()}.${DOMAIN}`;
    this.#due = this.#chance();
    ip.addresses.join(GROUP_V4);
    ip.addresses.join(GROUP_V6);
  }

  /** Where it stands. */
  get state(): MdnsState {
    return this.#state;
  }

  /** The name that it has, or probes for, such as "box.local". */
  get name(): string {
    return this.#name;
  }

  /** The cable may have been put in elsewhere: finds out whether the name is ours there (RFC 6762 8). */
  confirm(): void {
    this.#isElsewhere = this.#state !== "leaving" && this.#state !== "stopped";
  }

  /** Says goodbye (RFC 6762 10.1): the name is no longer ours when the next datagrams have left. */
  stop(): void {
    if (this.#state === "leaving" || this.#state === "stopped") return;
    const wasKnown = this.#state === "announcing" || this.#state === "running";
    this.#state = "leaving";
    this.#isElsewhere = false;
    this.#due = 0;
    if (wasKnown) this.#toAll(writeResponses(this.#records, 0));
  }

  /** Takes a datagram that came to the port. */
  receive(packet: UdpIn): void {
    const { frame: { bytes, end }, payloadAt: at, info: { timestamp: now } } = packet;
    const { counters } = this;
    const { source } = packet.ip;
    if (!source.isLinkLocal && this.#options.ip.addresses.onLink(source) === undefined) {
      counters.offLink++;
      return;
    }
    const message = dns.check(bytes, at, end) === WireError.None ? readMessage(bytes, at, end) : undefined;
    if (message === undefined || dns.opcode(bytes, at) !== 0) {
      counters.malformed++;
      return;
    }
    const isResponse = (dns.flags(bytes, at) & dns.Flag.Response) !== 0;
    if (isResponse) {
      // RFC 6762 6: a response from another port is none.
      if (packet.sourcePort === dns.MULTICAST_PORT) this.#hear(message.records, now);
      counters.noted++;
    } else this.#query(message, dns.id(bytes, at), new Address().copy(source), packet.sourcePort, now);
  }

  send(raw: UdpRaw): void {
    const now = raw.info.timestamp;
    if (this.#letters.length === 0) this.#advance(now);
    const letter = this.#letters.shift();
    if (letter === undefined) return;
    const out = raw.prepare({
      source: UNSPECIFIED,
      destination: letter.destination,
      sourcePort: dns.MULTICAST_PORT,
      destinationPort: letter.port,
      length: letter.bytes.length,
      // RFC 6762 11: so that a receiver may see that it is from its link.
      hopLimit: 255,
    });
    if (typeof out === "number") {
      this.counters.notSent++;
      return;
    }
    out.frame.bytes.set(letter.bytes, out.payloadAt);
    if (out.send() === LayerError.None) this.counters.sent++;
    else this.counters.notSent++;
  }

  deadline(): Instant {
    if (this.#letters.length > 0 || this.#isElsewhere) return 0;
    const isStale = this.#state === "running" && this.#version !== this.#options.ip.addresses.version;
    return isStale ? 0 : this.#due;
  }

  #advance(now: Instant): void {
    const { addresses } = this.#options.ip;
    if (this.#isElsewhere) {
      this.#isElsewhere = false;
      this.#enter("probing", now + this.#chance());
    }
    if (this.#state === "running" && this.#version !== addresses.version) {
      // RFC 6762 8.4: what has changed is announced.
      this.#read();
      this.#enter("announcing", now);
    }
    if (now < this.#due) return;
    switch (this.#state) {
      case "probing":
        return this.#probe(now);
      case "announcing":
        if (this.#count === ANNOUNCEMENTS) return this.#enter("running", NEVER);
        this.#count++;
        this.#due = now + ANNOUNCE_INTERVAL;
        return this.#say(this.#records, now);
      case "leaving":
        this.#state = "stopped";
        this.#due = NEVER;
        this.#binding.close();
        addresses.leave(GROUP_V4);
        return addresses.leave(GROUP_V6);
      default:
        this.#due = NEVER;
    }
  }

  #probe(now: Instant): void {
    this.#read();
    if (this.#records.length === 0) {
      // Without an address there is nothing to be named.
      this.#due = now + ANNOUNCE_INTERVAL;
      return;
    }
    if (this.#count === PROBES) {
      this.#enter("announcing", now);
      return this.#advance(now);
    }
    this.#count++;
    this.#due = now + PROBE_INTERVAL;
    this.#toAll([writeProbe(this.#name, this.#named())]);
  }

  /** RFC 6762 8.1: hosts that start together do not probe together. */
  #chance(): Instant {
    return Math.floor((this.#options.random() >>> 0) / 0x1_0000_0000 * PROBE_INTERVAL);
  }

  #enter(state: MdnsState, due: Instant): void {
    this.#state = state;
    this.#count = 0;
    this.#due = due;
  }

  /** The own addresses as records. */
  #read(): void {
    const { addresses } = this.#options.ip;
    this.#version = addresses.version;
    this.#said.clear();
    this.#records = hostRecords(this.#name, [...addresses].slice(0, 8).map(({ address }) => address));
  }

  /** Those records that are the name's. */
  #named(): OwnRecord[] {
    return this.#records.filter(({ name }) => name === this.#name);
  }

  /** Another host's records: if they are the name's and not ours, there is a conflict (RFC 6762 9). */
  #hear(records: readonly DnsRecord[], now: Instant): void {
    const theirs = records.filter((record) => {
      return record.name === this.#name && record.ttl > 0 && record.type !== dns.Type.NSEC;
    });
    if (theirs.length === 0 || theirs.every((record) => this.#isOurs(record))) return;
    if (this.#state === "probing") this.#rename(now);
    // RFC 6762 9: whose name it is, is found out by probing anew.
    else if (this.#state === "announcing" || this.#state === "running") this.#enter("probing", now);
  }

  #isOurs({ type, data }: DnsRecord): boolean {
    return data instanceof Address && this.#named().some((own) => {
      return own.type === type && compareRecords([own], [{ type, data: addressBytes(data) }]) === 0;
    });
  }

  /** RFC 6762 9: "box", then "box-2", and so on. */
  #rename(now: Instant): void {
    const { hostname } = this.#options;
    this.#number++;
    const suffix = `-${this.#number}`;
    this.#name = `${hostname.toLowerCase().slice(0, 63 - suffix.length)}${suffix}.${DOMAIN}`;
    this.counters.renamed++;
    this.#conflicts = [...this.#conflicts.filter((at) => now - at < CONFLICT_WINDOW), now].slice(
      -CONFLICTS_MAX,
    );
    this.#enter("probing", this.#conflicts.length < CONFLICTS_MAX ? now : now + CONFLICT_WAIT);
  }

  #query(message: DnsMessage, id: number, source: Address, port: number, now: Instant): void {
    if (this.#state === "probing") return this.#tie(message, now);
    if (this.#state !== "announcing" && this.#state !== "running") {
      this.counters.noted++;
      return;
    }
    const wanted = message.questions.filter(({ class: clas }) => {
      return (clas & ~UNICAST) === dns.CLASS_IN || (clas & ~UNICAST) === dns.CLASS_ANY;
    });
    const found = [...new Set(wanted.flatMap((question) => this.#answers(question)))];
    if (found.length === 0) {
      this.counters.noted++;
      return;
    }
    const answers = found.filter((record) => !isKnown(record, message.records));
    if (answers.length === 0) {
      this.counters.known++;
      return;
    }
    const [first] = wanted;
    const isLegacy = port !== dns.MULTICAST_PORT;
    // RFC 6762 8.1: a probe is answered at once, to the prober alone too if it wants that.
    const isProbe = message.records.some(({ section }) => section === dns.Section.Authority);
    if (isLegacy || wanted.every(({ class: clas }) => (clas & UNICAST) !== 0)) {
      if (!this.#bucket.take(now)) {
        this.counters.limited++;
        return;
      }
      const legacy = { id, name: first!.name, type: first!.type };
      this.counters.answered++;
      const messages = isLegacy ? writeResponses(answers, LEGACY_TTL, legacy) : writeResponses(answers, TTL);
      for (const bytes of messages) this.#post({ destination: source, port, bytes });
      return;
    }
    const until = now - (isProbe ? REPEAT_PROBE : REPEAT);
    const due = answers.filter((record) => (this.#said.get(keyOf(record)) ?? until) <= until);
    if (due.length === 0) {
      this.counters.limited++;
      return;
    }
    this.counters.answered++;
    this.#say(due, now);
  }

  #say(records: readonly OwnRecord[], now: Instant): void {
    for (const record of records) this.#said.set(keyOf(record), now);
    this.#toAll(writeResponses(records, TTL));
  }

  /** Our records that answer a question; that there are none of a type is one, too (RFC 6762 6.1). */
  #answers({ name, type }: DnsQuestion): readonly OwnRecord[] {
    const own = this.#records.filter((record) => record.name === name);
    if (own.length === 0) return [];
    const found = own.filter((record) => record.type === type || type === dns.Type.ANY);
    return found.length > 0 ? found : [absence(name, [...new Set(own.map((record) => record.type))])];
  }

  /** RFC 6762 8.2: of two who probe for a name at once, the one with the later records has it. */
  #tie(message: DnsMessage, now: Instant): void {
    this.counters.noted++;
    const theirs = message.records.filter(({ name, section }) => {
      return section === dns.Section.Authority && name === this.#name;
    }).map(({ type, data }) => {
      // Ours are addresses, so that of all others the type tells.
      return { type, data: data instanceof Address ? addressBytes(data) : new Uint8Array() };
    });
    if (this.#count === 0 || theirs.length === 0) return;
    if (compareRecords(this.#named(), theirs) < 0) this.#enter("probing", now + TIE_WAIT);
  }

  /** To the groups of those families that we have addresses of. */
  #toAll(messages: readonly Uint8Array[]): void {
    const own = [...this.#options.ip.addresses];
    const port = dns.MULTICAST_PORT;
    for (const bytes of messages) {
      if (own.some(({ isV4 }) => isV4)) this.#post({ destination: GROUP_V4, port, bytes });
      if (own.some(({ isV4 }) => !isV4)) this.#post({ destination: GROUP_V6, port, bytes });
    }
  }

  #post(letter: Letter): void {
    if (this.#letters.length < LETTERS_MAX) this.#letters.push(letter);
    else this.counters.notSent++;
  }
}

const UNSPECIFIED = new Address();

function keyOf({ name, type, data }: OwnRecord): string {
  return `${type} ${name} ${data}`;
}

/** RFC 6762 7.1: the asker has the answer, and will have it for half of its time. */
function isKnown(own: OwnRecord, records: readonly DnsRecord[]): boolean {
  return records.some(({ section, name, type, data, ttl }) => {
    if (section !== dns.Section.Answer || name !== own.name || type !== own.type || ttl < TTL / 2) {
      return false;
    }
    if (data instanceof Address) return compareRecords([own], [{ type, data: addressBytes(data) }]) === 0;
    // A PTR of ours says our name: there is one name an address.
    return type === dns.Type.PTR;
  });
}
