/**
 * The messages of Neighbor Discovery, RFC 4861 4: bodies of ICMPv6 messages. `at` is the offset of the ICMPv6 header;
 * options are in `ndp-options.ts`.
 *
 * @module
 */
import type { Address } from "./address.ts";
import { get16, get32, put16, put32 } from "./bytes.ts";
import { WireError } from "./error.ts";
import { code, Type, type as typeOf } from "./icmpv6.ts";
import { checkOptions } from "./ndp-options.ts";

const CODE = 1;
const CHECKSUM = 2;

/** The length of a router solicitation before its options. */
export const ROUTER_SOLICITATION_LENGTH = 8;
/** The length of a router advertisement before its options. */
export const ROUTER_ADVERTISEMENT_LENGTH = 16;
/** The length of a neighbor solicitation or advertisement before its options. */
export const NEIGHBOUR_LENGTH = 24;
/** The length of a redirect before its options. */
export const REDIRECT_LENGTH = 40;

/** Where the target lies in a solicitation, an advertisement or a redirect: `address.readV6(bytes, at + TARGET)`. */
export const TARGET = 8;
/** Where the destination lies in a redirect. */
export const REDIRECT_DESTINATION = 24;

const FLAGS = 4;
const CURRENT_HOP_LIMIT = 4;
const ROUTER_FLAGS = 5;
const ROUTER_LIFETIME = 6;
const REACHABLE_TIME = 8;
const RETRANS_TIMER = 12;

/** The flags of a neighbor advertisement (RFC 4861 4.4). */
export const Flag = {
  /** The sender is a router. */
  Router: 0x80,
  /** It answers a solicitation. */
  Solicited: 0x40,
  /** What is known of the link address is to be replaced. */
  Override: 0x20,
} as const;

/** The flags of a router advertisement (RFC 4861 4.2, RFC 4191 2.2). */
export const RouterFlag = {
  /** Addresses are to be had by DHCPv6. */
  Managed: 0x80,
  /** Other configuration is to be had by DHCPv6. */
  Other: 0x40,
} as const;

/** A neighbor advertisement's flags, bits of {@linkcode Flag}. */
export function flags(bytes: Uint8Array, at: number): number {
  return bytes[at + FLAGS]!;
}

/** The hop limit that a router advises; 0: it does not. */
export function currentHopLimit(bytes: Uint8Array, at: number): number {
  return bytes[at + CURRENT_HOP_LIMIT]!;
}

/** A router advertisement's flags, bits of {@linkcode RouterFlag}. */
export function routerFlags(bytes: Uint8Array, at: number): number {
  return bytes[at + ROUTER_FLAGS]! & (RouterFlag.Managed | RouterFlag.Other);
}

/** How much a router wants to be the default one: 1 high, 0 medium, -1 low; the reserved value is medium (RFC 4191 2.2). */
export function preference(bytes: Uint8Array, at: number): number {
  const bits = (bytes[at + ROUTER_FLAGS]! >> 3) & 3;
  return bits === 1 ? 1 : bits === 3 ? -1 : 0;
}

/** How long the router is a default one, in seconds; 0: it is none. */
export function routerLifetime(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + ROUTER_LIFETIME);
}

/** How long an answer proves reachability, in milliseconds; 0: not specified. */
export function reachableTime(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + REACHABLE_TIME) >>> 0;
}

/** The time between two solicitations, in milliseconds; 0: not specified. */
export function retransTimer(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + RETRANS_TIMER) >>> 0;
}

function emitHeader(bytes: Uint8Array, at: number, type: number, word: number): void {
  bytes[at] = type;
  bytes[at + CODE] = 0;
  put16(bytes, at + CHECKSUM, 0);
  put32(bytes, at + FLAGS, word);
}

/** Writes a neighbor solicitation without options (RFC 4861 4.3). */
export function emitSolicitation(bytes: Uint8Array, at: number, target: Address): void {
  emitHeader(bytes, at, Type.NeighbourSolicitation, 0);
  target.writeV6(bytes, at + TARGET);
}

/** Writes a neighbor advertisement without options (RFC 4861 4.4). */
export function emitAdvertisement(bytes: Uint8Array, at: number, flags: number, target: Address): void {
  emitHeader(bytes, at, Type.NeighbourAdvertisement, flags << 24);
  target.writeV6(bytes, at + TARGET);
}

/** Writes a router solicitation without options (RFC 4861 4.1). */
export function emitRouterSolicitation(bytes: Uint8Array, at: number): void {
  emitHeader(bytes, at, Type.RouterSolicitation, 0);
}

/** The length of a message before its options, 0 for a type that is none of NDP's. */
export function bodyLength(type: number): number {
  switch (type) {
    case Type.RouterSolicitation:
      return ROUTER_SOLICITATION_LENGTH;
    case Type.RouterAdvertisement:
      return ROUTER_ADVERTISEMENT_LENGTH;
    case Type.NeighbourSolicitation:
    case Type.NeighbourAdvertisement:
      return NEIGHBOUR_LENGTH;
    case Type.Redirect:
      return REDIRECT_LENGTH;
    default:
      return 0;
  }
}

/**
 * Checks that `bytes[at..end)` is a message of NDP whose code is 0 and whose options are whole (RFC 4861 6.1, 7.1, 8.1).
 * Another type is Unrecognized.
 */
export function check(bytes: Uint8Array, at: number, end: number): WireError {
  if (end - at < ROUTER_SOLICITATION_LENGTH) return WireError.Truncated;
  const body = bodyLength(typeOf(bytes, at));
  if (body === 0) return WireError.Unrecognized;
  if (end - at < body) return WireError.Truncated;
  if (code(bytes, at) !== 0) return WireError.Malformed;
  return checkOptions(bytes, at + body, end);
}
