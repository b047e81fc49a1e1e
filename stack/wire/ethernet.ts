/**
 * The Ethernet II header (RFC 894): destination, source and the type of what follows. No frame check
 * sequence: the NIC adds and checks it.
 *
 * @module
 */
import { get16, put16 } from "./bytes.ts";
import { WireError } from "./error.ts";
import type { Mac } from "./mac.ts";

/** The header's length in bytes. */
export const HEADER_LENGTH = 14;

/** Where the destination lies: `mac.read(bytes, at + DESTINATION)`. */
export const DESTINATION = 0;
/** Where the source lies: `mac.read(bytes, at + SOURCE)`. */
export const SOURCE = 6;
/** Where the type lies. */
export const ETHER_TYPE = 12;

/** What follows the header (RFC 9542 Appendix B). */
export const EtherType = { Ipv4: 0x0800, Arp: 0x0806, Vlan: 0x8100, Ipv6: 0x86dd } as const;
/** One of {@linkcode EtherType}'s numbers. */
export type EtherType = (typeof EtherType)[keyof typeof EtherType];

/** The least value that is a type; below it the field is an IEEE 802.3 length (RFC 1122 2.3.3). */
export const ETHER_TYPE_MIN = 0x0600;

/** The type of what follows; any 16 bits. Below {@linkcode ETHER_TYPE_MIN} it is a length. */
export function etherType(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + ETHER_TYPE);
}

/** Whether the address at `bytes[at..at + 6)` is a group's. */
export function isGroup(bytes: Uint8Array, at: number): boolean {
  return (bytes[at]! & 1) !== 0;
}

/** Sets the type of what follows. */
export function setEtherType(bytes: Uint8Array, at: number, etherType: number): void {
  put16(bytes, at + ETHER_TYPE, etherType);
}

/** Writes the whole header. */
export function emit(bytes: Uint8Array, at: number, destination: Mac, source: Mac, etherType: number): void {
  destination.write(bytes, at + DESTINATION);
  source.write(bytes, at + SOURCE);
  put16(bytes, at + ETHER_TYPE, etherType);
}

/** Checks that `bytes[at..end)` holds a whole header; any type is well-formed. */
export function check(_bytes: Uint8Array, at: number, end: number): WireError {
  return end - at < HEADER_LENGTH ? WireError.Truncated : WireError.None;
}

/** The type in words, for printing. */
export function etherTypeName(etherType: number): string {
  switch (etherType) {
    case EtherType.Ipv4:
      return "IPv4";
    case EtherType.Arp:
      return "ARP";
    case EtherType.Vlan:
      return "802.1Q";
    case EtherType.Ipv6:
      return "IPv6";
    default:
      return etherType < ETHER_TYPE_MIN
        ? `802.3 length ${etherType}`
        : `0x${etherType.toString(16).padStart(4, "0")}`;
  }
}
