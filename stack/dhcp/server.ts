/**
 * A DHCP server (RFC 2131 4.3) for the hosts of one link.
 *
 * It takes UDP port 67, is asked for datagrams like any sender (`udp.send(server)`), and leases addresses of a pool on an
 * own subnet. What it has leased can be kept over restarts: `leases.onChange` tells of it, `leases.restore` takes it over.
 *
 * @module
 */
import { LayerError } from "../error.ts";
import type { TimedSender } from "../handler.ts";
import type { Ip } from "../ip/endpoint.ts";
import type { Instant } from "../store/time.ts";
import type { Binding } from "../udp/bindings.ts";
import type { Udp } from "../udp/endpoint.ts";
import type { UdpIn, UdpRaw } from "../udp/packet.ts";
import { Address } from "../wire/address.ts";
import type { Cidr } from "../wire/cidr.ts";
import * as dhcp from "../wire/dhcpv4.ts";
import { WireError } from "../wire/error.ts";
import { Mac } from "../wire/mac.ts";
import { addressOption, bytesOption, messageType } from "./lease.ts";
import { type LeaseEntry, Leases, LeaseState, POOL_MAX } from "./leases.ts";
import { MESSAGE_MAX } from "./message.ts";
import { OfferProbes } from "./offer-probes.ts";

/** How a {@linkcode DhcpServer} is set up. */
export interface DhcpServerOptions {
  /** Whose addresses are not leased, and whose neighbours clients become. */
  readonly ip: Ip;
  /** Whose port 67 it takes. */
  readonly udp: Udp;
  /** The own address with the subnet that is leased of. */
  readonly subnet: Cidr;
  /** The first and the last address of the pool, both of them in the subnet; at most 4,096 addresses. */
  readonly first: Address;
  /** The last one. */
  readonly last: Address;
  /** How long a lease lasts, in seconds. Default an hour. */
  readonly lease?: number;
  /** Routers that clients are told of. */
  readonly routers?: readonly Address[];
  /** DNS servers that clients are told of. */
  readonly dns?: readonly Address[];
  /** The domain that clients are told of. */
  readonly domain?: string;
  /**
   * Whether an address is looked up by ARP before it is offered, which takes half a second, and not offered where
   * somebody has it (RFC 2131 3.1 (2)). Default true.
   */
  readonly probe?: boolean;
}

/** What came to a {@linkcode DhcpServer}, by what became of it. */
export class DhcpServerCounters {
  /** Messages answered. */
  answered = 0;
  /** Messages that want no answer: given back, declined, or answered to somebody else's offer. */
  noted = 0;
  /** Dropped: truncated, malformed, or no DHCP. */
  malformed = 0;
  /** Dropped: no message of a client, from another port than a client's, or through a relay. */
  unexpected = 0;
  /** Not answered: no address is free. */
  exhausted = 0;
  /** Not answered: a client that is not known here asks for what it had (RFC 2131 4.3.2). */
  unknown = 0;
  /** Not answered: too many answers wait to leave, or could not be sent. */
  unanswered = 0;
  /** Addresses of the pool that somebody was found to have, so that they were not offered. */
  avoided = 0;
}

/** An answer that waits to leave. */
interface Answer {
  readonly destination: Address;
  readonly bytes: Uint8Array;
}

/** Answers that wait to leave. */
const ANSWERS_MAX = 64;

const { MessageType, Option } = dhcp;
const BROADCAST = new Address().setV4(-1);

/** A server for one link. */
export class DhcpServer implements TimedSender<UdpRaw> {
  /** What came and what became of it. */
  readonly counters: DhcpServerCounters = new DhcpServerCounters();
  /** What is leased to whom. */
  readonly leases: Leases;
  readonly #options: DhcpServerOptions;
  readonly #binding: Binding;
  readonly #answers: Answer[] = [];
  readonly #probes: OfferProbes;
  readonly #mac = new Mac();

  /** A server that is up. Throws a RangeError for a pool that the subnet does not have, an Error if port 67 is taken. */
  constructor(options: DhcpServerOptions) {
    const { ip, udp, subnet, first, last } = options;
    const count = last.d - first.d + 1;
    const isInside = first.isV4 && subnet.contains(first) && subnet.contains(last);
    if (!isInside) throw new RangeError(`${first}-${last} is not in ${subnet}`);
    if (count < 1 || count > POOL_MAX) {
      throw new RangeError(`${first}-${last} are ${count} addresses; allowed is 1 to ${POOL_MAX}`);
    }
    const binding = udp.bind({ port: dhcp.SERVER_PORT }, (packet) => this.receive(packet));
    if (binding === undefined) throw new Error("UDP port 67 is taken, so no addresses can be leased");
    this.#binding = binding;
    this.#options = options;
    this.#probes = new OfferProbes(ip.neighbours);
    const scratch = new Address();
    this.leases = new Leases(first.d, count, (word) => {
      scratch.setV4(word);
      const isEnd = subnet.isBroadcast(scratch) || (subnet.prefix <= 30 && scratch.equals(subnet.network));
      return isEnd || ip.addresses.owns(scratch) ||
        (options.routers ?? []).some((router) => router.equals(scratch));
    });
  }

  /** Takes a datagram that came to the server's port. */
  receive(packet: UdpIn): void {
    const { frame: { bytes, end }, payloadAt: at, sourcePort } = packet;
    const { counters } = this;
    if (dhcp.check(bytes, at, end) !== WireError.None) {
      counters.malformed++;
      return;
    }
    const isRelayed = !new Address().readV4(bytes, at + dhcp.RELAY_ADDRESS).isUnspecified;
    const isClient = dhcp.op(bytes, at) === dhcp.Op.Request && sourcePort === dhcp.CLIENT_PORT && !isRelayed;
    if (!isClient || !this.#mac.read(bytes, at + dhcp.CLIENT_MAC).isUnicast) {
      counters.unexpected++;
      return;
    }
    const now = packet.info.timestamp;
    switch (messageType(bytes, at, end)) {
      case MessageType.Discover:
        return this.#discover(bytes, at, end, now);
      case MessageType.Request:
        return this.#request(bytes, at, end, now);
      case MessageType.Decline:
      case MessageType.Release:
        return this.#giveBack(bytes, at, end, now);
      case MessageType.Inform:
        return this.#inform(bytes, at);
      default:
        counters.unexpected++;
    }
  }

  send(raw: UdpRaw): void {
    this.#offerWaiting(raw.info.timestamp);
    const answer = this.#answers.shift();
    if (answer === undefined) return;
    const { bytes, destination } = answer;
    const out = raw.prepare({
      source: this.#options.subnet.address,
      destination,
      sourcePort: dhcp.SERVER_PORT,
      destinationPort: dhcp.CLIENT_PORT,
      length: bytes.length,
    });
    if (typeof out === "number") {
      this.counters.unanswered++;
      return;
    }
    out.frame.bytes.set(bytes, out.payloadAt);
    if (out.send() === LayerError.None) this.counters.answered++;
    else this.counters.unanswered++;
  }

  deadline(): Instant {
    return this.#answers.length > 0 ? 0 : this.#probes.deadline();
  }

  /** Frees the port. */
  close(): void {
    this.#binding.close();
    this.#answers.length = 0;
    this.#probes.clear();
  }

  /** RFC 2131 4.3.1: an address is offered. */
  #discover(bytes: Uint8Array, at: number, end: number, now: Instant): void {
    const wanted = addressOption(bytes, at, end, Option.RequestedAddress);
    const entry = this.leases.offer(clientOf(bytes, at, end), wanted?.d, now);
    if (entry === undefined) {
      this.counters.exhausted++;
      return;
    }
    const { probe = true } = this.#options;
    // What its client has is not looked for: the client would answer.
    if (!probe || entry.state === LeaseState.Bound || entry.isProbed) {
      return this.#answer(bytes, at, MessageType.Offer, entry, now);
    }
    const waiting = this.#probes.find(entry);
    const message = bytes.slice(at, end);
    if (waiting !== undefined) {
      // The client has asked again meanwhile, and it is its last message that is answered.
      waiting.message = message;
      this.counters.noted++;
    } else if (!this.#probes.begin(entry, message, this.#mac, now)) {
      this.#answer(bytes, at, MessageType.Offer, entry, now);
    }
  }

  /** Offers what nobody has answered for; what somebody has is nobody's for a while, and another is looked for. */
  #offerWaiting(now: Instant): void {
    for (let offer = this.#probes.next(now); offer !== undefined; offer = this.#probes.next(now)) {
      const { message, entry } = offer;
      if (entry.state !== LeaseState.Offered) {
        // Its client, or somebody else, has settled the matter.
        this.counters.noted++;
      } else if (!this.#probes.isTaken(offer)) {
        entry.isProbed = true;
        this.#mac.copy(offer.client);
        this.#answer(message, 0, MessageType.Offer, entry, now);
      } else {
        this.counters.avoided++;
        const { client } = entry;
        this.leases.decline(entry, now);
        const other = this.leases.offer(client, undefined, now);
        if (other === undefined) this.counters.exhausted++;
        else this.#probes.instead(offer, other, now);
      }
    }
  }

  /** RFC 2131 4.3.2: what was offered is leased, what was leased is prolonged, what cannot be had here is refused. */
  #request(bytes: Uint8Array, at: number, end: number, now: Instant): void {
    const server = addressOption(bytes, at, end, Option.ServerIdentifier);
    const requested = addressOption(bytes, at, end, Option.RequestedAddress);
    const own = new Address().readV4(bytes, at + dhcp.CLIENT_ADDRESS);
    const { subnet } = this.#options;
    const entry = this.leases.of(clientOf(bytes, at, end));
    if (server !== undefined && !server.equals(subnet.address)) {
      // The client has chosen another server: what was offered is free again.
      if (entry?.state === LeaseState.Offered) this.leases.release(entry, now);
      this.counters.noted++;
      return;
    }
    const address = own.isUnspecified ? requested : own;
    if (address === undefined || address.isUnspecified) {
      this.counters.unexpected++;
      return;
    }
    const isTheirs = entry?.address === address.d && this.leases.has(address.d);
    if (entry !== undefined && isTheirs) {
      this.leases.bind(entry, this.#duration, now);
      return this.#answer(bytes, at, MessageType.Ack, entry, now);
    }
    // RFC 2131 4.3.2: who is on the wrong network, or has another address here, is told; of others nothing is known.
    if (server === undefined && entry === undefined && subnet.contains(address)) {
      this.counters.unknown++;
      return;
    }
    this.#refuse(bytes, at);
  }

  /** RFC 2131 4.3.3, 4.3.4: somebody else has the address, or it is given back. */
  #giveBack(bytes: Uint8Array, at: number, end: number, now: Instant): void {
    const isDecline = messageType(bytes, at, end) === MessageType.Decline;
    const server = addressOption(bytes, at, end, Option.ServerIdentifier);
    const entry = this.leases.of(clientOf(bytes, at, end));
    const address = isDecline
      ? addressOption(bytes, at, end, Option.RequestedAddress)
      : new Address().readV4(bytes, at + dhcp.CLIENT_ADDRESS);
    const isOurs = server?.equals(this.#options.subnet.address) ?? false;
    if (!isOurs || entry === undefined || entry.address !== address?.d) {
      this.counters.unexpected++;
      return;
    }
    this.counters.noted++;
    if (isDecline) this.leases.decline(entry, now);
    else this.leases.release(entry, now);
  }

  /** RFC 2131 4.3.5: a host that has an address wants to know the rest. */
  #inform(bytes: Uint8Array, at: number): void {
    const own = new Address().readV4(bytes, at + dhcp.CLIENT_ADDRESS);
    if (own.isUnspecified || !this.#options.subnet.contains(own)) {
      this.counters.unexpected++;
      return;
    }
    const answer = new Uint8Array(MESSAGE_MAX);
    const next = this.#begin(answer, bytes, at, MessageType.Ack);
    this.#queue(own, answer.slice(0, dhcp.putEnd(answer, 0, this.#parameters(answer, next))));
  }

  #answer(bytes: Uint8Array, at: number, type: number, entry: LeaseEntry, now: Instant): void {
    const answer = new Uint8Array(MESSAGE_MAX);
    let next = this.#begin(answer, bytes, at, type);
    const yours = new Address().setV4(entry.address);
    yours.writeV4(answer, dhcp.YOUR_ADDRESS);
    const duration = this.#duration;
    next = dhcp.put32Option(
      answer,
      next,
      Option.LeaseTime,
      Number.isFinite(duration) ? duration : dhcp.INFINITE,
    );
    next = this.#parameters(answer, next);
    const own = new Address().readV4(bytes, at + dhcp.CLIENT_ADDRESS);
    // RFC 2131 4.1: to the address that the client has; else to all, or to the address that it is about to have, whose
    // station is known though it does not answer for it yet.
    let destination = own;
    if (own.isUnspecified) {
      destination = dhcp.isBroadcast(bytes, at) ? BROADCAST : yours;
      if (destination === yours) this.#options.ip.neighbours.learn(yours, this.#mac, now, true);
    }
    this.#queue(destination, answer.slice(0, dhcp.putEnd(answer, 0, next)));
  }

  /** RFC 2131 4.1: a NAK goes to all, since whoever gets it may have no address that is of use here. */
  #refuse(bytes: Uint8Array, at: number): void {
    const answer = new Uint8Array(MESSAGE_MAX);
    const next = this.#begin(answer, bytes, at, MessageType.Nak);
    this.#queue(BROADCAST, answer.slice(0, dhcp.putEnd(answer, 0, next)));
  }

  #begin(answer: Uint8Array, bytes: Uint8Array, at: number, type: number): number {
    const isBroadcast = dhcp.isBroadcast(bytes, at);
    let next = dhcp.emit(answer, 0, dhcp.Op.Reply, dhcp.xid(bytes, at), 0, isBroadcast, this.#mac);
    if (type === MessageType.Ack) {
      new Address().readV4(bytes, at + dhcp.CLIENT_ADDRESS).writeV4(answer, dhcp.CLIENT_ADDRESS);
    }
    next = dhcp.put8Option(answer, next, Option.MessageType, type);
    return dhcp.put32Option(answer, next, Option.ServerIdentifier, this.#options.subnet.address.d);
  }

  #parameters(answer: Uint8Array, next: number): number {
    const { subnet, routers = [], dns = [], domain } = this.#options;
    next = dhcp.put32Option(
      answer,
      next,
      Option.SubnetMask,
      subnet.prefix === 0 ? 0 : -1 << (32 - subnet.prefix),
    );
    if (subnet.broadcast !== undefined) {
      next = dhcp.put32Option(answer, next, Option.Broadcast, subnet.broadcast.d);
    }
    if (routers.length > 0) next = dhcp.putOption(answer, next, Option.Router, addressBytes(routers));
    if (dns.length > 0) next = dhcp.putOption(answer, next, Option.DnsServer, addressBytes(dns));
    if (domain !== undefined) {
      next = dhcp.putOption(
        answer,
        next,
        Option.DomainName,
        new TextEncoder().encode(domain).subarray(0, 64),
      );
    }
    return next;
  }

  #queue(destination: Address, bytes: Uint8Array): void {
    if (this.#answers.length < ANSWERS_MAX) this.#answers.push({ destination, bytes });
    else this.counters.unanswered++;
  }

  get #duration(): number {
    return this.#options.lease ?? 3_600;
  }
}

/** IPv4 addresses in a row, at most eight. */
function addressBytes(addresses: readonly Address[]): Uint8Array {
  const few = addresses.filter(({ isV4 }) => isV4).slice(0, 8);
  const bytes = new Uint8Array(4 * few.length);
  few.forEach((address, index) => address.writeV4(bytes, 4 * index));
  return bytes;
}

/** RFC 2131 4.2: a client is told by its identifier, or else by its hardware address. */
function clientOf(bytes: Uint8Array, at: number, end: number): string {
  const identifier = bytesOption(bytes, at, end, Option.ClientIdentifier);
  return (identifier ?? bytes.slice(at + dhcp.CLIENT_MAC, at + dhcp.CLIENT_MAC + 6)).toHex();
}
