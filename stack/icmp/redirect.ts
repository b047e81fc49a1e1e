/**
 * Redirects of IPv4 as they are received: RFC 1122 3.2.2.2.
 *
 * @module
 */
import { RouteKind } from "../host/routes.ts";
import { Address } from "../wire/address.ts";
import type { IcmpIn } from "./packet.ts";
import type { Quote } from "./quote.ts";

/** Redirects for the network or the host, each also for a type of service: all are taken as for the host. */
const CODE_MAX = 3;

const gateway = new Address();

/** Follows a redirect; false: it is none to be followed. */
export function followRedirect(packet: IcmpIn, quote: Quote): boolean {
  const { ip, source, isGroup } = packet.ip;
  // RFC 1812 5.2.7.2: routers find their ways themselves.
  if (ip.isRouter || isGroup || packet.code > CODE_MAX || !quote.read(packet)) return false;
  const { addresses, routes, redirects } = ip;
  const { destination } = quote;
  gateway.setV4(packet.rest | 0);
  if (!destination.isUnicast || destination.isLoopback || addresses.onLink(destination) !== undefined) {
    return false;
  }
  // The new gateway must be on the link, and another host.
  if (addresses.isForged(gateway) || addresses.onLink(gateway) === undefined) return false;
  // Only the gateway that packets to the destination go to now may say so.
  const now = packet.info.timestamp;
  const route = routes.lookup(destination, now);
  if (route === undefined || route.kind !== RouteKind.Gateway || !route.gateway.equals(source)) return false;
  redirects.follow(destination, gateway, now);
  return true;
}
