/**
 * Whose a received frame is, where several stacks share one NIC and one host: the stack's that has its flow, or the one
 * that speaks for the host.
 *
 * @module
 */
import type { Frame } from "../../stack/frame.ts";
import { Medium } from "../../stack/slot.ts";
import { get16 } from "../../stack/wire/bytes.ts";
import * as ethernet from "../../stack/wire/ethernet.ts";
import * as ipv4 from "../../stack/wire/ipv4.ts";
import * as ipv6 from "../../stack/wire/ipv6.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import { TAG_LENGTH } from "../../stack/wire/vlan.ts";

const { EtherType } = ethernet;

/** MLD's, NDP's and MLDv2's types (RFC 2710 3, RFC 4861 4, RFC 3810 5.2). */
const CONTROL_FIRST = 130, CONTROL_LAST = 137, MLD2_REPORT = 143;

/** Extension headers that are looked behind. */
const EXTENSIONS = 8;

/** Where a UDP header has its destination port, and how long it is at least. */
const PORT_AT = 2, UDP_LENGTH = 8;

/** Sorts the frames of one NIC. */
export class Sorter {
  readonly #medium: Medium;
  readonly #ports: ReadonlySet<number>;

  /** `ports`: those of UDP on which the host itself has conversations. */
  constructor(medium: Medium, ports: Iterable<number>) {
    this.#medium = medium;
    this.#ports = new Set(ports);
  }

  /** Where in a frame its IP packet begins; -1: it has none. */
  packetAt({ bytes, start, end }: Frame): number {
    if (this.#medium === Medium.Ip) return start;
    if (end - start < ethernet.HEADER_LENGTH) return -1;
    const type = ethernet.etherType(bytes, start);
    if (type === EtherType.Ipv4 || type === EtherType.Ipv6) return start + ethernet.HEADER_LENGTH;
    if (type !== EtherType.Vlan || end - start < ethernet.HEADER_LENGTH + TAG_LENGTH) return -1;
    const inner = get16(bytes, start + ethernet.HEADER_LENGTH + TAG_LENGTH - 2);
    const isIp = inner === EtherType.Ipv4 || inner === EtherType.Ipv6;
    return isIp ? start + ethernet.HEADER_LENGTH + TAG_LENGTH : -1;
  }

  /**
   * Whether a frame is for who speaks for the host: all that is sent to a group or is no IP, what is the link's own (ARP,
   * NDP, IGMP, MLD), and UDP to its ports. Of a packet in fragments it is not known, so it is not.
   */
  isForHost(frame: Frame): boolean {
    const { bytes, start, end } = frame;
    if (this.#medium !== Medium.Ip && end > start && (bytes[start]! & 1) !== 0) return true;
    const at = this.packetAt(frame);
    if (at < 0) return true;
    if (end - at < ipv4.HEADER_LENGTH) return false;
    return bytes[at]! >>> 4 === 4 ? this.#isHostsV4(bytes, at, end) : this.#isHostsV6(bytes, at, end);
  }

  #isHostsV4(bytes: Uint8Array, at: number, end: number): boolean {
    // RFC 1112 4, RFC 919 7: groups, and all hosts. A link without groups of its own does not tell.
    if (bytes[at + ipv4.DESTINATION]! >= 224) return true;
    const protocol = ipv4.protocol(bytes, at);
    if (protocol === Protocol.Igmp) return true;
    if (protocol !== Protocol.Udp || ipv4.isFragment(bytes, at)) return false;
    return this.#isHostsUdp(bytes, at + ipv4.headerLength(bytes, at), end);
  }

  #isHostsV6(bytes: Uint8Array, at: number, end: number): boolean {
    if (end - at < ipv6.HEADER_LENGTH) return false;
    if (bytes[at + ipv6.DESTINATION] === 0xff) return true;
    let protocol = ipv6.nextHeader(bytes, at);
    let next = at + ipv6.HEADER_LENGTH;
    for (let count = 0; count < EXTENSIONS && isPassedOver(protocol); count++) {
      if (end - next < 8) return false;
      protocol = bytes[next]!;
      next += (bytes[next + 1]! + 1) << 3;
    }
    if (protocol === Protocol.Udp) return this.#isHostsUdp(bytes, next, end);
    if (protocol !== Protocol.Icmpv6 || next >= end) return false;
    const type = bytes[next]!;
    return (type >= CONTROL_FIRST && type <= CONTROL_LAST) || type === MLD2_REPORT;
  }

  #isHostsUdp(bytes: Uint8Array, at: number, end: number): boolean {
    return end - at >= UDP_LENGTH && this.#ports.has(get16(bytes, at + PORT_AT));
  }
}

function isPassedOver(protocol: number): boolean {
  return protocol === Protocol.HopByHop || protocol === Protocol.Destination;
}
