/**
 * Solicitations and advertisements of neighbours as they are received: RFC 4861 7.2, RFC 4862 5.4.
 *
 * @module
 */
import { AddressState } from "../host/addresses.ts";
import { NeighbourState } from "../host/neighbours.ts";
import type { IpIn } from "../ip/packet.ts";
import { Address } from "../wire/address.ts";
import { Mac } from "../wire/mac.ts";
import * as wire from "../wire/ndp.ts";
import { OptionType, readLinkAddress } from "../wire/ndp-options.ts";
import type { Ndp } from "./endpoint.ts";

const { Flag } = wire;

const target = new Address();
const mac = new Mac();
const group = new Address();

/** RFC 4861 7.2.3 and 7.2.4: somebody asks for a neighbour. */
export function receiveSolicitation(ndp: Ndp, packet: IpIn): void {
  const { counters, ip } = ndp;
  const { frame, payloadAt: at, source, destination } = packet;
  target.readV6(frame.bytes, at + wire.TARGET);
  const hasLink = readOption(packet, OptionType.SourceLinkAddress);
  const isProbe = source.isUnspecified;
  // RFC 4861 7.1.1: a probe goes to the solicited-node group, and has no link address with it.
  if (target.isMulticast || (isProbe && (hasLink || !destination.equals(target.solicitedNode(group))))) {
    counters.badAddress++;
    return;
  }
  const own = ip.addresses.find(target);
  if (own === undefined) {
    counters.notForUs++;
    return;
  }
  counters.received++;
  if (own.state === AddressState.Duplicate || isOwnEcho(ndp, packet)) return;
  if (own.state === AddressState.Tentative) {
    // RFC 4862 5.4.3: somebody else is about to use it, too. Who only asks for it is not answered.
    if (isProbe) ndp.isDuplicate(target, packet.info.timestamp);
    return;
  }
  if (isProbe) {
    ndp.answer(undefined, own.cidr.address);
    return;
  }
  if (ip.addresses.find(source) !== undefined) {
    counters.conflicts++;
    return;
  }
  if (hasLink) ip.neighbours.hear(source, mac, true);
  ndp.answer(source, own.cidr.address);
}

/** RFC 4861 7.2.5: a neighbour says where it is. */
export function receiveAdvertisement(ndp: Ndp, packet: IpIn): void {
  const { counters, ip } = ndp;
  const { frame, payloadAt: at } = packet;
  target.readV6(frame.bytes, at + wire.TARGET);
  const flags = wire.flags(frame.bytes, at);
  const isSolicited = (flags & Flag.Solicited) !== 0;
  // RFC 4861 7.1.2: what goes to many answers nobody.
  if (target.isMulticast || packet.source.isUnspecified || (packet.isGroup && isSolicited)) {
    counters.badAddress++;
    return;
  }
  const hasLink = readOption(packet, OptionType.TargetLinkAddress);
  const own = ip.addresses.find(target);
  if (own !== undefined) return receiveClaim(ndp, packet, own.state);
  if (ip.neighbours.state(target, packet.info.timestamp) === undefined) {
    counters.notForUs++;
    return;
  }
  counters.received++;
  update(ndp, packet, flags, hasLink);
}

/** RFC 4862 5.4.4: somebody has an address of ours. */
function receiveClaim(ndp: Ndp, packet: IpIn, state: AddressState): void {
  ndp.counters.received++;
  if (isOwnEcho(ndp, packet)) return;
  if (state === AddressState.Tentative) ndp.isDuplicate(target, packet.info.timestamp);
  else if (state !== AddressState.Duplicate) ndp.counters.conflicts++;
}

function update(ndp: Ndp, packet: IpIn, flags: number, hasLink: boolean): void {
  const { neighbours } = ndp.ip;
  const now = packet.info.timestamp;
  const isSolicited = (flags & Flag.Solicited) !== 0;
  const isRouter = (flags & Flag.Router) !== 0;
  const known = neighbours.station(target);
  if (known === undefined) {
    // RFC 4861 7.2.5: without a link address it does not answer what was asked.
    if (!hasLink) return;
    if (isSolicited) neighbours.learn(target, mac, now);
    else neighbours.hear(target, mac, false);
    neighbours.setRouter(target, isRouter);
    return;
  }
  if (neighbours.state(target, now) === NeighbourState.Static) return;
  const isOther = hasLink && !mac.equals(known);
  if (isOther && (flags & Flag.Override) === 0) {
    neighbours.doubt(target);
    return;
  }
  if (isSolicited) neighbours.learn(target, hasLink ? mac : known, now);
  else if (isOther) neighbours.hear(target, mac, false);
  if (neighbours.isRouter(target) && !isRouter) {
    ndp.routers.remove(target, now);
    ndp.redirects.routerGone(target);
  }
  neighbours.setRouter(target, isRouter);
}

/** RFC 4862 5.4.3: what the link plays back to us is nobody else's. */
function isOwnEcho(ndp: Ndp, packet: IpIn): boolean {
  return packet.link.source?.equals(ndp.mac) ?? false;
}

function readOption({ frame, payloadAt }: IpIn, type: number): boolean {
  return readLinkAddress(frame.bytes, payloadAt + wire.NEIGHBOUR_LENGTH, frame.end, type, mac);
}
