/**
 * What an {@linkcode Ip} endpoint does with a link's packet: by family, until a handler sees it.
 *
 * @module
 */
import type { Receiver } from "../handler.ts";
import type { LinkIn } from "../link.ts";
import { EtherType } from "../wire/ethernet.ts";
import type { Ip } from "./endpoint.ts";
import { type IpIn, IpPacket } from "./packet.ts";
import { checkV4, isForUsV4 } from "./receive-v4.ts";
import { checkV6, isControlFine, isExtension, isForUsV6, isLinkControl, mayHaveSent } from "./receive-v6.ts";

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
    else if (etherType === EtherType.Ipv6) this.#receiveV6(link);
    else if (etherType === EtherType.Arp) this.#arp.receive(link);
    else this.#ip.counters.otherEtherType++;
  }

  #receiveV4(link: LinkIn): void {
    if (!checkV4(this.#ip, link)) return;
    const packet = this.#packet.enterInV4(link);
    if (isForUsV4(packet, link)) this.#hand(packet);
    packet.leave();
  }

  #receiveV6(link: LinkIn): void {
    if (!checkV6(this.#ip, link)) return;
    const packet = this.#packet.enterInV6(link);
    if (isForUsV6(packet, link)) {
      if (isExtension(packet.protocol)) this.#ip.counters.extensionHeader++;
      else if (isLinkControl(packet)) this.#control(packet);
      else if (mayHaveSent(packet, link)) this.#hand(packet);
    }
    packet.leave();
  }

  #hand(packet: IpPacket): void {
    this.#ip.counters.received++;
    this.#upper.receive(packet);
  }

  #control(packet: IpPacket): void {
    const { counters, linkControl } = this.#ip;
    if (linkControl === undefined || !isControlFine(packet)) counters.badLinkControl++;
    else {
      counters.linkControl++;
      linkControl.receive(packet);
    }
  }
}
