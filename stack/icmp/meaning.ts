/**
 * What ICMP errors of both families mean to who sent the packet (RFC 1122 4.2.3.9, RFC 4443 3, RFC 5461 2).
 *
 * @module
 */
import * as icmpv4 from "../wire/icmpv4.ts";
import * as icmpv6 from "../wire/icmpv6.ts";
import type { IcmpIn } from "./packet.ts";

/** What an error means. */
export const Meaning = {
  /** Nothing: it is no error, or one that hosts ignore. */
  None: 0,
  /** The path is broken, maybe for a while. */
  Soft: 1,
  /** The peer does not listen there, or does not speak the protocol. */
  Refused: 2,
  /** Somebody on the path forbids it. */
  Prohibited: 3,
  /** The packet was too long for the path. */
  TooBig: 4,
} as const;

/** One of {@linkcode Meaning}'s numbers. */
export type Meaning = (typeof Meaning)[keyof typeof Meaning];

/** What a message means. */
export function meaningOf({ isV4, type, code }: Pick<IcmpIn, "isV4" | "type" | "code">): Meaning {
  return isV4 ? meaningV4(type, code) : meaningV6(type, code);
}

/** The MTU that a message of meaning `TooBig` tells; 0 from a router that does not know (RFC 1191 4). */
export function toldMtu({ isV4, rest }: Pick<IcmpIn, "isV4" | "rest">): number {
  return isV4 ? rest & 0xffff : rest >>> 0;
}

function meaningV4(type: number, code: number): Meaning {
  const { Type, Unreachable } = icmpv4;
  // RFC 6633 1 and RFC 1122 3.2.2.2: a source quench says nothing, and a redirect nothing to a transport.
  if (type === Type.TimeExceeded || type === Type.ParameterProblem) return Meaning.Soft;
  if (type !== Type.DestinationUnreachable) return Meaning.None;
  switch (code) {
    case Unreachable.Protocol:
    case Unreachable.Port:
      return Meaning.Refused;
    case Unreachable.NetProhibited:
    case Unreachable.HostProhibited:
    case Unreachable.AdministrativelyProhibited:
      return Meaning.Prohibited;
    case Unreachable.FragmentationNeeded:
      return Meaning.TooBig;
    default:
      return Meaning.Soft;
  }
}

function meaningV6(type: number, code: number): Meaning {
  const { Type, Unreachable, Problem } = icmpv6;
  switch (type) {
    case Type.PacketTooBig:
      return Meaning.TooBig;
    case Type.TimeExceeded:
      return Meaning.Soft;
    case Type.ParameterProblem:
      // RFC 4443 3.4: IPv6's way to say that nobody speaks the protocol.
      return code === Problem.NextHeader ? Meaning.Refused : Meaning.Soft;
    case Type.DestinationUnreachable:
      if (code === Unreachable.Port) return Meaning.Refused;
      return code === Unreachable.AdministrativelyProhibited || code === Unreachable.SourcePolicy ||
          code === Unreachable.RejectRoute
        ? Meaning.Prohibited
        : Meaning.Soft;
    default:
      return Meaning.None;
  }
}
