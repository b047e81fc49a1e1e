/**
 * Addresses that have come into use, told to the whole link, so that nobody goes on sending to a station that had them
 * before: RFC 5227 2.3 for IPv4, RFC 4861 7.2.6 for IPv6.
 *
 * @module
 */
import { type Instant, NEVER, seconds } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import type { Addresses } from "./addresses.ts";

// RFC 5227 1.1; RFC 4861 10 allows one more, a second apart at the least.
const ANNOUNCE_NUM = 2, ANNOUNCE_INTERVAL = seconds(2);

/** An address, and what is still to be said of it. */
class Announcement {
  readonly address: Address;
  left = ANNOUNCE_NUM;
  at: Instant;

  constructor(address: Address, at: Instant) {
    this.address = address;
    this.at = at;
  }
}

/** What is to be announced of one family's addresses. */
export class Announcements {
  readonly #addresses: Addresses;
  readonly #isV4: boolean;
  #due: Announcement[] = [];
  /** In use and told of, or about to be. */
  #known: Address[] = [];

  /** Of a host's addresses, those of one family. */
  constructor(addresses: Addresses, isV4: boolean) {
    this.#addresses = addresses;
    this.#isV4 = isV4;
  }

  /** Announces an address that has just come into use. */
  add(address: Address, now: Instant): void {
    const own = new Address().copy(address);
    this.#known.push(own);
    this.#due.push(new Announcement(own, now));
  }

  /** Announces what has come into use without having been added, and lets go of what is not used any more. */
  follow(now: Instant): void {
    this.#forget();
    for (const address of this.#unknown()) this.add(address, now);
  }

  /** Whether addresses are in use that nobody has been told of. */
  get isBehind(): boolean {
    return this.#unknown().length > 0;
  }

  /** Has all addresses announced once more: the link may be another one. */
  repeat(): void {
    this.#known = [];
    this.#due = [];
  }

  /** The address that is to be announced now, counted as announced; undefined: none is. */
  next(now: Instant): Address | undefined {
    if (this.#due.length === 0) return undefined;
    this.#forget();
    const due = this.#due.find(({ at }) => at <= now);
    if (due === undefined) return undefined;
    due.left--;
    due.at = now + ANNOUNCE_INTERVAL;
    if (due.left === 0) this.#due = this.#due.filter((other) => other !== due);
    return due.address;
  }

  /** When the next one is due. */
  deadline(): Instant {
    let least = NEVER;
    for (let index = 0; index < this.#due.length; index++) least = Math.min(least, this.#due[index]!.at);
    return least;
  }

  #forget(): void {
    this.#known = this.#known.filter((address) => this.#addresses.owns(address));
    this.#due = this.#due.filter(({ address }) => this.#addresses.owns(address));
  }

  #unknown(): Address[] {
    return [...this.#addresses].filter(({ isV4, address }) => {
      return isV4 === this.#isV4 && !this.#known.some((known) => known.equals(address));
    }).map(({ address }) => address);
  }
}
