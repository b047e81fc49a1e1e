/**
 * One link of a router: what becomes of a packet that came in by it for another host.
 *
 * @module
 */
import { LayerError } from "../error.ts";
import { type Frame, Segmentation } from "../frame.ts";
import type { Receiver } from "../handler.ts";
import type { Origin } from "../host/neighbours.ts";
import { RouteKind } from "../host/routes.ts";
import type { Ip } from "../ip/endpoint.ts";
import type { IpIn } from "../ip/packet.ts";
import type { LinkOutlet } from "../link.ts";
import { completeChecksum } from "../offload.ts";
import type { Instant } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import { get16 } from "../wire/bytes.ts";
import { update16 } from "../wire/checksum.ts";
import { EtherType } from "../wire/ethernet.ts";
import * as icmpv4 from "../wire/icmpv4.ts";
import * as icmpv6 from "../wire/icmpv6.ts";
import * as ipv4 from "../wire/ipv4.ts";
import * as ipv6 from "../wire/ipv6.ts";
import { Mac } from "../wire/mac.ts";
import * as tcp from "../wire/tcp.ts";
import * as udp from "../wire/udp.ts";
import type { Forwarder, PortOptions } from "./endpoint.ts";
import { Fragmenter, type FragmentInit } from "./fragment.ts";
import { WaitingLine } from "./line.ts";
import { mayLeave } from "./rules.ts";
import { Way } from "./way.ts";

/** RFC 791 3.2: every link carries this. */
const LEAST_MTU_V4 = 68;

/** Where the word lies that holds the hop limit, and that word's step. */
const HOP_LIMIT_WORD = 8, HOP_LIMIT_STEP = 0x100;

class ReusedLinkInit implements FragmentInit {
  readonly destination = new Mac();
  etherType = 0;
  length = 0;
  segmentLength = 0;
}

/** The place of a {@linkcode Forwarder} in a link's receiving tree. */
export class ForwardPort implements Receiver<IpIn> {
  /** The host on that link. */
  readonly ip: Ip;
  /** The way out by it. */
  readonly link: LinkOutlet;
  /** Has its sender asked. */
  readonly wake: () => void;
  readonly #router: Forwarder;
  readonly #way = new Way();
  readonly #init = new ReusedLinkInit();
  readonly #fragmenter = new Fragmenter();
  readonly #line = new WaitingLine();
  /** RFC 1812 4.3.3.1, RFC 4861 7.2.2: the sender is told by the link that the packet came from. */
  readonly #origin: Origin = {
    undelivered: (packet) => {
      this.#router.counters.undelivered++;
      this.ip.undelivered.undelivered(packet);
      this.wake();
    },
  };
  // The way of the last packet: most go where the one before went.
  readonly #destination = new Address();
  #out: ForwardPort | undefined;
  #version = -1;
  #until: Instant = 0;

  /** A port of a router. */
  constructor(router: Forwarder, { ip, link, wake }: PortOptions) {
    this.#router = router;
    this.ip = ip;
    this.link = link;
    this.wake = wake;
  }

  receive(packet: IpIn): void {
    const { counters } = this.#router;
    counters.received++;
    if (!mayLeave(packet, counters)) return;
    // RFC 1812 5.3.1, RFC 8200 3: what would arrive with a hop limit of 0 is dropped.
    if (packet.hopLimit <= 1) {
      counters.hopLimit++;
      this.#report(packet, packet.isV4 ? icmpv4.Type.TimeExceeded : icmpv6.Type.TimeExceeded, 0, 0);
      return;
    }
    const out = this.#find(packet);
    if (out === undefined) return;
    const { frame, headerAt: at, isV4 } = packet;
    const length = frame.end - at;
    const { mtu } = out.link.info;
    const segmentLength = segmentLengthOf(frame, at);
    const isLong = (segmentLength === 0 ? length : segmentLength) > mtu;
    if (isLong && !this.#mayBeCut(packet, mtu)) {
      counters.tooBig++;
      const { DestinationUnreachable } = icmpv4.Type, { FragmentationNeeded } = icmpv4.Unreachable;
      if (isV4) this.#report(packet, DestinationUnreachable, FragmentationNeeded, mtu);
      else this.#report(packet, icmpv6.Type.PacketTooBig, 0, Math.max(mtu, ipv6.MTU_MIN));
      return;
    }
    if (!this.#resolve(packet, out, isLong)) return;
    spendHop(packet);
    const init = this.#init;
    init.etherType = isV4 ? EtherType.Ipv4 : EtherType.Ipv6;
    init.length = length;
    init.segmentLength = segmentLength;
    const error = isLong
      ? this.#fragmenter.send(frame, at, mtu, out.link, init)
      : out.link.transmit(frame, init);
    if (isLong) counters.fragments += this.#fragmenter.count;
    if (error === LayerError.None) counters.forwarded++;
    else counters.notSent++;
  }

  /** RFC 791 3.2: whether a packet that is too long may be fragmented. RFC 8200 5: IPv6's never. */
  #mayBeCut({ isV4, frame, headerAt }: IpIn, mtu: number): boolean {
    return isV4 && frame.segmentation === Segmentation.None && mtu >= LEAST_MTU_V4 &&
      !ipv4.dontFragment(frame.bytes, headerAt);
  }

  /** The link that a packet leaves by; what is remembered of the last way still holds if nothing has changed. */
  #find(packet: IpIn): ForwardPort | undefined {
    const { counters, ports } = this.#router;
    const { destination, info: { timestamp: now } } = packet;
    if (this.#version === this.#tables() && now < this.#until && this.#destination.equals(destination)) {
      return this.#out;
    }
    this.#version = -1;
    const way = this.#way;
    if (!way.find(ports, destination, now)) {
      counters.noRoute++;
      // RFC 1812 5.2.7.1, RFC 4443 3.1: no route to the destination.
      this.#unreachable(packet, icmpv4.Unreachable.Net, icmpv6.Unreachable.NoRoute);
      return undefined;
    }
    if (way.kind >= RouteKind.Unreachable) {
      counters.refusedByRoute++;
      if (way.kind === RouteKind.Unreachable) {
        this.#unreachable(packet, icmpv4.Unreachable.Host, icmpv6.Unreachable.RejectRoute);
      }
      return undefined;
    }
    // RFC 2644 2: no router passes on a broadcast to a link that its sender is not on.
    if (way.port?.ip.addresses.isDirectedBroadcast(destination) === true) {
      counters.directedBroadcast++;
      return undefined;
    }
    return way.port;
  }

  /** Finds the next hop's link address. False: it is not known, and the packet waits or is gone. */
  #resolve(packet: IpIn, out: ForwardPort, isLong: boolean): boolean {
    if (this.#version >= 0 || !out.link.resolves) return true;
    const { neighbours } = out.ip;
    const { nextHop } = this.#way;
    const now = packet.info.timestamp;
    const init = this.#init;
    if (neighbours.lookup(nextHop, now, init.destination) !== LayerError.None) {
      this.#wait(packet, out, isLong);
      return false;
    }
    this.#destination.copy(packet.destination);
    this.#out = out;
    this.#until = Math.min(neighbours.trustedUntil(nextHop, now), this.#way.expires);
    this.#version = this.#tables();
    return true;
  }

  /** RFC 1812 3.3.2: a router does not drop what only waits for a link address. */
  #wait(packet: IpIn, out: ForwardPort, isLong: boolean): void {
    const { counters } = this.#router;
    const { frame, headerAt: at, isV4 } = packet;
    const { mtu } = out.link.info;
    const { neighbours } = out.ip;
    const line = this.#line.enter(
      neighbours.waiting,
      neighbours.incomplete(this.#way.nextHop),
      out.link,
      this.#origin,
    );
    const isMany = frame.segmentation !== Segmentation.None;
    if (line === undefined || isMany || !neighbours.waiting.takes(Math.min(frame.end - at, mtu))) {
      counters.unresolved++;
    } else {
      spendHop(packet);
      completeChecksum(frame);
      const init = this.#init;
      init.etherType = isV4 ? EtherType.Ipv4 : EtherType.Ipv6;
      frame.start = at;
      const error = isLong ? this.#fragmenter.send(frame, at, mtu, line, init) : line.transmit(frame, init);
      if (error === LayerError.None) counters.waited++;
      else counters.notSent++;
    }
    // The link's sender asks for the address; it may be asleep.
    out.wake();
  }

  #tables(): number {
    const { ports } = this.#router;
    let version = 0;
    for (let index = 0; index < ports.length; index++) {
      const { addresses, routes, neighbours } = ports[index]!.ip;
      version += addresses.version + routes.version + neighbours.version;
    }
    return version;
  }

  #unreachable(packet: IpIn, codeV4: number, codeV6: number): void {
    if (packet.isV4) this.#report(packet, icmpv4.Type.DestinationUnreachable, codeV4, 0);
    else this.#report(packet, icmpv6.Type.DestinationUnreachable, codeV6, 0);
  }

  /** RFC 1812 4.3.2: errors go back by the link that the packet came from, in its buffer, and not too many of them. */
  #report(packet: IpIn, type: number, code: number, rest: number): void {
    const { counters } = this.#router;
    if (this.ip.errors.report(packet, type, code, rest) === LayerError.None) counters.errorsSent++;
    else counters.errorsNotSent++;
  }
}

/** The length of the packets that a frame of many segments becomes; 0: it is one packet. */
function segmentLengthOf({ bytes, segmentation, segmentSize, checksumAt }: Frame, at: number): number {
  if (segmentation === Segmentation.None) return 0;
  const header = segmentation === Segmentation.Udp ? udp.HEADER_LENGTH : tcp.headerLength(bytes, checksumAt);
  return checksumAt + header + segmentSize - at;
}

/** Takes one of the hops that a packet may still make; IPv4's checksum follows by RFC 1624. */
function spendHop({ isV4, frame, headerAt: at, hopLimit, info }: IpIn): void {
  const { bytes } = frame;
  if (!isV4) {
    ipv6.setHopLimit(bytes, at, hopLimit - 1);
    return;
  }
  const word = get16(bytes, at + HOP_LIMIT_WORD);
  ipv4.setHopLimit(bytes, at, hopLimit - 1);
  // A link that leaves checksums open has none to follow.
  if (!info.capabilities.ipv4.verify) return;
  ipv4.setHeaderChecksum(bytes, at, update16(ipv4.headerChecksum(bytes, at), word, word - HOP_LIMIT_STEP));
}
