/**
 * The Internet checksum: the one's complement of the one's complement sum of 16-bit words (RFC 1071), and its
 * incremental update (RFC 1624).
 *
 * A sum is a non-negative number below 2^31 that need not be folded yet; sums of parts are added as plain
 * numbers, or handed on as `initial`. Every part but the last must have an even length.
 *
 * @module
 */
import type { Address } from "./address.ts";
import type { ArenaProgram } from "./arena-program.ts";
import { programOf } from "./arena.ts";
import { fold, sumWords } from "./sum-words.ts";

export { fold };

/**
 * Adds the 16-bit words of `bytes[at..end)`, an odd last byte padded with a zero, to `initial`. The result
 * has 16 bits. Any offset, any length up to 256 KiB; fastest in an arena ({@linkcode makeArena}).
 */
export function sum(bytes: Uint8Array, at: number, end: number, initial: number): number {
  return bytes === arena && end <= arenaEnd ? inArena(at, end, initial) : elsewhere(bytes, at, end, initial);
}

/** The arena that was summed last, as far as it goes, and how. */
let arena: Uint8Array | undefined;
let arenaEnd = 0;
let inArena: ArenaProgram["sum"] = () => 0;

function elsewhere(bytes: Uint8Array, at: number, end: number, initial: number): number {
  const sum = end > bytes.length ? undefined : programOf(bytes)?.sum;
  if (sum === undefined) return sumWords(bytes, at, end, initial);
  arena = bytes;
  arenaEnd = bytes.length;
  inArena = sum;
  return sum(at, end, initial);
}

/** The checksum field's value for a sum: its one's complement. 0 when the sum covers a correct checksum. */
export function finish(sum: number): number {
  return ~fold(sum) & 0xffff;
}

/** The checksum of `bytes[at..end)` and what `initial` summed. 0 when those hold a correct checksum. */
export function checksum(bytes: Uint8Array, at: number, end: number, initial: number): number {
  return finish(sum(bytes, at, end, initial));
}

/**
 * The checksum after one 16-bit word of what it covers went from `oldWord` to `newWord`.
 *
 * The same as computing it anew, unless all that is covered is zero. UDP sends a result of 0 as 0xffff.
 */
export function update16(check: number, oldWord: number, newWord: number): number {
  // RFC 1624 3, equation 3. Equation 4 (and RFC 1141) can turn out 0xffff where the whole sum gives 0.
  return finish((~check & 0xffff) + (~oldWord & 0xffff) + (newWord & 0xffff));
}

/**
 * The checksum after one 32-bit word of what it covers, at an even offset, went from `oldWord` to `newWord`.
 */
export function update32(check: number, oldWord: number, newWord: number): number {
  return update16(update16(check, oldWord >>> 16, newWord >>> 16), oldWord, newWord);
}

/**
 * The sum of the IPv4 pseudo-header of TCP and UDP (RFC 9293 3.1); `length` is that of their header and data.
 */
export function pseudoV4(source: Address, destination: Address, protocol: number, length: number): number {
  return words(source.d) + words(destination.d) + protocol + words(length);
}

/**
 * The sum of the IPv6 pseudo-header (RFC 8200 8.1); `length` is that of the upper layer's header and data.
 */
export function pseudoV6(source: Address, destination: Address, protocol: number, length: number): number {
  return words(source.a) + words(source.b) + words(source.c) + words(source.d) +
    words(destination.a) + words(destination.b) + words(destination.c) + words(destination.d) +
    protocol + words(length);
}

/** The sum of the pseudo-header of the addresses' family. */
export function pseudo(source: Address, destination: Address, protocol: number, length: number): number {
  return source.isV4
    ? pseudoV4(source, destination, protocol, length)
    : pseudoV6(source, destination, protocol, length);
}

/** The sum of a 32-bit word's two halves. */
function words(word: number): number {
  return (word >>> 16) + (word & 0xffff);
}
