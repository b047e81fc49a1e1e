/**
 * What becomes of a connection whose user's code has thrown.
 *
 * @module
 */
import type { Connection } from "./connection.ts";

/**
 * Aborts a connection (RFC 9293 3.10.5) in the middle of what its user's code has broken off, so that it is neither
 * half done nor there for ever. What was thrown is the program's, and goes on to it.
 */
export function abandon(c: Connection, thrown: unknown): never {
  c.tcp.abort(c);
  throw thrown;
}
