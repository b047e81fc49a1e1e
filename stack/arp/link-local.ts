/**
 * The IPv4 link-local address that a host gives itself, RFC 3927 2.
 *
 * @module
 */
import { type Addresses, AddressOrigin, AddressState } from "../host/addresses.ts";
import type { Random } from "../loss/random.ts";
import { type Instant, NEVER, seconds } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import { Cidr } from "../wire/cidr.ts";

// RFC 3927 2.1: 169.254.1.0 to 169.254.254.255, the rest is reserved.
const FIRST = 0xa9fe0100, COUNT = 0xfe00;
const PREFIX_LENGTH = 16;

// RFC 3927 9: after so many conflicts, one try in so long.
const MAX_CONFLICTS = 10, RATE_LIMIT_INTERVAL = seconds(60);

/** Chooses the address, and another one after a conflict. */
export class LinkLocalV4 {
  readonly #addresses: Addresses;
  readonly #random: Random;
  #conflicts = 0;
  #at: Instant = NEVER;

  /** Nothing is chosen until it begins. */
  constructor(addresses: Addresses, random: Random) {
    this.#addresses = addresses;
    this.#random = random;
  }

  /** Chooses the first address. */
  begin(): void {
    const address = new Address().setV4(FIRST + this.#random.below(COUNT));
    this.#addresses.add(new Cidr(address, PREFIX_LENGTH), {
      state: AddressState.Tentative,
      origin: AddressOrigin.LinkLocal,
    });
  }

  /** Notes that somebody else has an own address: if it was chosen here, it goes, and another one is tried. */
  conflict(address: Address, now: Instant): void {
    if (!address.isLinkLocal || this.#addresses.find(address)?.origin !== AddressOrigin.LinkLocal) return;
    this.#addresses.remove(address);
    this.#conflicts++;
    this.#at = this.#conflicts < MAX_CONFLICTS ? now : now + RATE_LIMIT_INTERVAL;
  }

  /** Tries the next address, if it is time to. */
  resume(now: Instant): void {
    if (this.#at > now) return;
    this.#at = NEVER;
    this.begin();
  }

  /** When the next address is to be tried. */
  deadline(): Instant {
    return this.#at;
  }
}
