/**
 * IPv6's extension headers (RFC 8200 4): a byte of what follows, one of length, and what the header is about. All
 * functions take the packet's bytes and the offset of the header's first byte.
 *
 * @module
 */
import { get16, get32, put16, put32 } from "./bytes.ts";
import { Protocol } from "./protocol.ts";

/** The length in bytes of a fragment header, and the least of all others. */
export const LENGTH_MIN = 8;
/** The length in bytes of a fragment header. */
export const FRAGMENT_LENGTH = 8;

const NEXT_HEADER = 0;
const LENGTH = 1;
/** Where the options of a hop-by-hop or destination options header start. */
export const OPTIONS = 2;
/** Where a routing header tells its type. */
export const ROUTING_TYPE = 2;
const SEGMENTS_LEFT = 3;
/** Where a fragment header tells its offset, and whether more fragments follow. */
export const FRAGMENT_OFFSET = 2;
const IDENTIFICATION = 4;

/** The option types that have a meaning here (RFC 8200 4.2, RFC 2711). */
export const Option = { Pad1: 0, PadN: 1, RouterAlert: 5 } as const;
/** One of {@linkcode Option}'s numbers. */
export type Option = (typeof Option)[keyof typeof Option];

/** What the two highest bits of an unknown option's type ask for (RFC 8200 4.2). */
export const Action = {
  /** Pass over it. */
  Skip: 0,
  /** Discard the packet. */
  Discard: 1,
  /** Discard it and say so, even if it went to a group. */
  Report: 2,
  /** Discard it and say so, unless it went to a group. */
  ReportUnicast: 3,
} as const;
/** One of {@linkcode Action}'s numbers. */
export type Action = (typeof Action)[keyof typeof Action];

/** Whether this is the number of an extension header, and not of what they lead to. */
export function isExtension(protocol: number): boolean {
  switch (protocol) {
    case Protocol.HopByHop:
    case Protocol.Routing:
    case Protocol.Fragment:
    case Protocol.Destination:
      return true;
    default:
      return false;
  }
}

/** What follows the header. */
export function nextHeader(bytes: Uint8Array, at: number): number {
  return bytes[at + NEXT_HEADER]!;
}

/** The header's length in bytes; not of a fragment header, which has no such field. */
export function length(bytes: Uint8Array, at: number): number {
  return (bytes[at + LENGTH]! + 1) << 3;
}

/** A routing header's type. */
export function routingType(bytes: Uint8Array, at: number): number {
  return bytes[at + ROUTING_TYPE]!;
}

/** How many nodes a routing header has the packet visit yet. */
export function segmentsLeft(bytes: Uint8Array, at: number): number {
  return bytes[at + SEGMENTS_LEFT]!;
}

/** Where in the original packet's fragmentable part this fragment starts, in bytes: a multiple of 8. */
export function fragmentOffset(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + FRAGMENT_OFFSET) & 0xfff8;
}

/** Whether this fragment is not the last. */
export function moreFragments(bytes: Uint8Array, at: number): boolean {
  return (bytes[at + FRAGMENT_OFFSET + 1]! & 1) !== 0;
}

/** Whether the fragment header is one that divides nothing (RFC 6946 2). */
export function isAtomic(bytes: Uint8Array, at: number): boolean {
  return (get16(bytes, at + FRAGMENT_OFFSET) & 0xfff9) === 0;
}

/** What the fragments of one packet have in common, 32 bits, signed. */
export function identification(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + IDENTIFICATION);
}

/** Writes a whole fragment header; the offset is given in bytes and a multiple of 8. */
export function emitFragment(
  bytes: Uint8Array,
  at: number,
  nextHeader: number,
  offset: number,
  isLast: boolean,
  identification: number,
): void {
  bytes[at + NEXT_HEADER] = nextHeader;
  bytes[at + LENGTH] = 0;
  put16(bytes, at + FRAGMENT_OFFSET, offset | (isLast ? 0 : 1));
  put32(bytes, at + IDENTIFICATION, identification);
}

/** What is to be done about an option's type that is not known. */
export function action(type: number): Action {
  return (type >> 6) as Action;
}

/** The length in bytes of the option at `bytes[option]`, before `end`; 0: it is malformed, it runs over the end. */
export function optionLength(bytes: Uint8Array, option: number, end: number): number {
  if (bytes[option] === Option.Pad1) return 1;
  if (option + 2 > end) return 0;
  const length = bytes[option + 1]! + 2;
  return option + length > end ? 0 : length;
}
