/**
 * The ICMPv6 header, RFC 4443 2.1: as ICMPv4's, but with other numbers and a checksum that covers the addresses. The
 * accessors that both share are re-exported from `icmpv4.ts`. Names for printing are in `icmpv6-names.ts`.
 *
 * @module
 */
import type { Address } from "./address.ts";
import { put16 } from "./bytes.ts";
import { checksum as compute, pseudoV6 } from "./checksum.ts";
import { Protocol } from "./protocol.ts";

export {
  check,
  checksum,
  code,
  emitEcho,
  emitError,
  HEADER_LENGTH,
  identifier,
  rest,
  sequence,
  setChecksum,
  setCode,
  setIdentifier,
  setSequence,
  setType,
  type,
} from "./icmpv4.ts";

/** Where the checksum lies in the header: what a NIC that fills it is told. */
export const CHECKSUM = 2;

/** The types that hosts meet (IANA "ICMPv6 type Numbers"). Below 128 are errors. */
export const Type = {
  /** RFC 4443 3.1; an error. */
  DestinationUnreachable: 1,
  /** RFC 4443 3.2; an error. */
  PacketTooBig: 2,
  /** RFC 4443 3.3; an error. */
  TimeExceeded: 3,
  /** RFC 4443 3.4; an error. */
  ParameterProblem: 4,
  /** RFC 4443 4.1. */
  EchoRequest: 128,
  /** RFC 4443 4.2. */
  EchoReply: 129,
  /** RFC 2710, RFC 3810. */
  MulticastListenerQuery: 130,
  /** RFC 2710. */
  MulticastListenerReport: 131,
  /** RFC 2710. */
  MulticastListenerDone: 132,
  /** RFC 4861 4.1. */
  RouterSolicitation: 133,
  /** RFC 4861 4.2. */
  RouterAdvertisement: 134,
  /** RFC 4861 4.3. */
  NeighbourSolicitation: 135,
  /** RFC 4861 4.4. */
  NeighbourAdvertisement: 136,
  /** RFC 4861 4.5. */
  Redirect: 137,
  /** RFC 3810 5.2. */
  MulticastListenerReportV2: 143,
} as const;
/** One of {@linkcode Type}'s numbers. */
export type Type = (typeof Type)[keyof typeof Type];

/** The codes of Destination Unreachable (RFC 4443 3.1). */
export const Unreachable = {
  /** No route to it. */
  NoRoute: 0,
  /** A filter forbids it. */
  AdministrativelyProhibited: 1,
  /** The source's scope ends before the destination. */
  BeyondScope: 2,
  /** The host does not answer on its link. */
  Address: 3,
  /** No one listens on the port. */
  Port: 4,
  /** The source address failed a filter. */
  SourcePolicy: 5,
  /** The route is one that rejects. */
  RejectRoute: 6,
} as const;
/** One of {@linkcode Unreachable}'s numbers. */
export type Unreachable = (typeof Unreachable)[keyof typeof Unreachable];

/** The codes of Time Exceeded (RFC 4443 3.3). */
export const Exceeded = { HopLimit: 0, Reassembly: 1 } as const;
/** One of {@linkcode Exceeded}'s numbers. */
export type Exceeded = (typeof Exceeded)[keyof typeof Exceeded];

/** The codes of Parameter Problem (RFC 4443 3.4, RFC 7112 5). */
export const Problem = { Field: 0, NextHeader: 1, Option: 2, FirstFragment: 3 } as const;
/** One of {@linkcode Problem}'s numbers. */
export type Problem = (typeof Problem)[keyof typeof Problem];

/** Computes and sets the checksum of the message `bytes[at..end)` between these addresses (RFC 4443 2.3). */
export function fillChecksum(
  bytes: Uint8Array,
  at: number,
  end: number,
  source: Address,
  destination: Address,
): void {
  put16(bytes, at + CHECKSUM, 0);
  put16(bytes, at + CHECKSUM, compute(bytes, at, end, pseudo(source, destination, end - at)));
}

/** Whether the checksum of the message `bytes[at..end)` is right between these addresses. */
export function verifyChecksum(
  bytes: Uint8Array,
  at: number,
  end: number,
  source: Address,
  destination: Address,
): boolean {
  return compute(bytes, at, end, pseudo(source, destination, end - at)) === 0;
}

function pseudo(source: Address, destination: Address, length: number): number {
  return pseudoV6(source, destination, Protocol.Icmpv6, length);
}

/** Whether the type reports an error, about which no error is ever sent (RFC 4443 2.4 e). */
export function isError(type: number): boolean {
  return type < 128;
}

/** Whether the type is one that links are run by, not hosts talked to: NDP (RFC 4861) or MLD (RFC 2710, RFC 3810). */
export function isLinkControl(type: number): boolean {
  return (type >= Type.MulticastListenerQuery && type <= Type.Redirect) ||
    type === Type.MulticastListenerReportV2;
}
