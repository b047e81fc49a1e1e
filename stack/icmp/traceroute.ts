/**
 * A client that finds the routers on the way to a host, as the `traceroute` program does: probes whose hop limits grow
 * die at one router after the other, and each says so.
 *
 * @module
 */
import { LayerError } from "../error.ts";
import type { Sender } from "../handler.ts";
import type { IpIn, IpRaw } from "../ip/packet.ts";
import { type Instant, milliseconds, NEVER, seconds } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import * as icmpv4 from "../wire/icmpv4.ts";
import * as icmpv6 from "../wire/icmpv6.ts";
import * as ipv4 from "../wire/ipv4.ts";
import * as ipv6 from "../wire/ipv6.ts";
import { Meaning, meaningOf, toldMtu } from "./meaning.ts";
import type { IcmpIn } from "./packet.ts";
import {
  answeredProbe,
  headerLength,
  type ProbeKind,
  type ProbeNumbers,
  protocolOf,
  quotedProbe,
  repliedProbe,
  writeProbe,
} from "./probe.ts";
import { Quote } from "./quote.ts";

/** What is known of one probe. */
export interface ProbeResult {
  /** Who answered; undefined: nobody within the timeout. */
  readonly from: Address | undefined;
  /** The round trip in microseconds. */
  readonly rtt: Instant;
  /** Whether the destination itself answered. */
  readonly isReached: boolean;
  /** An ICMP error other than the expected ones: its type and code in the family of the destination. */
  readonly error: { readonly type: number; readonly code: number } | undefined;
  /** The MTU that a router told on the way, because the probe was too long for its next link; 0: none did. */
  readonly mtu: number;
}

/** One hop with all its probes. */
export interface HopResult {
  /** How far away, from 1. */
  readonly hop: number;
  /** In the order of their sending. */
  readonly probes: readonly ProbeResult[];
}

/** How a {@linkcode Traceroute} is set up. */
export interface TracerouteOptions {
  /** Whose way is looked for. */
  readonly destination: Address;
  /** What the probes are. Default "udp". */
  readonly kind?: ProbeKind;
  /** An own port of UDP, the first of a range for TCP, or an identifier of echoes; 16 bits that nothing else uses. */
  readonly own: number;
  /** The destination's port: of the first datagram (default 33434), or of all connections (default 80). */
  readonly port?: number;
  /** The first hop that is probed. Default 1. */
  readonly firstHop?: number;
  /** The last hop that is probed. Default 30. */
  readonly maxHops?: number;
  /** How many probes a hop is sent. Default 3. */
  readonly queries?: number;
  /** How many probes may be unanswered at once. Default 16. */
  readonly parallel?: number;
  /** How long an answer is waited for. Default 3 s. */
  readonly timeout?: Instant;
  /** The length of a probe with all its headers. Default 60. */
  readonly length?: number;
  /** Shortens the probes to the MTU that a router tells, and tries the hop again. Default false: that is an answer. */
  readonly followMtu?: boolean;
  /** Called with each hop in turn, when all its probes are answered or given up. */
  readonly onHop: (result: HopResult) => void;
}

/** How often a probe that waits for its neighbour is tried again. */
const RETRY: Instant = milliseconds(5);

/** How often one probe is shortened: a path has no more links than that which grow narrower. */
const SHORTENINGS = 8;

class Probe implements ProbeResult {
  from: Address | undefined = undefined;
  rtt: Instant = 0;
  isReached = false;
  error: { readonly type: number; readonly code: number } | undefined = undefined;
  mtu = 0;
  sentAt: Instant = NEVER;
  shortenings = 0;
  isDone = false;
}

/**
 * Fills probes, `ip.send(traceroute)`, and takes their answers: `icmp.recv((packet) => traceroute.receive(packet))`, and
 * for TCP {@linkcode Traceroute.receiveSegment}.
 */
export class Traceroute implements Sender<IpRaw> {
  /** The length of the probes that are sent now. */
  length: number;
  /** Whether the destination has answered. */
  isReached = false;
  readonly #options: Required<TracerouteOptions>;
  readonly #numbers: ProbeNumbers;
  readonly #probes: readonly Probe[];
  readonly #quote = new Quote();
  readonly #init: {
    source: Address;
    destination: Address;
    protocol: number;
    length: number;
    hopLimit: number;
  };
  /** Probes below this number are done and told. */
  #told = 0;
  /** The next probe that was never sent. */
  #next = 0;
  /** Probes from this number on are of no use: the destination is nearer. */
  #end: number;
  #waitingSince: Instant = NEVER;
  #retry: Instant = 0;

  /** A client that sends its first probes when it is first asked. Throws a RangeError for numbers that cannot be. */
  constructor(options: TracerouteOptions) {
    const { kind = "udp", destination } = options;
    this.#options = {
      kind,
      port: kind === "tcp" ? 80 : 33_434,
      firstHop: 1,
      maxHops: 30,
      queries: 3,
      parallel: 16,
      timeout: seconds(3),
      length: 60,
      followMtu: false,
      ...options,
    };
    const { firstHop, maxHops, queries, own, port } = this.#options;
    if (!(firstHop >= 1 && firstHop <= maxHops && maxHops <= 255)) {
      throw new RangeError(`hops must go from 1 to 255 at most, not from ${firstHop} to ${maxHops}`);
    }
    const count = (maxHops - firstHop + 1) * queries;
    const least = (destination.isV4 ? ipv4.HEADER_LENGTH : ipv6.HEADER_LENGTH) + headerLength(kind);
    if (own + (kind === "tcp" ? count : 0) > 0xffff || port + (kind === "udp" ? count : 0) > 0xffff) {
      throw new RangeError(`${count} probes have no ports from ${kind === "udp" ? port : own} on`);
    }
    this.length = Math.max(least, this.#options.length);
    this.#numbers = { own, port };
    this.#probes = Array.from({ length: count }, () => new Probe());
    this.#end = count;
    this.#init = {
      source: new Address(),
      destination: new Address().copy(destination),
      protocol: protocolOf(kind, destination.isV4),
      length: 0,
      hopLimit: 0,
    };
  }

  /** Whether every hop has been told. */
  get done(): boolean {
    return this.#told >= this.#end;
  }

  send(packet: IpRaw): void {
    const now = packet.info.timestamp;
    this.#giveUp(now);
    const index = this.#due();
    if (index < 0 || now < this.#retry) return;
    const { isV4 } = this.#init.destination;
    const probe = this.#probes[index]!;
    this.#init.length = this.length - (isV4 ? ipv4.HEADER_LENGTH : ipv6.HEADER_LENGTH);
    this.#init.hopLimit = this.#hopOf(index);
    const out = packet.prepare(this.#init);
    // Without the neighbour's address nothing can be sent; that is no answer of the network.
    if (out === LayerError.Unreachable && this.#waitsForNeighbour(now)) return;
    this.#waitingSince = NEVER;
    this.#retry = 0;
    probe.sentAt = now;
    if (index === this.#next) this.#next++;
    if (typeof out === "number") return;
    writeProbe(out, this.#options.kind, this.#numbers, index);
    out.send();
  }

  /** Takes an ICMP message; false: it is no answer to a probe. */
  receive(packet: IcmpIn): boolean {
    const { kind } = this.#options;
    const replied = repliedProbe(packet, kind, this.#numbers);
    if (replied >= 0) return this.#isFromDestination(packet.ip) && this.#answer(packet.ip, replied, true);
    const quote = this.#quote;
    if (!quote.read(packet) || !quote.destination.equals(this.#init.destination)) return false;
    const index = quotedProbe(quote, packet.frame.bytes, kind, this.#numbers);
    const probe = this.#outstanding(index);
    if (probe === undefined) return false;
    const { type, code } = packet;
    if (meaningOf(packet) === Meaning.TooBig) {
      probe.mtu = toldMtu(packet);
      if (this.#shorten(probe)) return true;
    }
    const isExpected = isExceeded(packet);
    const isClosed = isClosedPort(packet) && this.#isFromDestination(packet.ip);
    if (!isExpected && !isClosed) probe.error = { type, code };
    return this.#answer(packet.ip, index, isClosed);
  }

  /** Takes a TCP segment before TCP does, which then resets the connection; false: it is no answer to a probe. */
  receiveSegment(packet: IpIn): boolean {
    const index = answeredProbe(packet, this.#options.kind, this.#numbers);
    return index >= 0 && this.#isFromDestination(packet) && this.#answer(packet, index, true);
  }

  deadline(): Instant {
    if (this.done) return NEVER;
    if (this.#due() >= 0) return this.#retry;
    let first = NEVER;
    for (let index = this.#told; index < this.#next; index++) {
      const { isDone, sentAt } = this.#probes[index]!;
      if (!isDone) first = Math.min(first, sentAt + this.#options.timeout);
    }
    return first;
  }

  #hopOf(index: number): number {
    return this.#options.firstHop + Math.floor(index / this.#options.queries);
  }

  #isFromDestination(packet: IpIn): boolean {
    return packet.source.equals(this.#init.destination);
  }

  /** The probe that is to be sent next: one that was shortened, or a new one; -1: none now. */
  #due(): number {
    let outstanding = 0;
    for (let index = this.#told; index < this.#next; index++) {
      const { isDone, sentAt } = this.#probes[index]!;
      if (isDone) continue;
      if (sentAt === NEVER) return index;
      outstanding++;
    }
    return this.#next < this.#end && outstanding < this.#options.parallel ? this.#next : -1;
  }

  #outstanding(index: number): Probe | undefined {
    const probe = index >= 0 && index < this.#next ? this.#probes[index] : undefined;
    return probe === undefined || probe.isDone || probe.sentAt === NEVER ? undefined : probe;
  }

  #answer(packet: IpIn, index: number, isReached: boolean): boolean {
    const probe = this.#outstanding(index);
    if (probe === undefined) return false;
    probe.from = new Address().copy(packet.source);
    probe.rtt = packet.info.timestamp - probe.sentAt;
    probe.isReached = isReached;
    probe.isDone = true;
    // What nobody can pass on needs no further hops either, as every traceroute has it.
    if (isReached || probe.error !== undefined) this.#stopBehind(index);
    if (isReached) this.isReached = true;
    this.#tell();
    return true;
  }

  /** No hop behind this one is of interest. */
  #stopBehind(index: number): void {
    const { queries } = this.#options;
    this.#end = Math.min(this.#end, (Math.floor(index / queries) + 1) * queries);
    this.#next = Math.min(this.#next, this.#end);
  }

  /** Sends a probe again that was too long, no longer than the router said. False: it is an answer as it is. */
  #shorten(probe: Probe): boolean {
    const { followMtu, kind } = this.#options;
    const { isV4 } = this.#init.destination;
    const least = isV4 ? ipv4.HEADER_LENGTH + headerLength(kind) : ipv6.MTU_MIN;
    if (!followMtu || probe.mtu < least || probe.shortenings++ >= SHORTENINGS) return false;
    this.length = Math.min(this.length, probe.mtu);
    probe.sentAt = NEVER;
    return true;
  }

  #waitsForNeighbour(now: Instant): boolean {
    if (this.#waitingSince === NEVER) this.#waitingSince = now;
    this.#retry = now + RETRY;
    return now < this.#waitingSince + this.#options.timeout;
  }

  #giveUp(now: Instant): void {
    for (let index = this.#told; index < this.#next; index++) {
      const probe = this.#probes[index]!;
      if (now >= probe.sentAt + this.#options.timeout) probe.isDone = true;
    }
    this.#tell();
  }

  /** Tells all hops that are complete, in their order. */
  #tell(): void {
    const { queries, onHop } = this.#options;
    while (this.#told + queries <= Math.min(this.#next, this.#end)) {
      const probes = this.#probes.slice(this.#told, this.#told + queries);
      if (!probes.every(({ isDone }) => isDone)) return;
      const hop = this.#hopOf(this.#told);
      this.#told += queries;
      onHop({ hop, probes });
    }
  }
}

/** RFC 792, RFC 4443 3.3: the hop limit was used up on the way. */
function isExceeded({ isV4, type, code }: IcmpIn): boolean {
  return type === (isV4 ? icmpv4.Type.TimeExceeded : icmpv6.Type.TimeExceeded) &&
    code === icmpv4.Exceeded.HopLimit;
}

/** Nobody listens on the port: a datagram has arrived. */
function isClosedPort({ isV4, type, code }: IcmpIn): boolean {
  return isV4
    ? type === icmpv4.Type.DestinationUnreachable && code === icmpv4.Unreachable.Port
    : type === icmpv6.Type.DestinationUnreachable && code === icmpv6.Unreachable.Port;
}
