/**
 * Ports that are handed out by themselves, where there is no peer yet: RFC 6056 3.3.1, simple port randomization.
 *
 * @module
 */
import { sipHash, type SipKey } from "../store/siphash.ts";

/** RFC 6335 6: the first of the dynamic ports. */
export const EPHEMERAL_FIRST = 49_152;
/** How many there are. */
export const EPHEMERAL_COUNT = 65_536 - EPHEMERAL_FIRST;

/** Sets the hash apart from those that TCP makes of its secret. */
const PURPOSE = 3;

/** Where each search begins cannot be told from those before; from there the ports go up one by one. */
export class RandomPorts {
  readonly #secret: SipKey;
  readonly #words = new Int32Array([PURPOSE, 0]);

  /** Ports under a secret. */
  constructor(secret: SipKey) {
    this.#secret = secret;
  }

  /** A port of which `isFree` says that it is; undefined: none is. */
  take(isFree: (port: number) => boolean): number | undefined {
    this.#words[1]!++;
    const start = (sipHash(this.#words, 2, this.#secret) >>> 0) % EPHEMERAL_COUNT;
    for (let tries = 0; tries < EPHEMERAL_COUNT; tries++) {
      const port = EPHEMERAL_FIRST + (start + tries) % EPHEMERAL_COUNT;
      if (isFree(port)) return port;
    }
    return undefined;
  }
}
