/**
 * What a simulated link reads and writes of the frames it carries: their payload, and ECN's field in it.
 *
 * @module
 */
import { update16 } from "../../stack/wire/checksum.ts";
import { get16 } from "../../stack/wire/bytes.ts";
import * as ethernet from "../../stack/wire/ethernet.ts";
import { EtherType } from "../../stack/wire/ethernet.ts";
import { WireError } from "../../stack/wire/error.ts";
import * as ipv4 from "../../stack/wire/ipv4.ts";
import * as ipv6 from "../../stack/wire/ipv6.ts";

/** An IEEE 802.1Q tag: two bytes of tag, two of the type that follows. */
const VLAN_TAG_LENGTH = 4;

/** ECN's two bits (RFC 3168 5). */
const ECN_MASK = 0b11, NOT_ECT = 0b00, CE = 0b11;

/** Where the payload of the Ethernet frame `bytes[start..end)` begins; it may be past the end of a frame too short. */
export function payloadAt(bytes: Uint8Array, start: number): number {
  const at = start + ethernet.HEADER_LENGTH;
  return ethernet.etherType(bytes, start) === EtherType.Vlan ? at + VLAN_TAG_LENGTH : at;
}

/**
 * Marks the IP packet in the Ethernet frame `bytes[start..end)` as having met congestion, as a router does that would
 * else drop it. False: its sender does not know ECN, or it is no IP packet, or it is marked already.
 */
export function markCongestion(bytes: Uint8Array, start: number, end: number): boolean {
  const at = payloadAt(bytes, start);
  if (at >= end) return false;
  const etherType = get16(bytes, at - 2);
  if (etherType === EtherType.Ipv4 && ipv4.check(bytes, at, end) === WireError.None) return markV4(bytes, at);
  if (etherType === EtherType.Ipv6 && ipv6.check(bytes, at, end) === WireError.None) return markV6(bytes, at);
  return false;
}

function isMarkable(trafficClass: number): boolean {
  const ecn = trafficClass & ECN_MASK;
  return ecn !== NOT_ECT && ecn !== CE;
}

function markV4(bytes: Uint8Array, at: number): boolean {
  const trafficClass = ipv4.trafficClass(bytes, at);
  if (!isMarkable(trafficClass)) return false;
  const before = get16(bytes, at);
  ipv4.setTrafficClass(bytes, at, trafficClass | CE);
  // A wrong checksum stays wrong by as much: the mark must not mend what came damaged (RFC 1624).
  const checksum = update16(ipv4.headerChecksum(bytes, at), before, get16(bytes, at));
  ipv4.setHeaderChecksum(bytes, at, checksum);
  return true;
}

function markV6(bytes: Uint8Array, at: number): boolean {
  const trafficClass = ipv6.trafficClass(bytes, at);
  if (!isMarkable(trafficClass)) return false;
  ipv6.setTrafficClass(bytes, at, trafficClass | CE);
  return true;
}
