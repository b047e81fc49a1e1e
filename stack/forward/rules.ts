/**
 * Which packets a router passes on at all (RFC 1812 5.3, RFC 4291 2.5).
 *
 * @module
 */
import type { IpIn } from "../ip/packet.ts";
import type { Address } from "../wire/address.ts";
import type { ForwardCounters } from "./counters.ts";

/** Whether a packet for another host may leave this link. Counts why not. */
export function mayLeave(packet: IpIn, counters: ForwardCounters): boolean {
  const { source, destination } = packet;
  // RFC 1812 5.3.7: a source must be one host's. RFC 4291 2.5.6 and RFC 3927 7: what is link-local stays on its link.
  if (!isRoutable(source) || packet.ip.addresses.isForged(source)) {
    counters.martianSource++;
    return false;
  }
  if (!isRoutable(destination)) {
    counters.martianDestination++;
    return false;
  }
  // RFC 1812 5.3.4: what the link has sent to many is not passed on, or copies would multiply.
  if (packet.link.isGroup) {
    counters.linkBroadcast++;
    return false;
  }
  return true;
}

/** Whether an address means one host, and the same one everywhere. */
function isRoutable(address: Address): boolean {
  if (!address.isUnicast || address.isLoopback || address.isLinkLocal) return false;
  // RFC 1812 5.3.7: 0/8 is "this network". 240/4 is no unicast address at all.
  return !address.isV4 || address.d >>> 24 !== 0;
}
