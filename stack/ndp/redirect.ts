/**
 * Redirects as they are received: RFC 4861 8.1 and 8.3.
 *
 * @module
 */
import { RouteKind } from "../host/routes.ts";
import type { IpIn } from "../ip/packet.ts";
import { Address } from "../wire/address.ts";
import { Mac } from "../wire/mac.ts";
import * as wire from "../wire/ndp.ts";
import { OptionType, readLinkAddress } from "../wire/ndp-options.ts";
import type { Ndp } from "./endpoint.ts";

const target = new Address();
const destination = new Address();
const mac = new Mac();

/** Takes a redirect. */
export function receiveRedirect(ndp: Ndp, packet: IpIn): void {
  const { frame, payloadAt: at, info } = packet;
  target.readV6(frame.bytes, at + wire.TARGET);
  destination.readV6(frame.bytes, at + wire.REDIRECT_DESTINATION);
  if (!isValid(ndp, packet)) {
    ndp.counters.badRedirect++;
    return;
  }
  ndp.counters.received++;
  ndp.counters.redirects++;
  ndp.redirects.follow(destination, target, info.timestamp);
  const { neighbours } = ndp.ip;
  const optionsAt = at + wire.REDIRECT_LENGTH;
  if (readLinkAddress(frame.bytes, optionsAt, frame.end, OptionType.TargetLinkAddress, mac)) {
    neighbours.hear(target, mac, true);
  }
  // RFC 4861 8.3: whoever is not the destination itself is a router.
  if (!target.equals(destination)) neighbours.setRouter(target, true);
}

function isValid({ ip }: Ndp, packet: IpIn): boolean {
  const { source, info } = packet;
  if (!source.isLinkLocal || packet.isGroup) return false;
  if (!destination.isUnicast || destination.isV4 || destination.isLinkLocal || destination.isLoopback) {
    return false;
  }
  // RFC 4861 8.1: to another router, by its link-local address, or to the destination as one on the link.
  if (!target.equals(destination) && !target.isLinkLocal) return false;
  if (ip.addresses.find(destination) !== undefined || ip.addresses.find(target) !== undefined) return false;
  // RFC 4861 8.1: only from the router that packets to the destination are sent to now.
  if (ip.addresses.onLink(destination) !== undefined) return false;
  const route = ip.routes.lookup(destination, info.timestamp);
  return route !== undefined && route.kind === RouteKind.Gateway && route.gateway.equals(source);
}
