/**
 * What paths carry whole, as ICMP told (RFC 1191, RFC 8201): a cache by destination, forgotten after a while.
 *
 * @module
 */
import { HashMap } from "../store/hash-map.ts";
import { Links } from "../store/links.ts";
import { type Instant, NEVER, seconds } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import { MTU_MIN } from "../wire/ipv6.ts";

/** RFC 1191 6.3, RFC 8201 5.3: after ten minutes a longer packet is tried again. */
const LIFETIME: Instant = seconds(600);

/**
 * No path of IPv4 is taken to be narrower, so that nobody makes us send crumbs (RFC 5927 7.2); a narrower one must
 * divide packets, which it may.
 */
export const LEAST_MTU_V4 = 552;

/** RFC 1191 7.1: what a router that does not tell its MTU may have, down to the least. */
const PLATEAUS = [32_000, 17_914, 8_166, 4_352, 2_002, 1_492, 1_006, LEAST_MTU_V4] as const;

/** The MTU of a path of which nothing is known: longer than any packet, and a number that the engine does not box. */
export const UNKNOWN_MTU = 1 << 24;

class Entry {
  readonly address = new Address();
  mtu = 0;
  expires: Instant = NEVER;
}

const FREE = 0, KNOWN = 1;

/** A table of fixed capacity: a full one forgets whoever was learnt first. */
export class PathMtus {
  /** How many destinations it holds. */
  readonly capacity: number;
  /** Grows with every change, so that what was looked up may be remembered meanwhile. */
  version = 0;
  /** What the link takes of IPv4 and of IPv6, where that is less than its NIC does. */
  #linkV4 = UNKNOWN_MTU;
  #linkV6 = UNKNOWN_MTU;
  readonly #index: HashMap;
  readonly #order: Links;
  readonly #entries: Entry[] = [];

  /** An empty table; the seed keeps strangers from aiming at one place of it. */
  constructor(capacity: number, seed: readonly [number, number]) {
    this.capacity = capacity;
    this.#index = new HashMap(capacity, 4, seed);
    this.#order = new Links(capacity, 2);
    for (let entry = 0; entry < capacity; entry++) this.#order.pushBack(FREE, entry);
  }

  /** How many destinations are known, expired ones that nobody asked for included. */
  get size(): number {
    return this.#index.size;
  }

  /** The longest packet that the path to a destination takes, as far as is known; {@linkcode UNKNOWN_MTU}: any. */
  get(destination: Address, now: Instant): number {
    const link = destination.isV4 ? this.#linkV4 : this.#linkV6;
    const index = this.#find(destination, now);
    return index < 0 ? link : Math.min(link, this.#entries[index]!.mtu);
  }

  /**
   * What a family's packets on the link may have, where somebody says that it is less than the NIC takes (RFC 2132 5.1,
   * RFC 4861 6.3.4); {@linkcode UNKNOWN_MTU}: nobody does. No way is wider.
   */
  linkMtu(isV4: boolean): number {
    return isV4 ? this.#linkV4 : this.#linkV6;
  }

  /** Sets what {@linkcode PathMtus.linkMtu} answers. */
  setLinkMtu(isV4: boolean, mtu: number): void {
    if (this.linkMtu(isV4) === mtu) return;
    if (isV4) this.#linkV4 = mtu;
    else this.#linkV6 = mtu;
    this.version++;
  }

  /** Until when {@linkcode PathMtus.get} gives the same answer, unless something is learnt. */
  knownUntil(destination: Address, now: Instant): Instant {
    const index = this.#find(destination, now);
    return index < 0 ? NEVER : this.#entries[index]!.expires;
  }

  /**
   * Takes the word of a router that a packet of `length` bytes was too long, and that `mtu` would do; 0: it did not
   * say. Answers with the MTU that is taken for the path from now on, 0 if the news is none. Who calls has made sure
   * that the packet was ours and under way (RFC 5927 7, RFC 8201 4).
   */
  learn(destination: Address, mtu: number, length: number, now: Instant): number {
    const path = told(destination.isV4, mtu, length);
    const index = this.#find(destination, now);
    // RFC 8201 4: a message never makes the estimate grow.
    if (path === 0 || (index >= 0 && this.#entries[index]!.mtu <= path)) return 0;
    const place = index >= 0 ? index : this.#allocate(destination);
    const entry = this.#entries[place]!;
    entry.mtu = path;
    entry.expires = now + LIFETIME;
    this.#order.pushBack(KNOWN, place);
    this.version++;
    return path;
  }

  /** Copies of all that is known, for tools: the destination, its path's MTU and when it is forgotten. */
  *entries(now: Instant): Generator<{ address: Address; mtu: number; expires: Instant }> {
    for (let index = this.#order.head(KNOWN); index >= 0; index = this.#order.next(index)) {
      const { address, mtu, expires } = this.#entries[index]!;
      if (expires > now) yield { address: new Address().copy(address), mtu, expires };
    }
  }

  #find({ a, b, c, d }: Address, now: Instant): number {
    if (this.#index.size === 0) return -1;
    const index = this.#index.lookup4(a, b, c, d);
    if (index < 0 || this.#entries[index]!.expires > now) return index;
    this.#forget(index);
    return -1;
  }

  #allocate(destination: Address): number {
    let index = this.#order.head(FREE);
    if (index < 0) {
      index = this.#order.head(KNOWN);
      this.#forget(index);
    }
    const entry = this.#entries[index] ??= new Entry();
    entry.address.copy(destination);
    this.#index.insert4(destination.a, destination.b, destination.c, destination.d, index);
    return index;
  }

  #forget(index: number): void {
    const { a, b, c, d } = this.#entries[index]!.address;
    this.#index.remove4(a, b, c, d);
    this.#order.pushBack(FREE, index);
    this.version++;
  }
}

/** The MTU that a message means; 0: it means nothing. */
function told(isV4: boolean, mtu: number, length: number): number {
  // A packet that fits was not too long: the message is made up, or about another path (RFC 5927 7.2).
  if (mtu >= length) return 0;
  // RFC 8201 4: every link of IPv6 takes that much, so that a message that tells of less must be discarded.
  if (!isV4) return mtu < MTU_MIN ? 0 : mtu;
  if (mtu > 0) return Math.max(LEAST_MTU_V4, mtu);
  for (const plateau of PLATEAUS) if (plateau < length) return plateau;
  return LEAST_MTU_V4;
}
