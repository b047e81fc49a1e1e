/**
 * The option list of an IPv4 header (RFC 791 3.1), walked in place.
 *
 * @module
 */
import type { WireError } from "./error.ts";
import { checkList, findInList } from "./option-list.ts";

const FIRST = 20;

/** The type octet of the options that have a meaning here; copied flag, class and number in one. */
export const Option = {
  /** Ends the list; padding follows. */
  End: 0,
  /** One byte of padding. */
  NoOperation: 1,
  /** RFC 791: each router writes down its address. */
  RecordRoute: 7,
  /** RFC 791: each router writes down its time. */
  Timestamp: 68,
  /** RFC 1108. */
  Security: 130,
  /** RFC 791: the routers to pass, others allowed between them. */
  LooseSourceRoute: 131,
  /** RFC 791: the routers to pass, no others. */
  StrictSourceRoute: 137,
  /** RFC 2113: routers should look at this packet. */
  RouterAlert: 148,
} as const;
/** One of {@linkcode Option}'s numbers. */
export type Option = (typeof Option)[keyof typeof Option];

/**
 * Checks that the options of the header at `at`, whose length was checked, are well-formed up to their end.
 */
export function checkOptions(bytes: Uint8Array, at: number): WireError {
  return checkList(bytes, at + FIRST, optionsEnd(bytes, at));
}

/**
 * Where the option of this type lies, or -1 when the list has none before its end or its first malformed
 * option.
 */
export function findOption(bytes: Uint8Array, at: number, type: number): number {
  return findInList(bytes, at + FIRST, optionsEnd(bytes, at), type);
}

/** Whether the sender chose the packet's path: a loose or a strict source route (RFC 7126 4.3, 4.4). */
export function hasSourceRoute(bytes: Uint8Array, at: number): boolean {
  return findOption(bytes, at, Option.LooseSourceRoute) >= 0 ||
    findOption(bytes, at, Option.StrictSourceRoute) >= 0;
}

function optionsEnd(bytes: Uint8Array, at: number): number {
  return at + ((bytes[at]! & 0xf) << 2);
}
