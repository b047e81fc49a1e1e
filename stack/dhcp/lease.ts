/**
 * What a DHCP server says, taken out of its message.
 *
 * @module
 */
import { get16, get32 } from "../wire/bytes.ts";
import { Address } from "../wire/address.ts";
import * as dhcp from "../wire/dhcpv4.ts";
import { readNames } from "../wire/dns-name.ts";

/** A route of RFC 3442. */
export interface LeasedRoute {
  /** The network's first address. */
  readonly network: Address;
  /** The prefix length. */
  readonly prefix: number;
  /** The router; unspecified: the network is on the link. */
  readonly router: Address;
}

/** The parameters of a lease. Times are in seconds, as on the wire; infinite: {@linkcode Infinity}. */
export interface Lease {
  /** The own address. */
  readonly address: Address;
  /** The prefix length of its subnet. */
  readonly prefix: number;
  /** The server that leases it. */
  readonly server: Address;
  /** Routers of the subnet, the best first. */
  readonly routers: readonly Address[];
  /** Routes, if the server gave any; they stand in place of {@linkcode Lease.routers}. */
  readonly routes: readonly LeasedRoute[];
  /** DNS servers, the best first. */
  readonly dns: readonly Address[];
  /** Domains to look names up in, the own one first. */
  readonly search: readonly string[];
  /** The link's MTU; undefined: not told, or impossible. */
  readonly mtu: number | undefined;
  /** How long it lasts. */
  readonly duration: number;
  /** When it is to be renewed with its server. */
  readonly renewal: number;
  /** When it is to be renewed with any server. */
  readonly rebinding: number;
}

/** The longest list of addresses, names or routes that is looked at. */
const VALUE = new Uint8Array(1_024);
/** How many addresses, domains or routes are taken from one message. */
const LIST_MAX = 16;

/** The value of an option of `length` bytes or more as a view that the next look-up overwrites; undefined: there is none. */
function value(bytes: Uint8Array, at: number, end: number, code: number, length = 1): Uint8Array | undefined {
  const found = dhcp.readOption(bytes, at, end, code, VALUE);
  return found < length ? undefined : VALUE.subarray(0, Math.min(found, VALUE.length));
}

/** What a message is: a `MessageType`; 0: it does not say. */
export function messageType(bytes: Uint8Array, at: number, end: number): number {
  return value(bytes, at, end, dhcp.Option.MessageType)?.[0] ?? 0;
}

/** An address that an option tells; undefined: it has none. */
export function addressOption(bytes: Uint8Array, at: number, end: number, code: number): Address | undefined {
  const found = value(bytes, at, end, code, 4);
  return found === undefined ? undefined : new Address().readV4(found, 0);
}

/** The text that an option tells, as far as it is printable ASCII; undefined: it has none. */
export function textOption(bytes: Uint8Array, at: number, end: number, code: number): string | undefined {
  const found = value(bytes, at, end, code);
  if (found === undefined) return undefined;
  let text = "";
  for (const byte of found.subarray(0, 255)) {
    // Some servers end texts with a zero, which RFC 2132 2 says not to count on.
    if (byte === 0) break;
    text += byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : byte === 0x20 ? " " : "?";
  }
  return text;
}

/** Bytes that an option tells, at most 64 of them; undefined: it has none. */
export function bytesOption(
  bytes: Uint8Array,
  at: number,
  end: number,
  code: number,
): Uint8Array | undefined {
  return value(bytes, at, end, code)?.slice(0, 64);
}

/** The lease that an offer or an acknowledgment tells; undefined: it lacks what it must have, or nobody can have it. */
export function readLease(bytes: Uint8Array, at: number, end: number): Lease | undefined {
  const address = new Address().readV4(bytes, at + dhcp.YOUR_ADDRESS);
  const server = addressOption(bytes, at, end, dhcp.Option.ServerIdentifier);
  const duration = time(bytes, at, end, dhcp.Option.LeaseTime);
  const prefix = prefixOf(address, value(bytes, at, end, dhcp.Option.SubnetMask, 4));
  if (server === undefined || !isHost(server) || !isHost(address) || prefix === undefined) return undefined;
  // RFC 2131 table 3: a lease time is a must.
  if (duration === undefined || duration === 0) return undefined;
  return {
    address,
    prefix,
    server,
    duration,
    ...times(
      duration,
      time(bytes, at, end, dhcp.Option.RenewalTime),
      time(bytes, at, end, dhcp.Option.RebindingTime),
    ),
    routers: addresses(bytes, at, end, dhcp.Option.Router),
    routes: routes(value(bytes, at, end, dhcp.Option.ClasslessRoutes)),
    dns: addresses(bytes, at, end, dhcp.Option.DnsServer),
    search: domains(bytes, at, end),
    mtu: mtu(value(bytes, at, end, dhcp.Option.Mtu, 2)),
  };
}

/** RFC 2131 4.4.5: T1 and T2 as told, if they are in order; else a half and seven eighths of the lease. */
function times(duration: number, renewal: number | undefined, rebinding: number | undefined) {
  const t2 = rebinding !== undefined && rebinding < duration && rebinding > 0 ? rebinding : duration * 0.875;
  const t1 = renewal !== undefined && renewal < t2 && renewal > 0 ? renewal : Math.min(duration * 0.5, t2);
  return { renewal: t1, rebinding: t2 };
}

function time(bytes: Uint8Array, at: number, end: number, code: number): number | undefined {
  const found = value(bytes, at, end, code, 4);
  if (found === undefined) return undefined;
  const seconds = get32(found, 0) >>> 0;
  return seconds === dhcp.INFINITE ? Infinity : seconds;
}

/** Without a mask it is that of the address' class, as before CIDR. Undefined: the mask has holes, or leaves no hosts. */
function prefixOf(address: Address, mask: Uint8Array | undefined): number | undefined {
  const prefix = mask === undefined ? classOf(address) : prefixOfMask(get32(mask, 0));
  if (prefix === undefined) return undefined;
  const hosts = prefix === 32 ? 0 : address.d & (-1 >>> prefix);
  // The first and the last address of a subnet are no host's (RFC 1122 3.2.1.3), but for RFC 3021's pairs.
  return prefix <= 30 && (hosts === 0 || hosts === -1 >>> prefix) ? undefined : prefix;
}

function classOf(address: Address): number {
  const first = address.d >>> 24;
  return first < 128 ? 8 : first < 192 ? 16 : 24;
}

function prefixOfMask(word: number): number | undefined {
  const prefix = Math.clz32(~word);
  return prefix === 0 || (prefix < 32 && word << prefix !== 0) ? undefined : prefix;
}

function isHost(address: Address): boolean {
  return address.isUnicast && !address.isLoopback && address.d >>> 24 !== 0;
}

function addresses(bytes: Uint8Array, at: number, end: number, code: number): Address[] {
  const found = value(bytes, at, end, code, 4);
  const list: Address[] = [];
  for (let from = 0; found !== undefined && from + 4 <= found.length && list.length < LIST_MAX; from += 4) {
    const address = new Address().readV4(found, from);
    if (isHost(address)) list.push(address);
  }
  return list;
}

/** RFC 3442: a prefix length, as many bytes as that has, and a router. Malformed ones end the list. */
function routes(found: Uint8Array | undefined): LeasedRoute[] {
  const list: LeasedRoute[] = [];
  for (let from = 0; found !== undefined && from < found.length && list.length < LIST_MAX;) {
    const prefix = found[from]!;
    const significant = Math.ceil(prefix / 8);
    if (prefix > 32 || from + 1 + significant + 4 > found.length) break;
    let word = 0;
    for (let index = 0; index < significant; index++) word |= found[from + 1 + index]! << (24 - 8 * index);
    const network = new Address().setV4(prefix === 0 ? 0 : word & (-1 << (32 - prefix)));
    list.push({ network, prefix, router: new Address().readV4(found, from + 1 + significant) });
    from += 1 + significant + 4;
  }
  return list;
}

function domains(bytes: Uint8Array, at: number, end: number): string[] {
  const own = textOption(bytes, at, end, dhcp.Option.DomainName)?.replace(/\.$/, "").toLowerCase() ?? "";
  // RFC 3397: names as DNS writes them, which may point to one another within the option.
  const searched = value(bytes, at, end, dhcp.Option.DomainSearch);
  const list = searched === undefined ? [] : readNames(searched, 0, searched.length, LIST_MAX);
  const all = /^[a-z\d]([a-z\d._-]*[a-z\d])?$/.test(own) ? [own, ...list] : list;
  return [...new Set(all)].slice(0, LIST_MAX);
}

/** RFC 2132 5.1: 68 is the least MTU that is legal. */
function mtu(found: Uint8Array | undefined): number | undefined {
  const told = found === undefined ? 0 : get16(found, 0);
  return told >= 68 ? told : undefined;
}
