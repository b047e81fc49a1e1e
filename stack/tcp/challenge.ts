/**
 * How many challenge ACKs are sent (RFC 5961 7), so that blind guesses do not make us flood anybody.
 *
 * @module
 */
import { type Instant, seconds } from "../store/time.ts";
import type { Connection } from "./connection.ts";
import type { TcpCounters } from "./counters.ts";
import { sipHash, type SipKey } from "../store/siphash.ts";

/** Challenge ACKs that a connection sends in a second. */
const PER_CONNECTION = 2;

const KNOWN_TO_ALL: SipKey = [0, 0, 0, 0];

/**
 * The challenge ACKs of all connections together. How many a second allows is not the same every second but depends
 * on a secret, between half and one and a half of the rate: a fixed number would let a stranger count how many of his
 * guesses at another's connection were challenged, and so find its sequence numbers (CVE-2016-5696, RFC 5961 10).
 */
export class ChallengeLimiter {
  /** How many a second, on average. */
  readonly rate: number;
  readonly #secret: SipKey;
  readonly #words = new Int32Array(2);
  #second = -1;
  #left = 0;

  /** `secret` makes the seconds differ. */
  constructor(rate: number = 1_000, secret: SipKey = KNOWN_TO_ALL) {
    if (!Number.isInteger(rate) || rate < 1) {
      throw new RangeError(`the rate of challenge ACKs must be a whole number from 1, not ${rate}`);
    }
    this.rate = rate;
    this.#secret = secret;
  }

  /** Takes one of this second's; false: there is none left, so it must not be sent. */
  take(now: Instant): boolean {
    const second = Math.floor(now / seconds(1));
    if (second !== this.#second) {
      this.#second = second;
      this.#words[0] = second | 0;
      this.#left = Math.ceil(this.rate / 2) + (sipHash(this.#words, 2, this.#secret) >>> 0) % this.rate;
    }
    if (this.#left === 0) return false;
    this.#left--;
    return true;
  }
}

/** What {@linkcode mayChallenge} needs of a connection. */
export type Challenged = Pick<Connection, "challengeAcks" | "challengeSecond"> & {
  readonly tcp: {
    readonly challenges: ChallengeLimiter;
    readonly counters: Pick<TcpCounters, "challenges" | "limitedChallenges">;
  };
};

/** Whether a connection may send a challenge ACK now. Counts it either way. */
export function mayChallenge(c: Challenged, now: Instant): boolean {
  const { counters, challenges } = c.tcp;
  const second = Math.floor(now / seconds(1));
  if (second !== c.challengeSecond) {
    c.challengeSecond = second;
    c.challengeAcks = 0;
  }
  if (c.challengeAcks >= PER_CONNECTION || !challenges.take(now)) {
    counters.limitedChallenges++;
    return false;
  }
  c.challengeAcks++;
  counters.challenges++;
  return true;
}
