/**
 * An address with the length of its subnet's prefix: `10.0.0.1/24` (RFC 4632 3.1), `2001:db8::1/64` (RFC 4291
 * 2.3).
 *
 * @module
 */
import { Address } from "./address.ts";

/**
 * An address in its subnet. Immutable; the addresses it hands out are its own, to be copied and not changed.
 */
export class Cidr {
  /** The address as given, host bits included. */
  readonly address: Address;
  /** The prefix length: 0 to 32 for IPv4, 0 to 128 for IPv6. */
  readonly prefix: number;
  readonly #isV4: boolean;
  readonly #mask: Address;
  readonly #network: Address;
  readonly #broadcast: Address | undefined;

  /**
   * The subnet that `address`'s first `prefix` bits make.
   *
   * @throws {RangeError} when the prefix is longer than the family's addresses
   */
  constructor(address: Address, prefix: number) {
    const isV4 = address.isV4;
    const width = isV4 ? 32 : 128;
    if (!Number.isInteger(prefix) || prefix < 0 || prefix > width) {
      throw new RangeError(
        `the prefix length of ${address} must be a whole number from 0 to ${width}, not ${prefix}`,
      );
    }
    const bits = isV4 ? prefix + 96 : prefix;
    const mask = new Address().set(ones(bits), ones(bits - 32), ones(bits - 64), ones(bits - 96));
    this.address = new Address().copy(address);
    this.prefix = prefix;
    this.#isV4 = isV4;
    this.#mask = mask;
    this.#network = new Address().set(
      address.a & mask.a,
      address.b & mask.b,
      address.c & mask.c,
      address.d & mask.d,
    );
    // RFC 3021 2.1: a /31 is two hosts without a broadcast address; a /32 is one host.
    this.#broadcast = isV4 && prefix <= 30 ? new Address().setV4(address.d | ~mask.d) : undefined;
  }

  /** Whether `address` is of this family and in this subnet. */
  contains(address: Address): boolean {
    const mask = this.#mask;
    const network = this.#network;
    if ((address.d & mask.d) !== network.d || (address.c & mask.c) !== network.c) return false;
    if ((address.b & mask.b) !== network.b || (address.a & mask.a) !== network.a) return false;
    // An IPv6 prefix shorter than 97 bits may cover the mapped range, which holds the IPv4 addresses.
    return this.#isV4 || !address.isV4;
  }

  /** Whether the addresses are IPv4. */
  get isV4(): boolean {
    return this.#isV4;
  }

  /** The subnet's first address, host bits all zero. */
  get network(): Address {
    return this.#network;
  }

  /** The directed broadcast (RFC 919 7), host bits all one; undefined for IPv6, /31 and /32. */
  get broadcast(): Address | undefined {
    return this.#broadcast;
  }

  /** Whether `address` is this subnet's directed broadcast. */
  isBroadcast(address: Address): boolean {
    return this.#broadcast !== undefined && this.#broadcast.equals(address);
  }

  /**
   * The subnet that `text` writes as ADDRESS/PREFIX.
   *
   * @throws {SyntaxError} when the text has another form, saying what is wrong and where
   * @throws {RangeError} when the prefix is longer than the family's addresses
   */
  static parse(text: string): Cidr {
    const slash = text.indexOf("/");
    if (slash < 0) {
      throw new SyntaxError(`"${text}" has no prefix length: write ADDRESS/PREFIX, as in 10.0.0.1/24`);
    }
    const address = Address.parse(text.slice(0, slash));
    const prefix = text.slice(slash + 1);
    if (!/^(0|[1-9][0-9]*)$/.test(prefix)) {
      throw new SyntaxError(
        `"${prefix}" in "${text}" is not a prefix length: write a decimal number, as in /24`,
      );
    }
    // A prefix of the 128-bit form would silently mean another subnet of the 32-bit one.
    if (address.isV4 && text.includes(":")) {
      throw new SyntaxError(
        `"${text}" is an IPv4 subnet in IPv6 form: write ${address} and a prefix of 0 to 32`,
      );
    }
    return new Cidr(address, Number(prefix));
  }

  /** ADDRESS/PREFIX, host bits included. */
  toString(): string {
    return `${this.address}/${this.prefix}`;
  }
}

/** A word whose first `count` bits are one; counts outside 0 to 32 are taken as 0 or 32. */
function ones(count: number): number {
  return count <= 0 ? 0 : count >= 32 ? -1 : -1 << (32 - count);
}
