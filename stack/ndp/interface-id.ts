/**
 * Interface identifiers: the last 64 bits of the addresses that a host makes itself.
 *
 * @module
 */
import { sipHash, type SipKey } from "../store/siphash.ts";
import { Address } from "../wire/address.ts";
import type { Mac } from "../wire/mac.ts";

/** What tells the uses of one secret apart. */
const STABLE = 0x7217, TEMPORARY = 0x8981;

/** Makes identifiers of a secret: nobody who does not know it can foresee them, or tell two of one host together. */
export class InterfaceIds {
  readonly #secret: SipKey;
  readonly #mac: Mac;
  readonly #words = new Int32Array(8);

  /** The secret is 128 bits; a host that keeps it has the same stable addresses again (RFC 7217 5). */
  constructor(secret: SipKey, mac: Mac) {
    this.#secret = secret;
    this.#mac = mac;
  }

  /** The stable address in a prefix of 64 bits (RFC 7217 5); `attempt` grows with each duplicate that was found. */
  stable(prefix: Address, attempt: number): Address {
    return this.#make(prefix, attempt, STABLE);
  }

  /** A temporary address in a prefix of 64 bits (RFC 8981 3.3.2); `serial` is another one each time. */
  temporary(prefix: Address, serial: number): Address {
    return this.#make(prefix, serial, TEMPORARY);
  }

  #make(prefix: Address, counter: number, use: number): Address {
    const words = this.#words;
    words[0] = prefix.a;
    words[1] = prefix.b;
    words[2] = this.#mac.hi;
    words[3] = this.#mac.lo;
    words[4] = use;
    const address = new Address();
    // A reserved identifier is not used; the next round's is another.
    for (let round = 0;; round++) {
      words[5] = counter;
      words[6] = round;
      words[7] = 0;
      const high = sipHash(words, 8, this.#secret);
      words[7] = 1;
      address.set(prefix.a, prefix.b, high, sipHash(words, 8, this.#secret));
      if (!isReserved(address)) return address;
    }
  }
}

/** RFC 5453, RFC 2526: the subnet-router anycast address, and the last 128 of a subnet. */
export function isReserved({ c, d }: Address): boolean {
  if (c === 0 && d === 0) return true;
  if (c === (0xfdffffff | 0) && d >= -128 && d < 0) return true;
  // RFC 5453: 0200:5eff:fe00:0000 to 0200:5eff:fe00:5212 and to 0200:5eff:feff:ffff, IANA's Ethernet block.
  return c === 0x02005eff && d >>> 24 === 0xfe;
}
