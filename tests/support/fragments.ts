/**
 * Fragments for tests, of either family: what a peer sends, and what a host under test has sent put together again.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { EtherType } from "../../stack/wire/ethernet.ts";
import * as ethernet from "../../stack/wire/ethernet.ts";
import * as icmpv4 from "../../stack/wire/icmpv4.ts";
import * as icmpv6 from "../../stack/wire/icmpv6.ts";
import * as ipv4Wire from "../../stack/wire/ipv4.ts";
import * as extension from "../../stack/wire/ipv6-extension.ts";
import * as ipv6Wire from "../../stack/wire/ipv6.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import { concat, data, ethernet as frameOf, icmp, ipv4, OWN, PEER } from "./frames.ts";
import { icmpv6 as message6, ipv6, OWN6, PEER6 } from "./frames-v6.ts";

/** What a fragment may have beside its place. */
export interface FragmentFields {
  readonly identification?: number;
  readonly source?: string;
  readonly destination?: string;
  readonly protocol?: number;
  readonly trafficClass?: number;
  /** The destination station. */
  readonly station?: string;
}

/** The same things of both families. */
export interface Family {
  readonly name: "IPv4" | "IPv6";
  readonly own: string;
  readonly peer: string;
  /** How long a packet may stay unfinished, in seconds. */
  readonly lifetime: number;
  /** What a fragment has in front of its data, from the IP header on. */
  readonly headers: number;
  /** An echo request, as the payload of a packet. */
  readonly request: (data: Uint8Array) => Uint8Array;
  readonly protocol: number;
  /** A frame with the fragment `payload[from..to)`. */
  readonly fragment: (
    payload: Uint8Array,
    from: number,
    to: number,
    isLast: boolean,
    fields?: FragmentFields,
  ) => Uint8Array;
  readonly echoReply: number;
  readonly timeExceeded: number;
}

const V4: Family = {
  name: "IPv4",
  own: OWN,
  peer: PEER,
  lifetime: 15,
  headers: ipv4Wire.HEADER_LENGTH,
  request: (bytes) => icmp(bytes),
  protocol: Protocol.Icmp,
  fragment: (payload, from, to, isLast, fields = {}) =>
    frameOf(
      ipv4(payload.slice(from, to), {
        identification: 0x1234,
        ...fields,
        flags: isLast ? 0 : ipv4Wire.Flag.MoreFragments,
        offset: from,
      }),
      fields.station === undefined ? {} : { destination: fields.station },
    ),
  echoReply: icmpv4.Type.EchoReply,
  timeExceeded: icmpv4.Type.TimeExceeded,
};

/** A fragment header in front of data. */
export function fragmentHeader(
  offset: number,
  isLast: boolean,
  identification: number = 0x1234,
  protocol: number = Protocol.Icmpv6,
): Uint8Array {
  const bytes = new Uint8Array(extension.FRAGMENT_LENGTH);
  extension.emitFragment(bytes, 0, protocol, offset, isLast, identification);
  return bytes;
}

const V6: Family = {
  name: "IPv6",
  own: OWN6,
  peer: PEER6,
  lifetime: 60,
  headers: ipv6Wire.HEADER_LENGTH + extension.FRAGMENT_LENGTH,
  request: (bytes) => message6(bytes),
  protocol: Protocol.Icmpv6,
  fragment: (payload, from, to, isLast, { identification, protocol, station, ...fields } = {}) =>
    frameOf(
      ipv6(concat(fragmentHeader(from, isLast, identification, protocol), payload.slice(from, to)), {
        ...fields,
        protocol: Protocol.Fragment,
      }),
      { etherType: EtherType.Ipv6, ...(station === undefined ? {} : { destination: station }) },
    ),
  echoReply: icmpv6.Type.EchoReply,
  timeExceeded: icmpv6.Type.TimeExceeded,
};

/** Both families. */
export const FAMILIES: readonly Family[] = [V4, V6];

/** A payload cut at these places, in order. */
export function cut(
  family: Family,
  payload: Uint8Array,
  places: readonly number[],
  fields: FragmentFields = {},
): Uint8Array[] {
  return [0, ...places].map((from, index) => {
    const to = places[index] ?? payload.length;
    return family.fragment(payload, from, to, index === places.length, fields);
  });
}

/** A payload cut into pieces of `length` bytes. */
export function slices(family: Family, payload: Uint8Array, length: number): Uint8Array[] {
  const places: number[] = [];
  for (let at = length; at < payload.length; at += length) places.push(at);
  return cut(family, payload, places);
}

/** A packet that was put together. */
export interface Joined {
  readonly payload: Uint8Array;
  readonly identification: number;
  readonly protocol: number;
}

/** Puts the fragments of one packet together, which must come in order, without a gap and all of one packet. */
export function join(frames: readonly Uint8Array[]): Joined {
  ok(frames.length > 1, "more than one fragment");
  const parts: Uint8Array[] = [];
  let offset = 0;
  let first: Joined | undefined;
  frames.forEach((frame, index) => {
    const part = readFragment(frame);
    equal(part.offset, offset, "no gap and no overlap");
    equal(part.isLast, index === frames.length - 1);
    first ??= { ...part, payload: part.data };
    equal(part.identification, first.identification);
    equal(part.protocol, first.protocol);
    parts.push(part.data);
    offset += part.data.length;
  });
  return { ...first!, payload: concat(...parts) };
}

/** A fragment taken apart. */
export function readFragment(frame: Uint8Array): {
  readonly offset: number;
  readonly isLast: boolean;
  readonly identification: number;
  readonly protocol: number;
  readonly data: Uint8Array;
} {
  const at = ethernet.HEADER_LENGTH;
  if (ethernet.etherType(frame, 0) === EtherType.Ipv4) {
    ok(ipv4Wire.verifyChecksum(frame, at));
    equal(ipv4Wire.dontFragment(frame, at), false);
    return {
      offset: ipv4Wire.fragmentOffset(frame, at),
      isLast: !ipv4Wire.moreFragments(frame, at),
      identification: ipv4Wire.identification(frame, at),
      protocol: ipv4Wire.protocol(frame, at),
      data: frame.slice(at + ipv4Wire.HEADER_LENGTH),
    };
  }
  equal(ipv6Wire.nextHeader(frame, at), Protocol.Fragment);
  equal(ipv6Wire.payloadLength(frame, at), frame.length - at - ipv6Wire.HEADER_LENGTH);
  const header = at + ipv6Wire.HEADER_LENGTH;
  return {
    offset: extension.fragmentOffset(frame, header),
    isLast: !extension.moreFragments(frame, header),
    identification: extension.identification(frame, header),
    protocol: extension.nextHeader(frame, header),
    data: frame.slice(header + extension.FRAGMENT_LENGTH),
  };
}

/** `length` bytes that never repeat a stretch of a fragment's length. */
export function pattern(length: number): Uint8Array {
  return data(length).map((_, index) => (index * 7 + (index >> 8) * 13) & 0xff);
}
