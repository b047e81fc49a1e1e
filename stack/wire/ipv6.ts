/**
 * The IPv6 header, RFC 8200 3. Extension headers follow it as `nextHeader` says.
 *
 * @module
 */
import type { Address } from "./address.ts";
import { get16, get32, put16, put32 } from "./bytes.ts";
import { WireError } from "./error.ts";

/** The header's length in bytes. */
export const HEADER_LENGTH = 40;
/** Every link carries packets of this many bytes whole (RFC 8200 5). */
export const MTU_MIN = 1280;

const VERSION_CLASS_LABEL = 0;
const PAYLOAD_LENGTH = 4;
const NEXT_HEADER = 6;
const HOP_LIMIT = 7;
/** Where the source lies: `address.readV6(bytes, at + SOURCE)`. */
export const SOURCE = 8;
/** Where the destination lies: `address.readV6(bytes, at + DESTINATION)`. */
export const DESTINATION = 24;

/** The version, 6. */
export function version(bytes: Uint8Array, at: number): number {
  return bytes[at + VERSION_CLASS_LABEL]! >> 4;
}

/** The traffic class: DSCP (RFC 2474) and ECN (RFC 3168). */
export function trafficClass(bytes: Uint8Array, at: number): number {
  return (get16(bytes, at + VERSION_CLASS_LABEL) >> 4) & 0xff;
}

/** What the packets of one flow have in common, 20 bits (RFC 6437). */
export function flowLabel(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + VERSION_CLASS_LABEL) & 0xfffff;
}

/** The length in bytes of what follows the header, extension headers included. */
export function payloadLength(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + PAYLOAD_LENGTH);
}

/** What follows: one of `Protocol`'s numbers, or any other. */
export function nextHeader(bytes: Uint8Array, at: number): number {
  return bytes[at + NEXT_HEADER]!;
}

/** How many more routers may pass the packet on. */
export function hopLimit(bytes: Uint8Array, at: number): number {
  return bytes[at + HOP_LIMIT]!;
}

/** Sets the traffic class. */
export function setTrafficClass(bytes: Uint8Array, at: number, trafficClass: number): void {
  const others = get32(bytes, at + VERSION_CLASS_LABEL) & 0xf00fffff;
  put32(bytes, at + VERSION_CLASS_LABEL, others | ((trafficClass & 0xff) << 20));
}

/** Sets the flow label, 20 bits. */
export function setFlowLabel(bytes: Uint8Array, at: number, flowLabel: number): void {
  const others = get32(bytes, at + VERSION_CLASS_LABEL) & 0xfff00000;
  put32(bytes, at + VERSION_CLASS_LABEL, others | (flowLabel & 0xfffff));
}

/** Sets the length in bytes of what follows the header. */
export function setPayloadLength(bytes: Uint8Array, at: number, length: number): void {
  put16(bytes, at + PAYLOAD_LENGTH, length);
}

/** Sets what follows. */
export function setNextHeader(bytes: Uint8Array, at: number, nextHeader: number): void {
  bytes[at + NEXT_HEADER] = nextHeader;
}

/** Sets the hop limit. */
export function setHopLimit(bytes: Uint8Array, at: number, hopLimit: number): void {
  bytes[at + HOP_LIMIT] = hopLimit;
}

/** Writes the whole header. */
export function emit(
  bytes: Uint8Array,
  at: number,
  trafficClass: number,
  flowLabel: number,
  payloadLength: number,
  nextHeader: number,
  hopLimit: number,
  source: Address,
  destination: Address,
): void {
  put32(bytes, at + VERSION_CLASS_LABEL, 0x60000000 | ((trafficClass & 0xff) << 20) | (flowLabel & 0xfffff));
  put16(bytes, at + PAYLOAD_LENGTH, payloadLength);
  bytes[at + NEXT_HEADER] = nextHeader;
  bytes[at + HOP_LIMIT] = hopLimit;
  source.writeV6(bytes, at + SOURCE);
  destination.writeV6(bytes, at + DESTINATION);
}

/** Checks that `bytes[at..end)` starts with a whole IPv6 packet, padding behind it allowed. */
export function check(bytes: Uint8Array, at: number, end: number): WireError {
  if (end - at < 1) return WireError.Truncated;
  if (version(bytes, at) !== 6) return WireError.Unrecognized;
  if (end - at < HEADER_LENGTH) return WireError.Truncated;
  return end - at < HEADER_LENGTH + payloadLength(bytes, at) ? WireError.Truncated : WireError.None;
}
