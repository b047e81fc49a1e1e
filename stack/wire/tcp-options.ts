/**
 * The option list of a TCP header (RFC 9293 3.2), walked and written in place.
 *
 * Readers take the header's offset, whose length was checked. An option whose length does not fit its kind
 * counts as absent, and a malformed one ends the walk: RFC 9293 (MUST-6, MUST-7) asks for no more than to
 * go on safely.
 *
 * @module
 */
import { get16, get32, put16, put32 } from "./bytes.ts";
import type { WireError } from "./error.ts";
import { checkList, findInList } from "./option-list.ts";

const FIRST = 20;

/** The kinds that have a meaning here (IANA "TCP Option Kind Numbers"). */
export const Kind = {
  /** Ends the list; padding follows. */
  End: 0,
  /** One byte of padding. */
  NoOperation: 1,
  /** RFC 9293 3.7.1. */
  MaximumSegmentSize: 2,
  /** RFC 7323 2. */
  WindowScale: 3,
  /** RFC 2018 2. */
  SackPermitted: 4,
  /** RFC 2018 3. */
  Sack: 5,
  /** RFC 7323 3. */
  Timestamps: 8,
  /** RFC 5482. */
  UserTimeout: 28,
  /** RFC 5925. */
  Authentication: 29,
  /** RFC 8684. */
  Multipath: 30,
  /** RFC 7413. */
  FastOpen: 34,
} as const;
/** One of {@linkcode Kind}'s numbers. */
export type Kind = (typeof Kind)[keyof typeof Kind];

/** The bytes that {@linkcode putMss} writes. */
export const MSS_LENGTH = 4;
/** The bytes that {@linkcode putWindowScale} writes. */
export const WINDOW_SCALE_LENGTH = 4;
/** The bytes that {@linkcode putSackPermitted} writes. */
export const SACK_PERMITTED_LENGTH = 4;
/** The bytes that {@linkcode putTimestamps} writes. */
export const TIMESTAMPS_LENGTH = 12;
/** The bytes that {@linkcode putSack} writes; every block behind takes {@linkcode SACK_BLOCK_LENGTH} more. */
export const SACK_LENGTH = 4;
/** The bytes of one SACK block. */
export const SACK_BLOCK_LENGTH = 8;
/** The most blocks that fit in a header; with timestamps one fewer (RFC 2018 3). */
export const SACK_BLOCKS_MAX = 4;

// NOP, NOP, kind 8, length 10: the layout of RFC 7323 Appendix A, which nearly every segment has first.
const ALIGNED_TIMESTAMPS = 0x0101080a;

/** Where the list ends: the header's end. */
export function optionsEnd(bytes: Uint8Array, at: number): number {
  return at + ((bytes[at + 12]! >> 4) << 2);
}

/** Checks that the options are well-formed up to their end. */
export function checkOptions(bytes: Uint8Array, at: number): WireError {
  return checkList(bytes, at + FIRST, optionsEnd(bytes, at));
}

/** Where the first option of this kind lies, or -1. */
export function findOption(bytes: Uint8Array, at: number, kind: number): number {
  return findInList(bytes, at + FIRST, optionsEnd(bytes, at), kind);
}

/** Where the first option of this kind lies, or -1 when there is none or it has another length. */
function findSized(bytes: Uint8Array, at: number, kind: number, length: number): number {
  const option = findOption(bytes, at, kind);
  return option >= 0 && bytes[option + 1] === length ? option : -1;
}

/** The maximum segment size in bytes, or -1 when the option is absent. May be 0: the peer chose it. */
export function maximumSegmentSize(bytes: Uint8Array, at: number): number {
  const option = findSized(bytes, at, Kind.MaximumSegmentSize, 4);
  return option < 0 ? -1 : get16(bytes, option + 2);
}

/**
 * The window scale's shift count as sent, or -1 when the option is absent. More than 14 counts as 14 (RFC
 * 7323 2.3).
 */
export function windowScale(bytes: Uint8Array, at: number): number {
  const option = findSized(bytes, at, Kind.WindowScale, 3);
  return option < 0 ? -1 : bytes[option + 2]!;
}

/** Whether the sender takes selective acknowledgments. */
export function sackPermitted(bytes: Uint8Array, at: number): boolean {
  return findSized(bytes, at, Kind.SackPermitted, 2) >= 0;
}

/** Where the timestamps option lies, or -1. */
export function findTimestamps(bytes: Uint8Array, at: number): number {
  if (
    get32(bytes, at + FIRST) === ALIGNED_TIMESTAMPS && optionsEnd(bytes, at) >= at + FIRST + TIMESTAMPS_LENGTH
  ) {
    return at + FIRST + 2;
  }
  return findSized(bytes, at, Kind.Timestamps, 10);
}

/** The timestamps option's TSval, signed. `option` is from {@linkcode findTimestamps}. */
export function timestampValue(bytes: Uint8Array, option: number): number {
  return get32(bytes, option + 2);
}

/** The timestamps option's TSecr, signed. `option` is from {@linkcode findTimestamps}. */
export function timestampEcho(bytes: Uint8Array, option: number): number {
  return get32(bytes, option + 6);
}

/** Where the SACK option lies, or -1 when it is absent or not whole blocks, at least one. */
export function findSack(bytes: Uint8Array, at: number): number {
  const option = findOption(bytes, at, Kind.Sack);
  if (option < 0) return -1;
  const length = bytes[option + 1]!;
  return length >= 10 && (length & 7) === 2 ? option : -1;
}

/** How many blocks the SACK option has, 1 to 4. `option` is from {@linkcode findSack}. */
export function sackBlocks(bytes: Uint8Array, option: number): number {
  return bytes[option + 1]! >> 3;
}

/** The first sequence number of the block, signed. `option` is from {@linkcode findSack}. */
export function sackLeft(bytes: Uint8Array, option: number, block: number): number {
  return get32(bytes, option + 2 + block * SACK_BLOCK_LENGTH);
}

/** The sequence number behind the block's last, signed. `option` is from {@linkcode findSack}. */
export function sackRight(bytes: Uint8Array, option: number, block: number): number {
  return get32(bytes, option + 6 + block * SACK_BLOCK_LENGTH);
}

/** Writes the maximum segment size. Answers with the offset behind it. */
export function putMss(bytes: Uint8Array, option: number, mss: number): number {
  put16(bytes, option, (Kind.MaximumSegmentSize << 8) | 4);
  put16(bytes, option + 2, mss);
  return option + MSS_LENGTH;
}

/** Writes the window scale behind one byte of padding. Answers with the offset behind it. */
export function putWindowScale(bytes: Uint8Array, option: number, shift: number): number {
  put16(bytes, option, (Kind.NoOperation << 8) | Kind.WindowScale);
  put16(bytes, option + 2, (3 << 8) | shift);
  return option + WINDOW_SCALE_LENGTH;
}

/**
 * Writes that selective acknowledgments are taken, behind two bytes of padding. Answers with the offset
 * behind it.
 */
export function putSackPermitted(bytes: Uint8Array, option: number): number {
  put16(bytes, option, (Kind.NoOperation << 8) | Kind.NoOperation);
  put16(bytes, option + 2, (Kind.SackPermitted << 8) | 2);
  return option + SACK_PERMITTED_LENGTH;
}

/**
 * Writes timestamps behind two bytes of padding (RFC 7323 Appendix A). Answers with the offset behind them.
 */
export function putTimestamps(bytes: Uint8Array, option: number, value: number, echo: number): number {
  put32(bytes, option, ALIGNED_TIMESTAMPS);
  put32(bytes, option + 4, value);
  put32(bytes, option + 8, echo);
  return option + TIMESTAMPS_LENGTH;
}

/**
 * Writes the start of a SACK option of 1 to 4 blocks, behind two bytes of padding. Answers with the offset
 * behind it.
 */
export function putSack(bytes: Uint8Array, option: number, blocks: number): number {
  put16(bytes, option, (Kind.NoOperation << 8) | Kind.NoOperation);
  put16(bytes, option + 2, (Kind.Sack << 8) | (2 + blocks * SACK_BLOCK_LENGTH));
  return option + SACK_LENGTH;
}

/** Writes the next block of the SACK option begun before. Answers with the offset behind it. */
export function putSackBlock(bytes: Uint8Array, at: number, left: number, right: number): number {
  put32(bytes, at, left);
  put32(bytes, at + 4, right);
  return at + SACK_BLOCK_LENGTH;
}
