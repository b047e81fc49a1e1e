/**
 * Stateless address autoconfiguration: addresses made of advertised prefixes (RFC 4862 5.5, RFC 7217, RFC 8981).
 *
 * @module
 */
import { type Addresses, AddressOrigin, AddressState, type OwnAddress } from "../host/addresses.ts";
import { type Instant, NEVER, seconds } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import { Cidr } from "../wire/cidr.ts";
import type { InterfaceIds } from "./interface-id.ts";

/** Prefixes that addresses are made of at once. */
export const PREFIXES_MAX = 16;

/** RFC 4862 5.5.3 e: what an unauthenticated advertisement cannot shorten a valid lifetime below. */
const TWO_HOURS = seconds(7_200);
// RFC 8981 3.8: TEMP_VALID_LIFETIME, TEMP_PREFERRED_LIFETIME, TEMP_IDGEN_RETRIES, and REGEN_ADVANCE.
const TEMPORARY_VALID = seconds(172_800), TEMPORARY_PREFERRED = seconds(86_400);
const ATTEMPTS = 3;
const REGENERATE_AHEAD = seconds(5);
/** The only length of a prefix that interface identifiers fit behind (RFC 4291 2.5.1). */
const PREFIX_LENGTH = 64;

/** Makes the addresses of a host that configures itself. */
export class Slaac {
  /** Whether temporary addresses are made beside the stable ones. */
  readonly temporary: boolean;
  readonly #addresses: Addresses;
  readonly #ids: InterfaceIds;
  /** How often the stable address of a prefix turned out to be a duplicate. */
  readonly #attempts = new Map<string, number>();
  /** When each temporary address was made. */
  readonly #made = new WeakMap<OwnAddress, Instant>();
  #serial: number;

  /** `serial` is random, so that temporary addresses are others after a restart. */
  constructor(addresses: Addresses, ids: InterfaceIds, temporary: boolean, serial: number) {
    this.#addresses = addresses;
    this.#ids = ids;
    this.temporary = temporary;
    this.#serial = serial;
  }

  /** RFC 4862 5.3: the link-local address, which everything else needs. */
  addLinkLocal(): void {
    this.#add(LINK_LOCAL, AddressOrigin.LinkLocal, NEVER, NEVER, 0);
  }

  /**
   * RFC 4862 5.5.3: takes a prefix whose autonomous flag is set; lifetimes in microseconds, or NEVER. False: addresses
   * of too many prefixes are there already.
   */
  prefix(prefix: Cidr, valid: Instant, preferred: Instant, now: Instant): boolean {
    if (prefix.prefix !== PREFIX_LENGTH) return true;
    const mine = this.#of(prefix);
    for (const own of mine) this.#refresh(own, valid, preferred, now);
    if (valid === 0 || mine.some(({ origin }) => origin === AddressOrigin.Slaac)) {
      if (valid > 0 && preferred > 0) this.#ensureTemporary(prefix, now, valid, preferred);
      return true;
    }
    if (this.#prefixes() >= PREFIXES_MAX) return false;
    this.#add(prefix.network, AddressOrigin.Slaac, now + valid, now + preferred, now);
    if (preferred > 0) this.#ensureTemporary(prefix, now, valid, preferred);
    return true;
  }

  /** Replaces an own address that turned out to be a duplicate (RFC 7217 6, RFC 8981 3.4). */
  replace(duplicate: OwnAddress, now: Instant): void {
    const { cidr, origin, validUntil, preferredUntil } = duplicate;
    if (
      origin !== AddressOrigin.Slaac && origin !== AddressOrigin.LinkLocal &&
      origin !== AddressOrigin.Temporary
    ) {
      return;
    }
    const key = `${cidr.network} ${origin}`;
    const attempts = (this.#attempts.get(key) ?? 0) + 1;
    if (attempts >= ATTEMPTS || validUntil <= now) return;
    // Of so many prefixes at most: no more are kept.
    if (this.#attempts.size >= 4 * PREFIXES_MAX) this.#attempts.clear();
    this.#attempts.set(key, attempts);
    this.#addresses.remove(cidr.address);
    this.#add(cidr.network, origin, validUntil, preferredUntil, now);
  }

  /** RFC 8981 3.5: makes the next temporary address shortly before the present one is no longer preferred. */
  regenerate(now: Instant): void {
    if (now < this.deadline()) return;
    for (const own of this.#addresses.entries()) {
      if (own.origin !== AddressOrigin.Slaac || own.preferredUntil <= now) continue;
      this.#ensureTemporary(own.cidr, now, own.validUntil - now, own.preferredUntil - now);
    }
  }

  /** When {@linkcode Slaac.regenerate} next has something to do. */
  deadline(): Instant {
    if (!this.temporary) return NEVER;
    let least: Instant = NEVER;
    for (const own of this.#addresses.entries()) {
      // Where the stable address is no longer preferred, neither will a temporary one be.
      if (own.origin !== AddressOrigin.Slaac || !Number.isFinite(this.#nextTemporary(own.cidr))) continue;
      least = Math.min(least, this.#nextTemporary(own.cidr));
    }
    return least;
  }

  /** When the last temporary address of a prefix needs a successor; NEVER: there is none that could have one. */
  #nextTemporary(prefix: Cidr): Instant {
    const mine = this.#of(prefix);
    const stable = mine.find(({ origin }) => origin === AddressOrigin.Slaac);
    const latest = mine.reduce((most, { origin, preferredUntil, state }) => {
      return origin === AddressOrigin.Temporary && state !== AddressState.Duplicate
        ? Math.max(most, preferredUntil)
        : most;
    }, -1);
    if (latest < 0 || stable === undefined || stable.preferredUntil <= latest) return NEVER;
    return latest - REGENERATE_AHEAD;
  }

  #ensureTemporary(prefix: Cidr, now: Instant, valid: Instant, preferred: Instant): void {
    if (!this.temporary) return;
    const isThere = this.#of(prefix).some(({ origin, state, preferredUntil }) => {
      return origin === AddressOrigin.Temporary && state !== AddressState.Duplicate &&
        preferredUntil > now + REGENERATE_AHEAD;
    });
    if (isThere || preferred <= REGENERATE_AHEAD) return;
    const preferredUntil = now + Math.min(preferred, TEMPORARY_PREFERRED);
    this.#add(
      prefix.network,
      AddressOrigin.Temporary,
      now + Math.min(valid, TEMPORARY_VALID),
      preferredUntil,
      now,
    );
  }

  /** RFC 4862 5.5.3 e, RFC 8981 3.4: new lifetimes of an address that is there. */
  #refresh(own: OwnAddress, valid: Instant, preferred: Instant, now: Instant): void {
    if (own.origin === AddressOrigin.LinkLocal || own.origin === AddressOrigin.Manual) return;
    const remaining = own.validUntil - now;
    let { validUntil } = own;
    let preferredUntil = now + preferred;
    if (valid > TWO_HOURS || valid > remaining) validUntil = now + valid;
    else if (remaining > TWO_HOURS) validUntil = now + TWO_HOURS;
    if (own.origin === AddressOrigin.Temporary) {
      const made = this.#made.get(own) ?? now;
      validUntil = Math.min(validUntil, made + TEMPORARY_VALID);
      preferredUntil = Math.min(preferredUntil, made + TEMPORARY_PREFERRED);
    }
    this.#addresses.setLifetimes(own.cidr.address, Math.min(preferredUntil, validUntil), validUntil, now);
  }

  #add(
    prefix: Address,
    origin: AddressOrigin,
    validUntil: Instant,
    preferredUntil: Instant,
    now: Instant,
  ): void {
    const attempt = this.#attempts.get(`${prefix} ${origin}`) ?? 0;
    const address = origin === AddressOrigin.Temporary
      ? this.#ids.temporary(prefix, this.#serial++)
      : this.#ids.stable(prefix, attempt);
    // RFC 5942 4: what is on the link, prefixes say by another flag.
    this.#addresses.add(new Cidr(address, PREFIX_LENGTH), {
      state: AddressState.Tentative,
      origin,
      isOnLink: origin === AddressOrigin.LinkLocal,
      validUntil,
      preferredUntil,
    });
    if (origin === AddressOrigin.Temporary) this.#made.set(this.#addresses.find(address)!, now);
  }

  /** The addresses that were made of a prefix. */
  #of(prefix: Cidr): OwnAddress[] {
    return this.#addresses.entries().filter(({ cidr, origin }) => {
      return origin !== AddressOrigin.Manual && cidr.prefix === PREFIX_LENGTH &&
        prefix.contains(cidr.address);
    });
  }

  #prefixes(): number {
    return this.#addresses.entries().filter(({ origin }) => origin === AddressOrigin.Slaac).length;
  }
}

const LINK_LOCAL = new Address().set(0xfe800000, 0, 0, 0);
