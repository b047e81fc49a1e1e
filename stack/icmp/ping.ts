/**
 * A client that sends echo requests and matches the replies, as the `ping` program does.
 *
 * @module
 */
import type { Sender } from "../handler.ts";
import type { Origin, WaitingPacket } from "../host/neighbours.ts";
import { LayerError } from "../error.ts";
import { type Instant, milliseconds, NEVER, seconds } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import * as icmpv4 from "../wire/icmpv4.ts";
import * as icmpv6 from "../wire/icmpv6.ts";
import { Protocol } from "../wire/protocol.ts";
import { Meaning, meaningOf, toldMtu } from "./meaning.ts";
import type { IcmpIn, IcmpRaw } from "./packet.ts";
import { Quote } from "./quote.ts";
import { Sent } from "../ip/sent.ts";

/** One answered or abandoned echo request. */
export interface PingResult {
  /** The request's number, from 1. */
  readonly sequence: number;
  /** The round trip in microseconds; undefined: no answer within the timeout. */
  readonly rtt: Instant | undefined;
  /** Hops that the answer might still have made; undefined without an answer. */
  readonly hopLimit: number | undefined;
  /** The answer's payload in bytes. */
  readonly length: number;
  /** Whether the request was answered before. */
  readonly isDuplicate: boolean;
}

/** An ICMP error about an echo request. */
export interface PingError {
  /** The request's number, from 1. */
  readonly sequence: number;
  /** Who reports it: overwritten by the next packet. */
  readonly from: Address;
  /** Its type, in the destination's family. */
  readonly type: number;
  /** Its code. */
  readonly code: number;
  /** The MTU that it tells, when the request was too long; 0 otherwise. */
  readonly mtu: number;
}

/** How a {@linkcode Ping} is set up. */
export interface PingOptions {
  /** Whom to ask. */
  readonly destination: Address;
  /** Tells this client's echoes from others': 16 bits. */
  readonly identifier: number;
  /** How many requests are sent. Default: no end. */
  readonly count?: number;
  /** The time between two requests. Default 1 s. */
  readonly interval?: Instant;
  /** How long an answer is waited for. Default 1 s. */
  readonly timeout?: Instant;
  /** The payload's length. Default 56 bytes, as everywhere. */
  readonly length?: number;
  /** Hops that requests may make. Default: the endpoint's. */
  readonly hopLimit?: number;
  /** Called with each result, in the order in which they are known. */
  readonly onResult: (result: PingResult) => void;
  /** Called with each error about a request, which then is not waited for any more. Default: errors are ignored. */
  readonly onError?: (error: PingError) => void;
}

/** Requests that may be unanswered at once; an older one is given up for a new one. */
const OUTSTANDING = 64;

/** How often a request that waits for its neighbour is tried again. */
const RETRY: Instant = milliseconds(5);

/** Sends echo requests at its interval: `icmp.send(ping)`; takes the answers: `icmp.recv((packet) => ping.receive(packet))`. */
export class Ping implements Sender<IcmpRaw>, Origin {
  /** Requests sent. */
  transmitted = 0;
  /** Answers that came in time and carried what was sent. */
  received = 0;
  /** Answers beyond the first to a request. */
  duplicates = 0;
  /** Errors about requests. */
  errors = 0;
  readonly #options: Required<Omit<PingOptions, "hopLimit" | "onError">> & Pick<PingOptions, "onError">;
  readonly #sentAt = new Float64Array(OUTSTANDING).fill(NEVER);
  /** When the requests that have been answered were sent. */
  readonly #answered = new Float64Array(OUTSTANDING).fill(NEVER);
  readonly #quote = new Quote();
  readonly #sent = new Sent();
  readonly #init: {
    source: Address;
    destination: Address;
    type: number;
    code: number;
    rest: number;
    length: number;
    origin: Origin;
    hopLimit?: number;
  };
  #next: Instant = 0;
  /** Since when the neighbour is being looked up for the next request, and when that is looked at again. */
  #waitingSince: Instant = NEVER;
  #retry: Instant = 0;
  #oldest = 1;

  /** A client that sends its first request when it is first asked. Throws a RangeError for a wrong identifier. */
  constructor(options: PingOptions) {
    const { identifier } = options;
    if (!Number.isInteger(identifier) || identifier < 0 || identifier > 0xffff) {
      throw new RangeError(`a ping's identifier must be a whole number from 0 to 65535, not ${identifier}`);
    }
    this.#options = {
      count: Infinity,
      interval: seconds(1),
      timeout: seconds(1),
      length: 56,
      ...options,
    };
    this.#init = {
      source: new Address(),
      destination: new Address().copy(options.destination),
      type: options.destination.isV4 ? icmpv4.Type.EchoRequest : icmpv6.Type.EchoRequest,
      code: 0,
      rest: 0,
      length: this.#options.length,
      origin: this,
      ...(options.hopLimit === undefined ? {} : { hopLimit: options.hopLimit }),
    };
  }

  /** Whether every request has been sent, and answered or given up. */
  get done(): boolean {
    return this.transmitted >= this.#options.count && this.#oldest > this.transmitted;
  }

  send(packet: IcmpRaw): void {
    const now = packet.info.timestamp;
    this.#giveUp(now);
    if (now < this.#next || this.transmitted >= this.#options.count) return;
    const sequence = this.transmitted + 1;
    this.#init.rest = (this.#options.identifier << 16) | (sequence & 0xffff);
    const out = packet.prepare(this.#init);
    // A request waits while its neighbour is looked up, but no longer than it would wait for an answer.
    if (out === LayerError.Unreachable && this.#waitsForNeighbour(now)) return;
    this.transmitted = sequence;
    this.#waitingSince = NEVER;
    this.#retry = 0;
    // At its pace where that can be kept; after a delay, without catching up.
    const next = (sequence === 1 ? now : this.#next) + this.#options.interval;
    this.#next = next > now ? next : now + this.#options.interval;
    if (sequence - this.#oldest >= OUTSTANDING) this.#lose(this.#oldest++);
    this.#sentAt[sequence % OUTSTANDING] = now;
    this.#answered[sequence % OUTSTANDING] = NEVER;
    this.#settle();
    if (typeof out === "number") return;
    this.#fill(out.frame.bytes, out.payloadAt, out.frame.end, sequence);
    out.send();
  }

  /** Takes an ICMP message; false: it is none of this client's answers, and no error about a request of its. */
  receive(packet: IcmpIn): boolean {
    if (packet.isError) return this.#receiveError(packet);
    if (!packet.isEchoReply || packet.rest >>> 16 !== this.#options.identifier) return false;
    if (!packet.ip.source.equals(this.#init.destination)) return false;
    this.#giveUp(packet.info.timestamp);
    const sequence = this.#sequence(packet.rest & 0xffff);
    if (sequence < 0) return false;
    const { bytes, end } = packet.frame;
    if (!this.#isOurs(bytes, packet.payloadAt, end, sequence)) return false;
    const index = sequence % OUTSTANDING;
    const isDuplicate = this.#answered[index] !== NEVER;
    const sentAt = isDuplicate ? this.#answered[index]! : this.#sentAt[index]!;
    if (sentAt === NEVER) return false;
    this.#sentAt[index] = NEVER;
    this.#answered[index] = sentAt;
    if (isDuplicate) this.duplicates++;
    else this.received++;
    const rtt = packet.info.timestamp - sentAt;
    const { hopLimit } = packet.ip;
    this.#options.onResult({ sequence, rtt, hopLimit, length: end - packet.payloadAt, isDuplicate });
    this.#settle();
    return true;
  }

  /** RFC 1122 2.3.2.2, RFC 4861 7.2.2: nobody answers the look-up, which is what a router calls host unreachable. */
  undelivered(packet: WaitingPacket): void {
    const { onError } = this.#options;
    const { source, isV4, payloadAt } = this.#sent.read(packet);
    const sequence = this.#sequence(icmpv4.sequence(packet.bytes, payloadAt));
    if (onError === undefined || sequence < 0 || this.#sentAt[sequence % OUTSTANDING] === NEVER) return;
    const { DestinationUnreachable } = isV4 ? icmpv4.Type : icmpv6.Type;
    const code = isV4 ? icmpv4.Unreachable.Host : icmpv6.Unreachable.Address;
    this.#sentAt[sequence % OUTSTANDING] = NEVER;
    this.errors++;
    onError({ sequence, from: source, type: DestinationUnreachable, code, mtu: 0 });
    this.#settle();
  }

  deadline(): Instant {
    if (this.done) return NEVER;
    const sentAt = this.#oldest <= this.transmitted ? this.#sentAt[this.#oldest % OUTSTANDING]! : NEVER;
    const next = this.transmitted < this.#options.count ? Math.max(this.#next, this.#retry) : NEVER;
    return Math.min(next, sentAt + this.#options.timeout);
  }

  #waitsForNeighbour(now: Instant): boolean {
    if (this.#waitingSince === NEVER) this.#waitingSince = now;
    this.#retry = now + RETRY;
    return now < this.#waitingSince + this.#options.timeout;
  }

  #giveUp(now: Instant): void {
    while (this.#oldest <= this.transmitted) {
      const sentAt = this.#sentAt[this.#oldest % OUTSTANDING]!;
      if (sentAt !== NEVER && now < sentAt + this.#options.timeout) return;
      if (sentAt !== NEVER) this.#lose(this.#oldest);
      this.#oldest++;
    }
  }

  #lose(sequence: number): void {
    if (this.#sentAt[sequence % OUTSTANDING] === NEVER) return;
    this.#sentAt[sequence % OUTSTANDING] = NEVER;
    this.#options.onResult({ sequence, rtt: undefined, hopLimit: undefined, length: 0, isDuplicate: false });
  }

  #receiveError(packet: IcmpIn): boolean {
    const quote = this.#quote;
    const { onError, identifier } = this.#options;
    const { destination, type } = this.#init;
    if (!quote.read(packet) || !quote.destination.equals(destination)) return false;
    const { bytes } = packet.frame;
    if (quote.protocol !== (destination.isV4 ? Protocol.Icmp : Protocol.Icmpv6)) return false;
    if (icmpv4.type(bytes, quote.at) !== type || icmpv4.identifier(bytes, quote.at) !== identifier) {
      return false;
    }
    const sequence = this.#sequence(icmpv4.sequence(bytes, quote.at));
    if (sequence < 0 || this.#sentAt[sequence % OUTSTANDING] === NEVER) return false;
    const isTooBig = meaningOf(packet) === Meaning.TooBig;
    const mtu = isTooBig ? toldMtu(packet) : 0;
    // RFC 1191 6.2, RFC 8201 5.2: the next request will be sent in fragments.
    if (isTooBig) packet.ip.ip.pathMtus.learn(destination, mtu, quote.length, packet.info.timestamp);
    if (onError === undefined) return false;
    this.#sentAt[sequence % OUTSTANDING] = NEVER;
    this.errors++;
    onError({ sequence, from: packet.ip.source, type: packet.type, code: packet.code, mtu });
    this.#settle();
    return true;
  }

  #settle(): void {
    while (this.#oldest <= this.transmitted && this.#sentAt[this.#oldest % OUTSTANDING] === NEVER) {
      this.#oldest++;
    }
  }

  /** The number whose low 16 bits travelled, among the last; -1: none of those. */
  #sequence(low: number): number {
    const age = (this.transmitted - low) & 0xffff;
    return age < OUTSTANDING && age < this.transmitted ? this.transmitted - age : -1;
  }

  #fill(bytes: Uint8Array, at: number, end: number, sequence: number): void {
    for (let offset = at; offset < end; offset++) bytes[offset] = offset - at + sequence;
  }

  #isOurs(bytes: Uint8Array, at: number, end: number, sequence: number): boolean {
    if (end - at !== this.#options.length) return false;
    for (let offset = at; offset < end; offset++) {
      if (bytes[offset] !== ((offset - at + sequence) & 0xff)) return false;
    }
    return true;
  }
}
