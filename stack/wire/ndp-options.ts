/**
 * The options of Neighbor Discovery, RFC 4861 4.6 and RFC 8106 5: a byte of type, a byte of length in units of 8 bytes
 * that counts both, then data. `option` is the offset of an option's first byte.
 *
 * @module
 */
import { get32 } from "./bytes.ts";
import { WireError } from "./error.ts";
import type { Mac } from "./mac.ts";

/** What an option tells (IANA "IPv6 Neighbor Discovery Option Formats"). */
export const OptionType = {
  /** The sender's link address. */
  SourceLinkAddress: 1,
  /** The target's link address. */
  TargetLinkAddress: 2,
  /** A prefix. */
  Prefix: 3,
  /** The packet that was redirected. */
  RedirectedHeader: 4,
  /** The link's MTU. */
  Mtu: 5,
  /** DNS servers (RFC 8106 5.1). */
  DnsServers: 25,
  /** DNS search domains (RFC 8106 5.2). */
  DnsSearch: 31,
} as const;

/** An option is a multiple of so many bytes. */
const UNIT = 8;

/** The length of an option with an Ethernet address. */
export const LINK_ADDRESS_LENGTH = 8;

const LENGTH = 1;
const DATA = 2;
const PREFIX_LENGTH = 2, PREFIX_FLAGS = 3, VALID = 4, PREFERRED = 8;
const MTU = 4;
const DNS_LIFETIME = 4;

/** Where a prefix option's prefix lies: `address.readV6(bytes, option + PREFIX)`. */
export const PREFIX = 16;
/** Where the first address of a DNS servers option lies. */
export const DNS_SERVERS = 8;
/** Where the names of a DNS search option begin. */
export const DNS_NAMES = 8;

/** The flags of a prefix option (RFC 4861 4.6.2). */
export const PrefixFlag = {
  /** What the prefix covers is on the link. */
  OnLink: 0x80,
  /** Addresses may be made of it (RFC 4862). */
  Autonomous: 0x40,
} as const;

/** A lifetime that never ends, as it reads from 32 unsigned bits of seconds. */
export const INFINITE = 0xffffffff;

/** The option's type; any 8 bits. */
export function optionType(bytes: Uint8Array, option: number): number {
  return bytes[option]!;
}

/** The option's length in bytes; 0 in one that is malformed. */
export function optionLength(bytes: Uint8Array, option: number): number {
  return bytes[option + LENGTH]! * UNIT;
}

/** Checks that the options `bytes[option..end)` are whole, and none of them has no length (RFC 4861 4.6). */
export function checkOptions(bytes: Uint8Array, option: number, end: number): WireError {
  while (option < end) {
    if (option + UNIT > end) return WireError.Truncated;
    const length = optionLength(bytes, option);
    if (length === 0) return WireError.Malformed;
    if (option + length > end) return WireError.Truncated;
    option += length;
  }
  return WireError.None;
}

/** Where the first option of this type lies in checked options, or -1. */
export function findOption(bytes: Uint8Array, option: number, end: number, type: number): number {
  for (; option < end; option += optionLength(bytes, option)) {
    if (bytes[option] === type) return option;
  }
  return -1;
}

/**
 * Reads the Ethernet address of the first option of this type among checked options into `mac`; false: there is none,
 * or it is no station's.
 */
export function readLinkAddress(
  bytes: Uint8Array,
  option: number,
  end: number,
  type: number,
  mac: Mac,
): boolean {
  const found = findOption(bytes, option, end, type);
  if (found < 0 || optionLength(bytes, found) !== LINK_ADDRESS_LENGTH) return false;
  return mac.read(bytes, found + DATA).isUnicast;
}

/** Writes an option with an Ethernet address. */
export function emitLinkAddress(bytes: Uint8Array, option: number, type: number, mac: Mac): void {
  bytes[option] = type;
  bytes[option + LENGTH] = LINK_ADDRESS_LENGTH / UNIT;
  mac.write(bytes, option + DATA);
}

/** Whether an option is a whole prefix option. */
export function isPrefix(bytes: Uint8Array, option: number): boolean {
  return bytes[option] === OptionType.Prefix && optionLength(bytes, option) === 32 &&
    bytes[option + PREFIX_LENGTH]! <= 128;
}

/** A prefix option's prefix length in bits. */
export function prefixLength(bytes: Uint8Array, option: number): number {
  return bytes[option + PREFIX_LENGTH]!;
}

/** A prefix option's flags, bits of {@linkcode PrefixFlag}. */
export function prefixFlags(bytes: Uint8Array, option: number): number {
  return bytes[option + PREFIX_FLAGS]!;
}

/** A prefix option's valid lifetime in seconds; {@linkcode INFINITE}: for ever. */
export function validLifetime(bytes: Uint8Array, option: number): number {
  return get32(bytes, option + VALID) >>> 0;
}

/** A prefix option's preferred lifetime in seconds; {@linkcode INFINITE}: for ever. */
export function preferredLifetime(bytes: Uint8Array, option: number): number {
  return get32(bytes, option + PREFERRED) >>> 0;
}

/** Whether an option is a whole MTU option. */
export function isMtu(bytes: Uint8Array, option: number): boolean {
  return bytes[option] === OptionType.Mtu && optionLength(bytes, option) === UNIT;
}

/** An MTU option's MTU. */
export function mtu(bytes: Uint8Array, option: number): number {
  return get32(bytes, option + MTU) >>> 0;
}

/** How many addresses a DNS servers option has; 0: it is none. */
export function dnsServers(bytes: Uint8Array, option: number): number {
  const length = optionLength(bytes, option);
  if (bytes[option] !== OptionType.DnsServers || length < 24 || (length - DNS_SERVERS) % 16 !== 0) return 0;
  return (length - DNS_SERVERS) / 16;
}

/** The lifetime in seconds of a DNS option; {@linkcode INFINITE}: for ever. */
export function dnsLifetime(bytes: Uint8Array, option: number): number {
  return get32(bytes, option + DNS_LIFETIME) >>> 0;
}
