/**
 * The search for routers: RFC 4861 6.3.7, with the patience of RFC 7559.
 *
 * @module
 */
import type { Random } from "../loss/random.ts";
import { type Instant, NEVER, seconds } from "../store/time.ts";

// RFC 4861 10: MAX_RTR_SOLICITATIONS and MAX_RTR_SOLICITATION_DELAY; RFC 7559 2: IRT and MRT.
const SOLICITATIONS = 3, DELAY_MAX = seconds(1);
const FIRST_INTERVAL = seconds(4), LONGEST_INTERVAL = seconds(3_600);

/** When to ask for routers. */
export class RouterSolicitation {
  readonly #random: Random;
  #at: Instant = NEVER;
  #interval: Instant = 0;
  #sent = 0;
  #isFound = false;
  #isFirst = true;

  /** Nothing is asked until it begins. */
  constructor(random: Random) {
    this.#random = random;
  }

  /** Whether the first solicitations have not yet had their time, and no router has answered. */
  get isSearching(): boolean {
    return !this.#isFound && this.#sent <= SOLICITATIONS;
  }

  /** Asks; the first time at once: duplicate address detection has put off what RFC 4861 6.3.7 wants to be put off. */
  begin(now: Instant): void {
    if (this.#at !== NEVER || this.#isFound) return;
    this.#at = this.#isFirst ? now : now + Math.floor(this.#random.fraction() * DELAY_MAX);
    this.#isFirst = false;
  }

  /** Ends the search, so that {@linkcode RouterSolicitation.begin} begins another one. */
  reset(): void {
    this.#at = NEVER;
    this.#sent = 0;
    this.#isFound = false;
  }

  /** Ends the search. */
  found(): void {
    this.#isFound = true;
    this.#at = NEVER;
  }

  /** Whether a solicitation is to be sent now; it is then counted as sent. */
  isDue(now: Instant): boolean {
    if (this.#at > now) return false;
    this.#sent++;
    // RFC 7559 2: twice the time before, with RAND of a tenth, as of RFC 8415 15; the first three at equal distances.
    this.#interval = this.#sent <= SOLICITATIONS
      ? FIRST_INTERVAL
      : Math.min(LONGEST_INTERVAL, 2 * this.#interval);
    const jitter = this.#sent <= SOLICITATIONS ? 0 : (this.#random.fraction() - 0.5) / 5;
    this.#at = now + Math.floor(this.#interval * (1 + jitter));
    return true;
  }

  /** When the next one is due. */
  deadline(): Instant {
    return this.#at;
  }
}
