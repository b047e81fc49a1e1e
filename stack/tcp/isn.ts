/**
 * Numbers a connection starts with that a stranger cannot foresee, though they are made of nothing but a secret, the
 * 4-tuple and the clock: so a later connection of the same tuple starts behind an earlier one.
 *
 * @module
 */
import type { Instant } from "../store/time.ts";
import { sipHash, type SipKey } from "../store/siphash.ts";
import { type FourTuple, putTuple, TUPLE_WORDS } from "./tuple.ts";

/** What a hash is for; the same tuple has another one for each purpose. */
const Purpose = { Sequence: 1, Timestamp: 2 } as const;

const words = new Int32Array(TUPLE_WORDS + 1);

/** The initial sequence number, signed: a clock of 4 microseconds from a start of the tuple's own (RFC 6528 3). */
export function initialSequence(tuple: FourTuple, secret: SipKey, now: Instant): number {
  return (Math.floor(now / 4) + hash(tuple, secret, Purpose.Sequence)) | 0;
}

/**
 * What the timestamp clock of a connection starts at, signed (RFC 7323 5.4). The same for every connection of a
 * tuple, so that PAWS and RFC 6191 see time go on from one to the next.
 */
export function timestampOffset(tuple: FourTuple, secret: SipKey): number {
  return hash(tuple, secret, Purpose.Timestamp);
}

function hash(tuple: FourTuple, secret: SipKey, purpose: number): number {
  putTuple(words, 0, tuple.local, tuple.localPort, tuple.remote, tuple.remotePort);
  words[TUPLE_WORDS] = purpose;
  return sipHash(words, TUPLE_WORDS + 1, secret);
}
