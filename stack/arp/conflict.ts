/**
 * IPv4 address conflict detection, RFC 5227: an address is probed for before it is used, announced, and defended. Also
 * addresses that a host gives itself where nobody else does, RFC 3927.
 *
 * @module
 */
import { type Addresses, AddressOrigin, AddressState } from "../host/addresses.ts";
import { Announcements } from "../host/announcements.ts";
import type { Random } from "../loss/random.ts";
import { type Instant, NEVER, seconds } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import type { ArpIn } from "./packet.ts";
import { LinkLocalV4 } from "./link-local.ts";

// RFC 5227 1.1.
const PROBE_WAIT = seconds(1), PROBE_NUM = 3, PROBE_MIN = seconds(1), PROBE_MAX = seconds(2);
const ANNOUNCE_WAIT = seconds(2), DEFEND_INTERVAL = seconds(10);

/** An address on its way: so many probes, one at a time. */
class Claim {
  readonly address: Address;
  probes = PROBE_NUM;
  at: Instant;

  constructor(address: Address, at: Instant) {
    this.address = address;
    this.at = at;
  }
}

/** When an address in use was last defended. */
interface Defence {
  readonly address: Address;
  readonly at: Instant;
}

/** What the state machine wants to be sent. */
export interface Claiming {
  /** The address; that of the sender, too, in an announcement. */
  readonly address: Address;
  /** Whether it is only asked for, from nobody, so that no cache learns from it (RFC 5227 2.1.1). */
  readonly isProbe: boolean;
}

/** What was found out. */
export class ConflictCounters {
  /** Addresses that somebody else turned out to have before they were used. */
  duplicates = 0;
  /** Claims of others to an own address in use. */
  conflicts = 0;
  /** Announcements in defence of an address. */
  defended = 0;
  /** Addresses given up because somebody else went on to claim them. */
  givenUp = 0;
}

/** The IPv4 addresses of a host, as far as others may claim them. */
export class ConflictDetection {
  /** What was found out. */
  readonly counters: ConflictCounters = new ConflictCounters();
  /** Whether addresses are announced that were never probed for, too. */
  announcesAll = false;
  readonly #addresses: Addresses;
  readonly #random: Random;
  readonly #linkLocal: LinkLocalV4;
  readonly #announcements: Announcements;
  #claims: Claim[] = [];
  #defences: Defence[] = [];
  #urgent: Address[] = [];
  #version = -1;

  /** Over a host's addresses: those that are tentative are probed for. */
  constructor(addresses: Addresses, random: Random) {
    this.#addresses = addresses;
    this.#random = random;
    this.#linkLocal = new LinkLocalV4(addresses, random);
    this.#announcements = new Announcements(addresses, true);
  }

  /** RFC 3927 2.1: takes an address of 169.254.0.0/16, at random, once it has been probed for. */
  useLinkLocal(): void {
    this.#linkLocal.begin();
  }

  /** Looks for claims to own addresses in what was received. True: it is one, and nothing else is to be made of it. */
  receive({ sender, senderMac, target, info, link }: ArpIn): boolean {
    if (senderMac.equals(link.mac)) return false;
    // RFC 5227 2.1.1: a probe for the same address, by somebody who is about to use it, is a claim, too.
    const claimed = sender.isUnspecified ? this.#tentative(target) : sender;
    const own = claimed === undefined ? undefined : this.#addresses.find(claimed);
    if (own === undefined || own.state === AddressState.Duplicate) return false;
    const { address } = own.cidr;
    if (own.state === AddressState.Tentative) {
      this.counters.duplicates++;
      this.#giveUp(address, info.timestamp);
    } else this.#defend(address, own.origin, info.timestamp);
    return true;
  }

  /** What is to be sent now, counted as sent; undefined: nothing. */
  next(now: Instant): Claiming | undefined {
    this.#addresses.expire(now);
    this.#linkLocal.resume(now);
    this.#follow(now);
    const urgent = this.#urgent.shift();
    if (urgent !== undefined) return { address: urgent, isProbe: false };
    for (const claim of this.#claims) {
      if (claim.at > now) continue;
      const claiming = this.#advance(claim, now);
      if (claiming !== undefined) return claiming;
    }
    const announced = this.#announcements.next(now);
    return announced === undefined ? undefined : { address: announced, isProbe: false };
  }

  /** Has all addresses in use announced once more: what is at the other end of the cable may be new. */
  announce(): void {
    this.#announcements.repeat();
    this.#version = -1;
  }

  /** Whether there is nothing to do, now or later. Asked for every packet that leaves: a time would go to the heap. */
  get isIdle(): boolean {
    return this.#version === this.#addresses.version && this.#claims.length === 0 &&
      this.#urgent.length === 0 &&
      this.#announcements.deadline() === NEVER &&
      this.#addresses.deadline() === NEVER && this.#linkLocal.deadline() === NEVER;
  }

  /** When {@linkcode ConflictDetection.next} next has something to do. */
  deadline(): Instant {
    const addresses = this.#addresses;
    if (this.#urgent.length > 0) return 0;
    if (this.#version !== addresses.version) {
      if (this.#claims.length > 0 || this.#wanted().length > 0 || this.#isBehind) return 0;
      this.#version = addresses.version;
    }
    let least = Math.min(addresses.deadline(), this.#linkLocal.deadline(), this.#announcements.deadline());
    for (let index = 0; index < this.#claims.length; index++) {
      least = Math.min(least, this.#claims[index]!.at);
    }
    return least;
  }

  #tentative(target: Address): Address | undefined {
    return this.#addresses.find(target)?.state === AddressState.Tentative ? target : undefined;
  }

  #wanted(): Address[] {
    return this.#addresses.entries().filter(({ state, cidr }) =>
      state === AddressState.Tentative && cidr.isV4
    ).map((
      { cidr },
    ) => cidr.address);
  }

  /** Takes up what has become tentative, and lets go of what has been taken away. */
  #follow(now: Instant): void {
    if (this.#version === this.#addresses.version) return;
    this.#version = this.#addresses.version;
    this.#claims = this.#claims.filter(({ address }) => {
      const state = this.#addresses.find(address)?.state;
      return state !== undefined && state !== AddressState.Duplicate;
    });
    for (const address of this.#wanted()) {
      if (this.#claims.some((claim) => claim.address.equals(address))) continue;
      this.#claims.push(new Claim(new Address().copy(address), now + this.#between(0, PROBE_WAIT)));
    }
    if (this.announcesAll) this.#announcements.follow(now);
  }

  get #isBehind(): boolean {
    return this.announcesAll && this.#announcements.isBehind;
  }

  #advance(claim: Claim, now: Instant): Claiming | undefined {
    if (claim.probes > 0) {
      claim.probes--;
      claim.at = now + (claim.probes > 0 ? this.#between(PROBE_MIN, PROBE_MAX) : ANNOUNCE_WAIT);
      return { address: claim.address, isProbe: true };
    }
    this.#claims = this.#claims.filter((other) => other !== claim);
    this.#addresses.setState(claim.address, AddressState.Preferred);
    this.#announcements.add(claim.address, now);
    return undefined;
  }

  /**
   * RFC 5227 2.4: an address in use is defended, once in ten seconds. One that was given by hand is kept whatever
   * happens (c); one that the host or a server chose is given up when the other does not yield (b).
   */
  #defend(address: Address, origin: AddressOrigin, now: Instant): void {
    this.counters.conflicts++;
    const last = this.#defences.find((defence) => defence.address.equals(address));
    const isSoon = last !== undefined && now - last.at < DEFEND_INTERVAL;
    if (isSoon && origin !== AddressOrigin.Manual) {
      this.counters.givenUp++;
      this.#giveUp(address, now);
    }
    if (isSoon) return;
    this.counters.defended++;
    // One for each own address at most.
    this.#defences = this.#defences.filter((defence) => {
      return defence !== last && this.#addresses.find(defence.address) !== undefined;
    });
    this.#defences.push({ address, at: now });
    this.#urgent.push(address);
  }

  #giveUp(address: Address, now: Instant): void {
    this.#addresses.setState(address, AddressState.Duplicate);
    this.#linkLocal.conflict(address, now);
  }

  #between(least: Instant, most: Instant): Instant {
    return least + Math.floor(this.#random.fraction() * (most - least));
  }
}
