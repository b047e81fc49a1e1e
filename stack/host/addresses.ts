/**
 * The host's own addresses with their subnets, as `ip addr` shows them.
 *
 * @module
 */
import { Address } from "../wire/address.ts";
import { Cidr } from "../wire/cidr.ts";

/** What an address means to this host. */
export const Scope = {
  /** Somebody else's. */
  Other: 0,
  /** One of our own. */
  Own: 1,
  /** To all on the link: 255.255.255.255, or an own subnet's directed broadcast. */
  Broadcast: 2,
  /** To a group that this host has joined. */
  Multicast: 3,
} as const;

/** One of {@linkcode Scope}'s numbers. */
export type Scope = (typeof Scope)[keyof typeof Scope];

/** The first word of ff02::/16: groups on one link (RFC 4291 2.7). */
const LINK_SCOPE = 0xff020000 | 0;

/** A small list of own addresses, of both families. Open to change between poll cycles. */
export class Addresses {
  /** Grows with every change, so that what was looked up may be remembered meanwhile. */
  version = 0;
  readonly #list: Cidr[] = [];
  readonly #groups: Address[] = [];

  /** Starts with these, each as text ("10.0.0.1/24") or parsed. */
  constructor(addresses: readonly (Cidr | string)[] = []) {
    for (const address of addresses) this.add(address);
  }

  /** Adds one; an address that is there already gets the new prefix length. Throws when it cannot be a host's. */
  add(address: Cidr | string): void {
    const cidr = typeof address === "string" ? Cidr.parse(address) : address;
    if (!cidr.address.isUnicast || cidr.isBroadcast(cidr.address)) {
      throw new RangeError(`${cidr} cannot be a host's address: it is not a unicast address of its subnet`);
    }
    this.remove(cidr.address);
    this.version++;
    this.#list.push(cidr);
  }

  /** Removes one; false when it was not there. */
  remove(address: Address): boolean {
    const index = this.#list.findIndex((cidr) => cidr.address.equals(address));
    if (index < 0) return false;
    this.version++;
    this.#list.splice(index, 1);
    return true;
  }

  /** Counts packets to this group as for us. Those that every IPv6 host is in need no joining (RFC 4291 2.8). */
  join(group: Address): void {
    if (!group.isMulticast) throw new RangeError(`${group} is no multicast group`);
    if (!this.#groups.some((joined) => joined.equals(group))) this.#groups.push(new Address().copy(group));
  }

  /** Stops counting packets to this group as for us. */
  leave(group: Address): void {
    const index = this.#groups.findIndex((joined) => joined.equals(group));
    if (index >= 0) this.#groups.splice(index, 1);
  }

  /** All of them, in the order of their adding. */
  [Symbol.iterator](): IterableIterator<Cidr> {
    return this.#list.values();
  }

  /** The table's own copy of an own address, which stays as it is; undefined: it is not ours. */
  own(address: Address): Address | undefined {
    for (let index = 0; index < this.#list.length; index++) {
      const own = this.#list[index]!.address;
      if (own.equals(address)) return own;
    }
    return undefined;
  }

  /** Whether it is one of our own. */
  owns(address: Address): boolean {
    for (let index = 0; index < this.#list.length; index++) {
      if (this.#list[index]!.address.equals(address)) return true;
    }
    return false;
  }

  /**
   * Whether no other host can have it (RFC 1122 3.2.1.3): it is ours, a group's, nobody's, a loopback address, or in
   * 0.0.0.0/8, to which nothing may be sent.
   */
  isForged(source: Address): boolean {
    if (!source.isUnicast || source.isLoopback || (source.d >>> 24 === 0 && source.isV4)) return true;
    const list = this.#list;
    for (let index = 0; index < list.length; index++) {
      const cidr = list[index]!;
      if (cidr.address.equals(source) || cidr.isBroadcast(source)) return true;
    }
    return false;
  }

  /** What a packet's destination means to this host. */
  scope(address: Address): Scope {
    if (this.owns(address)) return Scope.Own;
    if (address.isBroadcast || this.isDirectedBroadcast(address)) return Scope.Broadcast;
    if (!address.isMulticast) return Scope.Other;
    for (let index = 0; index < this.#groups.length; index++) {
      if (this.#groups[index]!.equals(address)) return Scope.Multicast;
    }
    return address.isV4 || !this.#isImplied(address) ? Scope.Other : Scope.Multicast;
  }

  /** RFC 4291 2.8: a host is in the group of all nodes and, for each of its addresses, in its solicited-node group. */
  #isImplied(group: Address): boolean {
    if (group.a !== LINK_SCOPE || group.b !== 0) return false;
    if (group.c === 0) return group.d === 1;
    if (group.c !== 1 || group.d >>> 24 !== 0xff) return false;
    for (let index = 0; index < this.#list.length; index++) {
      const own = this.#list[index]!;
      if (!own.isV4 && ((own.address.d ^ group.d) & 0xffffff) === 0) return true;
    }
    return false;
  }

  /** Whether it is the broadcast address of one of our subnets. */
  isDirectedBroadcast(address: Address): boolean {
    for (let index = 0; index < this.#list.length; index++) {
      if (this.#list[index]!.isBroadcast(address)) return true;
    }
    return false;
  }

  /** The own address whose subnet holds `address`; the longest prefix wins. Undefined: it is not on a link of ours. */
  onLink(address: Address): Address | undefined {
    let best: Cidr | undefined;
    for (let index = 0; index < this.#list.length; index++) {
      const cidr = this.#list[index]!;
      if (cidr.contains(address) && (best === undefined || cidr.prefix > best.prefix)) best = cidr;
    }
    return best?.address;
  }

  /**
   * The own address to send from to `destination` by way of `nextHop`, unless the sender wants another: one of the
   * destination's scope before any, then one whose subnet holds the next hop, the longest prefix first. Undefined:
   * there is none of the family.
   */
  sourceFor(destination: Address, nextHop: Address): Address | undefined {
    const { isV4 } = destination;
    const isNear = isLinkScope(destination);
    let best: Address | undefined;
    let bestRank = -1;
    for (let index = 0; index < this.#list.length; index++) {
      const cidr = this.#list[index]!;
      if (cidr.isV4 !== isV4) continue;
      const rank = (cidr.address.isLinkLocal === isNear ? SAME_SCOPE : 0) +
        (cidr.contains(nextHop) ? cidr.prefix + 1 : 0);
      if (rank <= bestRank) continue;
      best = cidr.address;
      bestRank = rank;
    }
    return best;
  }
}

/** More than the longest prefix. */
const SAME_SCOPE = 256;

/** Whether an address means something on one link only: link-local, or a group of at most that scope. */
function isLinkScope(address: Address): boolean {
  if (address.isLinkLocal) return true;
  return !address.isV4 && address.isMulticast && ((address.a >>> 16) & 0xf) <= 2;
}
