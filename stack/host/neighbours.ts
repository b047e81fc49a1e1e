/**
 * The neighbour cache: the link addresses of the hosts on the own links, as `ip neigh` shows them. ARP and NDP share it.
 *
 * @module
 */
import { LayerError } from "../error.ts";
import { Random } from "../loss/random.ts";
import { Links } from "../store/links.ts";
import { TimerWheel } from "../store/timer-wheel.ts";
import { type Instant, NEVER, seconds } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import { Mac } from "../wire/mac.ts";
import {
  type Entry,
  type NeighbourEntry,
  type NeighbourRequest,
  NeighbourState,
  stateAt,
} from "./neighbour-entry.ts";
import { NeighbourCounters, type NeighboursOptions } from "./neighbour-options.ts";
import { NeighbourQueue, placesFor } from "./neighbour-queue.ts";
import { NeighbourStore, Standing } from "./neighbour-store.ts";
import { ReachableTime } from "./reachable-time.ts";

export {
  type NeighbourEntry,
  type NeighbourRequest,
  NeighbourState,
  neighbourStateName,
  newRequest,
} from "./neighbour-entry.ts";
export { NeighbourCounters, type NeighboursOptions } from "./neighbour-options.ts";
export {
  type HeldFrame,
  NeighbourQueue,
  type Origin,
  WaitingCounters,
  type WaitingPacket,
} from "./neighbour-queue.ts";

// Entries whose request is due, by family, since ARP and NDP fetch their own.
const DUE_V4 = 0, DUE_V6 = 1;

const BROADCAST: Mac = Mac.broadcast();

/** A cache of fixed capacity. Look-ups take constant time, whatever it holds. */
export class Neighbours {
  /** How many neighbours may be known. */
  readonly capacity: number;
  /** Grows whenever a look-up's answer may have changed, so that what was looked up may be remembered meanwhile. */
  version = 0;
  /** How many neighbours are in use though their reachability is in doubt: those that can be confirmed. */
  doubted: number = 0;
  /** What became of look-ups. */
  readonly counters: NeighbourCounters = new NeighbourCounters();
  /** Packets that wait for a look-up's answer. */
  readonly waiting: NeighbourQueue;
  readonly #retry: Float64Array;
  readonly #reachable: ReachableTime;
  readonly #attempts: number;
  readonly #delay: Instant;
  readonly #store: NeighbourStore;
  readonly #timers: TimerWheel;
  readonly #due: Links;
  #dueSince: Instant = 0;

  /** An empty cache. */
  constructor(options: NeighboursOptions = {}) {
    this.capacity = options.capacity ?? 1_024;
    const seed = options.seed ?? [0, 0];
    const random = new Random(seed[0] ^ seed[1]);
    this.#reachable = new ReachableTime(options.reachableTime ?? seconds(30), random);
    this.#retry = new Float64Array(2).fill(options.retry ?? seconds(1));
    this.#attempts = options.attempts ?? 3;
    this.#delay = options.delay ?? seconds(5);
    this.#store = new NeighbourStore(this.capacity, seed);
    const total = this.#store.entries.length;
    this.waiting = new NeighbourQueue(total, placesFor(this.#store.lookups));
    this.#timers = new TimerWheel(total);
    this.#due = new Links(total, 2);
  }

  /** How many neighbours it knows or is looking for. */
  get size(): number {
    return this.#store.size;
  }

  /**
   * Sets the times of one family, as a router advertises them (RFC 4861 6.3.4): how long an answer proves its sender
   * reachable on average, and the time between two requests. They hold from the next answer and request on.
   */
  setTimes(isV4: boolean, reachableTime: Instant, retry: Instant): void {
    const family = isV4 ? DUE_V4 : DUE_V6;
    this.#reachable.set(family, reachableTime);
    this.#retry[family] = retry;
  }

  /**
   * Writes the link address of `address` into `mac`. `Unreachable`: not known, and it is being asked for (RFC 4861
   * 7.2.2). `Exhausted`: not known, and too many others are being asked for.
   */
  lookup(address: Address, now: Instant, mac: Mac): LayerError {
    const index = this.#store.find(address);
    if (index < 0) return this.#begin(address, now);
    const entry = this.#store.entries[index]!;
    if (entry.state === NeighbourState.Incomplete) return LayerError.Unreachable;
    if (entry.state <= NeighbourState.Stale && now >= entry.reachableUntil) this.#use(index, now);
    mac.copy(entry.mac);
    return LayerError.None;
  }

  /** Until when a look-up of a known neighbour would give the same answer without doing anything; else 0. */
  trustedUntil(address: Address, now: Instant): Instant {
    const index = this.#store.find(address);
    if (index < 0) return 0;
    const { state, reachableUntil } = this.#store.entries[index]!;
    if (state === NeighbourState.Incomplete) return 0;
    if (state === NeighbourState.Reachable) return reachableUntil > now ? reachableUntil : 0;
    return state === NeighbourState.Stale ? 0 : NEVER;
  }

  /** The place of a look-up that waits for its answer, to put packets in its line; -1: there is none. */
  incomplete(address: Address): number {
    const index = this.#store.find(address);
    return index >= 0 && this.#store.entries[index]!.state === NeighbourState.Incomplete ? index : -1;
  }

  /**
   * Takes an answer to us, which proves that the neighbour is there (RFC 4861 7.2.5, a solicited advertisement). A new
   * entry is made only when `create` says so. Entries made by hand stay. False: nothing was taken.
   */
  learn(address: Address, mac: Mac, now: Instant, create: boolean = false): boolean {
    const index = this.#entryFor(address, Standing.Proven, create);
    if (index < 0) return false;
    this.#setMac(index, mac);
    // Who answers what nobody has asked is still a stranger, or strangers could push out whom they like.
    const isStranger = this.#store.standing(index) === Standing.Heard &&
      this.#store.entries[index]!.requests === 0;
    this.#settle(index, NeighbourState.Reachable, isStranger ? Standing.Heard : Standing.Proven);
    this.#store.entries[index]!.reachableUntil = now +
      this.#reachable.next(address.isV4 ? DUE_V4 : DUE_V6, now);
    return true;
  }

  /**
   * Takes what somebody says of itself or of another without being asked (RFC 4861 7.2.3, 6.3.4, 8.3): the link
   * address, but no proof that packets arrive. False: nothing was taken.
   */
  hear(address: Address, mac: Mac, create: boolean): boolean {
    const index = this.#entryFor(address, Standing.Heard, create);
    if (index < 0) return false;
    const entry = this.#store.entries[index]!;
    const isNew = entry.state === NeighbourState.Incomplete;
    if (!isNew && entry.mac.equals(mac)) return true;
    this.#setMac(index, mac);
    // Who was known stays so: having moved is no reason to be forgotten before strangers.
    const standing = this.#store.standing(index);
    this.#settle(index, NeighbourState.Stale, standing === Standing.Unresolved ? Standing.Proven : standing);
    return true;
  }

  /**
   * RFC 4861 7.3.1: a layer above has seen that what was sent to the neighbour arrives. It proves the link address that
   * is known, and cannot give one.
   */
  confirm(address: Address, now: Instant): void {
    const index = this.#store.find(address);
    if (index < 0) return;
    const { state } = this.#store.entries[index]!;
    if (state === NeighbourState.Incomplete || state === NeighbourState.Static) return;
    this.#settle(index, NeighbourState.Reachable, Standing.Proven);
    this.#store.entries[index]!.reachableUntil = now +
      this.#reachable.next(address.isV4 ? DUE_V4 : DUE_V6, now);
  }

  /** What is known of a neighbour, or undefined. A look-up that waits is known of, too. */
  state(address: Address, now: Instant): NeighbourState | undefined {
    const index = this.#store.find(address);
    return index < 0 ? undefined : stateAt(this.#store.entries[index]!, now);
  }

  /** The link address that is known of a neighbour; undefined: none. Overwritten by news of it. */
  station(address: Address): Mac | undefined {
    const index = this.#store.find(address);
    if (index < 0 || this.#store.entries[index]!.state === NeighbourState.Incomplete) return undefined;
    return this.#store.entries[index]!.mac;
  }

  /** Whether a neighbour has said that it is a router. */
  isRouter(address: Address): boolean {
    const index = this.#store.find(address);
    return index >= 0 && this.#store.entries[index]!.isRouter;
  }

  /** Notes whether a neighbour is a router; without an entry it does nothing. */
  setRouter(address: Address, isRouter: boolean): void {
    const index = this.#store.find(address);
    if (index >= 0) this.#store.entries[index]!.isRouter = isRouter;
  }

  /** RFC 4861 7.2.5: what somebody contradicted is not trusted any more until it is confirmed. */
  doubt(address: Address): void {
    const index = this.#store.find(address);
    if (index < 0 || this.#store.entries[index]!.state !== NeighbourState.Reachable) return;
    this.#store.entries[index]!.state = NeighbourState.Stale;
    this.#store.entries[index]!.reachableUntil = 0;
    this.version++;
  }

  /** RFC 4861 7.3.3: has a neighbour asked at once, since somebody doubts it. False: there is no doubting what is known. */
  probe(address: Address, now: Instant): boolean {
    const index = this.#store.find(address);
    const state = index < 0 ? NeighbourState.Incomplete : this.#store.entries[index]!.state;
    if (state === NeighbourState.Incomplete || state === NeighbourState.Static) return false;
    if (state === NeighbourState.Probe) return true;
    this.#settle(index, NeighbourState.Probe, this.#store.standing(index));
    this.doubted++;
    this.#ask(index, now);
    return true;
  }

  /** Makes an entry by hand, which neither news nor time changes. False: the cache is full of such. */
  setStatic(address: Address, mac: Mac): boolean {
    const known = this.#store.find(address);
    // What waits for the address may leave.
    if (known >= 0 && this.#store.entries[known]!.state !== NeighbourState.Incomplete) this.#forget(known);
    const index = this.#entryFor(address, Standing.Static, true);
    if (index < 0) return false;
    this.#setMac(index, mac);
    this.#settle(index, NeighbourState.Static, Standing.Static);
    this.#store.entries[index]!.reachableUntil = NEVER;
    return true;
  }

  /** Forgets a neighbour; false when it was not there. */
  remove(address: Address): boolean {
    const index = this.#store.find(address);
    if (index >= 0) this.#forget(index);
    return index >= 0;
  }

  /** Fills `into` with a request that is due now, for that family, and counts it as sent; false: none is due. */
  nextRequest(now: Instant, into: NeighbourRequest, isV4: boolean = true): boolean {
    if (this.#timers.deadline() <= now) {
      this.#dueSince = now;
      this.#timers.advance(now, this.#expire);
    }
    const family = isV4 ? DUE_V4 : DUE_V6;
    const index = this.#due.head(family);
    if (index < 0) return false;
    this.#due.remove(index);
    const entry = this.#store.entries[index]!;
    entry.requests++;
    entry.askedAt = now;
    this.#timers.arm(index, now + this.#retry[family]!);
    into.address.copy(entry.address);
    into.isGroup = entry.state === NeighbourState.Incomplete;
    into.mac.copy(into.isGroup ? BROADCAST : entry.mac);
    return true;
  }

  /** When {@linkcode Neighbours.nextRequest} next has something to do. */
  deadline(): Instant {
    if (!this.#due.isEmpty(DUE_V4) || !this.#due.isEmpty(DUE_V6)) return this.#dueSince;
    return this.#timers.deadline();
  }

  /** Copies of all entries, for tools. */
  entries(now: Instant): Generator<NeighbourEntry> {
    return this.#store.list(now);
  }

  #begin(address: Address, now: Instant): LayerError {
    const store = this.#store;
    if (store.unresolved >= store.lookups) {
      // One request a second and destination (RFC 1122 2.3.2.1): whoever would make room must have had its time,
      // or those who wait would push each other out, and be asked for anew, with every packet.
      const oldest = store.first(Standing.Unresolved);
      if (now - store.entries[oldest]!.askedAt < this.#retry[address.isV4 ? DUE_V4 : DUE_V6]!) {
        this.counters.refused++;
        return LayerError.Exhausted;
      }
      this.counters.evicted++;
      this.waiting.drop(oldest);
      this.#forget(oldest);
    }
    const index = store.take(address, Standing.Unresolved);
    const entry = store.entries[index]!;
    entry.state = NeighbourState.Incomplete;
    entry.askedAt = now;
    this.counters.lookups++;
    this.#ask(index, now);
    return LayerError.Unreachable;
  }

  /** RFC 4861 7.3.3: a packet goes to a neighbour whose reachability is in doubt. */
  #use(index: number, now: Instant): void {
    this.#store.entries[index]!.state = NeighbourState.Delay;
    this.#store.entries[index]!.requests = 0;
    this.doubted++;
    this.#timers.arm(index, now + this.#delay);
  }

  #ask(index: number, now: Instant): void {
    if (this.#due.isEmpty(DUE_V4) && this.#due.isEmpty(DUE_V6)) this.#dueSince = now;
    this.#due.pushBack(this.#store.entries[index]!.address.isV4 ? DUE_V4 : DUE_V6, index);
  }

  /** A timer rings: what was waited for has not come. */
  readonly #expire = (index: number): void => {
    const entry = this.#store.entries[index]!;
    if (entry.state === NeighbourState.Delay) {
      entry.state = NeighbourState.Probe;
      entry.requests = 0;
    }
    if (entry.requests < this.#attempts) return this.#ask(index, this.#dueSince);
    if (entry.state === NeighbourState.Incomplete) {
      this.counters.failed++;
      this.waiting.giveUp(index);
    } else this.counters.lost++;
    // RFC 4861 7.3.3: the entry goes, so that the next packet looks for another way.
    this.#forget(index);
  };

  /** The entry to write news into: the address's, or a new one. -1: there is none to write into. */
  #entryFor(address: Address, standing: Standing, create: boolean): number {
    const store = this.#store;
    let index = store.find(address);
    if (index < 0 && !create) return -1;
    if (index >= 0 && store.standing(index) !== Standing.Unresolved) {
      return store.standing(index) === Standing.Static ? -1 : index;
    }
    // One more neighbour is going to be known. Whoever was looked up and has answered is not a stranger.
    const rank = index >= 0 ? Standing.Proven : standing;
    if (store.known >= this.capacity) {
      const victim = store.victim(rank);
      if (victim < 0) {
        this.counters.ignored++;
        if (index >= 0) this.#forget(index);
        return -1;
      }
      this.counters.evicted++;
      this.#forget(victim);
    }
    if (index < 0) {
      index = store.take(address, rank);
      store.entries[index]!.state = NeighbourState.Incomplete;
    }
    return index;
  }

  #setMac(index: number, mac: Mac): void {
    const entry = this.#store.entries[index]!;
    const isNew = entry.state === NeighbourState.Incomplete;
    if (!isNew && entry.mac.equals(mac)) return;
    this.version++;
    entry.mac.copy(mac);
    if (isNew) this.waiting.resolve(index, mac);
  }

  /** Ends whatever was being asked about an entry. */
  #settle(index: number, state: NeighbourState, standing: Standing): void {
    const entry = this.#store.entries[index]!;
    this.#trust(entry);
    // What was remembered of a neighbour in doubt was remembered for ever.
    if (entry.state !== state) this.version++;
    entry.state = state;
    entry.requests = 0;
    if (state === NeighbourState.Stale) entry.reachableUntil = 0;
    this.#timers.cancel(index);
    this.#due.remove(index);
    this.#store.place(index, standing);
  }

  /** An entry's state is about to change. */
  #trust({ state }: Entry): void {
    if (state === NeighbourState.Delay || state === NeighbourState.Probe) this.doubted--;
  }

  #forget(index: number): void {
    this.version++;
    this.#trust(this.#store.entries[index]!);
    this.#timers.cancel(index);
    this.#due.remove(index);
    this.waiting.drop(index);
    this.#store.free(index);
  }
}
