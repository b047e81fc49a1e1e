/**
 * The timestamp clock (RFC 7323 5.4): milliseconds from a random start, different for each connection.
 *
 * @module
 */
import type { Instant } from "../store/time.ts";
import type { Connection } from "./connection.ts";

/** The value that a segment sent now carries. */
export function timestampNow(connection: Connection, now: Instant): number {
  return (Math.floor(now / 1_000) + connection.tsOffset) | 0;
}

/** How long ago a segment left whose timestamp comes back as `echo`; negative: it is none of ours. */
export function timestampAge(connection: Connection, now: Instant, echo: number): Instant {
  return ((timestampNow(connection, now) - echo) | 0) * 1_000;
}
