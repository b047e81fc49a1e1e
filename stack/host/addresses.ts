/**
 * The host's own addresses with their subnets, as `ip addr` shows them.
 *
 * @module
 */
import { type Instant, NEVER } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import { Cidr } from "../wire/cidr.ts";
import { isBetterSource } from "./address-policy.ts";
import { AddressState, type OwnAddress, OwnAddressEntry, type OwnAddressOptions } from "./own-address.ts";

export * from "./own-address.ts";

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

/** 224.0.0.1. */
const ALL_HOSTS = 0xe0000001 | 0;

/** The first word of ff02::/16: groups on one link (RFC 4291 2.7). */
const LINK_SCOPE = 0xff020000 | 0;

/** A small list of own addresses, of both families. Open to change between poll cycles. */
export class Addresses {
  /** Grows with every change, so that what was looked up may be remembered meanwhile. */
  version = 0;
  #all: readonly OwnAddressEntry[] = [];
  // Those that may be used, by what is asked of them for each packet.
  #list: readonly Cidr[] = [];
  #links: readonly Cidr[] = [];
  #expires: Instant = NEVER;
  /** Grows with every change of the groups that the host is in. */
  groupsVersion = 0;
  readonly #groups: Address[] = [];
  /** How often each of them was joined. */
  readonly #joins: number[] = [];

  /** Starts with these, each as text ("10.0.0.1/24") or parsed. */
  constructor(addresses: readonly (Cidr | string)[] = []) {
    for (const address of addresses) this.add(address);
  }

  /**
   * Adds one, which may be used at once unless the options say otherwise; an address that is there already is replaced.
   * Throws when it cannot be a host's.
   */
  add(address: Cidr | string, options: OwnAddressOptions = {}): void {
    const cidr = typeof address === "string" ? Cidr.parse(address) : address;
    if (!cidr.address.isUnicast || cidr.isBroadcast(cidr.address)) {
      throw new RangeError(`${cidr} cannot be a host's address: it is not a unicast address of its subnet`);
    }
    const others = this.#all.filter((entry) => !entry.cidr.address.equals(cidr.address));
    this.#change([...others, new OwnAddressEntry(cidr, options)]);
  }

  /** Removes one; false when it was not there. */
  remove(address: Address): boolean {
    const others = this.#all.filter((entry) => !entry.cidr.address.equals(address));
    if (others.length === this.#all.length) return false;
    this.#change(others);
    return true;
  }

  /** What is known of an own address, usable or not; undefined: it is not there. */
  find(address: Address): OwnAddress | undefined {
    return this.#entry(address);
  }

  /** All addresses, those that are not usable included, in the order of their adding. */
  entries(): readonly OwnAddress[] {
    return this.#all;
  }

  /** How far an address may be used from now on; false when it is not there. */
  setState(address: Address, state: AddressState): boolean {
    const entry = this.#entry(address);
    if (entry === undefined) return false;
    entry.state = state;
    this.#change(this.#all);
    return true;
  }

  /** Until when an address is preferred and valid from now on; false when it is not there. */
  setLifetimes(address: Address, preferredUntil: Instant, validUntil: Instant, now: Instant): boolean {
    const entry = this.#entry(address);
    if (entry === undefined) return false;
    entry.preferredUntil = preferredUntil;
    entry.validUntil = validUntil;
    if (entry.state === AddressState.Deprecated && preferredUntil > now) entry.state = AddressState.Preferred;
    this.#change(this.#all);
    this.expire(now);
    return true;
  }

  /** RFC 4862 5.5.4: what is not preferred any more is deprecated, what is not valid any more is removed. */
  expire(now: Instant): void {
    if (now < this.#expires) return;
    for (const entry of this.#all) {
      if (entry.state === AddressState.Preferred && entry.preferredUntil <= now) {
        entry.state = AddressState.Deprecated;
      }
    }
    this.#change(this.#all.filter(({ validUntil }) => validUntil > now));
  }

  /** When {@linkcode Addresses.expire} next has something to do. */
  deadline(): Instant {
    return this.#expires;
  }

  #entry(address: Address): OwnAddressEntry | undefined {
    for (let index = 0; index < this.#all.length; index++) {
      if (this.#all[index]!.cidr.address.equals(address)) return this.#all[index];
    }
    return undefined;
  }

  #change(all: readonly OwnAddressEntry[]): void {
    this.version++;
    this.groupsVersion++;
    this.#all = all;
    const usable = all.filter(({ isUsable }) => isUsable);
    this.#list = usable.map(({ cidr }) => cidr);
    this.#links = usable.filter(({ isOnLink }) => isOnLink).map(({ cidr }) => cidr);
    this.#expires = all.reduce((least, { state, preferredUntil, validUntil }) => {
      return Math.min(least, validUntil, state === AddressState.Preferred ? preferredUntil : NEVER);
    }, NEVER);
  }

  /** Counts packets to this group as for us, until it was left as often as it was joined. Those that every IPv6 host is in need no joining (RFC 4291 2.8). */
  join(group: Address): void {
    if (!group.isMulticast) throw new RangeError(`${group} is no multicast group`);
    const index = this.#groups.findIndex((joined) => joined.equals(group));
    if (index >= 0) this.#joins[index] = this.#joins[index]! + 1;
    else {
      this.#groups.push(new Address().copy(group));
      this.#joins.push(1);
      this.groupsVersion++;
    }
  }

  /** Takes one joining back. */
  leave(group: Address): void {
    const index = this.#groups.findIndex((joined) => joined.equals(group));
    if (index < 0) return;
    this.#joins[index] = this.#joins[index]! - 1;
    if (this.#joins[index] !== 0) return;
    this.#groups.splice(index, 1);
    this.#joins.splice(index, 1);
    this.groupsVersion++;
  }

  /** The groups that the host is in: those that were joined, and the solicited-node groups of its addresses. */
  groups(): Address[] {
    const solicited = this.#all.filter(({ cidr }) => !cidr.isV4).map(({ cidr }) => {
      return cidr.address.solicitedNode(new Address());
    });
    return [...this.#groups, ...solicited].filter((group, index, all) => {
      return all.findIndex((other) => other.equals(group)) === index;
    });
  }

  /** All that may be used, in the order of their adding. */
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
    // RFC 1112 4: every host is in the group of all hosts.
    if (address.isV4 && address.d === ALL_HOSTS) return Scope.Multicast;
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
    // RFC 4862 5.4.2: of tentative addresses, too, or their duplicates would not be heard.
    for (let index = 0; index < this.#all.length; index++) {
      const { cidr } = this.#all[index]!;
      if (!cidr.isV4 && ((cidr.address.d ^ group.d) & 0xffffff) === 0) return true;
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
    return this.subnetOf(address)?.address;
  }

  /** The same with the subnet. */
  subnetOf(address: Address): Cidr | undefined {
    let best: Cidr | undefined;
    for (let index = 0; index < this.#links.length; index++) {
      const cidr = this.#links[index]!;
      if (cidr.contains(address) && (best === undefined || cidr.prefix > best.prefix)) best = cidr;
    }
    return best;
  }

  /**
   * The own address to send from to `destination` by way of `nextHop`, unless the sender wants another (RFC 6724 5).
   * Undefined: there is none of the family.
   */
  sourceFor(destination: Address, nextHop: Address): Address | undefined {
    return this.bestSource(destination, nextHop)?.cidr.address;
  }

  /** The same with all that is known of it. */
  bestSource(destination: Address, nextHop: Address): OwnAddress | undefined {
    const { isV4 } = destination;
    let best: OwnAddressEntry | undefined;
    for (let index = 0; index < this.#all.length; index++) {
      const entry = this.#all[index]!;
      if (!entry.isUsable || entry.cidr.isV4 !== isV4) continue;
      if (best === undefined || isBetterSource(entry, best, destination, nextHop)) best = entry;
    }
    return best;
  }
}
