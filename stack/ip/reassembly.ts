/**
 * Putting fragments together (RFC 791 3.2, RFC 815, RFC 8200 4.5, RFC 5722), for both families, within bounds of
 * memory and time.
 *
 * @module
 */
import type { Frame } from "../frame.ts";
import { copyBytes } from "../store/copy.ts";
import { HashMap } from "../store/hash-map.ts";
import { Links } from "../store/links.ts";
import { type Instant, NEVER, seconds } from "../store/time.ts";
import type { Address } from "../wire/address.ts";
import { BLOCK, Datagram, HEADER_MAX, KEY_WORDS, Part } from "./datagram.ts";
import type { IpCounters } from "./endpoint.ts";
import { writeHeader } from "./reassembly-header.ts";

/** How much a reassembly may take. */
export interface ReassemblyOptions {
  /** Unfinished packets. Default 256. */
  readonly packets?: number;
  /** Unfinished packets of one source. Default 64. */
  readonly packetsOfOne?: number;
  /** Bytes of data, in blocks of 2 KiB. Default 4 MiB, taken when the first fragment comes. */
  readonly bytes?: number;
}

/** RFC 791 3.2 and RFC 8200 4.5: how long a packet may stay unfinished. */
const LIFETIME_V4: Instant = seconds(15), LIFETIME_V6: Instant = seconds(60);

/** A fragment that was received, as both families have it: one reused object. */
export class Fragment {
  /** Whether the packet came over IPv4. */
  isV4 = true;
  /** Whether it was sent to more than one host. */
  isGroup = false;
  source!: Address;
  destination!: Address;
  identification = 0;
  /** What IPv4's fragments must also have in common (RFC 791 3.2); 0 for IPv6. */
  protocol = 0;
  /** The ECN codepoint. */
  ecn = 0;
  /** Where in the whole packet its data starts. */
  offset = 0;
  isLast = false;
  /** Its header, IPv6's with the fragment header, and its data: offsets in the frame. */
  headerAt = 0;
  dataAt = 0;
  end = 0;
  /** Where the byte lies that says what the data is: an offset in the frame. */
  protocolAt = 0;
}

const FREE = 0, V4 = 1, V6 = 2, LISTS = 3;

/** Unfinished packets, up to so many; when they are too many, whoever waits longest is given up. */
export class Reassembly {
  readonly #counters: IpCounters;
  readonly #packets: number;
  readonly #packetsOfOne: number;
  readonly #blockCount: number;
  readonly #index: HashMap;
  readonly #sources: HashMap;
  readonly #datagrams: Datagram[] = [];
  readonly #lists: Links;
  readonly #key = new Int32Array(KEY_WORDS);
  /** The numbers of the blocks that are free: those below `#freeCount`. */
  readonly #freeBlocks: Int32Array;
  #freeCount: number;
  #memory: Uint8Array | undefined;

  /** An empty one. The seed keeps strangers from aiming at one place of its tables. */
  constructor(counters: IpCounters, options: ReassemblyOptions, seed: readonly [number, number]) {
    const { packets = 256, packetsOfOne = 64, bytes = 4 << 20 } = options;
    this.#counters = counters;
    this.#packets = packets;
    this.#packetsOfOne = packetsOfOne;
    this.#blockCount = Math.max(1, Math.floor(bytes / BLOCK));
    this.#index = new HashMap(packets, KEY_WORDS, seed);
    this.#sources = new HashMap(packets, 4, seed);
    this.#lists = new Links(packets, LISTS);
    for (let index = 0; index < packets; index++) this.#lists.pushBack(FREE, index);
    this.#freeBlocks = Int32Array.from({ length: this.#blockCount }, (_, block) => block);
    this.#freeCount = this.#blockCount;
  }

  /** How many packets are unfinished. */
  get size(): number {
    return this.#index.size;
  }

  /** How many bytes of memory their data takes. */
  get bytes(): number {
    return (this.#blockCount - this.#freeCount) * BLOCK;
  }

  /** Takes a fragment whose lengths were checked. The answer is its packet's number if that is whole now, else -1. */
  add(fragment: Fragment, bytes: Uint8Array, now: Instant): number {
    const index = this.#find(fragment, now);
    const datagram = this.#datagrams[index]!;
    const { offset, dataAt, end, isLast } = fragment;
    const length = end - dataAt;
    const part = datagram.isSpoilt ? Part.Overlap : datagram.note(offset, offset + length, isLast);
    if (part !== Part.New) {
      if (part === Part.Duplicate) this.#counters.duplicateFragment++;
      else this.#spoil(index, part);
      return -1;
    }
    datagram.ecn |= 1 << fragment.ecn;
    if (offset === 0 && !this.#keepHeader(datagram, fragment, bytes)) {
      this.#spoil(index, Part.Excess);
      return -1;
    }
    if (!this.#store(index, offset, bytes, dataAt, length)) {
      this.#counters.fragmentOverflow++;
      this.release(index);
      return -1;
    }
    if (!datagram.isWhole) {
      this.#counters.fragmentsKept++;
      return -1;
    }
    return index;
  }

  /** Writes a whole packet into `frame`, as if it had come so; it is then to be released. False: it is none. */
  write(index: number, frame: Frame): boolean {
    const datagram = this.#datagrams[index]!;
    const at = writeHeader(datagram, frame);
    if (at < 0) return false;
    this.#copyOut(datagram, 0, datagram.total, frame.bytes, at);
    return true;
  }

  /** The number of a packet that has waited too long by now, or -1. It is to be released. */
  nextExpired(now: Instant): number {
    for (let list = V4; list <= V6; list++) {
      const index = this.#lists.head(list);
      if (index >= 0 && this.#datagrams[index]!.expires <= now) return index;
    }
    return -1;
  }

  /** When {@linkcode Reassembly.nextExpired} next answers with one. */
  deadline(): Instant {
    const v4 = this.#lists.head(V4), v6 = this.#lists.head(V6);
    const first = v4 < 0 ? NEVER : this.#datagrams[v4]!.expires;
    return v6 < 0 ? first : Math.min(first, this.#datagrams[v6]!.expires);
  }

  /** The unfinished packet of this number. */
  at(index: number): Datagram {
    return this.#datagrams[index]!;
  }

  /** Copies the first fragment to `target`, up to `most` bytes with its header, and answers how many these are. */
  copyFirst(index: number, target: Uint8Array, at: number, most: number): number {
    const datagram = this.#datagrams[index]!;
    const header = Math.min(datagram.headerLength, most);
    copyBytes(target, at, datagram.header, 0, header);
    const length = Math.min(datagram.firstLength, most - header);
    this.#copyOut(datagram, 0, length, target, at + header);
    return header + length;
  }

  /** The first byte of the first fragment's data, which has come. */
  firstByte(index: number): number {
    return this.#memory?.[this.#datagrams[index]!.blocks[0]! * BLOCK] ?? 0;
  }

  /** Forgets a packet and what was kept of it. */
  release(index: number): void {
    const datagram = this.#datagrams[index]!;
    this.#freeBlocksOf(datagram);
    this.#index.remove(datagram.key);
    this.#leaves(datagram.source);
    this.#lists.pushBack(FREE, index);
  }

  #find(fragment: Fragment, now: Instant): number {
    const key = this.#key;
    const { source, destination, isV4 } = fragment;
    key[0] = source.a;
    key[1] = source.b;
    key[2] = source.c;
    key[3] = source.d;
    key[4] = destination.a;
    key[5] = destination.b;
    key[6] = destination.c;
    key[7] = destination.d;
    key[8] = fragment.identification;
    key[9] = fragment.protocol;
    const known = this.#index.lookup(key);
    if (known >= 0) {
      if (this.#datagrams[known]!.expires > now) return known;
      this.#counters.reassemblyTimeout++;
      this.release(known);
    }
    const index = this.#allocate(source);
    const datagram = this.#datagrams[index] ??= new Datagram();
    datagram.begin(isV4, fragment.isGroup, source, destination, now + (isV4 ? LIFETIME_V4 : LIFETIME_V6));
    datagram.key.set(key);
    this.#index.insert(key, 0, index);
    this.#lists.pushBack(isV4 ? V4 : V6, index);
    return index;
  }

  #allocate(source: Address): number {
    const { a, b, c, d } = source;
    if (this.#sources.lookup4(a, b, c, d) >= this.#packetsOfOne) this.#giveUp(this.#oldestOf(source));
    if (this.#index.size === this.#packets) this.#giveUp(this.#oldest(-1));
    const count = Math.max(0, this.#sources.lookup4(a, b, c, d));
    this.#sources.insert4(a, b, c, d, count + 1);
    return this.#lists.head(FREE);
  }

  #leaves({ a, b, c, d }: Address): void {
    const count = this.#sources.lookup4(a, b, c, d);
    if (count > 1) this.#sources.insert4(a, b, c, d, count - 1);
    else this.#sources.remove4(a, b, c, d);
  }

  #giveUp(index: number): void {
    this.#counters.reassemblyGivenUp++;
    this.release(index);
  }

  /** The packet that would expire first, but for one; -1: there is no other. */
  #oldest(but: number): number {
    const v4 = this.#otherThan(but, this.#lists.head(V4));
    const v6 = this.#otherThan(but, this.#lists.head(V6));
    if (v4 < 0 || v6 < 0) return Math.max(v4, v6);
    return this.#datagrams[v4]!.expires <= this.#datagrams[v6]!.expires ? v4 : v6;
  }

  #otherThan(but: number, index: number): number {
    return index === but && index >= 0 ? this.#lists.next(index) : index;
  }

  #oldestOf(source: Address): number {
    let index = this.#lists.head(source.isV4 ? V4 : V6);
    while (!this.#datagrams[index]!.source.equals(source)) index = this.#lists.next(index);
    return index;
  }

  /** RFC 8200 4.5, RFC 5722 4: what contradicts itself is dropped whole, and so is what comes of it yet. */
  #spoil(index: number, part: Part): void {
    const datagram = this.#datagrams[index]!;
    if (part === Part.Excess) this.#counters.fragmentOverflow++;
    else this.#counters.overlappingFragment++;
    datagram.isSpoilt = true;
    datagram.headerLength = 0;
    this.#freeBlocksOf(datagram);
  }

  #keepHeader(datagram: Datagram, fragment: Fragment, bytes: Uint8Array): boolean {
    const { headerAt, dataAt, end } = fragment;
    const length = dataAt - headerAt;
    if (length > HEADER_MAX) return false;
    copyBytes(datagram.header, 0, bytes, headerAt, length);
    datagram.headerLength = length;
    datagram.protocolAt = fragment.protocolAt - headerAt;
    datagram.firstLength = end - dataAt;
    return true;
  }

  #store(index: number, offset: number, bytes: Uint8Array, from: number, length: number): boolean {
    const { blocks } = this.#datagrams[index]!;
    const memory = this.#memory ??= new Uint8Array(this.#blockCount * BLOCK);
    for (let done = 0; done < length;) {
      const place = (offset + done) & (BLOCK - 1);
      const number = Math.floor((offset + done) / BLOCK);
      if (blocks[number]! < 0 && !this.#takeBlock(index, number)) return false;
      const count = Math.min(BLOCK - place, length - done);
      copyBytes(memory, blocks[number]! * BLOCK + place, bytes, from + done, count);
      done += count;
    }
    return true;
  }

  #takeBlock(index: number, number: number): boolean {
    while (this.#freeCount === 0) {
      const oldest = this.#oldest(index);
      if (oldest < 0) return false;
      this.#giveUp(oldest);
    }
    this.#datagrams[index]!.blocks[number] = this.#freeBlocks[--this.#freeCount]!;
    return true;
  }

  #freeBlocksOf({ blocks }: Datagram): void {
    for (let number = 0; number < blocks.length; number++) {
      if (blocks[number]! >= 0) this.#freeBlocks[this.#freeCount++] = blocks[number]!;
    }
    blocks.fill(-1);
  }

  #copyOut({ blocks }: Datagram, from: number, length: number, target: Uint8Array, at: number): void {
    const memory = this.#memory;
    for (let done = 0; memory !== undefined && done < length;) {
      const place = (from + done) & (BLOCK - 1);
      const count = Math.min(BLOCK - place, length - done);
      const block = blocks[Math.floor((from + done) / BLOCK)]!;
      copyBytes(target, at + done, memory, block * BLOCK + place, count);
      done += count;
    }
  }
}
