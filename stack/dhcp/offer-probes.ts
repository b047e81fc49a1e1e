/**
 * Whether an address is anybody's before it is offered (RFC 2131 3.1 (2), 4.3.1): it is looked up by ARP, and offered
 * when nobody has answered for a while.
 *
 * @module
 */
import type { Neighbours } from "../host/neighbours.ts";
import { NeighbourState } from "../host/neighbours.ts";
import { type Instant, milliseconds, NEVER } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import { Mac } from "../wire/mac.ts";
import type { LeaseEntry } from "./leases.ts";

/** How long is waited for an answer: a host on the link needs a few milliseconds, one that sleeps some more. */
const PATIENCE: Instant = milliseconds(500);

/** Offers that may wait at once; more go without. */
const PROBES_MAX = 64;

/** An offer that waits. */
export interface WaitingOffer {
  /** What is to be offered. */
  entry: LeaseEntry;
  /** The DISCOVER, which is answered when it is known. */
  message: Uint8Array;
  /** Whose it is. */
  readonly client: Mac;
  until: Instant;
}

/** The offers of a server that wait. */
export class OfferProbes {
  readonly #neighbours: Neighbours;
  #waiting: WaitingOffer[] = [];
  readonly #address = new Address();
  readonly #mac = new Mac();

  /** Looks addresses up among these neighbours. */
  constructor(neighbours: Neighbours) {
    this.#neighbours = neighbours;
  }

  /** The offer of an address that waits; undefined: none does. */
  find(entry: LeaseEntry): WaitingOffer | undefined {
    return this.#waiting.find((waiting) => waiting.entry === entry);
  }

  /** Begins to look; false: too many do already. */
  begin(entry: LeaseEntry, message: Uint8Array, client: Mac, now: Instant): boolean {
    if (this.#waiting.length >= PROBES_MAX) return false;
    this.#ask(entry, now);
    this.#waiting.push({ entry, message, client: new Mac().copy(client), until: now + PATIENCE });
    return true;
  }

  /** Looks for another address in place of one that is somebody's. */
  instead(waiting: WaitingOffer, entry: LeaseEntry, now: Instant): void {
    waiting.entry = entry;
    waiting.until = now + PATIENCE;
    this.#ask(entry, now);
    this.#waiting.push(waiting);
  }

  /** An offer that has waited long enough; undefined: there is none. */
  next(now: Instant): WaitingOffer | undefined {
    const index = this.#waiting.findIndex(({ until }) => until <= now);
    return index < 0 ? undefined : this.#waiting.splice(index, 1)[0];
  }

  /** Whether somebody else has answered for the address of an offer. */
  isTaken({ entry, client }: WaitingOffer): boolean {
    const station = this.#neighbours.station(this.#address.setV4(entry.address));
    // A client that has the address already may answer for it.
    return station !== undefined && !station.equals(client);
  }

  /** When {@linkcode OfferProbes.next} next has one. */
  deadline(): Instant {
    return this.#waiting.reduce((least, { until }) => Math.min(least, until), NEVER);
  }

  /** Forgets all of them. */
  clear(): void {
    this.#waiting = [];
  }

  #ask({ address }: LeaseEntry, now: Instant): void {
    const neighbours = this.#neighbours;
    const target = this.#address.setV4(address);
    // What is remembered may be of somebody who has gone; what was set by hand is not forgotten.
    const state = neighbours.state(target, now);
    if (state !== undefined && state !== NeighbourState.Static && state !== NeighbourState.Incomplete) {
      neighbours.remove(target);
    }
    neighbours.lookup(target, now, this.#mac);
  }
}
