/**
 * The neighbour cache: the link addresses of the hosts on the own links, as `ip neigh` shows them.
 *
 * @module
 */
import { LayerError } from "../error.ts";
import { HashMap } from "../store/hash-map.ts";
import { Links } from "../store/links.ts";
import { type Instant, NEVER, seconds } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import { Mac } from "../wire/mac.ts";

/** What is known of a neighbour. */
export const NeighbourState = {
  /** Somebody looked it up; no request has left yet. */
  Looking: 0,
  /** Requests have left, no answer has come. */
  Requesting: 1,
  /** Its link address is known. */
  Known: 2,
  /** Its link address was given by hand and stays. */
  Static: 3,
} as const;

/** One of {@linkcode NeighbourState}'s numbers. */
export type NeighbourState = (typeof NeighbourState)[keyof typeof NeighbourState];

/** Size and times of a neighbour cache. */
export interface NeighboursOptions {
  /** How many neighbours it holds. Default 1,024. */
  readonly capacity?: number;
  /** How long a learnt address is trusted without news. Default 60 s. */
  readonly lifetime?: Instant;
  /** The time between two requests for one neighbour. Default 1 s (RFC 1122 2.3.2.1). */
  readonly retry?: Instant;
  /** How many requests are sent before a look-up is given up. Default 3. */
  readonly attempts?: number;
  /** 64 secret bits that keep strangers from aiming at one place of the hash table. Default 0. */
  readonly seed?: readonly [number, number];
}

/** A request that is due. */
export interface NeighbourRequest {
  /** Whom to ask for. */
  readonly address: Address;
  /** Whom to ask: everybody, or the neighbour itself where its address is only being confirmed. */
  readonly mac: Mac;
}

/** An empty request for {@linkcode Neighbours.nextRequest} to fill. */
export function newRequest(): NeighbourRequest {
  return { address: new Address(), mac: new Mac() };
}

/** What {@linkcode Neighbours.entries} shows of a neighbour. */
export interface NeighbourEntry {
  /** Its address. */
  readonly address: Address;
  /** Its link address; undefined while it is not known. */
  readonly mac: Mac | undefined;
  /** What is known of it. */
  readonly state: NeighbourState;
  /** When it is forgotten without news. */
  readonly expires: Instant;
}

class Entry implements NeighbourRequest {
  readonly address = new Address();
  readonly mac = new Mac();
  state: NeighbourState = NeighbourState.Looking;
  expires: Instant = NEVER;
  /** From when on a look-up asks the neighbour to confirm its address. */
  confirmAt: Instant = NEVER;
  requestAt: Instant = NEVER;
  requests = 0;
}

// All known entries have one lifetime and all requests one interval, so that the order of arrival is the order of
// expiry: the head of a list is always the next one.
const FREE = 0, KNOWN = 1, LOOKING = 2, ASKING = 3, STATIC = 4, LISTS = 5;

/** Look-ups that may wait for an answer, as a share of the capacity: a scan cannot push known neighbours out. */
const UNRESOLVED_SHARE = 4;

/** From this share of an entry's lifetime on, its use has it confirmed, so that it need never lapse in use. */
const CONFIRM_SHARE = 0.75;

/** A cache of fixed capacity. A full one forgets whoever would expire soonest. Look-ups take constant time. */
export class Neighbours {
  /** How many neighbours it holds. */
  readonly capacity: number;
  /** How long a learnt address is trusted without news. */
  readonly lifetime: Instant;
  /** Grows whenever an entry changes, so that what was looked up may be remembered meanwhile. */
  version = 0;
  readonly #retry: Instant;
  readonly #attempts: number;
  readonly #index: HashMap;
  readonly #entries: readonly Entry[];
  readonly #lists: Links;
  /** Look-ups without an answer, in the order of their asking for one. */
  readonly #waiting: Links;
  #unresolved = 0;
  /** Known neighbours that are being confirmed stand in this list's order beside the asking ones. */
  readonly #confirming: Links;

  /** An empty cache. */
  constructor(options: NeighboursOptions = {}) {
    this.capacity = options.capacity ?? 1_024;
    this.lifetime = options.lifetime ?? seconds(60);
    this.#retry = options.retry ?? seconds(1);
    this.#attempts = options.attempts ?? 3;
    this.#index = new HashMap(this.capacity, 4, options.seed ?? [0, 0]);
    this.#entries = Array.from({ length: this.capacity }, () => new Entry());
    this.#lists = new Links(this.capacity, LISTS);
    this.#waiting = new Links(this.capacity);
    this.#confirming = new Links(this.capacity);
    for (let index = 0; index < this.capacity; index++) this.#lists.pushBack(FREE, index);
  }

  /** How many neighbours it knows or is looking for. */
  get size(): number {
    return this.#index.size;
  }

  /**
   * Writes the link address of `address` into `mac`. `Unreachable`: not known, and the look-up is noted, so that
   * {@linkcode Neighbours.nextRequest} asks for it. `Exhausted`: not known, and no look-up can be noted.
   */
  lookup(address: Address, now: Instant, mac: Mac): LayerError {
    const { a, b, c, d } = address;
    const index = this.#index.lookup4(a, b, c, d);
    if (index < 0) return this.#note(address, now);
    const entry = this.#entries[index]!;
    if (entry.state < NeighbourState.Known) return LayerError.Unreachable;
    if (now >= entry.expires) {
      this.#forget(index);
      return this.#note(address, now);
    }
    if (now >= entry.confirmAt && this.#confirming.listOf(index) < 0) {
      entry.requestAt = now;
      this.#confirming.pushFront(0, index);
    }
    mac.copy(entry.mac);
    return LayerError.None;
  }

  /** Until when a look-up of a known neighbour would give the same answer without doing anything; else 0. */
  trustedUntil(address: Address, now: Instant): Instant {
    const index = this.#index.lookup4(address.a, address.b, address.c, address.d);
    if (index < 0) return 0;
    const { state, confirmAt } = this.#entries[index]!;
    return state >= NeighbourState.Known && confirmAt > now ? confirmAt : 0;
  }

  /**
   * Takes news from a neighbour itself. It refreshes or changes an entry, resolves a look-up, and makes a new entry
   * only when `create` says so. Entries made by hand stay. False: nothing was taken.
   */
  learn(address: Address, mac: Mac, now: Instant, create: boolean): boolean {
    const { a, b, c, d } = address;
    let index = this.#index.lookup4(a, b, c, d);
    if (index < 0) {
      if (!create) return false;
      index = this.#allocate(address);
      if (index < 0) return false;
    }
    const entry = this.#entries[index]!;
    if (entry.state === NeighbourState.Static) return false;
    this.#resolved(index);
    this.version++;
    entry.mac.copy(mac);
    entry.state = NeighbourState.Known;
    entry.expires = now + this.lifetime;
    entry.confirmAt = now + Math.floor(this.lifetime * CONFIRM_SHARE);
    this.#lists.pushBack(KNOWN, index);
    return true;
  }

  /** Makes an entry by hand, which neither news nor time changes. False: the cache is full of such. */
  setStatic(address: Address, mac: Mac): boolean {
    this.remove(address);
    const index = this.#allocate(address);
    if (index < 0) return false;
    this.version++;
    const entry = this.#entries[index]!;
    entry.mac.copy(mac);
    entry.state = NeighbourState.Static;
    entry.expires = entry.confirmAt = NEVER;
    this.#lists.pushBack(STATIC, index);
    return true;
  }

  /** Forgets a neighbour; false when it was not there. */
  remove(address: Address): boolean {
    const index = this.#index.lookup4(address.a, address.b, address.c, address.d);
    if (index >= 0) this.#forget(index);
    return index >= 0;
  }

  /** Fills `into` with the request that is due now and counts it as sent; false: none is due. */
  nextRequest(now: Instant, into: NeighbourRequest): boolean {
    for (let index = this.#nextLookup(); index >= 0; index = this.#nextLookup()) {
      const entry = this.#entries[index]!;
      if (entry.requestAt > now) break;
      // The answer to the last request has had its time: the next look-up starts over.
      if (entry.requests >= this.#attempts) {
        this.#forget(index);
        continue;
      }
      entry.state = NeighbourState.Requesting;
      entry.requests++;
      entry.requestAt = now + this.#retry;
      this.#lists.pushBack(ASKING, index);
      into.address.copy(entry.address);
      into.mac.copy(BROADCAST);
      return true;
    }
    return this.#nextConfirmation(now, into);
  }

  /** When {@linkcode Neighbours.nextRequest} next has something to do. */
  deadline(): Instant {
    return Math.min(this.#requestAt(this.#nextLookup()), this.#requestAt(this.#confirming.head(0)));
  }

  /** Copies of all entries that have not expired, for tools. */
  *entries(now: Instant): Generator<NeighbourEntry> {
    for (let index = 0; index < this.capacity; index++) {
      const { address, mac, state, expires } = this.#entries[index]!;
      if (this.#lists.listOf(index) === FREE || expires <= now) continue;
      const known = state >= NeighbourState.Known;
      yield {
        address: new Address().copy(address),
        mac: known ? new Mac().copy(mac) : undefined,
        state,
        expires,
      };
    }
  }

  /** The unresolved entry whose request is due first, or -1. */
  #nextLookup(): number {
    const looking = this.#lists.head(LOOKING);
    const asking = this.#lists.head(ASKING);
    return this.#requestAt(asking) < this.#requestAt(looking) ? asking : looking < 0 ? asking : looking;
  }

  #requestAt(index: number): Instant {
    return index < 0 ? NEVER : this.#entries[index]!.requestAt;
  }

  #nextConfirmation(now: Instant, into: NeighbourRequest): boolean {
    for (let index = this.#confirming.head(0); index >= 0; index = this.#confirming.head(0)) {
      const entry = this.#entries[index]!;
      if (entry.requestAt > now) break;
      if (now >= entry.expires) {
        this.#forget(index);
        continue;
      }
      entry.requests++;
      entry.requestAt = now + this.#retry;
      this.#confirming.moveToBack(index);
      into.address.copy(entry.address);
      // The neighbour may have moved to another station: the last attempts ask everybody.
      into.mac.copy(entry.requests <= this.#attempts ? entry.mac : BROADCAST);
      return true;
    }
    return false;
  }

  #note(address: Address, now: Instant): LayerError {
    if (this.#unresolved * UNRESOLVED_SHARE >= this.capacity) {
      const oldest = this.#waiting.head(0);
      if (oldest < 0) return LayerError.Exhausted;
      this.#forget(oldest);
    }
    const index = this.#allocate(address);
    if (index < 0) return LayerError.Exhausted;
    const entry = this.#entries[index]!;
    entry.expires = NEVER;
    entry.requestAt = now;
    this.#unresolved++;
    this.#waiting.pushBack(0, index);
    this.#lists.pushBack(LOOKING, index);
    return LayerError.Unreachable;
  }

  /** A place for a new entry: a free one, or that of the entry which would expire soonest. */
  #allocate(address: Address): number {
    let index = this.#lists.head(FREE);
    if (index < 0) {
      index = this.#lists.head(KNOWN);
      if (index < 0) index = this.#waiting.head(0);
      if (index < 0) return -1;
      this.#forget(index);
    }
    const entry = this.#entries[index]!;
    entry.address.copy(address);
    entry.state = NeighbourState.Looking;
    entry.requests = 0;
    this.#lists.remove(index);
    this.#index.insert4(address.a, address.b, address.c, address.d, index);
    return index;
  }

  /** Ends whatever was being asked about an entry. */
  #resolved(index: number): void {
    if (this.#waiting.remove(index) >= 0) this.#unresolved--;
    this.#confirming.remove(index);
    this.#entries[index]!.requests = 0;
  }

  #forget(index: number): void {
    this.version++;
    const { address } = this.#entries[index]!;
    this.#resolved(index);
    this.#index.remove4(address.a, address.b, address.c, address.d);
    this.#lists.pushBack(FREE, index);
  }
}

const BROADCAST: Mac = Mac.broadcast();
