/**
 * The way of a packet: from its destination to the own address it leaves from and the station it goes to next.
 *
 * @module
 */
import { type Failure, LayerError } from "../error.ts";
import { Scope } from "../host/addresses.ts";
import { type Route, RouteKind } from "../host/routes.ts";
import type { Link } from "../link.ts";
import type { NicInfo } from "../slot.ts";
import { type Instant, NEVER } from "../store/time.ts";
import { Address, multicastMac } from "../wire/address.ts";
import { Mac } from "../wire/mac.ts";
import type { Ip } from "./endpoint.ts";
import { UNKNOWN_MTU } from "./path-mtu.ts";

const BROADCAST: Mac = Mac.broadcast();

const NOBODY_V4 = new Address().setV4(0), NOBODY_V6 = new Address();

/** What is asked of a route. */
type Leading = Pick<Route, "kind" | "gateway" | "expires">;

/** Stands for the route to what is on a link of ours. */
const DIRECT: Leading = { expires: NEVER, kind: RouteKind.OnLink, gateway: new Address() };

/**
 * Finds ways, and remembers the last one: most packets go where the one before went. What is
 * remembered is void as soon as a table has changed, or the neighbour's address should be confirmed.
 */
export class Path {
  /** The longest packet that the way takes which was last found, as far as the link does, too. */
  mtu: number = UNKNOWN_MTU;
  /** Where packets that were just found `Unreachable` can wait for the neighbour's look-up; -1: nowhere. */
  waitingFor: number = -1;
  /** The own address that such a packet leaves from. */
  waitingOwn: Address = NOBODY_V6;
  readonly #ip: Ip;
  readonly #destination = new Address();
  readonly #mac = new Mac();
  #own: Address | undefined;
  #version = -1;
  #until: Instant = 0;
  #mtu = UNKNOWN_MTU;

  /** A finder over a host's tables. */
  constructor(ip: Ip) {
    this.#ip = ip;
  }

  /**
   * Answers with the own address a packet leaves from and writes its next station into `mac`. `source` is what the
   * sender wants; unspecified: any. `Unreachable`: no route, or the neighbour is not resolved and the look-up is
   * noted. `Illegal`: the source is not ours or of the other family, or no host can have the destination.
   * `Exhausted`: no look-up can be noted.
   */
  find(source: Address, destination: Address, link: Link, mac: Mac): Address | Failure {
    const own = this.#own;
    if (
      own !== undefined && this.#destination.equals(destination) && link.info.timestamp < this.#until &&
      this.#version === this.#tables() && source.equals(own)
    ) {
      mac.copy(this.#mac);
      this.mtu = this.#mtu;
      return own;
    }
    this.mtu = this.#ip.pathMtus.linkMtu(destination.isV4);
    const wanted = source.isUnspecified ? undefined : source;
    // RFC 1122 3.3.4.2: a host sends from its own addresses only.
    if (wanted !== undefined && !this.#mayBeFrom(wanted, destination)) return LayerError.Illegal;
    return this.#search(wanted, destination, link, mac);
  }

  /**
   * The way of a packet that a host without an address sends: it can only go to all on the link, or to a group
   * (RFC 1122 3.2.1.3 a). `Illegal`: to anybody else.
   */
  findFromNobody(destination: Address, mac: Mac): Address | Failure {
    if (destination.isBroadcast) mac.copy(BROADCAST);
    else if (destination.isMulticast) multicastMac(destination, mac);
    else return LayerError.Illegal;
    this.mtu = this.#ip.pathMtus.linkMtu(destination.isV4);
    return destination.isV4 ? NOBODY_V4 : NOBODY_V6;
  }

  /** The own address that a packet to `destination` would leave from now; undefined: there is no way. */
  source(destination: Address, now: Instant): Address | undefined {
    const { addresses } = this.#ip;
    const route = addresses.onLink(destination) === undefined
      ? this.#ip.routes.lookup(destination, now)
      : DIRECT;
    if (route === undefined || this.#leadsUntil(route, now) === 0) return undefined;
    return addresses.sourceFor(destination, route.kind === RouteKind.Gateway ? route.gateway : destination);
  }

  /**
   * RFC 4861 7.3.1: a layer above has seen that what was sent to `destination` arrives there, so that the neighbour on
   * the way there need not be asked whether it is there. The time is read only if it matters, since a number that is
   * handed on is put on the heap.
   */
  confirm(destination: Address, clock: Pick<NicInfo, "timestamp">): void {
    const { addresses, neighbours, routes } = this.#ip;
    if (neighbours.doubted === 0) return;
    const now = clock.timestamp;
    const route = addresses.onLink(destination) === undefined ? routes.lookup(destination, now) : DIRECT;
    if (route === undefined) return;
    neighbours.confirm(route.kind === RouteKind.Gateway ? route.gateway : destination, now);
  }

  #mayBeFrom(source: Address, destination: Address): boolean {
    return source.isV4 === destination.isV4 && this.#ip.addresses.owns(source);
  }

  /**
   * Until when packets may go along a route: it is no refusal, and its gateway is on the link, by a subnet of ours or by
   * another route. 0: they may not.
   */
  #leadsUntil({ kind, gateway, expires }: Leading, now: Instant): Instant {
    const { addresses, routes } = this.#ip;
    if (kind !== RouteKind.Gateway) return kind === RouteKind.OnLink ? expires : 0;
    if (addresses.onLink(gateway) !== undefined) return expires;
    const near = routes.lookup(gateway, now);
    return near?.kind === RouteKind.OnLink ? Math.min(expires, near.expires) : 0;
  }

  #search(wanted: Address | undefined, destination: Address, link: Link, mac: Mac): Address | Failure {
    const { addresses } = this.#ip;
    this.waitingFor = -1;
    if (destination.isMulticast) {
      multicastMac(destination, mac);
      return wanted ?? addresses.sourceFor(destination, destination) ?? this.#noRoute();
    }
    const scope = addresses.scope(destination);
    if (scope === Scope.Broadcast) {
      mac.copy(BROADCAST);
      return wanted ?? addresses.sourceFor(destination, destination) ?? this.#noRoute();
    }
    if (scope === Scope.Own) {
      if (!link.info.isLoopback) return this.#noRoute();
      mac.copy(link.mac);
      return wanted ?? destination;
    }
    // RFC 1122 3.2.1.3: what no host can have is never sent to; loopback addresses stay inside the host.
    if (addresses.isForged(destination) && !(link.info.isLoopback && destination.isLoopback)) {
      return LayerError.Illegal;
    }
    const now = link.info.timestamp;
    const route = addresses.onLink(destination) === undefined
      ? this.#ip.routes.lookup(destination, now)
      : DIRECT;
    const until = route === undefined ? 0 : this.#leadsUntil(route, now);
    if (route === undefined || until === 0) return this.#noRoute();
    const nextHop = route.kind === RouteKind.Gateway ? route.gateway : destination;
    const own = wanted ?? addresses.sourceFor(destination, nextHop);
    if (own === undefined) return this.#noRoute();
    const { neighbours, pathMtus } = this.#ip;
    this.mtu = pathMtus.get(destination, now);
    if (!link.resolves) return own;
    const error = neighbours.lookup(nextHop, now, mac);
    if (error !== LayerError.None) {
      this.waitingFor = neighbours.incomplete(nextHop);
      this.waitingOwn = own;
      return error;
    }
    this.#until = Math.min(
      neighbours.trustedUntil(nextHop, now),
      until,
      pathMtus.knownUntil(destination, now),
    );
    this.#mtu = this.mtu;
    this.#remember(destination, mac, own);
    return own;
  }

  #remember(destination: Address, mac: Mac, own: Address): void {
    this.#destination.copy(destination);
    this.#mac.copy(mac);
    this.#own = this.#ip.addresses.own(own);
    this.#version = this.#tables();
  }

  /** Grows with every change of a table that a way depends on. */
  #tables(): number {
    const { addresses, routes, neighbours, pathMtus } = this.#ip;
    return addresses.version + routes.version + neighbours.version + pathMtus.version;
  }

  #noRoute(): Failure {
    this.#ip.counters.noRoute++;
    return LayerError.Unreachable;
  }
}
