/**
 * A datagram socket's groups, in the shape of Deno's multicast memberships.
 *
 * @module
 */
import type { Addresses } from "../stack/host/addresses.ts";
import { Address } from "../stack/wire/address.ts";
import { badResource, coded } from "./errors.ts";

/** A membership of an IPv6 group: assignable to `Deno.MulticastV6Membership`. */
export interface MulticastV6Membership {
  /** Leaves the group. */
  readonly leave: () => Promise<void>;
  /** Whether what the socket sends to groups comes to the sockets of this stack that have joined them, too. */
  readonly setLoopback: (loopback: boolean) => Promise<void>;
}

/** A membership of an IPv4 group: assignable to `Deno.MulticastV4Membership`. */
export interface MulticastV4Membership extends MulticastV6Membership {
  /** How many hops make what the socket sends to groups: 0 to 255, at first 1 (RFC 1112 6.1). */
  readonly setTTL: (ttl: number) => Promise<void>;
}

/** What a socket has joined, and how it sends to groups. */
export class Groups {
  /** Hops of what is sent to groups. */
  ttl = 1;
  /** Whether the stack's own sockets get what is sent to groups. */
  loopback = false;
  readonly #addresses: Addresses;
  readonly #changed: () => void;
  readonly #joined: Address[] = [];
  #isClosed = false;

  /** No groups yet. `changed` is called when there are others: the link is to be told. */
  constructor(addresses: Addresses, changed: () => void) {
    this.#addresses = addresses;
    this.#changed = changed;
  }

  /** Whether the socket is in a group. */
  has(group: Address): boolean {
    return this.#joined.some((joined) => joined.equals(group));
  }

  /** Joins a group of a family. Throws a TypeError for what is none, an `AddrInUse` if it is joined already. */
  join(text: string, isV4: boolean): MulticastV4Membership {
    const group = Address.tryParse(text);
    if (group === undefined || !group.isMulticast || group.isV4 !== isV4) {
      throw new TypeError(
        `"${text}" is no IPv${isV4 ? 4 : 6} multicast group; write one, as in ${
          isV4 ? "239.1.2.3" : "ff02::1:3"
        }`,
      );
    }
    if (this.has(group)) {
      throw coded(new Deno.errors.AddrInUse(`the socket is in ${group} already`), "EADDRINUSE");
    }
    this.#joined.push(group);
    this.#addresses.join(group);
    this.#changed();
    return {
      leave: () => this.#set(() => this.#leave(group)),
      setLoopback: (loopback) => this.#set(() => this.loopback = loopback),
      setTTL: (ttl) =>
        this.#set(() => {
          if (!Number.isInteger(ttl) || ttl < 0 || ttl > 255) {
            throw new RangeError(`a TTL is a whole number from 0 to 255, not ${ttl}`);
          }
          this.ttl = ttl;
        }),
    };
  }

  /** Leaves every group, for the socket is closed. */
  close(): void {
    this.#isClosed = true;
    for (const group of this.#joined.splice(0)) this.#addresses.leave(group);
    this.#changed();
  }

  // deno-lint-ignore require-await
  async #set(change: () => void): Promise<void> {
    if (this.#isClosed) throw badResource();
    change();
  }

  #leave(group: Address): void {
    const index = this.#joined.indexOf(group);
    if (index < 0) {
      throw coded(new Deno.errors.AddrNotAvailable(`the socket is not in ${group}`), "EADDRNOTAVAIL");
    }
    this.#joined.splice(index, 1);
    this.#addresses.leave(group);
    this.#changed();
  }
}
