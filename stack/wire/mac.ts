/**
 * Ethernet hardware addresses, EUI-48 (IEEE 802 clause 8).
 *
 * @module
 */
import { get16, get32, put16, put32 } from "./bytes.ts";

/** The length of a hardware address in bytes. */
export const MAC_LENGTH = 6;

// The two flag bits of the first byte, as they lie in `hi`.
const GROUP = 0x0100;
const LOCAL = 0x0200;

/** A hardware address: a mutable scratch object, made once and read into, so that no packet allocates one. */
export class Mac {
  /** The first two bytes, 0 to 65535. */
  hi: number = 0;
  /** The last four bytes, signed. */
  lo: number = 0;

  /** Takes over both words; bits above their widths are dropped. */
  set(hi: number, lo: number): this {
    this.hi = hi & 0xffff;
    this.lo = lo | 0;
    return this;
  }

  /** Takes over the other's value. */
  copy(other: Mac): this {
    this.hi = other.hi;
    this.lo = other.lo;
    return this;
  }

  /** Whether both are the same address. */
  equals(other: Mac): boolean {
    return this.lo === other.lo && this.hi === other.hi;
  }

  /** Reads `bytes[at..at + 6)`. */
  read(bytes: Uint8Array, at: number): this {
    this.hi = get16(bytes, at);
    this.lo = get32(bytes, at + 2);
    return this;
  }

  /** Writes to `bytes[at..at + 6)`. */
  write(bytes: Uint8Array, at: number): void {
    put16(bytes, at, this.hi);
    put32(bytes, at + 2, this.lo);
  }

  /** Whether this is ff:ff:ff:ff:ff:ff, every station. */
  get isBroadcast(): boolean {
    return this.hi === 0xffff && this.lo === -1;
  }

  /** Whether the group bit is set: a group of stations, broadcast included. */
  get isMulticast(): boolean {
    return (this.hi & GROUP) !== 0;
  }

  /** Whether this names one station: no group, and not the unset address 00:00:00:00:00:00. */
  get isUnicast(): boolean {
    return (this.hi & GROUP) === 0 && (this.hi | this.lo) !== 0;
  }

  /** Whether the address is locally administered: made up here, not bought from the IEEE. */
  get isLocal(): boolean {
    return (this.hi & LOCAL) !== 0;
  }

  /**
   * The address that `text` writes as six pairs of hexadecimal digits, parted by `:` or by `-`.
   *
   * @throws {SyntaxError} when `text` is written in any other way
   */
  static parse(text: string): Mac {
    if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text) && !/^[0-9a-f]{2}(-[0-9a-f]{2}){5}$/i.test(text)) {
      throw new SyntaxError(
        `"${text}" is not a MAC address: write six pairs of hexadecimal digits, as in 02:00:00:00:00:01`,
      );
    }
    const hex = text.replaceAll(/[:-]/g, "");
    return new Mac().set(parseInt(hex.slice(0, 4), 16), parseInt(hex.slice(4), 16));
  }

  /** A fresh ff:ff:ff:ff:ff:ff. */
  static broadcast(): Mac {
    return new Mac().set(0xffff, -1);
  }

  /** Six pairs of lower-case hexadecimal digits parted by `:`. */
  toString(): string {
    const hex = this.hi.toString(16).padStart(4, "0") + (this.lo >>> 0).toString(16).padStart(8, "0");
    return hex.replaceAll(/(..)(?!$)/g, "$1:");
  }
}
