/**
 * What an {@linkcode Ip} endpoint does with a link's packet: by family, until a handler sees it.
 *
 * @module
 */
import type { Receiver } from "../handler.ts";
import { Scope } from "../host/addresses.ts";
import type { LinkIn } from "../link.ts";
import { EtherType } from "../wire/ethernet.ts";
import * as ipv4 from "../wire/ipv4.ts";
import * as extension from "../wire/ipv6-extension.ts";
import { Protocol } from "../wire/protocol.ts";
import type { Ip } from "./endpoint.ts";
import { Walk, walk } from "./extensions.ts";
import { LargeLink } from "./large-link.ts";
import { type IpIn, IpPacket } from "./packet.ts";
import { Fragment } from "./reassembly.ts";
import { readV4, readV6 } from "./receive-fragment.ts";
import { checkV4, isForUsV4 } from "./receive-v4.ts";
import { checkV6, isControlFine, isForUsV6, isLinkControl, mayHaveSent } from "./receive-v6.ts";

/** The place of an {@linkcode Ip} endpoint in a receiving tree. */
export class IpReceiver implements Receiver<LinkIn> {
  readonly #ip: Ip;
  readonly #upper: Receiver<IpIn>;
  readonly #transit: Receiver<IpIn> | undefined;
  readonly #arp: Receiver<LinkIn>;
  readonly #packet: IpPacket;
  readonly #fragment = new Fragment();
  /** Where packets are taken that were put together; made for the first. */
  #whole: { readonly packet: IpPacket; readonly link: LargeLink } | undefined;

  /** A place below `upper`, and below `transit` for what is for other hosts. */
  constructor(ip: Ip, upper: Receiver<IpIn>, transit: Receiver<IpIn> | undefined) {
    this.#ip = ip;
    this.#upper = upper;
    this.#transit = transit;
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
    if (this.#transit !== undefined && this.#isForOther(packet)) this.#pass(packet);
    else if (isForUsV4(packet, link)) {
      if (!ipv4.isFragment(packet.frame.bytes, packet.headerAt)) {
        if (packet.protocol === Protocol.Igmp && this.#ip.linkControl !== undefined) {
          this.#receiveIgmp(packet);
        } else this.#hand(packet);
      } else if (readV4(packet, this.#fragment)) this.#collect(packet, link);
    }
    packet.leave();
  }

  #receiveV6(link: LinkIn): void {
    if (!checkV6(this.#ip, link)) return;
    const packet = this.#packet.enterInV6(link);
    if (this.#transit !== undefined && this.#isForOther(packet)) this.#pass(packet);
    else if (isForUsV6(packet, link)) this.#behindHeader(packet, link, false);
    packet.leave();
  }

  #pass(packet: IpPacket): void {
    packet.isGroup = false;
    this.#transit!.receive(packet);
  }

  /** Whether the packet is for one other host: what a router may pass on. */
  #isForOther({ destination }: IpPacket): boolean {
    return destination.isUnicast && this.#ip.addresses.scope(destination) === Scope.Other;
  }

  /** Takes an IPv6 packet from its first extension header on, if it has any. */
  #behindHeader(packet: IpPacket, link: LinkIn, isWhole: boolean): void {
    const { protocol } = packet;
    const end = extension.isExtension(protocol) || protocol === Protocol.None ? walk(packet) : Walk.Payload;
    if (end === Walk.Dropped) return;
    if (end === Walk.Fragment) {
      // RFC 8200 4.5: a packet that was put together has no more fragment headers that divide it.
      if (isWhole) this.#ip.counters.badFragment++;
      else if (mayHaveSent(packet, link) && readV6(packet, this.#fragment)) this.#collect(packet, link);
    } else if (isLinkControl(packet)) this.#control(packet, isWhole || end === Walk.Atomic);
    else if (mayHaveSent(packet, link)) this.#hand(packet);
  }

  /** Keeps a fragment, and takes the packet if it is whole now. */
  #collect(packet: IpPacket, link: LinkIn): void {
    const { reassembly, counters, large } = this.#ip;
    const index = reassembly.add(this.#fragment, packet.frame.bytes, link.info.timestamp);
    if (index < 0) return;
    const { isV4, isGroup } = packet;
    const frame = large.take();
    const isWritten = frame !== undefined && reassembly.write(index, frame);
    reassembly.release(index);
    if (frame === undefined) counters.fragmentOverflow++;
    else if (!isWritten) {
      counters.badFragment++;
      large.give(frame);
    } else {
      counters.reassembled++;
      const whole = this.#whole ??= { packet: new IpPacket(this.#ip), link: new LargeLink(this.#ip) };
      whole.link.enter(frame, link, link.etherType, link.isGroup);
      if (isV4) this.#handWhole(whole.packet.enterInV4(whole.link), isGroup);
      else {
        whole.packet.enterInV6(whole.link).isGroup = isGroup;
        this.#behindHeader(whole.packet, whole.link, true);
      }
      whole.packet.leave();
      whole.link.leave();
    }
  }

  #handWhole(packet: IpPacket, isGroup: boolean): void {
    packet.isGroup = isGroup;
    this.#hand(packet);
  }

  #hand(packet: IpPacket): void {
    this.#ip.counters.received++;
    this.#upper.receive(packet);
  }

  #receiveIgmp(packet: IpPacket): void {
    this.#ip.counters.linkControl++;
    this.#ip.linkControl?.receive(packet);
  }

  #control(packet: IpPacket, wasFragment: boolean): void {
    const { counters, linkControl } = this.#ip;
    // RFC 6980 5: nobody sends NDP in fragments but those who want to pass filters.
    if (linkControl === undefined || wasFragment || !isControlFine(packet)) counters.badLinkControl++;
    else {
      counters.linkControl++;
      linkControl.receive(packet);
    }
  }
}
