/**
 * Numbers a connection starts with that a stranger cannot foresee, though they are made of nothing but a secret, the
 * 4-tuple and the clock: so a later connection of the same tuple starts behind an earlier one.
 *
 * @module
 */
import type { Instant } from "../store/time.ts";
import { sipHash64, type SipKey } from "../store/siphash.ts";
import type { Address } from "../wire/address.ts";
import { type FourTuple, putTuple, TUPLE_WORDS } from "./tuple.ts";

/** Sets the hash apart from those of `cookies.ts`. */
const PURPOSE = 1;

const words = new Int32Array(TUPLE_WORDS + 1);

/** The hash of `words` under `key`: its halves serve for one number each, which tell nothing of each other. */
const halves = new Int32Array(2);
let key: SipKey | undefined;

/** The initial sequence number, signed: a clock of 4 microseconds from a start of the tuple's own (RFC 6528 3). */
export function initialSequence(tuple: FourTuple, secret: SipKey, now: Instant): number {
  hash(tuple, secret);
  return (Math.floor(now / 4) + halves[0]!) | 0;
}

/**
 * What the timestamp clock of a connection starts at, signed (RFC 7323 5.4). The same for every connection of a
 * tuple, so that PAWS and RFC 6191 see time go on from one to the next.
 */
export function timestampOffset(tuple: FourTuple, secret: SipKey): number {
  hash(tuple, secret);
  return halves[1]!;
}

/** A connection asks for both numbers, one after the other: the hash of the last tuple is still there. */
function hash(tuple: FourTuple, secret: SipKey): void {
  if (key === secret && isLast(tuple)) return;
  key = secret;
  putTuple(words, 0, tuple.local, tuple.localPort, tuple.remote, tuple.remotePort);
  words[TUPLE_WORDS] = PURPOSE;
  sipHash64(words, TUPLE_WORDS + 1, secret, halves);
}

function isLast({ local, localPort, remote, remotePort }: FourTuple): boolean {
  return words[8] === ((localPort << 16) | remotePort) && isAt(remote, 4) && isAt(local, 0);
}

function isAt({ a, b, c, d }: Address, at: number): boolean {
  return words[at + 3] === d && words[at + 2] === c && words[at + 1] === b && words[at] === a;
}
