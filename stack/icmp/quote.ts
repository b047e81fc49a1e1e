/**
 * The packet that an ICMP error quotes, of either family, as far as its transport's first bytes.
 *
 * @module
 */
import { Address } from "../wire/address.ts";
import { get16 } from "../wire/bytes.ts";
import * as ipv4 from "../wire/ipv4.ts";
import * as ipv6 from "../wire/ipv6.ts";
import { Protocol } from "../wire/protocol.ts";
import type { IcmpIn } from "./packet.ts";

/** As much of a transport's header as every error quotes: ports, and TCP's sequence number (RFC 792). */
const QUOTED_LENGTH = 8;
/** Extension headers that are passed over before the transport's. We send none but one fragment header. */
const EXTENSIONS = 8;

/** A quotation: one reused object, since most errors are about nothing and must cost little. */
export class Quote {
  /** Where the quoted packet came from: an own address, if the error is about us. */
  readonly source: Address = new Address();
  /** Where it went. */
  readonly destination: Address = new Address();
  /** Its transport protocol. */
  protocol = 0;
  /** Where in the frame its transport's header starts; 8 bytes of it are there. */
  at = 0;
  /** The length that the quoted packet had with its IP header, as that says. */
  length = 0;

  /**
   * Reads the packet that an error is about. False: the message is no error, or what it quotes is no packet of the
   * family, was a later fragment, ends too soon, or was not sent from the address that the error came to.
   */
  read(packet: IcmpIn): boolean {
    if (!packet.isError) return false;
    const { bytes, end } = packet.frame;
    const isRead = packet.isV4
      ? this.#readV4(bytes, packet.payloadAt, end)
      : this.#readV6(bytes, packet.payloadAt, end);
    return isRead && this.source.equals(packet.ip.destination);
  }

  /** The quotation may be cut off anywhere behind the transport's first bytes, so lengths are not compared with it. */
  #readV4(bytes: Uint8Array, at: number, end: number): boolean {
    if (end - at < ipv4.HEADER_LENGTH || ipv4.version(bytes, at) !== 4) return false;
    const header = ipv4.headerLength(bytes, at);
    if (header < ipv4.HEADER_LENGTH || end - at < header + QUOTED_LENGTH) return false;
    if (ipv4.fragmentOffset(bytes, at) !== 0) return false;
    this.source.readV4(bytes, at + ipv4.SOURCE);
    this.destination.readV4(bytes, at + ipv4.DESTINATION);
    this.protocol = ipv4.protocol(bytes, at);
    this.at = at + header;
    this.length = ipv4.totalLength(bytes, at);
    return true;
  }

  #readV6(bytes: Uint8Array, at: number, end: number): boolean {
    if (end - at < ipv6.HEADER_LENGTH || ipv6.version(bytes, at) !== 6) return false;
    let protocol = ipv6.nextHeader(bytes, at);
    let next = at + ipv6.HEADER_LENGTH;
    for (let count = 0; isPassedOver(protocol); count++) {
      if (count === EXTENSIONS || end - next < 8) return false;
      // RFC 8200 4.5: a fragment header is 8 bytes; the others tell their length in units of 8, the first not counted.
      const isFragment = protocol === Protocol.Fragment;
      if (isFragment && (get16(bytes, next + 2) & 0xfff8) !== 0) return false;
      protocol = bytes[next]!;
      next += isFragment ? 8 : (bytes[next + 1]! + 1) << 3;
    }
    if (end - next < QUOTED_LENGTH) return false;
    this.source.readV6(bytes, at + ipv6.SOURCE);
    this.destination.readV6(bytes, at + ipv6.DESTINATION);
    this.protocol = protocol;
    this.at = next;
    this.length = ipv6.HEADER_LENGTH + ipv6.payloadLength(bytes, at);
    return true;
  }
}

function isPassedOver(protocol: number): boolean {
  switch (protocol) {
    case Protocol.HopByHop:
    case Protocol.Routing:
    case Protocol.Fragment:
    case Protocol.Destination:
      return true;
    default:
      return false;
  }
}
