/**
 * An own address, and the states of RFC 4862 5.5.4 that it goes through. IPv4's go through the same ones, where they
 * are probed for (RFC 5227).
 *
 * @module
 */
import { type Instant, NEVER } from "../store/time.ts";
import type { Cidr } from "../wire/cidr.ts";

/** How far an own address may be used (RFC 4862 2). */
export const AddressState = {
  /** It is being found out whether somebody else has it; it is neither answered for nor sent from. */
  Tentative: 0,
  /** It may be used. */
  Preferred: 1,
  /** It is answered for, but not chosen for what begins. */
  Deprecated: 2,
  /** Somebody else has it, so it cannot be used. */
  Duplicate: 3,
} as const;

/** One of {@linkcode AddressState}'s numbers. */
export type AddressState = (typeof AddressState)[keyof typeof AddressState];

const STATES = ["tentative", "preferred", "deprecated", "duplicate"] as const;

/** The state in words. */
export function addressStateName(state: AddressState): string {
  return STATES[state];
}

/** Where an own address comes from. */
export const AddressOrigin = {
  /** It was given. */
  Manual: 0,
  /** Made for the link alone (RFC 4862 5.3, RFC 3927). */
  LinkLocal: 1,
  /** Made of a prefix that a router advertised (RFC 4862 5.5). */
  Slaac: 2,
  /** Made of such a prefix for a while, so that nobody is recognised by it (RFC 8981). */
  Temporary: 3,
  /** Leased (RFC 2131). */
  Dhcp: 4,
} as const;

/** One of {@linkcode AddressOrigin}'s numbers. */
export type AddressOrigin = (typeof AddressOrigin)[keyof typeof AddressOrigin];

const ORIGINS = ["manual", "link-local", "slaac", "temporary", "dhcp"] as const;

/** The origin in words. */
export function addressOriginName(origin: AddressOrigin): string {
  return ORIGINS[origin];
}

/** What `Addresses.add` may be told of an address. */
export interface OwnAddressOptions {
  /** Default `Preferred`. A tentative one is probed for by ARP or NDP, and is then preferred or a duplicate. */
  readonly state?: AddressState;
  /** Default `Manual`. */
  readonly origin?: AddressOrigin;
  /** Whether its whole subnet is on the link (RFC 5942 4: an address of its own accord does not say so). Default true. */
  readonly isOnLink?: boolean;
  /** Until when it is preferred. Default: for ever. */
  readonly preferredUntil?: Instant;
  /** Until when it is valid; it is then removed. Default: for ever. */
  readonly validUntil?: Instant;
}

/** An own address. The table's own object: it shows what the address is now. */
export interface OwnAddress {
  /** The address with its subnet. */
  readonly cidr: Cidr;
  /** How far it may be used. */
  readonly state: AddressState;
  /** Where it comes from. */
  readonly origin: AddressOrigin;
  /** Whether its whole subnet is on the link. */
  readonly isOnLink: boolean;
  /** Until when it is preferred. */
  readonly preferredUntil: Instant;
  /** Until when it is valid. */
  readonly validUntil: Instant;
}

/** The table's side of an {@linkcode OwnAddress}. */
export class OwnAddressEntry implements OwnAddress {
  readonly cidr: Cidr;
  state: AddressState;
  readonly origin: AddressOrigin;
  readonly isOnLink: boolean;
  preferredUntil: Instant;
  validUntil: Instant;

  /** An entry with defaults filled in. */
  constructor(cidr: Cidr, options: OwnAddressOptions) {
    this.cidr = cidr;
    this.state = options.state ?? AddressState.Preferred;
    this.origin = options.origin ?? AddressOrigin.Manual;
    this.isOnLink = options.isOnLink ?? true;
    this.preferredUntil = options.preferredUntil ?? NEVER;
    this.validUntil = options.validUntil ?? NEVER;
  }

  /** Whether packets may be sent from it and are answered. */
  get isUsable(): boolean {
    return this.state === AddressState.Preferred || this.state === AddressState.Deprecated;
  }
}
