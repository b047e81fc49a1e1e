/**
 * Every check that an IPv4 packet passes before a handler sees it (RFC 791, RFC 1122 3.2.1).
 *
 * @module
 */
import { Scope } from "../host/addresses.ts";
import type { LinkIn } from "../link.ts";
import { WireError } from "../wire/error.ts";
import * as ipv4 from "../wire/ipv4.ts";
import { Protocol } from "../wire/protocol.ts";
import type { Ip } from "./endpoint.ts";
import type { IpPacket } from "./packet.ts";

/** Whether the header of a link's packet is one that can be taken; it then ends where it says. Counts why not. */
export function checkV4({ counters }: Ip, link: LinkIn): boolean {
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
  // Ethernet pads short payloads (RFC 894); the packet ends where its header says.
  frame.truncate(at + ipv4.totalLength(bytes, at));
  return true;
}

/** Whether the addresses are such that the packet is this host's to take. Counts why not, and notes groups. */
export function isForUsV4(packet: IpPacket, link: LinkIn): boolean {
  const { counters, addresses } = packet.ip;
  const { source, destination } = packet;
  if (link.info.isLoopback ? !source.isUnicast : addresses.isForged(source) || destination.isLoopback) {
    // RFC 1122 3.2.1.3 a: a host that does not know its address yet, such as a DHCP client, calls to all. RFC 4541 2.1.1,
    // RFC 3376 4.2.13: switches without one ask for groups, and hosts report theirs.
    const isIgmp = packet.protocol === Protocol.Igmp && destination.isMulticast;
    if (!source.isUnspecified || !(destination.isBroadcast || isIgmp)) {
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
