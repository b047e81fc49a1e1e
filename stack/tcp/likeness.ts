/**
 * Telling by its headers that a frame is the segment right behind another one: all bytes before the payload are the same
 * but for those that differ from one packet to the next. The rules are those of Linux' generic receive offload.
 *
 * @module
 */
import type { Frame } from "../frame.ts";
import * as ipv4 from "../wire/ipv4.ts";
import * as ipv6 from "../wire/ipv6.ts";
import { Flag, HEADER_LENGTH_MAX } from "../wire/tcp.ts";

/** The longest headers that are kept: a link's with a tag, IPv6's, and TCP's with all options. */
const MOST = 20 + ipv6.HEADER_LENGTH + HEADER_LENGTH_MAX;

/** Offsets in IPv4's header, IPv6's and TCP's. */
const V4 = { Length: 2, Identification: 4, Fragment: 6, HopLimit: 8, Checksum: 10, Addresses: 12 } as const;
const V6 = { Length: 4, NextHeader: 6, Addresses: 8 } as const;
const TCP = { Sequence: 4, Acknowledgment: 8, Flags: 12, Window: 14, Options: 20 } as const;

/** The one's complement of 16 bits counts modulo this (RFC 1071 1). */
const ONES = 0xffff;

/** What the headers of a segment are like. */
export class Likeness {
  /** Where the transport's header lies behind the frame's first byte. */
  tcpAt = 0;
  /** Where the payload lies behind the frame's first byte. */
  payloadAt = 0;
  readonly #own = new DataView(new ArrayBuffer(MOST));
  #view: DataView = this.#own;
  #bytes: Uint8Array = new Uint8Array(0);
  #ipAt = 0;
  #isV4 = true;
  /** What the words of IPv4's header that differ add up to, modulo {@linkcode ONES}. */
  #sum = 0;

  /**
   * Keeps the headers of a frame that was received: where IP's, TCP's and the payload begin. False: they are none that
   * others could be like, since there are options or extensions of IP.
   */
  learn(frame: Frame, ipAt: number, tcpAt: number, payloadAt: number, isV4: boolean): boolean {
    const { bytes, start } = frame;
    if (tcpAt - ipAt !== (isV4 ? ipv4.HEADER_LENGTH : ipv6.HEADER_LENGTH)) return false;
    if (payloadAt - start > MOST) return false;
    if (bytes !== this.#bytes) this.#bind(bytes);
    this.#ipAt = ipAt - start;
    this.tcpAt = tcpAt - start;
    this.payloadAt = payloadAt - start;
    this.#isV4 = isV4;
    const own = this.#own, view = this.#view;
    const length = this.payloadAt;
    let at = 0;
    for (; at + 4 <= length; at += 4) own.setInt32(at, view.getInt32(start + at, true), true);
    for (; at < length; at++) own.setUint8(at, bytes[start + at]!);
    if (isV4) this.#sum = changing(own, this.#ipAt);
    return true;
  }

  /** How much payload the frame has if it is like that one and begins at `sequence`; else -1. */
  payloadOf(frame: Frame, sequence: number): number {
    const { start } = frame;
    const from = start + this.payloadAt;
    if (frame.bytes !== this.#bytes || from >= frame.end) return -1;
    if (this.#view.getInt32(start + this.tcpAt + TCP.Sequence) !== sequence) return -1;
    if (!this.#isLinkLike(start) || !this.#isTcpLike(start)) return -1;
    const end = this.#isV4 ? this.#endV4(start) : this.#endV6(start);
    return end <= frame.end ? end - from : -1;
  }

  /** Whether the segment is pushed. */
  isPushed(frame: Frame): boolean {
    return (frame.bytes[frame.start + this.tcpAt + TCP.Flags + 1]! & Flag.Psh) !== 0;
  }

  /** Views cost more than packets do: the arena of one NIC is looked at by one. */
  #bind(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #isLinkLike(start: number): boolean {
    const length = this.#ipAt;
    let at = 0;
    for (; at + 4 <= length; at += 4) {
      if (!this.#isSame32(start, at)) return false;
    }
    return at === length || this.#isSame16(start, at);
  }

  #isTcpLike(start: number): boolean {
    const { tcpAt, payloadAt } = this;
    const differing = this.#view.getUint16(start + tcpAt + TCP.Flags) ^
      this.#own.getUint16(tcpAt + TCP.Flags);
    if ((differing & ~Flag.Psh) !== 0) return false;
    if (!this.#isSame16(start, tcpAt + TCP.Window)) return false;
    if (!this.#isSame32(start, tcpAt) || !this.#isSame32(start, tcpAt + TCP.Acknowledgment)) return false;
    for (let at = tcpAt + TCP.Options; at < payloadAt; at += 4) {
      if (!this.#isSame32(start, at)) return false;
    }
    return true;
  }

  /** Where an IPv4 packet like that one ends by its header; beyond all frames: it is not like it, or damaged. */
  #endV4(start: number): number {
    const ip = this.#ipAt;
    const isLike = this.#isSame16(start, ip) && this.#isSame16(start, ip + V4.Fragment) &&
      this.#isSame16(start, ip + V4.HopLimit) && this.#isSame32(start, ip + V4.Addresses) &&
      this.#isSame32(start, ip + V4.Addresses + 4);
    // The header's checksum is right if what differs adds up to the same.
    if (!isLike || changing(this.#view, start + ip) !== this.#sum) return Infinity;
    return start + ip + this.#view.getUint16(start + ip + V4.Length);
  }

  #endV6(start: number): number {
    const ip = this.#ipAt;
    if (!this.#isSame32(start, ip) || !this.#isSame16(start, ip + V6.NextHeader)) return Infinity;
    for (let at = ip + V6.Addresses; at < ip + ipv6.HEADER_LENGTH; at += 4) {
      if (!this.#isSame32(start, at)) return Infinity;
    }
    return start + ip + ipv6.HEADER_LENGTH + this.#view.getUint16(start + ip + V6.Length);
  }

  #isSame32(start: number, at: number): boolean {
    return this.#view.getInt32(start + at, true) === this.#own.getInt32(at, true);
  }

  #isSame16(start: number, at: number): boolean {
    return this.#view.getUint16(start + at, true) === this.#own.getUint16(at, true);
  }
}

/** What differs in IPv4's header from one packet to the next: length, identification, checksum. */
function changing(view: DataView, ip: number): number {
  return (view.getUint16(ip + V4.Length) + view.getUint16(ip + V4.Identification) +
    view.getUint16(ip + V4.Checksum)) % ONES;
}
