/**
 * What is a fragment in a received packet, and the checks that it passes before it is kept (RFC 791 3.2, RFC 8200 4.5).
 *
 * @module
 */
import * as icmpv6 from "../wire/icmpv6.ts";
import * as ipv4 from "../wire/ipv4.ts";
import * as extension from "../wire/ipv6-extension.ts";
import { isChainWhole } from "./extensions.ts";
import type { IpPacket } from "./packet.ts";
import type { Fragment } from "./reassembly.ts";

/** The longest payload that either header can tell. */
const LENGTH_MAX = 65_535;
/** Where in an IPv6 header the payload's length lies. */
const PAYLOAD_LENGTH = 4;

/** Reads the fragment that an IPv4 packet is; false: it is none that can be, which was counted. */
export function readV4(packet: IpPacket, fragment: Fragment): boolean {
  const { bytes, end } = packet.frame;
  const { headerAt: at, payloadAt } = packet;
  describe(packet, fragment);
  fragment.isV4 = true;
  fragment.identification = ipv4.identification(bytes, at);
  fragment.protocol = packet.protocol;
  fragment.offset = ipv4.fragmentOffset(bytes, at);
  fragment.isLast = !ipv4.moreFragments(bytes, at);
  fragment.dataAt = payloadAt;
  const length = end - payloadAt;
  const isFine = length > 0 && (fragment.isLast || length % 8 === 0) &&
    payloadAt - at + fragment.offset + length <= LENGTH_MAX;
  if (!isFine) packet.ip.counters.badFragment++;
  return isFine;
}

/** Reads the fragment whose header an IPv6 packet has at `payloadAt`; false: none, which was counted and reported. */
export function readV6(packet: IpPacket, fragment: Fragment): boolean {
  const { bytes, end } = packet.frame;
  const { headerAt, payloadAt: at } = packet;
  describe(packet, fragment);
  fragment.isV4 = false;
  fragment.identification = extension.identification(bytes, at);
  fragment.protocol = 0;
  fragment.offset = extension.fragmentOffset(bytes, at);
  fragment.isLast = !extension.moreFragments(bytes, at);
  fragment.dataAt = at + extension.FRAGMENT_LENGTH;
  const length = end - fragment.dataAt;
  // RFC 8200 4.5: where the length is wrong, and where the whole would be longer than any packet, the sender is told.
  if (!fragment.isLast && length % 8 !== 0) return refuse(packet, icmpv6.Problem.Field, PAYLOAD_LENGTH);
  if (fragment.offset + length > LENGTH_MAX) {
    return refuse(packet, icmpv6.Problem.Field, at + extension.FRAGMENT_OFFSET - headerAt);
  }
  const first = extension.nextHeader(bytes, at);
  if (fragment.offset === 0 && !isChainWhole(packet, first, fragment.dataAt)) {
    return refuse(packet, icmpv6.Problem.FirstFragment, 0);
  }
  if (length > 0) return true;
  packet.ip.counters.badFragment++;
  return false;
}

function describe(packet: IpPacket, fragment: Fragment): void {
  fragment.isGroup = packet.isGroup;
  fragment.source = packet.source;
  fragment.destination = packet.destination;
  fragment.ecn = packet.trafficClass & 3;
  fragment.headerAt = packet.headerAt;
  fragment.protocolAt = packet.protocolAt;
  fragment.end = packet.frame.end;
}

function refuse(packet: IpPacket, code: number, pointer: number): boolean {
  packet.ip.counters.badFragment++;
  packet.ip.report(packet, icmpv6.Type.ParameterProblem, code, pointer);
  return false;
}
