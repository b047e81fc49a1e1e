/**
 * The host's routes to what is not on its own subnets, as `ip route` shows them.
 *
 * @module
 */
import { type Instant, NEVER } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import { Cidr } from "../wire/cidr.ts";

/** One route: everything in `network` is reached through `gateway` until `expires`. */
export interface Route {
  /** The destinations. */
  readonly network: Cidr;
  /** The next hop, which must be on a subnet of our own. */
  readonly gateway: Address;
  /** When it stops to be used. */
  readonly expires: Instant;
}

/** A table of fixed capacity, longest prefix first. Open to change between poll cycles. */
export class Routes {
  /** How many routes it takes. */
  readonly capacity: number;
  /** Grows with every change, so that what was looked up may be remembered meanwhile. */
  version = 0;
  readonly #list: Route[] = [];

  /** An empty table. */
  constructor(capacity: number = 1_000) {
    this.capacity = capacity;
  }

  /**
   * Adds a route, or replaces the one to the same network. In a full table, routes that have expired by `now` make
   * room. False: it is full all the same.
   */
  add(network: Cidr, gateway: Address, expires: Instant = NEVER, now: Instant = 0): boolean {
    if (network.address.isV4 !== gateway.isV4) {
      throw new RangeError(`the gateway ${gateway} is not of the family of ${network}`);
    }
    this.remove(network);
    if (this.#list.length >= this.capacity) this.#forgetExpired(now);
    if (this.#list.length >= this.capacity) return false;
    this.version++;
    const index = this.#list.findIndex((route) => route.network.prefix < network.prefix);
    this.#list.splice(index < 0 ? this.#list.length : index, 0, {
      network,
      gateway: new Address().copy(gateway),
      expires,
    });
    return true;
  }

  /** Adds the route to everything of the gateway's family. False: the table is full. */
  addDefault(gateway: Address, expires: Instant = NEVER): boolean {
    return this.add(Cidr.parse(gateway.isV4 ? "0.0.0.0/0" : "::/0"), gateway, expires);
  }

  /** Removes the route to this network; false when there was none. */
  remove(network: Cidr): boolean {
    const index = this.#list.findIndex(({ network: other }) =>
      other.prefix === network.prefix && other.contains(network.address) &&
      other.address.isV4 === network.address.isV4
    );
    if (index < 0) return false;
    this.version++;
    this.#list.splice(index, 1);
    return true;
  }

  /** All of them, longest prefix first. */
  [Symbol.iterator](): IterableIterator<Route> {
    return this.#list.values();
  }

  #forgetExpired(now: Instant): void {
    for (let index = this.#list.length - 1; index >= 0; index--) {
      if (this.#list[index]!.expires <= now) this.#list.splice(index, 1);
    }
  }

  /** The way to `destination`: the live route with the longest prefix. Undefined: there is none. */
  lookup(destination: Address, now: Instant): Route | undefined {
    for (let index = 0; index < this.#list.length; index++) {
      const route = this.#list[index]!;
      if (route.expires > now && route.network.contains(destination)) return route;
    }
    return undefined;
  }
}
