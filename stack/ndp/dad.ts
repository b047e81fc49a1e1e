/**
 * Duplicate Address Detection, RFC 4862 5.4: an address is asked for before it is used.
 *
 * @module
 */
import { type Addresses, AddressState } from "../host/addresses.ts";
import type { Random } from "../loss/random.ts";
import { type Instant, NEVER, seconds } from "../store/time.ts";
import type { Address } from "../wire/address.ts";

/** RFC 4861 10, MAX_RTR_SOLICITATION_DELAY: the most that the first solicitation is put off at random. */
const DELAY_MAX = seconds(1);

class Probe {
  readonly address: Address;
  /** Solicitations that are still to be sent. */
  left: number;
  /** When the next one is to be sent, or the address is nobody else's. */
  at: Instant;

  constructor(address: Address, left: number, at: Instant) {
    this.address = address;
    this.left = left;
    this.at = at;
  }
}

/** The tentative IPv6 addresses of a host on their way to be used. */
export class DuplicateDetection {
  readonly #addresses: Addresses;
  readonly #random: Random;
  readonly #transmits: number;
  #probes: Probe[] = [];
  #isFirst = true;

  /** `transmits` solicitations are sent for each address (RFC 4862 5.1, DupAddrDetectTransmits). */
  constructor(addresses: Addresses, random: Random, transmits: number) {
    this.#addresses = addresses;
    this.#random = random;
    this.#transmits = transmits;
  }

  /** Takes up what has become tentative, and lets go of what is so no more. */
  follow(now: Instant): void {
    const tentative = this.#addresses.entries().filter(({ state, cidr }) => {
      return state === AddressState.Tentative && !cidr.isV4;
    });
    this.#probes = tentative.map(({ cidr }) => {
      return this.#probes.find(({ address }) => address.equals(cidr.address)) ??
        this.#begin(cidr.address, now);
    });
  }

  #begin(address: Address, now: Instant): Probe {
    // RFC 4862 5.4.2: the first message of an interface is put off, so that hosts switched on together do not collide.
    const delay = this.#isFirst ? Math.floor(this.#random.fraction() * DELAY_MAX) : 0;
    this.#isFirst = false;
    return new Probe(address, this.#transmits, now + delay);
  }

  /** The tentative address that is to be asked for now, counted as asked; undefined: none is. */
  next(now: Instant, retry: Instant): Address | undefined {
    for (const probe of this.#probes) {
      if (probe.at > now || probe.left === 0) continue;
      probe.left--;
      probe.at = now + retry;
      return probe.address;
    }
    return undefined;
  }

  /** Lets addresses be used that were asked for often enough, without an answer. */
  settle(now: Instant): void {
    const over = this.#probes.filter(({ left, at }) => left === 0 && at <= now);
    for (const { address } of over) {
      // It may have turned out to be a duplicate, or have been taken away, since.
      if (this.#addresses.find(address)?.state !== AddressState.Tentative) continue;
      this.#addresses.setState(address, AddressState.Preferred);
    }
  }

  /** When there is something to do next. */
  deadline(): Instant {
    return this.#probes.reduce((least, { at }) => Math.min(least, at), NEVER);
  }
}
