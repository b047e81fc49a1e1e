/**
 * IPv6 packets for tests, in the manner of `frames.ts`: correct unless a field says otherwise.
 *
 * @module
 */
import { Address } from "../../stack/wire/address.ts";
import { put16 } from "../../stack/wire/bytes.ts";
import * as icmpWire from "../../stack/wire/icmpv6.ts";
import * as ipv6Wire from "../../stack/wire/ipv6.ts";
import { Protocol } from "../../stack/wire/protocol.ts";

/** The host under test, and the one that talks to it. */
export const OWN6 = "2001:db8::1", PEER6 = "2001:db8::2";
/** Their link-local addresses. */
export const OWN_LOCAL6 = "fe80::1", PEER_LOCAL6 = "fe80::2";

/** Fields of an IPv6 header; by default ICMPv6 from the peer to the host. The last ones may tell lies. */
export interface Ipv6Fields {
  readonly source?: string;
  readonly destination?: string;
  readonly protocol?: number;
  readonly hopLimit?: number;
  readonly trafficClass?: number;
  readonly flowLabel?: number;
  readonly version?: number;
  /** The payload length that the header claims. */
  readonly payloadLength?: number;
}

/** A packet around a payload, extension headers included. */
export function ipv6(payload: Uint8Array, fields: Ipv6Fields = {}): Uint8Array {
  const bytes = new Uint8Array(ipv6Wire.HEADER_LENGTH + payload.length);
  ipv6Wire.emit(
    bytes,
    0,
    fields.trafficClass ?? 0,
    fields.flowLabel ?? 0,
    fields.payloadLength ?? payload.length,
    fields.protocol ?? Protocol.Icmpv6,
    fields.hopLimit ?? 64,
    Address.parse(fields.source ?? PEER6),
    Address.parse(fields.destination ?? OWN6),
  );
  bytes.set(payload, ipv6Wire.HEADER_LENGTH);
  bytes[0] = ((fields.version ?? 6) << 4) | (bytes[0]! & 0xf);
  return bytes;
}

/** Fields of an ICMPv6 message; by default an echo request. */
export interface Icmpv6Fields {
  readonly type?: number;
  readonly code?: number;
  /** The second word; absent: that of an echo, identifier 5 and sequence number 1. */
  readonly rest?: number;
  /** Added to the right checksum. */
  readonly checksumError?: number;
}

/** A message around a payload, its checksum for these addresses. */
export function icmpv6(
  payload: Uint8Array,
  fields: Icmpv6Fields = {},
  source: string = PEER6,
  destination: string = OWN6,
): Uint8Array {
  const bytes = new Uint8Array(icmpWire.HEADER_LENGTH + payload.length);
  const type = fields.type ?? icmpWire.Type.EchoRequest;
  icmpWire.emitError(bytes, 0, type, fields.code ?? 0, fields.rest ?? 0x5_0001);
  bytes.set(payload, icmpWire.HEADER_LENGTH);
  icmpWire.fillChecksum(bytes, 0, bytes.length, Address.parse(source), Address.parse(destination));
  put16(bytes, icmpWire.CHECKSUM, icmpWire.checksum(bytes, 0) + (fields.checksumError ?? 0));
  return bytes;
}

/** The group of stations that a group's packets are sent to (RFC 2464 7). */
export function groupMac(group: string): string {
  const { d } = Address.parse(group);
  const bytes = [0x33, 0x33, d >>> 24, (d >>> 16) & 0xff, (d >>> 8) & 0xff, d & 0xff];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** A packet's fields, and those of the ICMPv6 message right behind its header. */
export function readIpv6(frame: Uint8Array, at: number): {
  readonly ip6: Required<Ipv6Fields>;
  readonly icmp6?: Required<Omit<Icmpv6Fields, "checksumError">> & { readonly isChecksumRight: boolean };
  readonly payload: Uint8Array;
} {
  const source = new Address().readV6(frame, at + ipv6Wire.SOURCE);
  const destination = new Address().readV6(frame, at + ipv6Wire.DESTINATION);
  const ip6 = {
    source: String(source),
    destination: String(destination),
    protocol: ipv6Wire.nextHeader(frame, at),
    hopLimit: ipv6Wire.hopLimit(frame, at),
    trafficClass: ipv6Wire.trafficClass(frame, at),
    flowLabel: ipv6Wire.flowLabel(frame, at),
    version: ipv6Wire.version(frame, at),
    payloadLength: ipv6Wire.payloadLength(frame, at),
  };
  const payloadAt = at + ipv6Wire.HEADER_LENGTH;
  if (ip6.protocol !== Protocol.Icmpv6) return { ip6, payload: frame.slice(payloadAt) };
  const icmp6 = {
    type: icmpWire.type(frame, payloadAt),
    code: icmpWire.code(frame, payloadAt),
    rest: icmpWire.rest(frame, payloadAt),
    isChecksumRight: icmpWire.verifyChecksum(frame, payloadAt, frame.length, source, destination),
  };
  return { ip6, icmp6, payload: frame.slice(payloadAt + icmpWire.HEADER_LENGTH) };
}
