/**
 * Neighbor Discovery for IPv6 (RFC 4861) and a host's own configuration (RFC 4862): finds neighbours and routers, makes
 * and defends addresses.
 *
 * @module
 */
import { type Addresses, AddressState } from "../host/addresses.ts";
import { Announcements } from "../host/announcements.ts";
import { newRequest } from "../host/neighbours.ts";
import { Redirects } from "../host/redirects.ts";
import type { Ip, LinkControl } from "../ip/endpoint.ts";
import type { IpIn, IpRaw } from "../ip/packet.ts";
import { Random } from "../loss/random.ts";
import type { SipKey } from "../store/siphash.ts";
import { type Instant, seconds } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import { Type, type as typeOf } from "../wire/icmpv6.ts";
import { WireError } from "../wire/error.ts";
import { Mac } from "../wire/mac.ts";
import * as wire from "../wire/ndp.ts";
import { receiveAdvertisement, receiveSolicitation } from "./neighbour.ts";
import { NdpCounters } from "./counters.ts";
import { DuplicateDetection } from "./dad.ts";
import { RouterDns } from "./dns.ts";
import { InterfaceIds } from "./interface-id.ts";
import { ALL_NODES, HOP_LIMIT, NdpWriter } from "./packet.ts";
import { receiveRedirect } from "./redirect.ts";
import { receiveRouterAdvertisement } from "./router-advertisement.ts";
import { DefaultRouters } from "./routers.ts";
import { Slaac } from "./slaac.ts";
import { RouterSolicitation } from "./solicitation.ts";

/** How an {@linkcode Ndp} endpoint is set up. */
export interface NdpOptions {
  /** The own link address. */
  readonly mac: Mac;
  /** 128 secret bits: the own addresses are made of them, and random delays. A host that keeps them keeps its addresses. */
  readonly secret: SipKey;
  /** Makes a link-local address (RFC 4862 5.3). Default true. */
  readonly linkLocal?: boolean;
  /** Asks for routers and makes addresses of the prefixes that they advertise (RFC 4862 5.5). Default false. */
  readonly slaac?: boolean;
  /** Makes temporary addresses besides, which are then the ones to send from (RFC 8981). Default false. */
  readonly temporary?: boolean;
  /** How many solicitations look for an address' duplicate (RFC 4862 5.1). Default 1. */
  readonly transmits?: number;
  /** Advertises addresses to all when they come into use (RFC 4861 7.2.6). Default false. */
  readonly announce?: boolean;
}

/** An advertisement that is to be sent. */
class Answer {
  readonly destination = new Address();
  readonly target = new Address();
  flags = 0;
}

/** Advertisements that wait for the next tx at most. */
const ANSWERS = 16;

/** RFC 4861 10, RETRANS_TIMER. */
const RETRANS_TIMER = seconds(1);

/**
 * NDP for one host on one link. It takes part in a tree as `ip.linkControl`. Its tables are the host's: addresses,
 * neighbours, routes.
 */
export class Ndp implements LinkControl {
  /** The host. */
  readonly ip: Ip;
  /** The own link address. */
  readonly mac: Mac;
  /** What passed and what was dropped. */
  readonly counters: NdpCounters = new NdpCounters();
  /** The default routers. */
  readonly routers: DefaultRouters;
  /** What routers say of DNS. */
  readonly dns: RouterDns = new RouterDns();
  /** Whether routers' advertisements are heeded. */
  readonly isAutoconfigured: boolean;
  /** What routers have redirected. */
  readonly redirects: Redirects;
  /** Makes addresses. */
  readonly slaac: Slaac;
  /** The link's MTU as a router advertises it, which `ip.pathMtus` follows; 0: none has. */
  mtu = 0;
  /** The hop limit that a router advises, which `ip.hopLimitV6` follows from 32 on; 0: none has. */
  hopLimit = 0;
  /** The time between two solicitations (RFC 4861 6.3.2, RetransTimer). */
  retry: Instant = RETRANS_TIMER;
  /** How long an answer proves reachability on average, as a router advertises it; 0: none has. */
  reachableTime: Instant = 0;
  /** Whether a router has said that addresses, or else what hosts need besides, are to be had by DHCPv6. */
  managed = false;
  /** See {@linkcode Ndp.managed}. */
  otherConfiguration = false;
  readonly #writer: NdpWriter;
  readonly #dad: DuplicateDetection;
  readonly #announcements: Announcements;
  readonly #announces: boolean;
  readonly #solicitation: RouterSolicitation;
  readonly #request = newRequest();
  readonly #group = new Address();
  readonly #answers = Array.from({ length: ANSWERS }, () => new Answer());
  #answerCount = 0;
  #wakeAt: Instant = 0;
  #version = -1;
  #lost = 0;

  /** An endpoint for a host. It does nothing until it stands in the host's tree, as `ip.linkControl`. */
  constructor(ip: Ip, options: NdpOptions) {
    this.ip = ip;
    this.mac = new Mac().copy(options.mac);
    const random = new Random(options.secret[0] ^ options.secret[3]);
    const ids = new InterfaceIds(options.secret, this.mac);
    this.isAutoconfigured = options.slaac ?? false;
    this.#writer = new NdpWriter(this.mac);
    this.#dad = new DuplicateDetection(ip.addresses, random, options.transmits ?? 1);
    this.#announcements = new Announcements(ip.addresses, false);
    this.#announces = options.announce ?? false;
    this.#solicitation = new RouterSolicitation(random);
    this.routers = new DefaultRouters(ip.neighbours, ip.routes);
    this.redirects = new Redirects(ip.routes, ip.neighbours);
    this.slaac = new Slaac(ip.addresses, ids, options.temporary ?? false, random.next());
    if (options.linkLocal ?? true) this.slaac.addLinkLocal();
  }

  /** Whether routers are still being asked for, and none has answered. */
  get isSearching(): boolean {
    return this.isAutoconfigured && this.#solicitation.isSearching;
  }

  /** Takes a message whose checksum is right. */
  receive(packet: IpIn): void {
    const { counters } = this;
    const { frame, payloadAt: at } = packet;
    if (packet.hopLimit !== HOP_LIMIT) counters.badHopLimit++;
    else if (wire.check(frame.bytes, at, frame.end) !== WireError.None) counters.malformed++;
    else this.#dispatch(packet, typeOf(frame.bytes, at));
  }

  #dispatch(packet: IpIn, type: number): void {
    switch (type) {
      case Type.NeighbourSolicitation:
        return receiveSolicitation(this, packet);
      case Type.NeighbourAdvertisement:
        return receiveAdvertisement(this, packet);
      case Type.RouterAdvertisement:
        return receiveRouterAdvertisement(this, packet);
      case Type.Redirect:
        return receiveRedirect(this, packet);
      default:
        this.counters.forRouters++;
    }
  }

  /** Sends a message that is due; false: there is none. */
  send(packet: IpRaw): boolean {
    const now = packet.info.timestamp;
    if (this.deadline() > now) return false;
    this.#follow(now);
    const isSent = this.#answer(packet) || this.#ask(packet, now) || this.#probe(packet, now) ||
      this.#announce(packet, now) || this.#solicit(packet, now);
    if (isSent) this.counters.sent++;
    else this.#rest();
    return isSent;
  }

  /** When there is something to do. */
  deadline(): Instant {
    const { addresses, neighbours } = this.ip;
    const { lost, failed } = neighbours.counters;
    if (this.#answerCount > 0 || this.#version !== addresses.version || lost + failed !== this.#lost) {
      return 0;
    }
    return Math.min(this.#wakeAt, neighbours.deadline());
  }

  /** Has an own address advertised, to who asked or to all (RFC 4861 7.2.4). */
  answer(destination: Address | undefined, target: Address): void {
    this.counters.requests++;
    const answer = this.#answers[this.#answerCount];
    if (answer === undefined) {
      this.counters.unanswered++;
      return;
    }
    this.#answerCount++;
    answer.destination.copy(destination ?? ALL_NODES);
    answer.target.copy(target);
    answer.flags = wire.Flag.Override | (destination === undefined ? 0 : wire.Flag.Solicited);
  }

  /** RFC 4862 5.4.5: a tentative address is somebody else's. */
  isDuplicate(address: Address, now: Instant): void {
    this.counters.duplicates++;
    const { addresses } = this.ip;
    addresses.setState(address, AddressState.Duplicate);
    this.slaac.replace(addresses.find(address)!, now);
  }

  /** A router has been heard from: the search is over (RFC 4861 6.3.7). */
  foundRouter(): void {
    this.#solicitation.found();
  }

  /**
   * Has all addresses in use advertised once more, and routers asked for anew: what is at the other end of the cable may be
   * new (RFC 4861 6.3.7).
   */
  announce(): void {
    this.#announcements.repeat();
    this.#solicitation.reset();
    this.#version = -1;
  }

  /** Has what changed taken note of with the next tx. */
  wake(): void {
    this.#wakeAt = 0;
  }

  #follow(now: Instant): void {
    const { addresses, neighbours } = this.ip;
    const { counters } = neighbours;
    if (counters.lost + counters.failed !== this.#lost) {
      this.#lost = counters.lost + counters.failed;
      this.routers.neighboursLost(now);
      this.redirects.neighboursLost(now);
    }
    addresses.expire(now);
    this.slaac.regenerate(now);
    this.routers.choose(now);
    this.dns.expire(now);
    this.#dad.settle(now);
    if (this.#version === addresses.version) return;
    this.#version = addresses.version;
    this.wake();
    this.#dad.follow(now);
    if (this.#announces) this.#announcements.follow(now);
    if (this.isAutoconfigured && linkLocal(addresses) !== undefined) this.#solicitation.begin(now);
  }

  /** Nothing is left to send now: when is there next? */
  #rest(): void {
    this.#wakeAt = Math.min(
      this.ip.addresses.deadline(),
      this.slaac.deadline(),
      this.routers.deadline(),
      this.dns.deadline(),
      this.#dad.deadline(),
      this.#announcements.deadline(),
      this.#solicitation.deadline(),
    );
  }

  #answer(packet: IpRaw): boolean {
    while (this.#answerCount > 0) {
      const { destination, target, flags } = this.#answers[--this.#answerCount]!;
      if (this.#writer.advertise(packet, destination, target, flags)) return true;
      this.counters.unanswered++;
    }
    return false;
  }

  /** RFC 4861 7.2.2 and 7.3.3: asks for neighbours. */
  #ask(packet: IpRaw, now: Instant): boolean {
    const request = this.#request;
    const { neighbours, addresses } = this.ip;
    while (neighbours.nextRequest(now, request, false)) {
      const destination = request.isGroup ? request.address.solicitedNode(this.#group) : request.address;
      const source = addresses.sourceFor(request.address, request.address);
      if (source !== undefined && this.#writer.solicit(packet, source, destination, request.address)) {
        return true;
      }
    }
    return false;
  }

  /** RFC 4862 5.4.2: looks for duplicates. */
  #probe(packet: IpRaw, now: Instant): boolean {
    const tentative = this.#dad.next(now, this.retry);
    if (tentative === undefined) return false;
    return this.#writer.solicit(packet, NOBODY, tentative.solicitedNode(this.#group), tentative);
  }

  /** RFC 4861 7.2.6: tells all who has the address now. */
  #announce(packet: IpRaw, now: Instant): boolean {
    const address = this.#announcements.next(now);
    return address !== undefined && this.#writer.advertise(packet, ALL_NODES, address, wire.Flag.Override);
  }

  #solicit(packet: IpRaw, now: Instant): boolean {
    if (!this.#solicitation.isDue(now)) return false;
    return this.#writer.solicitRouters(packet, linkLocal(this.ip.addresses) ?? NOBODY);
  }
}

const NOBODY = new Address();

function linkLocal(addresses: Addresses): Address | undefined {
  return addresses.entries().find(({ cidr, state }) => {
    return !cidr.isV4 && cidr.address.isLinkLocal && state !== AddressState.Tentative &&
      state !== AddressState.Duplicate;
  })?.cidr.address;
}
