/**
 * What tells a connection from all others (RFC 9293 3.3.1: the local and the remote socket).
 *
 * @module
 */
import type { Address } from "../wire/address.ts";

/** Two addresses and two ports. A connection is one. */
export interface FourTuple {
  /** The own address. */
  readonly local: Address;
  /** The own port. */
  readonly localPort: number;
  /** The peer's address. */
  readonly remote: Address;
  /** The peer's port. */
  readonly remotePort: number;
}

/** How many words {@linkcode putTuple} writes. */
export const TUPLE_WORDS = 9;

/** Writes the tuple to `words[at..at + 9)`, as a key for hashes. */
export function putTuple(
  words: Int32Array,
  at: number,
  local: Address,
  localPort: number,
  remote: Address,
  remotePort: number,
): void {
  words[at] = local.a;
  words[at + 1] = local.b;
  words[at + 2] = local.c;
  words[at + 3] = local.d;
  words[at + 4] = remote.a;
  words[at + 5] = remote.b;
  words[at + 6] = remote.c;
  words[at + 7] = remote.d;
  words[at + 8] = (localPort << 16) | remotePort;
}
