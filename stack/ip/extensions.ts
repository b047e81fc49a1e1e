/**
 * The walk along the extension headers of a received IPv6 packet (RFC 8200 4), up to what a handler takes.
 *
 * @module
 */
import * as icmpv6 from "../wire/icmpv6.ts";
import * as extension from "../wire/ipv6-extension.ts";
import { Protocol } from "../wire/protocol.ts";
import type { IpPacket } from "./packet.ts";

/** Headers that a packet may have (RFC 8504 5.3, RFC 9099 2.2): nobody who means well sends more. */
const HEADERS_MAX = 8;
/** Options that a header may have, padding not counted (RFC 8504 5.3). */
const OPTIONS_MAX = 8;

/** Where the walk has ended. */
export const Walk = {
  /** At a payload: `protocol`, `protocolAt` and `payloadAt` of the packet say which. */
  Payload: 0,
  /** At a fragment header, at `payloadAt`: the packet is a part of another. */
  Fragment: 1,
  /** The packet is dropped, which was counted, and answered if that is due. */
  Dropped: 2,
  /** At a payload, behind a fragment header that divides nothing (RFC 6946 2). */
  Atomic: 3,
} as const;

/** One of {@linkcode Walk}'s numbers. */
export type Walk = (typeof Walk)[keyof typeof Walk];

/** The length of the IPv6 header. */
const HEADER = 40;

const { Action, Option } = extension;
const { Problem } = icmpv6;

/** Walks from where the packet stands, at `payloadAt`. */
export function walk(packet: IpPacket): Walk {
  const { counters } = packet.ip;
  const { bytes, end } = packet.frame;
  let isAtomic = false;
  for (let count = 0;; count++) {
    const { protocol, payloadAt: at } = packet;
    if (!extension.isExtension(protocol)) return stop(packet, isAtomic);
    if (count === HEADERS_MAX) {
      counters.tooManyExtensions++;
      return Walk.Dropped;
    }
    const length = protocol === Protocol.Fragment ? extension.FRAGMENT_LENGTH : extension.length(bytes, at);
    if (end - at < extension.LENGTH_MIN || end - at < length) {
      counters.malformed++;
      return Walk.Dropped;
    }
    if (protocol === Protocol.Fragment) {
      if (!extension.isAtomic(bytes, at)) return Walk.Fragment;
      // RFC 6946 4: it is whole, whatever else is under way with its identification.
      isAtomic = true;
    } else if (!accept(packet, protocol, at, length)) return Walk.Dropped;
    packet.protocol = extension.nextHeader(bytes, at);
    packet.protocolAt = at;
    packet.payloadAt = at + length;
  }
}

/** Whether the chain of headers that begins at `payloadAt` ends inside the packet, its payload begun (RFC 7112 5). */
export function isChainWhole(packet: IpPacket, protocol: number, at: number): boolean {
  const { bytes, end } = packet.frame;
  for (let count = 0; extension.isExtension(protocol); count++) {
    if (count === HEADERS_MAX || end - at < extension.LENGTH_MIN) return false;
    const length = protocol === Protocol.Fragment ? extension.FRAGMENT_LENGTH : extension.length(bytes, at);
    protocol = extension.nextHeader(bytes, at);
    at += length;
  }
  return protocol === Protocol.None || end > at;
}

function stop(packet: IpPacket, isAtomic: boolean): Walk {
  // RFC 8200 4.7: nothing follows, and what does is ignored.
  if (packet.protocol !== Protocol.None) return isAtomic ? Walk.Atomic : Walk.Payload;
  packet.ip.counters.noNextHeader++;
  return Walk.Dropped;
}

/** Whether a header, whose length was checked, lets the packet pass. */
function accept(packet: IpPacket, protocol: number, at: number, length: number): boolean {
  switch (protocol) {
    case Protocol.HopByHop:
      // RFC 8200 4: it comes right behind the IPv6 header or not at all.
      return packet.protocolAt < packet.headerAt + HEADER
        ? acceptOptions(packet, at, at + length)
        : refuse(packet, Problem.NextHeader, packet.protocolAt);
    case Protocol.Destination:
      return acceptOptions(packet, at, at + length);
    default:
      return acceptRoute(packet, at);
  }
}

/** RFC 8200 4.4, and RFC 5095 3 for type 0: a route of a type that is not known is followed only if it is done with. */
function acceptRoute(packet: IpPacket, at: number): boolean {
  if (extension.segmentsLeft(packet.frame.bytes, at) === 0) return true;
  return refuse(packet, Problem.Field, at + extension.ROUTING_TYPE);
}

/** RFC 8200 4.2 */
function acceptOptions(packet: IpPacket, at: number, end: number): boolean {
  const { counters } = packet.ip;
  const { bytes } = packet.frame;
  let count = 0;
  for (let option = at + extension.OPTIONS; option < end;) {
    const length = extension.optionLength(bytes, option, end);
    if (length === 0) {
      counters.badOptions++;
      return false;
    }
    const type = bytes[option]!;
    if (type !== Option.Pad1 && type !== Option.PadN) {
      if (++count > OPTIONS_MAX) {
        counters.tooManyExtensions++;
        return false;
      }
      if (type !== Option.RouterAlert && !passOver(packet, type, option)) return false;
    }
    option += length;
  }
  return true;
}

/** Does with an unknown option what its type asks for; false: the packet is dropped. */
function passOver(packet: IpPacket, type: number, option: number): boolean {
  const asked = extension.action(type);
  if (asked === Action.Skip) return true;
  const isQuiet = asked === Action.Discard || (asked === Action.ReportUnicast && packet.isGroup);
  if (!isQuiet) return refuse(packet, Problem.Option, option);
  packet.ip.counters.badOptions++;
  return false;
}

/** Drops a packet and tells its sender at which byte it went wrong. */
function refuse(packet: IpPacket, code: number, at: number): boolean {
  const { ip } = packet;
  if (code === Problem.Option) ip.counters.badOptions++;
  else ip.counters.refusedExtension++;
  ip.report(packet, icmpv6.Type.ParameterProblem, code, at - packet.headerAt);
  return false;
}
