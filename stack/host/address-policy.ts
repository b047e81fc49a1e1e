/**
 * Which address to send from, and to which of several first: RFC 6724.
 *
 * @module
 */
import { Address } from "../wire/address.ts";
import { Cidr } from "../wire/cidr.ts";
import { AddressOrigin, AddressState, type OwnAddress } from "./own-address.ts";

/** A row of the policy table. */
interface Policy {
  readonly prefix: Cidr;
  readonly precedence: number;
  readonly label: number;
}

function policy(prefix: string, precedence: number, label: number): Policy {
  return { prefix: Cidr.parse(prefix), precedence, label };
}

// RFC 6724 2.1, the default policy table, longest prefix first. ::ffff:0:0/96 is every IPv4 address here.
const POLICIES: readonly Policy[] = [
  policy("::1/128", 50, 0),
  policy("::/96", 1, 3),
  policy("2001::/32", 5, 5),
  policy("2002::/16", 30, 2),
  policy("3ffe::/16", 1, 12),
  policy("fec0::/10", 1, 11),
  policy("fc00::/7", 3, 13),
];
const V4: Policy = policy("0.0.0.0/0", 35, 4);
const REST: Policy = policy("::/0", 40, 1);

function policyOf(address: Address): Policy {
  if (address.isV4) return V4;
  for (let index = 0; index < POLICIES.length; index++) {
    if (POLICIES[index]!.prefix.contains(address)) return POLICIES[index]!;
  }
  return REST;
}

const LINK_LOCAL = 0x2, SITE_LOCAL = 0x5, GLOBAL = 0xe;

/** How far an address reaches, as a number of RFC 4291 2.7 (RFC 6724 3.1 and 3.2). */
export function scopeOf(address: Address): number {
  if (address.isV4) return address.isLinkLocal || address.isLoopback ? LINK_LOCAL : GLOBAL;
  if (address.isMulticast) return (address.a >>> 16) & 0xf;
  if (address.isLinkLocal || address.isLoopback) return LINK_LOCAL;
  return address.a >>> 22 === 0x3fb ? SITE_LOCAL : GLOBAL;
}

/** How many leading bits two addresses have in common. */
export function commonPrefix(one: Address, other: Address): number {
  if (one.a !== other.a) return Math.clz32(one.a ^ other.a);
  if (one.b !== other.b) return 32 + Math.clz32(one.b ^ other.b);
  if (one.c !== other.c) return 64 + Math.clz32(one.c ^ other.c);
  return 96 + Math.clz32(one.d ^ other.d);
}

/** RFC 6724 2.2: what two addresses have in common counts up to the source's prefix length. */
function matching({ cidr }: OwnAddress, destination: Address): number {
  const most = cidr.isV4 ? cidr.prefix + 96 : cidr.prefix;
  return Math.min(commonPrefix(cidr.address, destination), most);
}

/**
 * Whether `one` is the better source towards `destination` by way of `nextHop` than `other` (RFC 6724 5); both are of
 * its family. Rules 4 and 5 do not concern a host with one link and no home.
 */
export function isBetterSource(
  one: OwnAddress,
  other: OwnAddress,
  destination: Address,
  nextHop: Address,
): boolean {
  const a = one.cidr.address, b = other.cidr.address;
  // Rule 1: prefer the same address.
  if (a.equals(destination) !== b.equals(destination)) return a.equals(destination);
  // Rule 2: prefer the appropriate scope.
  const scopeA = scopeOf(a), scopeB = scopeOf(b);
  if (scopeA !== scopeB) {
    return scopeA < scopeB ? scopeA >= scopeOf(destination) : scopeB < scopeOf(destination);
  }
  // Rule 3: avoid deprecated addresses.
  const oldA = one.state === AddressState.Deprecated, oldB = other.state === AddressState.Deprecated;
  if (oldA !== oldB) return oldB;
  // Rule 5.5: prefer an address next to the next hop.
  const nearA = one.cidr.contains(nextHop), nearB = other.cidr.contains(nextHop);
  if (nearA !== nearB) return nearA;
  // Rule 6: prefer the matching label.
  const { label } = policyOf(destination);
  const sameA = policyOf(a).label === label, sameB = policyOf(b).label === label;
  if (sameA !== sameB) return sameA;
  // Rule 7: prefer temporary addresses.
  const temporaryA = one.origin === AddressOrigin.Temporary,
    temporaryB = other.origin === AddressOrigin.Temporary;
  if (temporaryA !== temporaryB) return temporaryA;
  // Rule 8: the longest matching prefix. For IPv4, subnets say nothing of the distance to what is in neither.
  if (a.isV4 && !nearA) return false;
  return matching(one, destination) > matching(other, destination);
}

/**
 * Orders destinations by RFC 6724 6, the one to try first in front; equal ones keep their order. `sourceFor` answers
 * with the own address that a destination would be sent to from; undefined: it cannot be reached. Rules 4 and 7 do not
 * concern a host that neither moves nor tunnels.
 */
export function orderDestinations(
  destinations: readonly Address[],
  sourceFor: (destination: Address) => OwnAddress | undefined,
): Address[] {
  const rated = destinations.map((destination) => rate(destination, sourceFor(destination)));
  return rated.sort(compare).map(({ destination }) => destination);
}

interface Rated {
  readonly destination: Address;
  /** The rules in their order, as numbers of which the smaller one goes first. */
  readonly ranks: readonly number[];
  readonly matching: number;
}

function rate(destination: Address, source: OwnAddress | undefined): Rated {
  const scope = scopeOf(destination);
  const { label, precedence } = policyOf(destination);
  const own = source?.cidr.address;
  return {
    destination,
    ranks: [
      // Rule 1: avoid unusable destinations.
      Number(own === undefined),
      // Rule 2: prefer matching scope.
      Number(own === undefined || scopeOf(own) !== scope),
      // Rule 3: avoid deprecated addresses.
      Number(source?.state === AddressState.Deprecated),
      // Rule 5: prefer matching label.
      Number(own === undefined || policyOf(own).label !== label),
      // Rule 6: prefer higher precedence.
      -precedence,
      // Rule 8: prefer smaller scope.
      scope,
    ],
    matching: source === undefined ? 0 : matching(source, destination),
  };
}

function compare(one: Rated, other: Rated): number {
  for (let rule = 0; rule < one.ranks.length; rule++) {
    const difference = one.ranks[rule]! - other.ranks[rule]!;
    if (difference !== 0) return difference;
  }
  // Rule 9: the longest matching prefix, among the addresses of one family. For IPv4, subnets say nothing of distance.
  if (one.destination.isV4 || other.destination.isV4) return 0;
  return other.matching - one.matching;
}
