/**
 * The timestamp clock (RFC 7323 5.4): milliseconds from a random start, different for each connection.
 *
 * @module
 */
import type { Connection } from "./connection.ts";

const MILLISECOND = 1_000;
/** An echo that is older than this, in milliseconds, says nothing: no timeout is as long. */
const OLDEST = 1_000_000;

/** The value that a segment sent now carries. */
export function timestampNow(c: Connection): number {
  return (c.tcp.clock.millis + c.tsOffset) | 0;
}

/** How long ago a segment left whose timestamp comes back as `echo`, in microseconds; negative: it is none of ours. */
export function timestampAge(c: Connection, echo: number): number {
  const age = (timestampNow(c) - echo) | 0;
  return age < 0 || age > OLDEST ? -1 : age * MILLISECOND;
}

/** The same, at least: as if it had left at the end of its millisecond. */
export function timestampLeastAge(c: Connection, echo: number): number {
  const age = timestampAge(c, echo);
  return age < 0 ? age : age - MILLISECOND + 1 + c.tcp.clock.microsOfMilli;
}
