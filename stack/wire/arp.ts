/**
 * The address resolution packet (RFC 826) for IPv4 over Ethernet.
 *
 * @module
 */
import { get16, get32, put16, put32 } from "./bytes.ts";
import { WireError } from "./error.ts";
import { EtherType } from "./ethernet.ts";
import type { Mac } from "./mac.ts";

/** The packet's length in bytes; Ethernet pads it. */
export const LENGTH = 28;

const HARDWARE_TYPE = 0;
const PROTOCOL_TYPE = 2;
const HARDWARE_LENGTH = 4;
const PROTOCOL_LENGTH = 5;
const OPERATION = 6;
/** Where the sender's hardware address lies: `mac.read(bytes, at + SENDER_MAC)`. */
export const SENDER_MAC = 8;
/** Where the sender's IPv4 address lies: `address.readV4(bytes, at + SENDER_ADDRESS)`. */
export const SENDER_ADDRESS = 14;
/** Where the target's hardware address lies: `mac.read(bytes, at + TARGET_MAC)`. */
export const TARGET_MAC = 18;
/** Where the target's IPv4 address lies: `address.readV4(bytes, at + TARGET_ADDRESS)`. */
export const TARGET_ADDRESS = 24;

const ETHERNET = 1;

/** What the packet does. */
export const Operation = { Request: 1, Reply: 2 } as const;
/** One of {@linkcode Operation}'s numbers. */
export type Operation = (typeof Operation)[keyof typeof Operation];

/** The operation; any 16 bits. */
export function operation(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + OPERATION);
}

/** The sender's IPv4 address as a word. */
export function senderAddress(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + SENDER_ADDRESS);
}

/** The target's IPv4 address as a word. */
export function targetAddress(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + TARGET_ADDRESS);
}

/** Sets the operation. */
export function setOperation(bytes: Uint8Array, at: number, operation: number): void {
  put16(bytes, at + OPERATION, operation);
}

/** Writes the whole packet; the IPv4 addresses are words. */
export function emit(
  bytes: Uint8Array,
  at: number,
  operation: number,
  senderMac: Mac,
  senderAddress: number,
  targetMac: Mac,
  targetAddress: number,
): void {
  put16(bytes, at + HARDWARE_TYPE, ETHERNET);
  put16(bytes, at + PROTOCOL_TYPE, EtherType.Ipv4);
  bytes[at + HARDWARE_LENGTH] = 6;
  bytes[at + PROTOCOL_LENGTH] = 4;
  put16(bytes, at + OPERATION, operation);
  senderMac.write(bytes, at + SENDER_MAC);
  put32(bytes, at + SENDER_ADDRESS, senderAddress);
  targetMac.write(bytes, at + TARGET_MAC);
  put32(bytes, at + TARGET_ADDRESS, targetAddress);
}

/**
 * Checks that `bytes[at..end)` starts with a packet for IPv4 over Ethernet. Other hardware, protocols or
 * operations are Unrecognized (RFC 826, "Packet Reception"), wrong address lengths for these are Malformed.
 */
export function check(bytes: Uint8Array, at: number, end: number): WireError {
  if (end - at < LENGTH) return WireError.Truncated;
  if (get16(bytes, at + HARDWARE_TYPE) !== ETHERNET) return WireError.Unrecognized;
  if (get16(bytes, at + PROTOCOL_TYPE) !== EtherType.Ipv4) return WireError.Unrecognized;
  if (bytes[at + HARDWARE_LENGTH] !== 6 || bytes[at + PROTOCOL_LENGTH] !== 4) return WireError.Malformed;
  const operation = get16(bytes, at + OPERATION);
  if (operation !== Operation.Request && operation !== Operation.Reply) return WireError.Unrecognized;
  return WireError.None;
}
