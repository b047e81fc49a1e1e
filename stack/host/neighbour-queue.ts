/**
 * Packets that wait for their neighbour's link address (RFC 4861 7.2.2, RFC 1122 2.3.2.2).
 *
 * @module
 */
import { Links } from "../store/links.ts";
import { Mac } from "../wire/mac.ts";

/** Packets that wait in all. */
const PACKETS = 64;
/** The longest packet that may wait, in bytes. */
const LENGTH_MAX = 2_048;
/** Packets that wait for one neighbour. */
const PER_NEIGHBOUR = 8;

/** A packet that has waited. */
export class WaitingPacket {
  /** The link address of its neighbour, once that is known. */
  readonly mac: Mac = new Mac();
  /** Its bytes from the IP header on are the first `length` of these. Allocated when first needed. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Its length in bytes. */
  length = 0;
  /** What it is: an EtherType. */
  etherType = 0;
}

/** What became of packets that waited. */
export class WaitingCounters {
  /** Packets that were put in line. */
  waited = 0;
  /** Dropped: a later one for the same neighbour took its place, or there was none. */
  overflowed = 0;
  /** Dropped: the neighbour did not answer. */
  givenUp = 0;
}

/**
 * A line a neighbour, all in one memory of {@linkcode PACKETS} times {@linkcode LENGTH_MAX} bytes. In a full line the
 * latest packet takes the place of the oldest, as RFC 4861 7.2.2 says; where all memory is in use, a neighbour that
 * has no line gets none, so that a scan does not take away what waits for others.
 */
export class NeighbourQueue {
  /** What became of packets. */
  readonly counters: WaitingCounters = new WaitingCounters();
  readonly #packets = Array.from({ length: PACKETS }, () => new WaitingPacket());
  readonly #lists: Links;
  readonly #lengths: Uint8Array;
  readonly #free: number;
  readonly #ready: number;
  readonly #lost: number;

  /** A line for each of so many neighbours. */
  constructor(neighbours: number) {
    this.#free = neighbours;
    this.#ready = neighbours + 1;
    this.#lost = neighbours + 2;
    this.#lists = new Links(PACKETS, neighbours + 3);
    this.#lengths = new Uint8Array(neighbours);
    for (let packet = 0; packet < PACKETS; packet++) this.#lists.pushBack(this.#free, packet);
  }

  /** Whether a packet of this length can wait for the neighbour. */
  takes(neighbour: number, length: number): boolean {
    return length <= LENGTH_MAX && (this.#lengths[neighbour]! > 0 || this.#spare() >= 0);
  }

  /** Puts a copy of `bytes[at..end)` in the neighbour's line. False: it cannot wait. */
  push(neighbour: number, bytes: Uint8Array, at: number, end: number, etherType: number): boolean {
    const index = this.#place(neighbour, end - at);
    if (index < 0) {
      this.counters.overflowed++;
      return false;
    }
    const packet = this.#packets[index]!;
    if (packet.bytes.length === 0) packet.bytes = new Uint8Array(LENGTH_MAX);
    for (let from = at, to = 0; from < end; from++, to++) packet.bytes[to] = bytes[from]!;
    packet.length = end - at;
    packet.etherType = etherType;
    this.#lists.pushBack(neighbour, index);
    this.#lengths[neighbour] = this.#lengths[neighbour]! + 1;
    this.counters.waited++;
    return true;
  }

  /** The neighbour's link address is known: its packets may leave. */
  resolve(neighbour: number, mac: Mac): void {
    for (let index = this.#lists.head(neighbour); index >= 0; index = this.#lists.head(neighbour)) {
      this.#packets[index]!.mac.copy(mac);
      this.#lists.pushBack(this.#ready, index);
    }
    this.#lengths[neighbour] = 0;
  }

  /** The neighbour does not answer: its packets are lost, and their senders may be told. */
  giveUp(neighbour: number): void {
    for (let index = this.#lists.head(neighbour); index >= 0; index = this.#lists.head(neighbour)) {
      this.#lists.pushBack(this.#lost, index);
      this.counters.givenUp++;
    }
    this.#lengths[neighbour] = 0;
  }

  /** The neighbour is forgotten without an answer that was waited for: its packets just go. */
  drop(neighbour: number): void {
    for (let index = this.#lists.head(neighbour); index >= 0; index = this.#lists.head(neighbour)) {
      this.#lists.pushBack(this.#free, index);
      this.counters.overflowed++;
    }
    this.#lengths[neighbour] = 0;
  }

  /** Whether a packet may leave, or is lost. */
  get hasNews(): boolean {
    return !this.#lists.isEmpty(this.#ready) || !this.#lists.isEmpty(this.#lost);
  }

  /** The next packet that may leave, which is out of the line from now on; it is valid until the next `push`. */
  takeReady(): WaitingPacket | undefined {
    return this.#take(this.#ready);
  }

  /** The next packet that is lost, which is out of the line from now on; it is valid until the next `push`. */
  takeLost(): WaitingPacket | undefined {
    return this.#take(this.#lost);
  }

  #take(list: number): WaitingPacket | undefined {
    const index = this.#lists.head(list);
    if (index < 0) return undefined;
    this.#lists.pushBack(this.#free, index);
    return this.#packets[index];
  }

  /** A place that is free, or holds what nobody has fetched. */
  #spare(): number {
    const free = this.#lists.head(this.#free);
    return free >= 0 ? free : this.#lists.head(this.#lost);
  }

  #place(neighbour: number, length: number): number {
    if (length > LENGTH_MAX) return -1;
    const own = this.#lists.head(neighbour);
    const spare = this.#spare();
    if (own < 0 || (this.#lengths[neighbour]! < PER_NEIGHBOUR && spare >= 0)) return spare;
    this.counters.overflowed++;
    this.#lengths[neighbour] = this.#lengths[neighbour]! - 1;
    return own;
  }
}
