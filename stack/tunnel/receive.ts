/**
 * What a tunnel does with a packet of its protocols, until it is one of the link inside.
 *
 * @module
 */
import type { Receiver } from "../handler.ts";
import type { IpIn } from "../ip/packet.ts";
import type { LinkIn } from "../link.ts";
import { Address } from "../wire/address.ts";
import { WireError } from "../wire/error.ts";
import { EtherType } from "../wire/ethernet.ts";
import * as gre from "../wire/gre.ts";
import * as ipv4 from "../wire/ipv4.ts";
import * as ipv6 from "../wire/ipv6.ts";
import { Protocol } from "../wire/protocol.ts";
import { takeMark } from "./ecn.ts";
import type { Tunnel } from "./endpoint.ts";
import { TunnelPacket } from "./packet.ts";

/** The place of a {@linkcode Tunnel} in a receiving tree. */
export class TunnelReceiver implements Receiver<IpIn> {
  readonly #tunnel: Tunnel;
  readonly #upper: Receiver<LinkIn>;
  readonly #packet: TunnelPacket;
  readonly #address = new Address();
  #etherType = 0;
  #at = 0;

  /** A place below `upper`. */
  constructor(tunnel: Tunnel, upper: Receiver<LinkIn>) {
    this.#tunnel = tunnel;
    this.#upper = upper;
    this.#packet = new TunnelPacket(tunnel);
  }

  receive(ip: IpIn): void {
    const { counters } = this.#tunnel;
    if (!this.#unwrap(ip) || !this.#isWhole(ip)) return;
    const isV4 = this.#etherType === EtherType.Ipv4;
    if (this.#isRecursive(ip.frame.bytes, isV4)) counters.recursive++;
    else if (!takeMark(ip.frame.bytes, this.#at, isV4, ip.trafficClass)) counters.congested++;
    else {
      counters.received++;
      const packet = this.#packet;
      this.#upper.receive(packet.enterIn(ip, this.#etherType, this.#at));
      packet.leave();
    }
  }

  /** Finds what is inside, and what it is. Counts why not. */
  #unwrap({ protocol, source, destination, frame, payloadAt }: IpIn): boolean {
    const tunnel = this.#tunnel;
    const { counters } = tunnel;
    const isOurs = tunnel.gre
      ? protocol === Protocol.Gre
      : protocol === Protocol.Ipv4 || protocol === Protocol.Ipv6;
    if (!isOurs) {
      counters.otherProtocol++;
      return false;
    }
    // RFC 4213 3.6: nobody else's packets come out here.
    if (!source.equals(tunnel.remote) || !destination.equals(tunnel.local)) {
      counters.wrongPeer++;
      return false;
    }
    this.#at = payloadAt;
    this.#etherType = protocol === Protocol.Ipv6 ? EtherType.Ipv6 : EtherType.Ipv4;
    return !tunnel.gre || this.#unwrapGre(frame.bytes, payloadAt, frame.end);
  }

  #unwrapGre(bytes: Uint8Array, at: number, end: number): boolean {
    const { counters } = this.#tunnel;
    const error = gre.check(bytes, at, end);
    if (error !== WireError.None) {
      if (error === WireError.Truncated) counters.truncated++;
      else counters.badHeader++;
      return false;
    }
    if (gre.hasChecksum(bytes, at) && !gre.verifyChecksum(bytes, at, end)) {
      counters.wrongChecksum++;
      return false;
    }
    this.#at = at + gre.headerLength(bytes, at);
    this.#etherType = gre.protocol(bytes, at);
    return true;
  }

  /** Whether there is the header of a packet of the version that was announced. */
  #isWhole({ frame: { bytes, end } }: IpIn): boolean {
    const { counters } = this.#tunnel;
    const isV4 = this.#etherType === EtherType.Ipv4;
    if (!isV4 && this.#etherType !== EtherType.Ipv6) {
      counters.wrongVersion++;
      return false;
    }
    if (end - this.#at < (isV4 ? ipv4.HEADER_LENGTH : ipv6.HEADER_LENGTH)) {
      counters.truncated++;
      return false;
    }
    if (ipv4.version(bytes, this.#at) === (isV4 ? 4 : 6)) return true;
    counters.wrongVersion++;
    return false;
  }

  /** RFC 2003 3.1: between the tunnel's own ends nothing needs the tunnel, and wrapping it would never end. */
  #isRecursive(bytes: Uint8Array, isV4: boolean): boolean {
    const { local, remote } = this.#tunnel;
    if (isV4 !== local.isV4) return false;
    const address = this.#address;
    if (isV4) {
      return address.readV4(bytes, this.#at + ipv4.SOURCE).equals(remote) &&
        address.readV4(bytes, this.#at + ipv4.DESTINATION).equals(local);
    }
    return address.readV6(bytes, this.#at + ipv6.SOURCE).equals(remote) &&
      address.readV6(bytes, this.#at + ipv6.DESTINATION).equals(local);
  }
}
