/**
 * Happy Eyeballs version 2 (RFC 8305): which address is tried when. Pure: it is told the time and what happens.
 *
 * @module
 */
import { type Instant, milliseconds, NEVER } from "../stack/store/time.ts";
import type { Address } from "../stack/wire/address.ts";

/** RFC 8305 8: how long IPv4 waits for IPv6's answer, and how long an attempt has before the next one begins. */
export const RESOLUTION_DELAY: Instant = milliseconds(50), ATTEMPT_DELAY: Instant = milliseconds(250);

/** A family whose addresses are looked up. */
export type Family = "v4" | "v6";

/** Addresses that are tried for one name. */
const ATTEMPTS_MAX = 32;

/** One connection to be made to whichever address answers first. */
export class Eyeballs {
  readonly #order: (addresses: readonly Address[]) => readonly Address[];
  readonly #missing: Set<Family>;
  #waiting: Address[] = [];
  #tried = 0;
  #open = 0;
  #last: Family | undefined;
  /** When the next attempt may begin. */
  #next: Instant = NEVER;

  /** `families` are being looked up; `order` sorts their addresses, the best first (RFC 6724). */
  constructor(families: readonly Family[], order: (addresses: readonly Address[]) => readonly Address[]) {
    this.#missing = new Set(families);
    this.#order = order;
  }

  /** When {@linkcode Eyeballs.attempt} is to be asked again; {@linkcode NEVER}: when something has happened. */
  get deadline(): Instant {
    return this.#waiting.length === 0 ? NEVER : this.#next;
  }

  /** Whether nothing can come of it any more: every answer is there, and every address was tried in vain. */
  get isOver(): boolean {
    return this.#missing.size === 0 && this.#waiting.length === 0 && this.#open === 0;
  }

  /** The addresses of a family, perhaps none, are known. */
  resolved(family: Family, addresses: readonly Address[], now: Instant): void {
    const isFirst = this.#tried === 0 && this.#waiting.length === 0;
    this.#missing.delete(family);
    const room = Math.max(0, ATTEMPTS_MAX - this.#tried - this.#waiting.length);
    this.#waiting = this.#interlaced([...this.#waiting, ...addresses.slice(0, room)]);
    if (this.#tried > 0) {
      // The delay since the last attempt goes on; without an attempt there is nothing to wait for.
      if (this.#open === 0) this.#next = now;
      return;
    }
    if (this.#waiting.length === 0) return;
    // RFC 8305 3: IPv6's answer is worth a short wait, IPv4's is not.
    if (this.#missing.has("v6")) { if (isFirst) this.#next = now + RESOLUTION_DELAY; }
    else this.#next = now;
  }

  /** The address to try now; undefined: none. */
  attempt(now: Instant): Address | undefined {
    if (now < this.deadline) return undefined;
    const address = this.#waiting.shift();
    if (address === undefined) return undefined;
    this.#tried++;
    this.#open++;
    this.#last = familyOf(address);
    this.#next = now + ATTEMPT_DELAY;
    return address;
  }

  /** An attempt has failed: the next one begins at once (RFC 8305 5). */
  failed(now: Instant): void {
    this.#open--;
    this.#next = now;
  }

  /** RFC 8305 4: the families take turns, beginning with that of the best address, or the one that was not tried last. */
  #interlaced(addresses: readonly Address[]): Address[] {
    const best = this.#order(addresses);
    const queues: Record<Family, Address[]> = { v4: [], v6: [] };
    for (const address of best) queues[familyOf(address)].push(address);
    let turn: Family = this.#last === undefined
      ? (best[0] === undefined ? "v6" : familyOf(best[0]))
      : other(this.#last);
    const all: Address[] = [];
    while (all.length < best.length) {
      const address = queues[turn].shift() ?? queues[other(turn)].shift();
      if (address !== undefined) all.push(address);
      turn = other(turn);
    }
    return all;
  }
}

function familyOf(address: Address): Family {
  return address.isV4 ? "v4" : "v6";
}

function other(family: Family): Family {
  return family === "v4" ? "v6" : "v4";
}
