/**
 * Identifications of packets that are sent in fragments: never the same soon for one pair of hosts (RFC 6864 4.3, RFC
 * 8200 4.5), and nothing that an onlooker could tell another pair's by (RFC 7739 5.3).
 *
 * @module
 */
import { halfSipHash } from "../store/half-siphash.ts";
import type { Address } from "../wire/address.ts";

/** Counters that pairs of hosts share: so many that few packets of one pair show another's. */
const COUNTERS = 1_024;

/** Counts up from a place that depends on the pair. */
export class FragmentIds {
  readonly #seed: readonly [number, number];
  readonly #counters = new Int32Array(COUNTERS);
  readonly #key = new Int32Array(9);

  /** The seed is 64 secret bits. */
  constructor(seed: readonly [number, number]) {
    this.#seed = seed;
  }

  /** The next identification between two hosts: 32 bits, of which IPv4 takes the low half. */
  next(source: Address, destination: Address): number {
    const key = this.#key;
    key[0] = source.a;
    key[1] = source.b;
    key[2] = source.c;
    key[3] = source.d;
    key[4] = destination.a;
    key[5] = destination.b;
    key[6] = destination.c;
    key[7] = destination.d;
    const [low, high] = this.#seed;
    key[8] = 0;
    const place = halfSipHash(key, 0, 9, low, high) & (COUNTERS - 1);
    key[8] = 1;
    const offset = halfSipHash(key, 0, 9, low, high);
    const count = this.#counters[place]!;
    this.#counters[place] = count + 1;
    return (offset + count) | 0;
  }
}
