/**
 * Packets that wait for their neighbour's link address (RFC 4861 7.2.2, RFC 1122 2.3.2.2).
 *
 * @module
 */
import type { Frame } from "../frame.ts";
import { copyBytes } from "../store/copy.ts";
import { Links } from "../store/links.ts";
import { Mac } from "../wire/mac.ts";

/** Packets that wait for one neighbour. */
const PER_NEIGHBOUR = 64;
/** The longest packet that is copied to wait, in bytes: what a jumbo frame carries. */
const LENGTH_MAX = 9_216;
/** Packets that wait in all: one for each look-up, within these bounds. */
const PLACES_MIN = 64, PLACES_MAX = 256;
/** Memory is taken in steps of this. */
const STEP = 2_048;

const NOTHING = new Uint8Array(0);

/** A frame of its own, which waits itself: whoever clears `isTaken` gives it back. */
export interface HeldFrame extends Frame {
  /** Whether somebody uses it. */
  isTaken: boolean;
}

/** Whoever has made a packet, and is told when its neighbour does not answer. */
export interface Origin {
  /** Takes a packet that was not delivered. It is only lent. */
  readonly undelivered: (packet: WaitingPacket) => void;
}

/** A packet that has waited: `bytes[at..end)` from the IP header on. */
export class WaitingPacket {
  /** The link address of its neighbour, once that is known. */
  readonly mac: Mac = new Mac();
  /** Where its bytes are. */
  bytes: Uint8Array = NOTHING;
  /** The IP header's first byte. */
  at = 0;
  /** One past its last byte. */
  end = 0;
  /** What it is: an EtherType. */
  etherType = 0;
  /** The frame that it is in, if it waits in its own; undefined: it was copied. */
  held: HeldFrame | undefined = undefined;
  /** Who is told if it is lost. */
  origin: Origin | undefined = undefined;
  #copy = NOTHING;

  /** Takes a copy. The memory is kept for the next one. */
  copy(bytes: Uint8Array, at: number, end: number): void {
    const length = end - at;
    if (this.#copy.length < length) this.#copy = new Uint8Array(Math.ceil(length / STEP) * STEP);
    copyBytes(this.#copy, 0, bytes, at, length);
    this.bytes = this.#copy;
    this.at = 0;
    this.end = length;
  }

  /** Takes a frame over. */
  hold(frame: HeldFrame): void {
    this.held = frame;
    this.bytes = frame.bytes;
    this.at = frame.start;
    this.end = frame.end;
  }

  /** Gives back what it has. */
  drop(): void {
    if (this.held !== undefined) this.held.isTaken = false;
    this.held = this.origin = undefined;
  }
}

/** What became of packets that waited. */
export class WaitingCounters {
  /** Packets that were put in line. */
  waited = 0;
  /** Dropped: a later one took its place, or its neighbour was forgotten. */
  overflowed = 0;
  /** Dropped: the neighbour did not answer. */
  givenUp = 0;
}

/** How many packets may wait where so many neighbours may be looked up at once. */
export function placesFor(lookups: number): number {
  return Math.min(PLACES_MAX, Math.max(PLACES_MIN, lookups));
}

/**
 * A line a neighbour, all of them so many packets. In a full line the latest packet takes the place of the oldest, as
 * RFC 4861 7.2.2 says; where all places are taken, the place of the oldest of all, which has had the most time.
 */
export class NeighbourQueue {
  /** What became of packets. */
  readonly counters: WaitingCounters = new WaitingCounters();
  /** How many packets may wait in all. */
  readonly capacity: number;
  /** How many wait. */
  size = 0;
  readonly #packets: readonly WaitingPacket[];
  readonly #lists: Links;
  /** All packets in lines, in their order. */
  readonly #order: Links;
  readonly #lengths: Uint8Array;
  readonly #free: number;
  readonly #ready: number;
  readonly #lost: number;

  /** A line for each of so many neighbours, and places for all of them. */
  constructor(neighbours: number, capacity: number) {
    this.capacity = capacity;
    this.#packets = Array.from({ length: capacity }, () => new WaitingPacket());
    this.#free = neighbours;
    this.#ready = neighbours + 1;
    this.#lost = neighbours + 2;
    this.#lists = new Links(capacity, neighbours + 3);
    this.#order = new Links(capacity);
    this.#lengths = new Uint8Array(neighbours);
    for (let packet = 0; packet < capacity; packet++) this.#lists.pushBack(this.#free, packet);
  }

  /** Whether a packet of this length can be copied to wait. */
  takes(length: number): boolean {
    return length <= LENGTH_MAX;
  }

  /** Puts a copy of `bytes[at..end)` in the neighbour's line. False: it cannot wait. */
  push(
    neighbour: number,
    bytes: Uint8Array,
    at: number,
    end: number,
    etherType: number,
    origin?: Origin,
  ): boolean {
    const index = this.takes(end - at) ? this.#place(neighbour) : -1;
    if (index < 0) {
      this.counters.overflowed++;
      return false;
    }
    this.#packets[index]!.copy(bytes, at, end);
    this.#enter(neighbour, index, etherType, origin);
    return true;
  }

  /** Puts a frame in the neighbour's line, which has it from then on. False: it cannot wait. */
  hold(neighbour: number, frame: HeldFrame, etherType: number, origin?: Origin): boolean {
    const index = this.#place(neighbour);
    if (index < 0) {
      this.counters.overflowed++;
      return false;
    }
    this.#packets[index]!.hold(frame);
    this.#enter(neighbour, index, etherType, origin);
    return true;
  }

  /** The neighbour's link address is known: its packets may leave. */
  resolve(neighbour: number, mac: Mac): void {
    for (let index = this.#first(neighbour); index >= 0; index = this.#first(neighbour)) {
      this.#packets[index]!.mac.copy(mac);
      this.#leave(neighbour, index, this.#ready);
    }
  }

  /** The neighbour does not answer: its packets are lost, and their senders are to be told. */
  giveUp(neighbour: number): void {
    for (let index = this.#first(neighbour); index >= 0; index = this.#first(neighbour)) {
      this.counters.givenUp++;
      this.#leave(neighbour, index, this.#lost);
    }
  }

  /** The neighbour is forgotten without an answer that was waited for: its packets just go. */
  drop(neighbour: number): void {
    for (let index = this.#first(neighbour); index >= 0; index = this.#first(neighbour)) {
      this.#evict(neighbour, index);
    }
  }

  /** Whether a packet may leave, or is lost. */
  get hasNews(): boolean {
    return !this.#lists.isEmpty(this.#ready) || !this.#lists.isEmpty(this.#lost);
  }

  /**
   * The next packet that may leave. It is out of the line from now on, and valid until the next `push`; a held frame is
   * the caller's.
   */
  takeReady(): WaitingPacket | undefined {
    return this.#take(this.#ready);
  }

  /** The next packet that is lost, likewise. It is to be dropped. */
  takeLost(): WaitingPacket | undefined {
    return this.#take(this.#lost);
  }

  #take(list: number): WaitingPacket | undefined {
    const index = this.#lists.head(list);
    if (index < 0) return undefined;
    this.#lists.pushBack(this.#free, index);
    return this.#packets[index];
  }

  #first(neighbour: number): number {
    return this.#lists.head(neighbour);
  }

  #enter(neighbour: number, index: number, etherType: number, origin: Origin | undefined): void {
    const packet = this.#packets[index]!;
    packet.etherType = etherType;
    packet.origin = origin;
    this.#lists.pushBack(neighbour, index);
    this.#order.pushBack(0, index);
    this.#lengths[neighbour] = this.#lengths[neighbour]! + 1;
    this.counters.waited++;
    this.size++;
  }

  #leave(neighbour: number, index: number, list: number): void {
    this.#lists.pushBack(list, index);
    this.#order.remove(index);
    this.size--;
    this.#lengths[neighbour] = this.#lengths[neighbour]! - 1;
  }

  #evict(neighbour: number, index: number): void {
    this.counters.overflowed++;
    this.#packets[index]!.drop();
    this.#leave(neighbour, index, this.#free);
  }

  /** A place for one more packet in a neighbour's line; -1: all are of packets that may leave, and have not yet. */
  #place(neighbour: number): number {
    if (this.#lengths[neighbour]! >= PER_NEIGHBOUR) this.#evict(neighbour, this.#first(neighbour));
    if (this.#lists.isEmpty(this.#free)) {
      const oldest = this.#order.head(0);
      // Where nobody fetches what is lost, nobody wants to know of it.
      if (!this.#lists.isEmpty(this.#lost)) this.#take(this.#lost)!.drop();
      else if (oldest >= 0) this.#evict(this.#lists.listOf(oldest), oldest);
    }
    return this.#lists.head(this.#free);
  }
}
