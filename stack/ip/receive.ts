/**
 * What an {@linkcode Ip} endpoint does with a link's packet: every check a packet passes before a handler sees it.
 *
 * @module
 */
import type { Receiver } from "../handler.ts";
import { Scope } from "../host/addresses.ts";
import type { LinkIn } from "../link.ts";
import { WireError } from "../wire/error.ts";
import { EtherType } from "../wire/ethernet.ts";
import * as ipv4 from "../wire/ipv4.ts";
import type { Ip } from "./endpoint.ts";
import { type IpIn, IpPacket } from "./packet.ts";

/** The place of an {@linkcode Ip} endpoint in a receiving tree. */
export class IpReceiver implements Receiver<LinkIn> {
  readonly #ip: Ip;
  readonly #upper: Receiver<IpIn>;
  readonly #arp: Receiver<LinkIn>;
  readonly #packet: IpPacket;

  /** A place below `upper`. */
  constructor(ip: Ip, upper: Receiver<IpIn>) {
    this.#ip = ip;
    this.#upper = upper;
    this.#arp = ip.arp.answer();
    this.#packet = new IpPacket(ip);
  }

  receive(link: LinkIn): void {
    const { etherType } = link;
    if (link.isOther) {
      this.#ip.counters.notForUs++;
      return;
    }
    if (etherType === EtherType.Ipv4) this.#receiveV4(link);
    else if (etherType === EtherType.Arp) this.#arp.receive(link);
    else if (etherType === EtherType.Ipv6) this.#ip.counters.unsupportedVersion++;
    else this.#ip.counters.otherEtherType++;
  }

  #receiveV4(link: LinkIn): void {
    if (!this.#headerIsFine(link)) return;
    const packet = this.#packet.enterIn(link);
    if (this.#isForUs(packet, link)) {
      this.#ip.counters.received++;
      this.#upper.receive(packet);
    }
    packet.leave();
  }

  #headerIsFine(link: LinkIn): boolean {
    const { counters } = this.#ip;
    const { frame, payloadAt: at } = link;
    const { bytes } = frame;
    const error = ipv4.check(bytes, at, frame.end);
    if (error !== WireError.None) {
      if (error === WireError.Truncated) counters.truncated++;
      else if (error === WireError.Unrecognized) counters.wrongVersion++;
      else counters.malformed++;
      return false;
    }
    if (link.info.capabilities.ipv4.verify && !ipv4.verifyChecksum(bytes, at)) {
      counters.wrongChecksum++;
      return false;
    }
    if (ipv4.headerLength(bytes, at) > ipv4.HEADER_LENGTH) {
      // RFC 1122 3.2.1.8: options that are not understood are ignored; they must still be well-formed.
      if (ipv4.checkOptions(bytes, at) !== WireError.None) {
        counters.badOptions++;
        return false;
      }
      if (ipv4.hasSourceRoute(bytes, at)) {
        counters.sourceRoute++;
        return false;
      }
    }
    if (ipv4.isFragment(bytes, at)) {
      counters.fragment++;
      return false;
    }
    // Ethernet pads short payloads (RFC 894); the packet ends where its header says.
    frame.truncate(at + ipv4.totalLength(bytes, at));
    return true;
  }

  #isForUs(packet: IpPacket, link: LinkIn): boolean {
    const { counters, addresses } = this.#ip;
    const { source, destination } = packet;
    if (link.info.isLoopback ? !source.isUnicast : addresses.isForged(source) || destination.isLoopback) {
      // RFC 1122 3.2.1.3 a: a host that does not know its address yet, such as a DHCP client, calls to all.
      if (!source.isUnspecified || !destination.isBroadcast) {
        counters.badSource++;
        return false;
      }
    }
    const scope = addresses.scope(destination);
    if (scope === Scope.Other) {
      counters.notForUs++;
      return false;
    }
    if (scope === Scope.Own && link.isGroup) {
      counters.unicastInGroup++;
      return false;
    }
    packet.isGroup = scope !== Scope.Own;
    return true;
  }
}
