/** The datagrams of a test over UDP. All functions take the payload's bytes and the offset of its first one. */
import type { Instant } from "../../mod.ts";

/**
 * The words that open a stream, from the client and back. iperf3 writes them in the order of its processor, and each is
 * the other one backwards: who says it tells which it is.
 */
const HELLO = 0x36373839, LEGACY_HELLO = 123_456_789;
const WELCOME = 0x39383736, LEGACY_WELCOME = 987_654_321;

/** Their length. */
export const WORD_LENGTH = 4;

/** The headers: seconds and microseconds, then a number of 32 or 64 bits; the first datagram has number 1. */
const SECONDS = 0, MICROSECONDS = 4, NUMBER = 8;
/** With a number of 32 bits, and of 64. */
export const HEADER_32 = 12, HEADER_64 = 16;

/** Writes the word of a client. */
export function emitHello(bytes: Uint8Array, at: number): void {
  putReversed(bytes, at, HELLO);
}

/** Writes the word of a server. */
export function emitWelcome(bytes: Uint8Array, at: number): void {
  putReversed(bytes, at, WELCOME);
}

/** Whether a datagram of this length opens a stream. */
export function isHello(bytes: Uint8Array, at: number, length: number): boolean {
  return isWord(bytes, at, length, HELLO, LEGACY_HELLO);
}

/** Whether a datagram of this length says that a stream is open. */
export function isWelcome(bytes: Uint8Array, at: number, length: number): boolean {
  return isWord(bytes, at, length, WELCOME, LEGACY_WELCOME);
}

/** Writes the header. */
export function emitHeader(
  bytes: Uint8Array,
  at: number,
  sent: Instant,
  number: number,
  is64: boolean,
): void {
  const seconds = Math.floor(sent / 1e6);
  put(bytes, at + SECONDS, seconds);
  put(bytes, at + MICROSECONDS, sent - seconds * 1e6);
  if (!is64) return put(bytes, at + NUMBER, number);
  put(bytes, at + NUMBER, Math.floor(number / 2 ** 32));
  put(bytes, at + NUMBER + 4, number);
}

/** When it was sent, in microseconds by the sender's clock. */
export function sentAt(bytes: Uint8Array, at: number): Instant {
  return get(bytes, at + SECONDS) * 1e6 + get(bytes, at + MICROSECONDS);
}

/** Its number. */
export function number(bytes: Uint8Array, at: number, is64: boolean): number {
  const word = get(bytes, at + NUMBER);
  return is64 ? word * 2 ** 32 + get(bytes, at + NUMBER + 4) : word;
}

function isWord(bytes: Uint8Array, at: number, length: number, word: number, legacy: number): boolean {
  if (length !== WORD_LENGTH) return false;
  const there = get(bytes, at), reversed = getReversed(bytes, at);
  return there === word || there === legacy || reversed === word || reversed === legacy;
}

function get(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
}

function getReversed(bytes: Uint8Array, at: number): number {
  return (bytes[at + 3]! << 24 | bytes[at + 2]! << 16 | bytes[at + 1]! << 8 | bytes[at]!) >>> 0;
}

function put(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

function putReversed(bytes: Uint8Array, at: number, value: number): void {
  bytes[at + 3] = value >>> 24;
  bytes[at + 2] = value >>> 16;
  bytes[at + 1] = value >>> 8;
  bytes[at] = value;
}
