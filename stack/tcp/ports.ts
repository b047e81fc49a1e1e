/**
 * Which port of ours a connection that we open gets: RFC 6056 3.3.3, simple hash-based port selection.
 *
 * Where the search begins is the peer's own secret place, so that one peer cannot tell from its connections which ports
 * those to others have; from there the ports go up one by one, so that a pair of ports comes again as late as possible.
 *
 * @module
 */
import { EPHEMERAL_COUNT, EPHEMERAL_FIRST } from "../host/ephemeral.ts";
import { sipHash, type SipKey } from "../store/siphash.ts";
import { type FourTuple, putTuple, TUPLE_WORDS } from "./tuple.ts";

/** Sets the hash apart from those of `isn.ts` and `cookies.ts`. */
const PURPOSE = 2;

/** The ports of an endpoint. */
export class EphemeralPorts {
  readonly #secret: SipKey;
  readonly #words = new Int32Array(TUPLE_WORDS + 1);
  /** RFC 6056's next_ephemeral. */
  #next: number;

  /** Ports under a secret. */
  constructor(secret: SipKey) {
    this.#secret = secret;
    this.#next = (secret[3] >>> 0) % EPHEMERAL_COUNT;
  }

  /** A port for the tuple, whose own port does not count, of which `isFree` says that it is; undefined: none is. */
  take(tuple: FourTuple, isFree: (port: number) => boolean): number | undefined {
    const { local, remote, remotePort } = tuple;
    putTuple(this.#words, 0, local, 0, remote, remotePort);
    this.#words[TUPLE_WORDS] = PURPOSE;
    const offset = sipHash(this.#words, TUPLE_WORDS + 1, this.#secret) >>> 0;
    for (let tries = 0; tries < EPHEMERAL_COUNT; tries++) {
      const port = EPHEMERAL_FIRST + (offset + this.#next) % EPHEMERAL_COUNT;
      this.#next = (this.#next + 1) % EPHEMERAL_COUNT;
      if (isFree(port)) return port;
    }
    return undefined;
  }
}
