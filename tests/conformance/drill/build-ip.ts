/**
 * Builds the IP headers of packets that a script lets come in, and what packets may be carried in.
 *
 * @module
 */
import type { Address } from "../../../stack/wire/address.ts";
import { put16, put32 } from "../../../stack/wire/bytes.ts";
import { EtherType } from "../../../stack/wire/ethernet.ts";
import * as ipv4 from "../../../stack/wire/ipv4.ts";
import * as ipv6 from "../../../stack/wire/ipv6.ts";
import { Protocol } from "../../../stack/wire/protocol.ts";
import type { Carrier, GreHeader, IpInfo, MplsLabel, Pair } from "./ast.ts";

/** Hops that packets of the script may make unless it says otherwise. */
const HOP_LIMIT = 64;

const ECN_BITS = { noecn: 0, ect1: 1, ect0: 2, ect01: 2, ce: 3 } as const;

/** What a packet is to whoever carries it. */
export interface Carried {
  /** Its number as a payload of IP. */
  readonly protocol: number;
  /** Its number as a payload of GRE. */
  readonly etherType: number;
  /** The bytes. */
  readonly bytes: Uint8Array;
}

/** The traffic class that a script asks for. */
export function trafficClass(info: IpInfo): number {
  return (info.trafficClass ?? 0) | (info.ecn === undefined ? 0 : ECN_BITS[info.ecn]);
}

/** An IP packet between these addresses. */
export function buildIp(ends: Pair<Address>, info: IpInfo, protocol: number, payload: Uint8Array): Carried {
  const { source, destination } = ends;
  const hopLimit = info.hopLimit ?? HOP_LIMIT;
  if (source.isV4) {
    const bytes = new Uint8Array(ipv4.HEADER_LENGTH + payload.length);
    const length = info.fault === "badlen" ? bytes.length + 1 : bytes.length;
    const flags = ipv4.Flag.DontFragment;
    ipv4.emit(bytes, 0, trafficClass(info), length, 0, flags, hopLimit, protocol, source.d, destination.d);
    ipv4.fillChecksum(bytes, 0);
    if (info.fault === "badipsum") ipv4.setHeaderChecksum(bytes, 0, ipv4.headerChecksum(bytes, 0) ^ 0x5555);
    bytes.set(payload, ipv4.HEADER_LENGTH);
    return { protocol: Protocol.Ipv4, etherType: EtherType.Ipv4, bytes };
  }
  const bytes = new Uint8Array(ipv6.HEADER_LENGTH + payload.length);
  const length = info.fault === "badlen" ? payload.length + 1 : payload.length;
  const label = info.flowLabel ?? 0;
  ipv6.emit(bytes, 0, trafficClass(info), label, length, protocol, hopLimit, source, destination);
  bytes.set(payload, ipv6.HEADER_LENGTH);
  return { protocol: Protocol.Ipv6, etherType: EtherType.Ipv6, bytes };
}

const MPLS_IN_IP = 137;
const MPLS_UNICAST = 0x8847;

/** The packet in all its carriers, the first the outermost. */
export function carry(inner: Carried, carriers: readonly Carrier[]): Carried {
  return carriers.reduceRight((carried, carrier) => {
    if (carrier.kind === "ip") return buildIp(carrier, carrier.info, carried.protocol, carried.bytes);
    if (carrier.kind === "gre") return buildGre(carrier.header, carried);
    return buildMpls(carrier.labels, carried);
  }, inner);
}

const GRE_CHECKSUM = 0x8000;
const GRE_KEY = 0x2000;
const GRE_SEQUENCE = 0x1000;

/** RFC 2784 2 and RFC 2890 2: the optional fields are there only if their flags say so. */
function buildGre(header: GreHeader | undefined, inner: Carried): Carried {
  const flags = header?.flags ?? 0;
  const words: number[] = [(flags << 16) | inner.etherType];
  if (header !== undefined) {
    if ((flags & GRE_CHECKSUM) !== 0) words.push((header.sum << 16) | header.offset);
    if ((flags & GRE_KEY) !== 0) words.push(header.key);
    if ((flags & GRE_SEQUENCE) !== 0) words.push(header.sequence);
  }
  return { protocol: Protocol.Gre, etherType: 0, bytes: prefixed(words, inner.bytes) };
}

/** RFC 3032 2.1. */
function buildMpls(labels: readonly MplsLabel[], inner: Carried): Carried {
  const words = labels.map(({ label, trafficClass, isBottom, ttl }) => {
    return (label << 12) | (trafficClass << 9) | (isBottom ? 0x100 : 0) | ttl;
  });
  return { protocol: MPLS_IN_IP, etherType: MPLS_UNICAST, bytes: prefixed(words, inner.bytes) };
}

function prefixed(words: readonly number[], payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(words.length * 4 + payload.length);
  words.forEach((word, index) => put32(bytes, index * 4, word));
  bytes.set(payload, words.length * 4);
  return bytes;
}

/** Makes a checksum at this place wrong. */
export function spoil(bytes: Uint8Array, at: number): void {
  const wrong = ((bytes[at]! << 8) | bytes[at + 1]!) ^ 0x5555;
  // A checksum of 0 would say that there is none (RFC 768), which is not the same as a wrong one.
  put16(bytes, at, wrong === 0 ? 1 : wrong);
}
