/**
 * Fragments of an IPv4 packet on its way, in the buffer that it came in (RFC 791 3.2).
 *
 * @module
 */
import { LayerError } from "../error.ts";
import type { Frame } from "../frame.ts";
import type { LinkInit, LinkOutlet } from "../link.ts";
import { completeChecksum } from "../offload.ts";
import * as ipv4 from "../wire/ipv4.ts";

/** The option kinds that end a list, pad it, and are copied into every fragment (RFC 791 3.1). */
const END_OF_LIST = 0, NO_OPERATION = 1, COPIED = 0x80;

/** Where the last byte of a packet can be: RFC 791's total length has 16 bits. */
const OFFSET_MAX = 0xffff;

/** What a fragment's link header is made of. */
export interface FragmentInit extends LinkInit {
  length: number;
  segmentLength: number;
}

/** Sends packets in pieces. One object a router: it keeps the header that all pieces need. */
export class Fragmenter {
  readonly #first = new Uint8Array(ipv4.HEADER_LENGTH_MAX);
  readonly #later = new Uint8Array(ipv4.HEADER_LENGTH_MAX);
  /** The fragments that the last packet has left in. */
  count = 0;

  /**
   * Sends the packet whose header is at `at` in pieces of at most `mtu` bytes. Each is sent before the header of the next
   * is written over its end, so nothing is copied. The frame holds nothing of use afterwards.
   */
  send(frame: Frame, at: number, mtu: number, outlet: LinkOutlet, init: FragmentInit): LayerError {
    // Each piece is a frame of its own, so nothing can be left to the NIC.
    completeChecksum(frame);
    const { bytes, end } = frame;
    this.count = 0;
    const header = ipv4.headerLength(bytes, at);
    const offset = ipv4.fragmentOffset(bytes, at);
    const isMore = ipv4.moreFragments(bytes, at);
    const firstRoom = (mtu - header) & ~7;
    // A place that is beyond what the field can tell would be read as another.
    if (firstRoom < 8 || offset + end - at - header > OFFSET_MAX) return LayerError.BadSize;
    for (let index = 0; index < header; index++) this.#first[index] = bytes[at + index]!;
    const laterHeader = this.#copyHeader(header);
    const laterRoom = (mtu - laterHeader) & ~7;
    const payloadAt = at + header;
    for (let from = payloadAt; from < end;) {
      const isFirst = from === payloadAt;
      const to = Math.min(end, from + (isFirst ? firstRoom : laterRoom));
      const length = isFirst ? header : laterHeader;
      const start = from - length;
      const source = isFirst ? this.#first : this.#later;
      for (let index = 0; index < length; index++) bytes[start + index] = source[index]!;
      ipv4.setTotalLength(bytes, start, to - start);
      const flags = isMore || to < end ? ipv4.Flag.MoreFragments : 0;
      ipv4.setFragment(bytes, start, flags, offset + from - payloadAt);
      ipv4.fillChecksum(bytes, start);
      frame.start = start;
      frame.end = to;
      init.length = to - start;
      init.segmentLength = 0;
      const error = outlet.transmit(frame, init);
      if (error !== LayerError.None) return error;
      this.count++;
      from = to;
    }
    return LayerError.None;
  }

  /** The header of all fragments but the first: with those options only that are to be copied. Answers its length. */
  #copyHeader(header: number): number {
    const first = this.#first, later = this.#later;
    let length = ipv4.HEADER_LENGTH;
    for (let index = 0; index < length; index++) later[index] = first[index]!;
    for (let at = ipv4.HEADER_LENGTH; at < header;) {
      const kind = first[at]!;
      if (kind === END_OF_LIST) break;
      // The list was checked when the packet came in, so that lengths fit.
      const size = kind === NO_OPERATION ? 1 : first[at + 1]!;
      if (kind !== NO_OPERATION && (kind & COPIED) !== 0) {
        for (let index = 0; index < size; index++) later[length++] = first[at + index]!;
      }
      at += size;
    }
    while ((length & 3) !== 0) later[length++] = END_OF_LIST;
    later[0] = 0x40 | (length >> 2);
    return length;
  }
}
