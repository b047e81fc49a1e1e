/**
 * One packet that is being put together: which parts have come, and where they are kept.
 *
 * @module
 */
import { type Instant, NEVER } from "../store/time.ts";
import { Address } from "../wire/address.ts";

/** Fragments that a packet may have: 64 KiB over a path that takes 576 bytes are 119. */
export const FRAGMENTS_MAX = 128;
/** The longest part before the data, as it is repeated in each fragment: IPv6's header and a few extensions. */
export const HEADER_MAX = 256;
/** Bytes of a block; a packet's data takes as many as it touches. */
export const BLOCK = 2_048;
/** Blocks of the longest packet. */
export const BLOCKS_MAX = 32;

/** The words that tell packets apart: both addresses, identification, protocol and family. */
export const KEY_WORDS = 10;

/** What a new part is to those that are there. */
export const Part = {
  /** It was missing. */
  New: 0,
  /** It is one of them once more. */
  Duplicate: 1,
  /** It contradicts them: it overlaps one, or lies behind the end (RFC 5722 4). */
  Overlap: 2,
  /** There are too many. */
  Excess: 3,
} as const;

/** One of {@linkcode Part}'s numbers. */
export type Part = (typeof Part)[keyof typeof Part];

/** An unfinished packet: reused for one after the other. */
export class Datagram {
  readonly source: Address = new Address();
  readonly destination: Address = new Address();
  readonly key: Int32Array = new Int32Array(KEY_WORDS);
  /** The first fragment's header, up to its data: for IPv6 with the fragment header. */
  readonly header: Uint8Array = new Uint8Array(HEADER_MAX);
  /** The header's length in bytes; 0: the first fragment has not come. */
  headerLength = 0;
  /** Where in the header the byte lies that says what follows it. */
  protocolAt = 0;
  /** Which blocks hold the data; -1: none yet. */
  readonly blocks: Int32Array = new Int32Array(BLOCKS_MAX).fill(-1);
  expires: Instant = NEVER;
  isV4 = true;
  isGroup = false;
  /** Whether parts contradicted each other: what still comes is dropped (RFC 8200 4.5). */
  isSpoilt = false;
  /** The ECN codepoints that fragments had, as bits. */
  ecn = 0;
  /** The length of all data; -1: the last fragment has not come. */
  total = -1;
  /** How much data there is. */
  have = 0;
  /** How long the first fragment's data is. */
  firstLength = 0;
  // The parts, in their order: where each starts and ends.
  readonly #starts = new Int32Array(FRAGMENTS_MAX);
  readonly #ends = new Int32Array(FRAGMENTS_MAX);
  #count = 0;

  /** Starts over. */
  begin(isV4: boolean, isGroup: boolean, source: Address, destination: Address, expires: Instant): void {
    this.source.copy(source);
    this.destination.copy(destination);
    this.headerLength = 0;
    this.expires = expires;
    this.isV4 = isV4;
    this.isGroup = isGroup;
    this.isSpoilt = false;
    this.ecn = 0;
    this.total = -1;
    this.have = 0;
    this.firstLength = 0;
    this.#count = 0;
  }

  /** Whether everything is there. */
  get isWhole(): boolean {
    return this.have === this.total && this.headerLength > 0;
  }

  /** Notes the part from `start` to `end`, unless it is none that was missing. */
  note(start: number, end: number, isLast: boolean): Part {
    const { total } = this;
    let index = this.#count;
    while (index > 0 && this.#starts[index - 1]! >= start) index--;
    const isAt = index < this.#count && this.#starts[index] === start;
    if (isAt && this.#ends[index] === end && isLast === (total === end)) return Part.Duplicate;
    // RFC 8200 4.5: no part may lie behind the end, nor may there be two ends.
    if (total >= 0 && (end > total || (isLast && end !== total))) return Part.Overlap;
    if (isLast && this.#count > 0 && this.#ends[this.#count - 1]! > end) return Part.Overlap;
    if (index > 0 && this.#ends[index - 1]! > start) return Part.Overlap;
    if (index < this.#count && this.#starts[index]! < end) return Part.Overlap;
    if (this.#count === FRAGMENTS_MAX) return Part.Excess;
    this.#starts.copyWithin(index + 1, index, this.#count);
    this.#ends.copyWithin(index + 1, index, this.#count);
    this.#starts[index] = start;
    this.#ends[index] = end;
    this.#count++;
    this.have += end - start;
    if (isLast) this.total = end;
    return Part.New;
  }
}
