/**
 * Frames for tests, from small parts: each builder takes the bytes it carries and the fields that matter, so that a
 * test shows only what it is about. `read` takes a frame apart again, for partial comparison.
 *
 * Everything is correct unless a field says otherwise: `checksum`, `totalLength`, `version` corrupt a header.
 *
 * @module
 */
import { ok, partialDeepStrictEqual } from "node:assert/strict";
import { Address } from "../../stack/wire/address.ts";
import * as arpWire from "../../stack/wire/arp.ts";
import { put16 } from "../../stack/wire/bytes.ts";
import * as ethernetWire from "../../stack/wire/ethernet.ts";
import { EtherType } from "../../stack/wire/ethernet.ts";
import * as icmpWire from "../../stack/wire/icmpv4.ts";
import * as ipv4Wire from "../../stack/wire/ipv4.ts";
import { Mac } from "../../stack/wire/mac.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import { icmpv6, type Icmpv6Fields, ipv6, type Ipv6Fields, readIpv6 } from "./frames-v6.ts";

/** The host under test, and the one that talks to it. */
export const OWN = "10.0.0.1",
  PEER = "10.0.0.2",
  OWN_MAC = "02:00:00:00:00:01",
  PEER_MAC = "02:00:00:00:00:02";
/** Every station. */
export const BROADCAST_MAC = "ff:ff:ff:ff:ff:ff";

/** `length` bytes that count up, to be recognised wherever they turn up. */
export function data(length: number, first: number = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index + first);
}

/** The parts in a row. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Fields of an Ethernet frame; by default from the peer to the host. */
export interface EthernetFields {
  readonly destination?: string;
  readonly source?: string;
  readonly etherType?: number;
  /** The least length of the payload, zeros behind it: RFC 894 wants 46. */
  readonly padTo?: number;
}

/** A frame around a payload. */
export function ethernet(payload: Uint8Array, fields: EthernetFields = {}): Uint8Array {
  const bytes = new Uint8Array(ethernetWire.HEADER_LENGTH + Math.max(payload.length, fields.padTo ?? 0));
  const destination = Mac.parse(fields.destination ?? OWN_MAC);
  const source = Mac.parse(fields.source ?? PEER_MAC);
  ethernetWire.emit(bytes, 0, destination, source, fields.etherType ?? EtherType.Ipv4);
  bytes.set(payload, ethernetWire.HEADER_LENGTH);
  return bytes;
}

/** Fields of an ARP packet; by default the peer's request for the host. */
export interface ArpFields {
  readonly operation?: number;
  readonly senderMac?: string;
  readonly sender?: string;
  readonly targetMac?: string;
  readonly target?: string;
}

/** The 28 bytes of an ARP packet. */
export function arp(fields: ArpFields = {}): Uint8Array {
  const bytes = new Uint8Array(arpWire.LENGTH);
  arpWire.emit(
    bytes,
    0,
    fields.operation ?? arpWire.Operation.Request,
    Mac.parse(fields.senderMac ?? PEER_MAC),
    Address.parse(fields.sender ?? PEER).d,
    Mac.parse(fields.targetMac ?? "00:00:00:00:00:00"),
    Address.parse(fields.target ?? OWN).d,
  );
  return bytes;
}

/** An ARP packet in its frame: a request goes to everybody, a reply to the host. */
export function arpFrame(fields: ArpFields = {}, link: EthernetFields = {}): Uint8Array {
  const isRequest = (fields.operation ?? arpWire.Operation.Request) === arpWire.Operation.Request;
  return ethernet(arp(fields), {
    destination: isRequest ? BROADCAST_MAC : OWN_MAC,
    source: fields.senderMac ?? PEER_MAC,
    etherType: EtherType.Arp,
    ...link,
  });
}

/** The peer's answer to the host's request. */
export function arpReply(fields: ArpFields = {}): Uint8Array {
  return arpFrame({ operation: arpWire.Operation.Reply, targetMac: OWN_MAC, ...fields });
}

/** Fields of an IPv4 header; by default ICMP from the peer to the host. The last ones may tell lies. */
export interface Ipv4Fields {
  readonly source?: string;
  readonly destination?: string;
  readonly protocol?: number;
  readonly hopLimit?: number;
  readonly trafficClass?: number;
  readonly identification?: number;
  /** Bits of `ipv4.Flag`, by default Don't Fragment. */
  readonly flags?: number;
  /** The fragment offset in bytes. */
  readonly offset?: number;
  /** The option list; padded to whole words. */
  readonly options?: readonly number[];
  readonly version?: number;
  /** The header length in bytes that the header claims. */
  readonly headerLength?: number;
  /** The total length in bytes that the header claims. */
  readonly totalLength?: number;
  /** Added to the right header checksum. */
  readonly checksumError?: number;
}

/** A packet around a payload. */
export function ipv4(payload: Uint8Array, fields: Ipv4Fields = {}): Uint8Array {
  const options = fields.options ?? [];
  const header = ipv4Wire.HEADER_LENGTH + Math.ceil(options.length / 4) * 4;
  const bytes = new Uint8Array(header + payload.length);
  ipv4Wire.emit(
    bytes,
    0,
    fields.trafficClass ?? 0,
    fields.totalLength ?? bytes.length,
    fields.identification ?? 0,
    0,
    fields.hopLimit ?? 64,
    fields.protocol ?? Protocol.Icmp,
    Address.parse(fields.source ?? PEER).d,
    Address.parse(fields.destination ?? OWN).d,
  );
  ipv4Wire.setFragment(bytes, 0, fields.flags ?? ipv4Wire.Flag.DontFragment, fields.offset ?? 0);
  bytes.set(options, ipv4Wire.HEADER_LENGTH);
  bytes.set(payload, header);
  bytes[0] = ((fields.version ?? 4) << 4) | ((fields.headerLength ?? header) >> 2);
  ipv4Wire.fillChecksum(bytes, 0);
  ipv4Wire.setHeaderChecksum(bytes, 0, ipv4Wire.headerChecksum(bytes, 0) + (fields.checksumError ?? 0));
  return bytes;
}

/** Fields of an ICMP message; by default an echo request. */
export interface IcmpFields {
  readonly type?: number;
  readonly code?: number;
  readonly identifier?: number;
  readonly sequence?: number;
  /** Added to the right checksum. */
  readonly checksumError?: number;
}

/** A message around a payload. */
export function icmp(payload: Uint8Array = data(8), fields: IcmpFields = {}): Uint8Array {
  const bytes = new Uint8Array(icmpWire.HEADER_LENGTH + payload.length);
  const type = fields.type ?? icmpWire.Type.EchoRequest;
  icmpWire.emitEcho(bytes, 0, type, fields.identifier ?? 5, fields.sequence ?? 1);
  icmpWire.setCode(bytes, 0, fields.code ?? 0);
  bytes.set(payload, icmpWire.HEADER_LENGTH);
  icmpWire.fillChecksum(bytes, 0, bytes.length);
  put16(bytes, 2, icmpWire.checksum(bytes, 0) + (fields.checksumError ?? 0));
  return bytes;
}

/** What an echo request is made of. */
export interface EchoFields {
  readonly data?: Uint8Array;
  readonly icmp?: IcmpFields;
  readonly ip?: Ipv4Fields;
  readonly link?: EthernetFields;
}

/** A whole echo request in its frame. */
export function echoRequest(fields: EchoFields = {}): Uint8Array {
  return ethernet(ipv4(icmp(fields.data, fields.icmp), fields.ip), fields.link);
}

/** A whole echo reply from the peer in its frame. */
export function echoReply(fields: EchoFields = {}): Uint8Array {
  return echoRequest({ ...fields, icmp: { type: icmpWire.Type.EchoReply, ...fields.icmp } });
}

/** What an echo request over IPv6 is made of. */
export interface Echo6Fields {
  readonly data?: Uint8Array;
  readonly icmp?: Icmpv6Fields;
  readonly ip?: Ipv6Fields;
  readonly link?: EthernetFields;
}

/** A whole echo request over IPv6 in its frame; its checksum is for the addresses of `ip`. */
export function echoRequest6(fields: Echo6Fields = {}): Uint8Array {
  const { ip = {} } = fields;
  const message = icmpv6(fields.data ?? data(8), fields.icmp, ip.source, ip.destination);
  return ethernet(ipv6(message, ip), { etherType: EtherType.Ipv6, ...fields.link });
}

/** A frame taken apart; `payload` is what is behind the last header that was recognised. */
export interface FrameView {
  readonly destination: string;
  readonly source: string;
  readonly etherType: number;
  readonly arp?: Required<ArpFields>;
  readonly ip?: Required<Omit<Ipv4Fields, "options" | "checksumError">> & {
    readonly isChecksumRight: boolean;
  };
  readonly icmp?: Required<Omit<IcmpFields, "checksumError">> & { readonly isChecksumRight: boolean };
  readonly ip6?: ReturnType<typeof readIpv6>["ip6"];
  readonly icmp6?: ReturnType<typeof readIpv6>["icmp6"];
  readonly payload: Uint8Array;
}

/** Takes a frame apart. Only for frames that are well-formed, which those of the host under test must be. */
export function read(frame: Uint8Array | undefined): FrameView {
  ok(frame !== undefined, "no frame has left");
  ok(frame.length >= ethernetWire.HEADER_LENGTH, "a frame shorter than its header has left");
  const etherType = ethernetWire.etherType(frame, 0);
  const link = { destination: mac(frame, 0), source: mac(frame, 6), etherType };
  const at = ethernetWire.HEADER_LENGTH;
  if (etherType === EtherType.Arp) return { ...link, ...readArp(frame, at) };
  if (etherType === EtherType.Ipv4) return { ...link, ...readIpv4(frame, at) };
  if (etherType === EtherType.Ipv6) return { ...link, ...readIpv6(frame, at) };
  return { ...link, payload: frame.slice(at) };
}

/** Asserts that a frame has these fields; what the pattern leaves out may be anything. */
export function expectFrame(frame: Uint8Array | undefined, pattern: PartialView): void {
  partialDeepStrictEqual(read(frame), pattern);
}

/** Some of a {@linkcode FrameView}'s fields. */
export type PartialView = {
  readonly [K in keyof FrameView]?: FrameView[K] extends Uint8Array ? Uint8Array : Partial<FrameView[K]>;
};

function readArp(frame: Uint8Array, at: number): Pick<FrameView, "arp" | "payload"> {
  const fields = {
    operation: arpWire.operation(frame, at),
    senderMac: mac(frame, at + arpWire.SENDER_MAC),
    sender: v4(frame, at + arpWire.SENDER_ADDRESS),
    targetMac: mac(frame, at + arpWire.TARGET_MAC),
    target: v4(frame, at + arpWire.TARGET_ADDRESS),
  };
  return { arp: fields, payload: frame.slice(at + arpWire.LENGTH) };
}

function readIpv4(frame: Uint8Array, at: number): Pick<FrameView, "ip" | "icmp" | "payload"> {
  const fields = {
    source: v4(frame, at + ipv4Wire.SOURCE),
    destination: v4(frame, at + ipv4Wire.DESTINATION),
    protocol: ipv4Wire.protocol(frame, at),
    hopLimit: ipv4Wire.hopLimit(frame, at),
    trafficClass: ipv4Wire.trafficClass(frame, at),
    identification: ipv4Wire.identification(frame, at),
    flags: ipv4Wire.dontFragment(frame, at) ? ipv4Wire.Flag.DontFragment : 0,
    offset: ipv4Wire.fragmentOffset(frame, at),
    version: ipv4Wire.version(frame, at),
    headerLength: ipv4Wire.headerLength(frame, at),
    totalLength: ipv4Wire.totalLength(frame, at),
    isChecksumRight: ipv4Wire.verifyChecksum(frame, at),
  };
  const payloadAt = at + fields.headerLength;
  if (fields.protocol !== Protocol.Icmp) return { ip: fields, payload: frame.slice(payloadAt) };
  const message = {
    type: icmpWire.type(frame, payloadAt),
    code: icmpWire.code(frame, payloadAt),
    identifier: icmpWire.identifier(frame, payloadAt),
    sequence: icmpWire.sequence(frame, payloadAt),
    isChecksumRight: icmpWire.verifyChecksum(frame, payloadAt, frame.length),
  };
  return { ip: fields, icmp: message, payload: frame.slice(payloadAt + icmpWire.HEADER_LENGTH) };
}

function mac(bytes: Uint8Array, at: number): string {
  return new Mac().read(bytes, at).toString();
}

function v4(bytes: Uint8Array, at: number): string {
  return new Address().readV4(bytes, at).toString();
}
