/**
 * What a DHCP server has leased to whom: a pool of addresses, each with the client that has it or had it last.
 *
 * @module
 */
import { type Instant, NEVER, seconds } from "../store/time.ts";
import type { Address } from "../wire/address.ts";

/** Addresses that a pool may have. */
export const POOL_MAX = 4_096;

/** How long an offer is kept for its client, and an address that somebody was found to have is kept from all. */
const OFFERED: Instant = seconds(60), DECLINED: Instant = seconds(600);

/** Where an address stands. */
export const LeaseState = {
  /** It was offered. */
  Offered: "offered",
  /** It is leased. */
  Bound: "bound",
  /** It was given back, or its time is over; its client comes first if it comes again. */
  Free: "free",
  /** Somebody has it without a lease. */
  Declined: "declined",
} as const;

/** One of {@linkcode LeaseState}'s texts. */
export type LeaseState = (typeof LeaseState)[keyof typeof LeaseState];

/** An address of the pool that was given to somebody. */
export interface LeaseEntry {
  /** The address as a word. */
  readonly address: number;
  /** Who has it, or had it last; "" for one that was declined. */
  client: string;
  /** Where it stands. */
  state: LeaseState;
  /** Until when. */
  expires: Instant;
  /** Whether somebody has looked that it is nobody else's, since it was given to its client. */
  isProbed: boolean;
  /** When it was last asked for: of those that are free, the one that waits longest is given away first. */
  used: Instant;
}

/** A lease of an earlier life of the server. */
export interface KeptLease {
  /** The address. */
  readonly address: Address;
  /** Who has it: {@linkcode LeaseEntry.client}. */
  readonly client: string;
  /** How many seconds of it are left; {@linkcode Infinity}: it has no end; none: its client had it. */
  readonly remaining: number;
}

/** The leases of a pool: at most one for each of its addresses, so that strangers cannot make it grow. */
export class Leases {
  readonly #first: number;
  readonly #count: number;
  readonly #isTaken: (address: number) => boolean;
  readonly #byAddress = new Map<number, LeaseEntry>();
  readonly #byClient = new Map<string, LeaseEntry>();
  #next = 0;
  /** Called when an address is leased, given back or declined, before anybody is told: who is to remember it can. */
  onChange: (entry: LeaseEntry) => void = () => {};

  /** A pool of `count` addresses from the word `first` on, without those of which `isTaken` says that they are somebody's. */
  constructor(first: number, count: number, isTaken: (address: number) => boolean) {
    this.#first = first;
    this.#count = count;
    this.#isTaken = isTaken;
  }

  /** How many addresses were ever given to somebody. */
  get size(): number {
    return this.#byAddress.size;
  }

  /** All of them. */
  entries(): IterableIterator<LeaseEntry> {
    return this.#byAddress.values();
  }

  /** What a client has or had last; undefined: nothing that nobody else has got meanwhile. */
  of(client: string): LeaseEntry | undefined {
    return this.#byClient.get(client);
  }

  /** Takes a lease of an earlier life over; false: the address is not the pool's, or somebody has it. */
  restore({ address, client, remaining }: KeptLease, now: Instant): boolean {
    if (!address.isV4 || !this.has(address.d) || this.#byAddress.has(address.d)) return false;
    if (client === "" || this.#byClient.has(client)) return false;
    const isOver = !(remaining > 0);
    const expires = isOver ? now : Number.isFinite(remaining) ? now + seconds(remaining) : NEVER;
    const entry = newEntry(address.d, client, now);
    entry.state = isOver ? LeaseState.Free : LeaseState.Bound;
    entry.expires = expires;
    this.#byAddress.set(address.d, entry);
    this.#byClient.set(client, entry);
    return true;
  }

  /** Whether an address is the pool's to give. */
  has(address: number): boolean {
    const offset = (address - this.#first) | 0;
    return offset >= 0 && offset < this.#count && !this.#isTaken(address);
  }

  /**
   * An address for a client (RFC 2131 4.3.1): the one it has or had, the one it asks for, one that nobody ever had, one
   * that is free for longest. Undefined: the pool is exhausted.
   */
  offer(client: string, wanted: number | undefined, now: Instant): LeaseEntry | undefined {
    const own = this.#byClient.get(client);
    if (own !== undefined && this.has(own.address)) {
      if (own.state !== LeaseState.Bound || own.expires <= now) {
        if (own.state !== LeaseState.Offered || own.expires <= now) own.isProbed = false;
        this.#give(own, client, LeaseState.Offered, now + OFFERED, now);
      }
      return own;
    }
    const address = wanted !== undefined && this.has(wanted) && this.#isFree(wanted, now)
      ? wanted
      : this.#unused() ?? this.#longestFree(now);
    return address === undefined ? undefined : this.#take(address, client, now);
  }

  /** Leases an entry to its client. */
  bind(entry: LeaseEntry, duration: number, now: Instant): void {
    const expires = Number.isFinite(duration) ? now + seconds(duration) : NEVER;
    this.#give(entry, entry.client, LeaseState.Bound, expires, now);
    this.onChange(entry);
  }

  /** The client has given it back; it will have it again if it comes before others need it. */
  release(entry: LeaseEntry, now: Instant): void {
    const wasBound = entry.state === LeaseState.Bound;
    this.#give(entry, entry.client, LeaseState.Free, now, now);
    if (wasBound) this.onChange(entry);
  }

  /** The client has found somebody else with it: nobody gets it for a while. */
  decline(entry: LeaseEntry, now: Instant): void {
    this.#byClient.delete(entry.client);
    this.#give(entry, "", LeaseState.Declined, now + DECLINED, now);
    this.onChange(entry);
  }

  #isFree(address: number, now: Instant): boolean {
    const entry = this.#byAddress.get(address);
    return entry === undefined || entry.expires <= now;
  }

  #unused(): number | undefined {
    while (this.#next < this.#count) {
      const address = (this.#first + this.#next) | 0;
      if (this.has(address) && !this.#byAddress.has(address)) return address;
      this.#next++;
    }
    return undefined;
  }

  #longestFree(now: Instant): number | undefined {
    let oldest: LeaseEntry | undefined;
    for (const entry of this.#byAddress.values()) {
      if (entry.expires > now || !this.has(entry.address)) continue;
      if (oldest === undefined || entry.used < oldest.used) oldest = entry;
    }
    return oldest?.address;
  }

  #take(address: number, client: string, now: Instant): LeaseEntry {
    const old = this.#byAddress.get(address);
    if (old !== undefined) this.#byClient.delete(old.client);
    const entry = newEntry(address, client, now);
    this.#byAddress.set(address, entry);
    this.#byClient.set(client, entry);
    this.#give(entry, client, LeaseState.Offered, now + OFFERED, now);
    return entry;
  }

  #give(entry: LeaseEntry, client: string, state: LeaseState, expires: Instant, now: Instant): void {
    entry.client = client;
    entry.state = state;
    entry.expires = expires;
    entry.used = now;
  }
}

function newEntry(address: number, client: string, now: Instant): LeaseEntry {
  return { address, client, state: LeaseState.Offered, expires: 0, isProbed: false, used: now };
}
