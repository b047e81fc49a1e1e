/**
 * Where a neighbour cache keeps its entries, and whom it forgets when it is full.
 *
 * @module
 */
import { HashMap } from "../store/hash-map.ts";
import { Links } from "../store/links.ts";
import { type Instant, NEVER } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import { Mac } from "../wire/mac.ts";
import { Entry, type NeighbourEntry, NeighbourState, stateAt } from "./neighbour-entry.ts";

/** What an entry counts as when room is needed: a list each, the head of which goes first. */
export const Standing = {
  /** No entry. */
  Free: 0,
  /** Looked up, not answered for. They have room of their own, so that a scan pushes nobody out. */
  Unresolved: 1,
  /** Made because a stranger named itself; goes before anybody whom we have had an answer from. */
  Heard: 2,
  /** Has answered us, in the order of the last answer. */
  Proven: 3,
  /** Made by hand. */
  Static: 4,
} as const;

/** One of {@linkcode Standing}'s numbers. */
export type Standing = (typeof Standing)[keyof typeof Standing];

/** Look-ups that may wait for an answer, as a share of the neighbours that are known. */
const UNRESOLVED_SHARE = 4;

/** Entries of fixed number, found by address in constant time. */
export class NeighbourStore {
  /** How many neighbours may be known. */
  readonly capacity: number;
  /** How many look-ups may wait for an answer besides. */
  readonly lookups: number;
  readonly entries: readonly Entry[];
  /** How many look-ups wait for an answer. */
  unresolved = 0;
  readonly #index: HashMap;
  readonly #lists: Links;

  /** All entries are free. */
  constructor(capacity: number, seed: readonly [number, number]) {
    this.capacity = capacity;
    this.lookups = Math.ceil(capacity / UNRESOLVED_SHARE);
    const total = capacity + this.lookups;
    this.#index = new HashMap(total, 4, seed);
    this.entries = Array.from({ length: total }, () => new Entry());
    this.#lists = new Links(total, 5);
    for (let index = 0; index < total; index++) this.#lists.pushBack(Standing.Free, index);
  }

  /** How many entries are not free. */
  get size(): number {
    return this.#index.size;
  }

  /** How many neighbours are known. */
  get known(): number {
    return this.#index.size - this.unresolved;
  }

  /** The entry of an address, or -1. */
  find(address: Address): number {
    return this.#index.lookup4(address.a, address.b, address.c, address.d);
  }

  /** What the entry counts as. */
  standing(index: number): Standing {
    return this.#lists.listOf(index) as Standing;
  }

  /** The entry that goes first of those with this standing, or -1. */
  first(standing: Standing): number {
    return this.#lists.head(standing);
  }

  /** Makes a free entry the address's, behind all of this standing. The caller has seen to it that there is one. */
  take(address: Address, standing: Standing): number {
    const index = this.#lists.head(Standing.Free);
    const entry = this.entries[index]!;
    entry.address.copy(address);
    entry.state = NeighbourState.Incomplete;
    entry.isRouter = false;
    entry.requests = 0;
    entry.reachableUntil = NEVER;
    this.#lists.pushBack(standing, index);
    if (standing === Standing.Unresolved) this.unresolved++;
    this.#index.insert4(address.a, address.b, address.c, address.d, index);
    return index;
  }

  /** Gives an entry another standing, or its place behind all others of the same. */
  place(index: number, standing: Standing): void {
    if (this.#lists.listOf(index) === Standing.Unresolved) this.unresolved--;
    if (standing === Standing.Unresolved) this.unresolved++;
    this.#lists.pushBack(standing, index);
  }

  /** Makes an entry free. */
  free(index: number): void {
    const { a, b, c, d } = this.entries[index]!.address;
    this.place(index, Standing.Free);
    this.#index.remove4(a, b, c, d);
  }

  /**
   * Whom one more known neighbour of this standing pushes out of a full cache: strangers before those that have
   * answered us, and these only for their like. -1: nobody may be.
   */
  victim(standing: Standing): number {
    const heard = this.#lists.head(Standing.Heard);
    return heard >= 0 || standing === Standing.Heard ? heard : this.#lists.head(Standing.Proven);
  }

  /** Copies of all entries that are not free, for tools. */
  *list(now: Instant): Generator<NeighbourEntry> {
    for (let index = 0; index < this.entries.length; index++) {
      if (this.standing(index) === Standing.Free) continue;
      const entry = this.entries[index]!;
      const state = stateAt(entry, now);
      yield {
        address: new Address().copy(entry.address),
        mac: state === NeighbourState.Incomplete ? undefined : new Mac().copy(entry.mac),
        state,
        isRouter: entry.isRouter,
        reachableUntil: entry.reachableUntil,
      };
    }
  }
}
