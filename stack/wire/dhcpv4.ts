/**
 * The DHCPv4 message (RFC 2131 2) and its options (RFC 2132, with the overload of 9.3 and the long options of RFC
 * 3396). All functions take the packet's bytes and the offset of the message's first byte.
 *
 * @module
 */
import { get16, get32, put16, put32 } from "./bytes.ts";
import { WireError } from "./error.ts";
import type { Mac } from "./mac.ts";

/** The fixed part with the magic cookie: where the options begin. */
export const HEADER_LENGTH = 240;
/** The shortest message that is sent: BOOTP's relays drop shorter ones (RFC 1542 2.1). */
export const LENGTH_MIN = 300;
/** The port that servers listen on. */
export const SERVER_PORT = 67;
/** The port that clients listen on. */
export const CLIENT_PORT = 68;

const OP = 0;
const HARDWARE_TYPE = 1;
const HARDWARE_LENGTH = 2;
const HOPS = 3;
const XID = 4;
const SECS = 8;
const FLAGS = 10;
/** Where the client's address lies, if it has one: `address.readV4(bytes, at + CLIENT_ADDRESS)`. */
export const CLIENT_ADDRESS = 12;
/** Where the address lies that the client is given. */
export const YOUR_ADDRESS = 16;
/** Where the relay's address lies. */
export const RELAY_ADDRESS = 24;
/** Where the client's hardware address lies: `mac.read(bytes, at + CLIENT_MAC)`. */
export const CLIENT_MAC = 28;
const SERVER_NAME = 44;
const FILE = 108;
const COOKIE = 236;

const ETHERNET = 1;
const MAGIC = 0x63825363;
const BROADCAST = 0x8000;

/** Who speaks. */
export const Op = { Request: 1, Reply: 2 } as const;

/** What a message is (option 53). */
export const MessageType = {
  Discover: 1,
  Offer: 2,
  Request: 3,
  Decline: 4,
  Ack: 5,
  Nak: 6,
  Release: 7,
  Inform: 8,
} as const;

/** The options that are known here (RFC 2132; 119: RFC 3397; 121: RFC 3442). */
export const Option = {
  Pad: 0,
  SubnetMask: 1,
  Router: 3,
  DnsServer: 6,
  HostName: 12,
  DomainName: 15,
  Mtu: 26,
  Broadcast: 28,
  RequestedAddress: 50,
  LeaseTime: 51,
  Overload: 52,
  MessageType: 53,
  ServerIdentifier: 54,
  ParameterList: 55,
  Message: 56,
  MaximumSize: 57,
  RenewalTime: 58,
  RebindingTime: 59,
  ClientIdentifier: 61,
  DomainSearch: 119,
  ClasslessRoutes: 121,
  End: 255,
} as const;

/** A lease time without end (RFC 2131 3.3). */
export const INFINITE = 0xffffffff;

/** Who speaks: an {@linkcode Op}. */
export function op(bytes: Uint8Array, at: number): number {
  return bytes[at + OP]!;
}

/** How many relays the message has passed. */
export function hops(bytes: Uint8Array, at: number): number {
  return bytes[at + HOPS]!;
}

/** The transaction's number, signed: what ties a reply to its request. */
export function xid(bytes: Uint8Array, at: number): number {
  return get32(bytes, at + XID);
}

/** Seconds since the client began. */
export function secs(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + SECS);
}

/** Whether the client cannot take a unicast reply yet (RFC 2131 4.1). */
export function isBroadcast(bytes: Uint8Array, at: number): boolean {
  return (get16(bytes, at + FLAGS) & BROADCAST) !== 0;
}

/** Writes the fixed part, every address 0, and the cookie. Answers with where the first option goes. */
export function emit(
  bytes: Uint8Array,
  at: number,
  op: number,
  xid: number,
  secs: number,
  broadcast: boolean,
  mac: Mac,
): number {
  bytes.fill(0, at, at + HEADER_LENGTH);
  bytes[at + OP] = op;
  bytes[at + HARDWARE_TYPE] = ETHERNET;
  bytes[at + HARDWARE_LENGTH] = 6;
  put32(bytes, at + XID, xid);
  put16(bytes, at + SECS, secs);
  put16(bytes, at + FLAGS, broadcast ? BROADCAST : 0);
  mac.write(bytes, at + CLIENT_MAC);
  put32(bytes, at + COOKIE, MAGIC);
  return at + HEADER_LENGTH;
}

/** Writes an option of one byte. Answers with where the next one goes; so do those below. */
export function put8Option(bytes: Uint8Array, option: number, code: number, value: number): number {
  bytes[option] = code;
  bytes[option + 1] = 1;
  bytes[option + 2] = value;
  return option + 3;
}

/** Writes an option of 16 bits. */
export function put16Option(bytes: Uint8Array, option: number, code: number, value: number): number {
  bytes[option] = code;
  bytes[option + 1] = 2;
  put16(bytes, option + 2, value);
  return option + 4;
}

/** Writes an option of 32 bits: a time, or an address. */
export function put32Option(bytes: Uint8Array, option: number, code: number, value: number): number {
  bytes[option] = code;
  bytes[option + 1] = 4;
  put32(bytes, option + 2, value);
  return option + 6;
}

/** Writes an option of any length, in parts where it is longer than one may be (RFC 3396 5). */
export function putOption(
  bytes: Uint8Array,
  option: number,
  code: number,
  value: ArrayLike<number>,
): number {
  let from = 0;
  do {
    const length = Math.min(255, value.length - from);
    bytes[option] = code;
    bytes[option + 1] = length;
    for (let index = 0; index < length; index++) bytes[option + 2 + index] = value[from + index]!;
    option += 2 + length;
    from += length;
  } while (from < value.length);
  return option;
}

/** Ends the options and pads the message that begins at `at`. Answers with its end. */
export function putEnd(bytes: Uint8Array, at: number, option: number): number {
  bytes[option] = Option.End;
  const end = Math.max(option + 1, at + LENGTH_MIN);
  bytes.fill(0, option + 1, end);
  return end;
}

/**
 * Checks that `bytes[at..end)` is a DHCP message for Ethernet whose options, wherever they lie, are well-formed.
 * BOOTP without the cookie and other hardware are Unrecognized.
 */
export function check(bytes: Uint8Array, at: number, end: number): WireError {
  if (end - at < HEADER_LENGTH) return WireError.Truncated;
  if (get32(bytes, at + COOKIE) !== MAGIC) return WireError.Unrecognized;
  if (bytes[at + HARDWARE_TYPE] !== ETHERNET) return WireError.Unrecognized;
  if (bytes[at + HARDWARE_LENGTH] !== 6) return WireError.Malformed;
  if (!isListFine(bytes, at + HEADER_LENGTH, end)) return WireError.Malformed;
  const overload = overloaded(bytes, at, end);
  if ((overload & 1) !== 0 && !isListFine(bytes, at + FILE, at + COOKIE)) return WireError.Malformed;
  if ((overload & 2) !== 0 && !isListFine(bytes, at + SERVER_NAME, at + FILE)) return WireError.Malformed;
  return WireError.None;
}

/**
 * Copies the value of an option into `into`, put together from its parts, of a message that was checked. Answers
 * with its whole length, which may be more than `into` has room for; -1: the message has no such option.
 */
export function readOption(
  bytes: Uint8Array,
  at: number,
  end: number,
  code: number,
  into: Uint8Array,
): number {
  // RFC 3396 5: the parts of one option are put together in the order options field, file, sname.
  let length = readList(bytes, at + HEADER_LENGTH, end, code, into, -1);
  const overload = overloaded(bytes, at, end);
  if ((overload & 1) !== 0) length = readList(bytes, at + FILE, at + COOKIE, code, into, length);
  if ((overload & 2) !== 0) length = readList(bytes, at + SERVER_NAME, at + FILE, code, into, length);
  return length;
}

/** The option Overload (RFC 2132 9.3): 1, options go on in the file field; 2, in sname; 3, in both; 0: nowhere. */
function overloaded(bytes: Uint8Array, at: number, end: number): number {
  const length = readList(bytes, at + HEADER_LENGTH, end, Option.Overload, ONE, -1);
  return length === 1 ? ONE[0]! & 3 : 0;
}

const ONE = new Uint8Array(1);

/** A list ends with End, or with its field: some servers forget the former. */
function isListFine(bytes: Uint8Array, option: number, end: number): boolean {
  while (option < end && bytes[option] !== Option.End) {
    option = nextOption(bytes, option, end);
    if (option < 0) return false;
  }
  return true;
}

function readList(
  bytes: Uint8Array,
  option: number,
  end: number,
  code: number,
  into: Uint8Array,
  length: number,
): number {
  while (option < end && bytes[option] !== Option.End) {
    const next = nextOption(bytes, option, end);
    if (next < 0) break;
    if (bytes[option] === code && code !== Option.Pad) {
      if (length < 0) length = 0;
      for (let from = option + 2; from < next; from++, length++) {
        if (length < into.length) into[length] = bytes[from]!;
      }
    }
    option = next;
  }
  return length;
}

/** Where the option behind this one lies; -1: this one runs over the end. */
function nextOption(bytes: Uint8Array, option: number, end: number): number {
  if (bytes[option] === Option.Pad) return option + 1;
  if (option + 2 > end) return -1;
  const next = option + 2 + bytes[option + 1]!;
  return next > end ? -1 : next;
}
