/**
 * Router advertisements as they are received: RFC 4861 6.1.2 and 6.3.4, RFC 4862 5.5.3, RFC 8106 5.3.1.
 *
 * @module
 */
import { RouteKind } from "../host/routes.ts";
import type { IpIn } from "../ip/packet.ts";
import { type Instant, milliseconds, NEVER, seconds } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import { Cidr } from "../wire/cidr.ts";
import { readNames } from "../wire/dns-name.ts";
import { MTU_MIN } from "../wire/ipv6.ts";
import { Mac } from "../wire/mac.ts";
import * as wire from "../wire/ndp.ts";
import * as options from "../wire/ndp-options.ts";
import { DNS_MAX } from "./dns.ts";
import type { Ndp } from "./endpoint.ts";
import { METRIC } from "./routers.ts";

const { OptionType, PrefixFlag } = options;
const { RouterFlag } = wire;

/** Options of one advertisement that are read; more have no use, and cost time. */
const OPTIONS_MAX = 64;
/** Prefixes that are on the link by routers' word. */
const ON_LINK_MAX = 32;
// What a router may set: RFC 4861 6.2.1 allows a reachable time of an hour; a retransmission timer of less than this
// would make a host flood its link, a longer one would keep it from talking.
const REACHABLE_MAX = seconds(3_600), RETRY_MIN = milliseconds(100), RETRY_MAX = seconds(60);

/** The least hop limit that is followed. Paths in the Internet are shorter; one hop would be a way to silence a host. */
const HOP_LIMIT_MIN = 32;

const BASE_REACHABLE = seconds(30);

const address = new Address();
const mac = new Mac();

/** Takes an advertisement. */
export function receiveRouterAdvertisement(ndp: Ndp, packet: IpIn): void {
  const { counters } = ndp;
  const { source } = packet;
  // RFC 4861 6.1.2: only link-local addresses, so that a router is known by one of them.
  if (!source.isLinkLocal || ndp.ip.addresses.find(source) !== undefined) {
    counters.badAddress++;
    return;
  }
  counters.received++;
  if (!ndp.isAutoconfigured) return;
  counters.routerAdvertisements++;
  parameters(ndp, packet);
  router(ndp, packet);
  const { bytes, end } = packet.frame;
  let option = packet.payloadAt + wire.ROUTER_ADVERTISEMENT_LENGTH;
  for (let count = 0; option < end && count < OPTIONS_MAX; count++) {
    takeOption(ndp, packet, option);
    option += options.optionLength(bytes, option);
  }
  ndp.foundRouter();
  ndp.wake();
}

/** RFC 4861 6.3.4: what a router does not specify stays as it was. */
function parameters(ndp: Ndp, { frame, payloadAt: at }: IpIn): void {
  const { bytes } = frame;
  const hopLimit = wire.currentHopLimit(bytes, at);
  if (hopLimit !== 0) takeHopLimit(ndp, hopLimit);
  const flags = wire.routerFlags(bytes, at);
  ndp.managed = (flags & RouterFlag.Managed) !== 0;
  ndp.otherConfiguration = (flags & RouterFlag.Other) !== 0;
  const retry = milliseconds(wire.retransTimer(bytes, at));
  if (retry !== 0) ndp.retry = Math.min(Math.max(retry, RETRY_MIN), RETRY_MAX);
  const reachable = milliseconds(wire.reachableTime(bytes, at));
  if (reachable !== 0 && reachable <= REACHABLE_MAX) ndp.reachableTime = reachable;
  ndp.ip.neighbours.setTimes(false, ndp.reachableTime || BASE_REACHABLE, ndp.retry);
}

/** One that is too small to leave for the world is not followed: it would cut the host off. */
function takeHopLimit(ndp: Ndp, hopLimit: number): void {
  ndp.hopLimit = hopLimit;
  if (hopLimit >= HOP_LIMIT_MIN) ndp.ip.hopLimitV6 = hopLimit;
}

function router(ndp: Ndp, packet: IpIn): void {
  const { frame, payloadAt: at, source, info } = packet;
  const { bytes, end } = frame;
  const { neighbours } = ndp.ip;
  const optionsAt = at + wire.ROUTER_ADVERTISEMENT_LENGTH;
  if (options.readLinkAddress(bytes, optionsAt, end, OptionType.SourceLinkAddress, mac)) {
    neighbours.hear(source, mac, true);
  }
  neighbours.setRouter(source, true);
  const lifetime = seconds(wire.routerLifetime(bytes, at));
  if (lifetime === 0) ndp.redirects.routerGone(source);
  if (!ndp.routers.advertised(source, lifetime, wire.preference(bytes, at), info.timestamp)) {
    ndp.counters.overLimit++;
  }
}

function takeOption(ndp: Ndp, packet: IpIn, option: number): void {
  const { bytes } = packet.frame;
  const now = packet.info.timestamp;
  switch (options.optionType(bytes, option)) {
    case OptionType.Prefix:
      if (options.isPrefix(bytes, option)) takePrefix(ndp, bytes, option, now);
      break;
    case OptionType.Mtu: {
      // RFC 4861 6.3.4: from the least that IPv6 needs to what the link can carry.
      const mtu = options.isMtu(bytes, option) ? options.mtu(bytes, option) : 0;
      if (mtu < MTU_MIN || mtu > packet.info.mtu) break;
      ndp.mtu = mtu;
      ndp.ip.pathMtus.setLinkMtu(false, mtu);
      break;
    }
    case OptionType.DnsServers:
      takeServers(ndp, bytes, option, now);
      break;
    case OptionType.DnsSearch:
      takeDomains(ndp, bytes, option, now);
  }
}

function takePrefix(ndp: Ndp, bytes: Uint8Array, option: number, now: Instant): void {
  address.readV6(bytes, option + options.PREFIX);
  const length = options.prefixLength(bytes, option);
  const flags = options.prefixFlags(bytes, option);
  const valid = lifetime(options.validLifetime(bytes, option));
  const preferred = lifetime(options.preferredLifetime(bytes, option));
  // RFC 4861 6.3.4, RFC 4862 5.5.3 a to c: nothing is learnt of the link-local prefix, or of no network's.
  if (address.isLinkLocal || !address.isUnicast || address.isV4 || address.isLoopback || length === 0) return;
  const prefix = new Cidr(new Address().copy(address), length);
  if ((flags & PrefixFlag.OnLink) !== 0) onLink(ndp, prefix, valid, now);
  if ((flags & PrefixFlag.Autonomous) === 0 || preferred > valid) return;
  if (!ndp.slaac.prefix(prefix, valid, preferred, now)) ndp.counters.overLimit++;
}

/** RFC 4861 6.3.4: what a prefix covers is on the link until its valid lifetime ends. */
function onLink(ndp: Ndp, prefix: Cidr, valid: Instant, now: Instant): void {
  const { routes } = ndp.ip;
  const network = new Cidr(prefix.network, prefix.prefix);
  if (valid === 0) {
    routes.remove(network, METRIC);
    return;
  }
  const isKnown = routes.to(network).some(({ metric }) => metric === METRIC);
  if (!isKnown && onLinkCount(ndp, now) >= ON_LINK_MAX) ndp.counters.overLimit++;
  else routes.set({ network, kind: RouteKind.OnLink, metric: METRIC, expires: now + valid }, now);
}

function onLinkCount({ ip }: Ndp, now: Instant): number {
  let count = 0;
  for (const { kind, metric, expires } of ip.routes) {
    if (kind === RouteKind.OnLink && metric === METRIC && expires > now) count++;
  }
  return count;
}

function takeServers(ndp: Ndp, bytes: Uint8Array, option: number, now: Instant): void {
  const count = Math.min(options.dnsServers(bytes, option), DNS_MAX);
  const expires = now + lifetime(options.dnsLifetime(bytes, option));
  for (let index = 0; index < count; index++) {
    address.readV6(bytes, option + options.DNS_SERVERS + 16 * index);
    if (!address.isUnicast || address.isV4) continue;
    if (!ndp.dns.server(address, expires, now)) ndp.counters.overLimit++;
  }
}

function takeDomains(ndp: Ndp, bytes: Uint8Array, option: number, now: Instant): void {
  const length = options.optionLength(bytes, option);
  if (length < 2 * options.DNS_NAMES) return;
  const expires = now + lifetime(options.dnsLifetime(bytes, option));
  for (const name of readNames(bytes, option + options.DNS_NAMES, option + length, DNS_MAX)) {
    if (!ndp.dns.domain(name, expires, now)) ndp.counters.overLimit++;
  }
}

function lifetime(count: number): Instant {
  return count === options.INFINITE ? NEVER : seconds(count);
}
