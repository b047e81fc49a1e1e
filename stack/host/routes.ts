/**
 * The host's routes to what is not on its own subnets, as `ip route` shows them.
 *
 * @module
 */
import { PrefixTrie } from "../store/prefix-trie.ts";
import { type Instant, NEVER } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import { Cidr } from "../wire/cidr.ts";

/** What becomes of a packet on a route. */
export const RouteKind = {
  /** It goes to the gateway. */
  Gateway: 0,
  /** Its destination is on the link, though on none of our subnets: it goes there itself. */
  OnLink: 1,
  /** It is not sent, and whoever sent it is told that the destination cannot be reached. */
  Unreachable: 2,
  /** It is not sent, and nobody is told. */
  Blackhole: 3,
} as const;

/** One of {@linkcode RouteKind}'s numbers. */
export type RouteKind = (typeof RouteKind)[keyof typeof RouteKind];

/** One route: what becomes of everything for `network` until `expires`. */
export interface Route {
  /** The destinations. */
  readonly network: Cidr;
  /** What becomes of packets to them. */
  readonly kind: RouteKind;
  /**
   * The next hop of a gateway's route, which must be on the link: on an own subnet, or by another route. Unspecified for
   * all other kinds.
   */
  readonly gateway: Address;
  /** Of two routes to one network that live, the one with the smaller metric is used. */
  readonly metric: number;
  /** When it stops to be used. */
  readonly expires: Instant;
}

/** What {@linkcode Routes.set} is told of a route. */
export interface RouteInit {
  /** The destinations; host bits are ignored. */
  readonly network: Cidr;
  /** The next hop, for a gateway's route only. */
  readonly gateway?: Address;
  /** Default: a gateway's route, if there is a gateway, or else one to the link. */
  readonly kind?: RouteKind;
  /** From 0, the most preferred, to 2^32 - 1. Default 0. */
  readonly metric?: number;
  /** Default: it stays. */
  readonly expires?: Instant;
}

/** The routes to one network, the smallest metric first: usually one. */
type Group = Route[];

/**
 * A table of fixed capacity. The live route with the longest prefix is found in a time that does not depend on how many
 * there are. Open to change between poll cycles.
 */
export class Routes {
  /** How many routes it takes. */
  readonly capacity: number;
  /** Grows with every change, so that what was looked up may be remembered meanwhile. */
  version = 0;
  // Apart, since an IPv6 prefix such as ::/0 would cover the IPv4-mapped addresses, too.
  readonly #v4 = new PrefixTrie<Group>();
  readonly #v6 = new PrefixTrie<Group>();
  #size = 0;

  /** An empty table. */
  constructor(capacity: number = 4_096) {
    this.capacity = capacity;
  }

  /** How many routes there are, those that have expired and not yet made room included. */
  get size(): number {
    return this.#size;
  }

  /**
   * Adds a route, or replaces the one to the same network with the same metric. In a full table, routes that have
   * expired by `now` make room. False: it is full all the same. Throws a RangeError for a route that contradicts itself.
   */
  set(init: RouteInit, now: Instant = 0): boolean {
    const route = checked(init);
    const { network, metric } = route;
    const group = this.#group(network);
    const index = group?.findIndex((other) => other.metric >= metric) ?? -1;
    const same = group?.[index]?.metric === metric;
    if (!same && this.#size >= this.capacity) {
      this.#forgetExpired(now);
      return this.#size < this.capacity && this.set(init, now);
    }
    this.version++;
    if (!same) this.#size++;
    if (group === undefined) this.#put(network, [route]);
    else if (same) group[index] = route;
    else group.splice(index < 0 ? group.length : index, 0, route);
    return true;
  }

  /** {@linkcode Routes.set} for the common case: everything in `network` is reached through `gateway`. */
  add(network: Cidr, gateway: Address, expires: Instant = NEVER, now: Instant = 0): boolean {
    return this.set({ network, gateway, expires }, now);
  }

  /** Adds the route to everything of the gateway's family. False: the table is full. */
  addDefault(gateway: Address, expires: Instant = NEVER): boolean {
    return this.add(Cidr.parse(gateway.isV4 ? "0.0.0.0/0" : "::/0"), gateway, expires);
  }

  /** Removes the routes to this network, or the one with this metric; false when there was none. */
  remove(network: Cidr, metric?: number): boolean {
    const group = this.#group(network);
    if (group === undefined) return false;
    const left = metric === undefined ? [] : group.filter((route) => route.metric !== metric);
    if (left.length === group.length) return false;
    this.version++;
    this.#size -= group.length - left.length;
    this.#put(network, left);
    return true;
  }

  /** The routes to exactly this network, the most preferred first. */
  to(network: Cidr): readonly Route[] {
    return this.#group(network) ?? [];
  }

  /** All of them, longest prefix first. */
  [Symbol.iterator](): IterableIterator<Route> {
    const all = [...this.#v4.values(), ...this.#v6.values()].flat();
    return all.sort((one, other) => other.network.prefix - one.network.prefix).values();
  }

  /** The way to `destination`: the live route with the longest prefix. Undefined: there is none. */
  lookup(destination: Address, now: Instant): Route | undefined {
    const { a, b, c, d } = destination;
    const trie = destination.isV4 ? this.#v4 : this.#v6;
    for (let most = 128; most >= 0;) {
      const found = trie.longest(a, b, c, d, most);
      if (found === undefined) return undefined;
      const group = found.value!;
      for (let index = 0; index < group.length; index++) {
        if (group[index]!.expires > now) return group[index];
      }
      most = found.bits - 1;
    }
    return undefined;
  }

  #group(network: Cidr): Group | undefined {
    const { a, b, c, d } = network.network;
    return this.#trie(network).get(a, b, c, d, bits(network));
  }

  #put(network: Cidr, group: Group): void {
    const { a, b, c, d } = network.network;
    if (group.length > 0) this.#trie(network).set(a, b, c, d, bits(network), group);
    else this.#trie(network).delete(a, b, c, d, bits(network));
  }

  #trie(network: Cidr): PrefixTrie<Group> {
    return network.isV4 ? this.#v4 : this.#v6;
  }

  #forgetExpired(now: Instant): void {
    for (const { network, metric, expires } of this) {
      if (expires <= now) this.remove(network, metric);
    }
  }
}

/** The metric of what was learnt of the network rather than given by somebody: whoever gives something goes before it. */
export const LEARNT_METRIC = 1_024;

const METRIC_MAX = 0xffff_ffff;

function checked({ network, gateway, kind, metric = 0, expires = NEVER }: RouteInit): Route {
  const chosen = kind ?? (gateway === undefined ? RouteKind.OnLink : RouteKind.Gateway);
  if ((chosen === RouteKind.Gateway) !== (gateway !== undefined)) {
    throw new RangeError(`the route to ${network} must have a gateway if, and only if, it is of that kind`);
  }
  if (gateway !== undefined && network.isV4 !== gateway.isV4) {
    throw new RangeError(`the gateway ${gateway} is not of the family of ${network}`);
  }
  if (!Number.isInteger(metric) || metric < 0 || metric > METRIC_MAX) {
    throw new RangeError(`a metric must be a whole number from 0 to ${METRIC_MAX}, not ${metric}`);
  }
  const copy = new Address();
  return {
    network,
    kind: chosen,
    gateway: gateway === undefined ? copy : copy.copy(gateway),
    metric,
    expires,
  };
}

/** The prefix length in the 128 bits that both families have. */
function bits(network: Cidr): number {
  return network.isV4 ? network.prefix + 96 : network.prefix;
}
