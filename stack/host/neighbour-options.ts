/**
 * How a neighbour cache is set up, and what it counts.
 *
 * @module
 */
import type { Instant } from "../store/time.ts";

/** Size and times of a neighbour cache. */
export interface NeighboursOptions {
  /** How many neighbours may be known; a quarter as many may be looked up besides. Default 1,024. */
  readonly capacity?: number;
  /** How long an answer proves its sender reachable on average. Default 30 s (RFC 4861 10, REACHABLE_TIME). */
  readonly reachableTime?: Instant;
  /** The time between two requests for one neighbour. Default 1 s (RFC 4861 10, RETRANS_TIMER; RFC 1122 2.3.2.1). */
  readonly retry?: Instant;
  /** How many requests are sent before a neighbour is given up. Default 3 (RFC 4861 10). */
  readonly attempts?: number;
  /** How long the layers above may take to confirm a neighbour. Default 5 s (RFC 4861 10, DELAY_FIRST_PROBE_TIME). */
  readonly delay?: Instant;
  /** 64 secret bits that keep strangers from aiming at one place of the hash table. Default 0. */
  readonly seed?: readonly [number, number];
}

/** What became of look-ups, and whom the limits struck. */
export class NeighbourCounters {
  /** Look-ups begun. */
  lookups = 0;
  /** Look-ups given up because nobody answered. */
  failed = 0;
  /** Neighbours forgotten because they did not answer any more. */
  lost = 0;
  /** Look-ups not begun: as many as may be were waiting, each for less than the time of a request. */
  refused = 0;
  /** Neighbours not taken note of: the cache was full of others that go before them. */
  ignored = 0;
  /** Neighbours forgotten to make room. */
  evicted = 0;
}
