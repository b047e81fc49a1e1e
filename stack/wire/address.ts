/**
 * IP addresses of both families in one shape: 128 bits as four signed words.
 *
 * An IPv4 address is kept as its IPv4-mapped IPv6 address, ::ffff:a.b.c.d (RFC 4291 2.5.5.2), so that
 * comparing, hashing and matching prefixes is one piece of code. A mapped address must never come from an
 * IPv6 header.
 *
 * @module
 */
import { type AddressWords, formatV4, formatV6, readAddress } from "./address-text.ts";
import { get32, put32 } from "./bytes.ts";
import type { Mac } from "./mac.ts";

/** An IP address: a mutable scratch object, made once and read into, so that no packet allocates one. */
export class Address implements AddressWords {
  /** Bits 0 to 31, the first four bytes of an IPv6 address; 0 for IPv4. */
  a: number = 0;
  /** Bits 32 to 63; 0 for IPv4. */
  b: number = 0;
  /** Bits 64 to 95; 0xffff for IPv4. */
  c: number = 0;
  /** Bits 96 to 127; the whole of an IPv4 address. */
  d: number = 0;

  /** Takes over the four words, signed or unsigned. */
  set(a: number, b: number, c: number, d: number): this {
    this.a = a | 0;
    this.b = b | 0;
    this.c = c | 0;
    this.d = d | 0;
    return this;
  }

  /** Becomes the IPv4 address with these 32 bits. */
  setV4(word: number): this {
    this.a = 0;
    this.b = 0;
    this.c = 0xffff;
    this.d = word | 0;
    return this;
  }

  /** Takes over the other's value. */
  copy(other: Address): this {
    this.a = other.a;
    this.b = other.b;
    this.c = other.c;
    this.d = other.d;
    return this;
  }

  /** Becomes `::`. */
  clear(): this {
    return this.set(0, 0, 0, 0);
  }

  /** Whether both are the same address of the same family. */
  equals(other: Address): boolean {
    return this.d === other.d && this.c === other.c && this.b === other.b && this.a === other.a;
  }

  /** Whether this is an IPv4 address. */
  get isV4(): boolean {
    return this.c === 0xffff && (this.a | this.b) === 0;
  }

  /** Whether this is `0.0.0.0` (RFC 1122 3.2.1.3) or `::` (RFC 4291 2.5.2). */
  get isUnspecified(): boolean {
    return (this.a | this.b | this.d) === 0 && (this.c === 0 || this.c === 0xffff);
  }

  /** Whether this is in 127.0.0.0/8 (RFC 1122 3.2.1.3) or `::1` (RFC 4291 2.5.3). */
  get isLoopback(): boolean {
    if ((this.a | this.b) !== 0) return false;
    return this.c === 0xffff ? this.d >>> 24 === 127 : this.c === 0 && this.d === 1;
  }

  /** Whether this is in 224.0.0.0/4 (RFC 1112 4) or ff00::/8 (RFC 4291 2.7). */
  get isMulticast(): boolean {
    return this.isV4 ? this.d >>> 28 === 0xe : this.a >>> 24 === 0xff;
  }

  /**
   * Whether this is 255.255.255.255, IPv4's limited broadcast (RFC 919 7); a directed broadcast is `Cidr`'s
   * to know.
   */
  get isBroadcast(): boolean {
    return this.d === -1 && this.isV4;
  }

  /** Whether this is in 169.254.0.0/16 (RFC 3927 2.1) or fe80::/10 (RFC 4291 2.5.6). */
  get isLinkLocal(): boolean {
    return this.isV4 ? this.d >>> 16 === 0xa9fe : this.a >>> 22 === 0x3fa;
  }

  /**
   * Whether one host can have this: not unspecified, multicast or broadcast, and not in 240.0.0.0/4 (RFC 1112
   * 4).
   */
  get isUnicast(): boolean {
    if (this.isV4) return this.d !== 0 && this.d >>> 28 < 0xe;
    return this.a >>> 24 !== 0xff && (this.a | this.b | this.c | this.d) !== 0;
  }

  /** Reads the IPv4 address at `bytes[at..at + 4)`. */
  readV4(bytes: Uint8Array, at: number): this {
    return this.setV4(get32(bytes, at));
  }

  /**
   * Reads the IPv6 address at `bytes[at..at + 16)`. A mapped one then looks like IPv4: the IP layer refuses
   * it.
   */
  readV6(bytes: Uint8Array, at: number): this {
    this.a = get32(bytes, at);
    this.b = get32(bytes, at + 4);
    this.c = get32(bytes, at + 8);
    this.d = get32(bytes, at + 12);
    return this;
  }

  /** Writes the IPv4 address to `bytes[at..at + 4)`. */
  writeV4(bytes: Uint8Array, at: number): void {
    put32(bytes, at, this.d);
  }

  /** Writes all 128 bits to `bytes[at..at + 16)`. */
  writeV6(bytes: Uint8Array, at: number): void {
    put32(bytes, at, this.a);
    put32(bytes, at + 4, this.b);
    put32(bytes, at + 8, this.c);
    put32(bytes, at + 12, this.d);
  }

  /** Makes `into` this address's solicited-node multicast address, ff02::1:ffXX:XXXX (RFC 4291 2.7.1). */
  solicitedNode(into: Address): Address {
    return into.set(0xff020000, 0, 1, 0xff000000 | (this.d & 0xffffff));
  }

  /**
   * Becomes the address of `prefix`'s first 64 bits and the interface identifier of `mac` (RFC 4291 Appendix
   * A).
   */
  setEui64(prefix: Address, mac: Mac): this {
    // 02 flips the universal/local bit of the first byte, fffe goes between the two halves of the EUI-48.
    const first = ((mac.hi ^ 0x0200) << 16) | ((mac.lo >>> 16) & 0xff00) | 0xff;
    return this.set(prefix.a, prefix.b, first, 0xfe000000 | (mac.lo & 0xffffff));
  }

  /**
   * The address that `text` writes: dotted decimal, or RFC 4291 2.2.
   *
   * @throws {SyntaxError} when it is written wrongly, saying what is wrong and where
   */
  static parse(text: string): Address {
    const address = new Address();
    const fault = readAddress(text, address);
    if (fault !== undefined) throw new SyntaxError(`"${text}" is not an IP address: ${fault}`);
    return address;
  }

  /** The address that `text` writes, or undefined if it writes none. */
  static tryParse(text: string): Address | undefined {
    const address = new Address();
    return readAddress(text, address) === undefined ? address : undefined;
  }

  /** Dotted decimal for IPv4, the recommended text of RFC 5952 for IPv6. */
  toString(): string {
    return this.isV4 ? formatV4(this.d) : formatV6(this);
  }
}

/** Makes `into` the group hardware address that carries this multicast address (RFC 1112 6.4, RFC 2464 7). */
export function multicastMac(address: Address, into: Mac): Mac {
  return address.isV4 ? into.set(0x0100, 0x5e000000 | (address.d & 0x7fffff)) : into.set(0x3333, address.d);
}
