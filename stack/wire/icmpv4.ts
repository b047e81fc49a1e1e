/**
 * The ICMP header, RFC 792: type, code, checksum and four bytes that the type gives a meaning. Names for
 * printing are in `icmpv4-names.ts`.
 *
 * @module
 */
import { get16, get32, put16, put32 } from "./bytes.ts";
import { checksum as compute } from "./checksum.ts";
import { WireError } from "./error.ts";

/** The header's length in bytes; an error quotes the packet that it is about behind it. */
export const HEADER_LENGTH = 8;

const TYPE = 0;
const CODE = 1;
const CHECKSUM = 2;
const IDENTIFIER = 4;
const POINTER = 4;
const SEQUENCE = 6;
const NEXT_HOP_MTU = 6;
/** Where a redirect's gateway lies: `address.readV4(bytes, at + GATEWAY)`. */
export const GATEWAY = 4;

/** The assigned types (IANA "ICMP Type Numbers"). */
export const Type = {
  /** RFC 792. */
  EchoReply: 0,
  /** RFC 792, RFC 1122 3.2.2.1; an error. */
  DestinationUnreachable: 3,
  /** RFC 6633: deprecated, to be ignored; an error. */
  SourceQuench: 4,
  /** RFC 792; an error. */
  Redirect: 5,
  /** RFC 6918: deprecated. */
  AlternateHostAddress: 6,
  /** RFC 792. */
  EchoRequest: 8,
  /** RFC 1256. */
  RouterAdvertisement: 9,
  /** RFC 1256. */
  RouterSolicitation: 10,
  /** RFC 792; an error. */
  TimeExceeded: 11,
  /** RFC 792; an error. */
  ParameterProblem: 12,
  /** RFC 792. */
  TimestampRequest: 13,
  /** RFC 792. */
  TimestampReply: 14,
  /** RFC 6918: deprecated. */
  InformationRequest: 15,
  /** RFC 6918: deprecated. */
  InformationReply: 16,
  /** RFC 6918: deprecated. */
  AddressMaskRequest: 17,
  /** RFC 6918: deprecated. */
  AddressMaskReply: 18,
  /** RFC 6918: deprecated. */
  Traceroute: 30,
  /** RFC 6918: deprecated; an error. */
  DatagramConversionError: 31,
  /** RFC 6918: deprecated. */
  MobileHostRedirect: 32,
  /** RFC 6918: deprecated. */
  WhereAreYou: 33,
  /** RFC 6918: deprecated. */
  HereIAm: 34,
  /** RFC 6918: deprecated. */
  MobileRegistrationRequest: 35,
  /** RFC 6918: deprecated. */
  MobileRegistrationReply: 36,
  /** RFC 6918: deprecated. */
  DomainNameRequest: 37,
  /** RFC 6918: deprecated. */
  DomainNameReply: 38,
  /** RFC 6918: deprecated. */
  Skip: 39,
  /** RFC 2521; an error. */
  Photuris: 40,
  /** RFC 4065. */
  ExperimentalMobility: 41,
  /** RFC 8335. */
  ExtendedEchoRequest: 42,
  /** RFC 8335. */
  ExtendedEchoReply: 43,
} as const;
/** One of {@linkcode Type}'s numbers. */
export type Type = (typeof Type)[keyof typeof Type];

/** The codes of Destination Unreachable. */
export const Unreachable = {
  /** RFC 792. */
  Net: 0,
  /** RFC 792. */
  Host: 1,
  /** RFC 792: the host does not speak the protocol. */
  Protocol: 2,
  /** RFC 792: no one listens on the port. */
  Port: 3,
  /** RFC 1191 4: too big for the next hop, whose MTU the message has. */
  FragmentationNeeded: 4,
  /** RFC 792. */
  SourceRouteFailed: 5,
  /** RFC 1122 3.2.2.1. */
  NetUnknown: 6,
  /** RFC 1122 3.2.2.1. */
  HostUnknown: 7,
  /** RFC 1122 3.2.2.1. */
  SourceHostIsolated: 8,
  /** RFC 1122 3.2.2.1. */
  NetProhibited: 9,
  /** RFC 1122 3.2.2.1. */
  HostProhibited: 10,
  /** RFC 1122 3.2.2.1. */
  NetForTrafficClass: 11,
  /** RFC 1122 3.2.2.1. */
  HostForTrafficClass: 12,
  /** RFC 1812 5.2.7.1: a filter forbids it. */
  AdministrativelyProhibited: 13,
  /** RFC 1812 5.2.7.1. */
  HostPrecedenceViolation: 14,
  /** RFC 1812 5.2.7.1. */
  PrecedenceCutoff: 15,
} as const;
/** One of {@linkcode Unreachable}'s numbers. */
export type Unreachable = (typeof Unreachable)[keyof typeof Unreachable];

/** The codes of Time Exceeded (RFC 792). */
export const Exceeded = { HopLimit: 0, Reassembly: 1 } as const;
/** One of {@linkcode Exceeded}'s numbers. */
export type Exceeded = (typeof Exceeded)[keyof typeof Exceeded];

/** The codes of Parameter Problem (RFC 792, RFC 1108). */
export const Problem = { Pointer: 0, MissingOption: 1, BadLength: 2 } as const;
/** One of {@linkcode Problem}'s numbers. */
export type Problem = (typeof Problem)[keyof typeof Problem];

/** The type; any 8 bits. */
export function type(bytes: Uint8Array, at: number): number {
  return bytes[at + TYPE]!;
}

/** What the type leaves open; any 8 bits. */
export function code(bytes: Uint8Array, at: number): number {
  return bytes[at + CODE]!;
}

/** The checksum of the whole message. */
export function checksum(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + CHECKSUM);
}

/** The header's second word, signed: what it means depends on the type. */
export function rest(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + IDENTIFIER);
}

/** An echo's identifier: tells one sender's echoes from another's. */
export function identifier(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + IDENTIFIER);
}

/** An echo's sequence number. */
export function sequence(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + SEQUENCE);
}

/** Parameter Problem's offset in the quoted packet of the byte at fault. */
export function pointer(bytes: Uint8Array, at: number): number {
  return bytes[at + POINTER]!;
}

/** Fragmentation Needed's MTU of the next hop (RFC 1191 4); 0 from a router that does not tell. */
export function nextHopMtu(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + NEXT_HOP_MTU);
}

/** Sets the type. */
export function setType(bytes: Uint8Array, at: number, type: number): void {
  bytes[at + TYPE] = type;
}

/** Sets the code. */
export function setCode(bytes: Uint8Array, at: number, code: number): void {
  bytes[at + CODE] = code;
}

/** Sets the checksum. */
export function setChecksum(bytes: Uint8Array, at: number, checksum: number): void {
  put16(bytes, at + CHECKSUM, checksum);
}

/** Sets an echo's identifier. */
export function setIdentifier(bytes: Uint8Array, at: number, identifier: number): void {
  put16(bytes, at + IDENTIFIER, identifier);
}

/** Sets an echo's sequence number. */
export function setSequence(bytes: Uint8Array, at: number, sequence: number): void {
  put16(bytes, at + SEQUENCE, sequence);
}

/**
 * Writes the header of an echo request or reply, checksum 0: {@linkcode fillChecksum} or the NIC fills it.
 */
export function emitEcho(
  bytes: Uint8Array,
  at: number,
  type: number,
  identifier: number,
  sequence: number,
): void {
  bytes[at + TYPE] = type;
  bytes[at + CODE] = 0;
  put16(bytes, at + CHECKSUM, 0);
  put16(bytes, at + IDENTIFIER, identifier);
  put16(bytes, at + SEQUENCE, sequence);
}

/**
 * Writes an error's header, checksum 0; the packet that it is about is to be quoted behind it. `rest` is the
 * word that the type gives a meaning: 0 for most, the MTU in the low half, or the pointer in the high byte.
 */
export function emitError(bytes: Uint8Array, at: number, type: number, code: number, rest: number): void {
  bytes[at + TYPE] = type;
  bytes[at + CODE] = code;
  put16(bytes, at + CHECKSUM, 0);
  put32(bytes, at + IDENTIFIER, rest);
}

/** Computes and sets the checksum of the message `bytes[at..end)`. */
export function fillChecksum(bytes: Uint8Array, at: number, end: number): void {
  put16(bytes, at + CHECKSUM, 0);
  put16(bytes, at + CHECKSUM, compute(bytes, at, end, 0));
}

/** Whether the checksum of the message `bytes[at..end)` is right. */
export function verifyChecksum(bytes: Uint8Array, at: number, end: number): boolean {
  return compute(bytes, at, end, 0) === 0;
}

/** Checks that `bytes[at..end)` holds a whole header; any type is well-formed. The checksum is apart. */
export function check(_bytes: Uint8Array, at: number, end: number): WireError {
  return end - at < HEADER_LENGTH ? WireError.Truncated : WireError.None;
}

/** Whether the type reports an error, about which no error is ever sent (RFC 1122 3.2.2). */
export function isError(type: number): boolean {
  switch (type) {
    case Type.DestinationUnreachable:
    case Type.SourceQuench:
    case Type.Redirect:
    case Type.TimeExceeded:
    case Type.ParameterProblem:
    case Type.DatagramConversionError:
    case Type.Photuris:
      return true;
    default:
      return false;
  }
}

/** Whether the type asks for an answer. */
export function isRequest(type: number): boolean {
  switch (type) {
    case Type.EchoRequest:
    case Type.RouterSolicitation:
    case Type.TimestampRequest:
    case Type.InformationRequest:
    case Type.AddressMaskRequest:
    case Type.WhereAreYou:
    case Type.MobileRegistrationRequest:
    case Type.DomainNameRequest:
    case Type.ExtendedEchoRequest:
      return true;
    default:
      return false;
  }
}
