/**
 * The long echo replies that were sent of late: an error that says that a packet was too long counts only if it is about
 * one of them (RFC 8201 4, RFC 5927 7).
 *
 * @module
 */
import { Address } from "../wire/address.ts";

/** How many are remembered: those of a moment, which is as long as an error takes. */
const REMEMBERED = 32;

/** No path takes less than this, so that no shorter reply can be too long for it. */
export const LARGE = 508;

class Echo {
  readonly destination = new Address();
  rest = 0;
}

/** A ring of replies: the newest takes the place of the oldest. */
export class LargeEchoes {
  readonly #echoes: readonly Echo[] = Array.from({ length: REMEMBERED }, () => new Echo());
  #next = 0;

  /** Notes a reply, by where it went and its identifier and sequence number. */
  note(destination: Address, rest: number): void {
    const echo = this.#echoes[this.#next]!;
    this.#next = (this.#next + 1) % REMEMBERED;
    echo.destination.copy(destination);
    echo.rest = rest;
  }

  /** Whether such a reply was sent of late. */
  has(destination: Address, rest: number): boolean {
    for (const echo of this.#echoes) {
      if (echo.rest === rest && echo.destination.equals(destination)) return true;
    }
    return false;
  }
}
