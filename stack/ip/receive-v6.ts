/**
 * Every check that an IPv6 packet passes before a handler sees it (RFC 8200, RFC 4291).
 *
 * @module
 */
import { Scope } from "../host/addresses.ts";
import type { LinkIn } from "../link.ts";
import { WireError } from "../wire/error.ts";
import * as icmpv6 from "../wire/icmpv6.ts";
import * as ipv6 from "../wire/ipv6.ts";
import { Protocol } from "../wire/protocol.ts";
import type { Ip } from "./endpoint.ts";
import type { IpPacket } from "./packet.ts";

/** Whether the header of a link's packet is one that can be taken; it then ends where it says. Counts why not. */
export function checkV6({ counters }: Ip, link: LinkIn): boolean {
  const { frame, payloadAt: at } = link;
  const error = ipv6.check(frame.bytes, at, frame.end);
  if (error !== WireError.None) {
    if (error === WireError.Truncated) counters.truncated++;
    else counters.wrongVersion++;
    return false;
  }
  frame.truncate(at + ipv6.HEADER_LENGTH + ipv6.payloadLength(frame.bytes, at));
  return true;
}

/** Whether the addresses are such that the packet is this host's to take. Counts why not, and notes groups. */
export function isForUsV6(packet: IpPacket, link: LinkIn): boolean {
  const { counters, addresses } = packet.ip;
  const { source, destination } = packet;
  // RFC 4291 2.7: a group is no source. RFC 4942 2.2: mapped addresses, which stand for IPv4, are never on the wire.
  // RFC 4291 2.5.3: neither is the loopback address.
  if (
    source.isMulticast || source.isV4 || destination.isV4 ||
    ((source.isLoopback || destination.isLoopback) && !link.info.isLoopback)
  ) {
    counters.badSource++;
    return false;
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

/** Whether another host may have sent the packet: what NDP looks at itself, since it is how forgery is found out. */
export function mayHaveSent(packet: IpPacket, link: LinkIn): boolean {
  const { counters, addresses } = packet.ip;
  const { source } = packet;
  if (link.info.isLoopback ? source.isUnicast : !addresses.isForged(source)) return true;
  counters.badSource++;
  return false;
}

/** Whether the packet is one of NDP or MLD. */
export function isLinkControl(packet: IpPacket): boolean {
  if (packet.protocol !== Protocol.Icmpv6) return false;
  const { frame, payloadAt } = packet;
  return payloadAt < frame.end && icmpv6.isLinkControl(icmpv6.type(frame.bytes, payloadAt));
}

/** Whether a message of NDP or MLD is whole, and its checksum right. */
export function isControlFine(packet: IpPacket): boolean {
  const { frame, payloadAt: at, source, destination } = packet;
  if (icmpv6.check(frame.bytes, at, frame.end) !== WireError.None) return false;
  return !packet.info.capabilities.icmpv6.verify ||
    icmpv6.verifyChecksum(frame.bytes, at, frame.end, source, destination);
}
