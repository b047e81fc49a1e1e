/**
 * What may leave a host: only what is well-formed, is from the host itself, and is not more than was asked for.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import type { Ip } from "../../../stack/ip/endpoint.ts";
import type { Capabilities } from "../../../stack/slot.ts";
import { Scope } from "../../../stack/host/addresses.ts";
import { Address, multicastMac } from "../../../stack/wire/address.ts";
import * as arp from "../../../stack/wire/arp.ts";
import * as ethernet from "../../../stack/wire/ethernet.ts";
import { EtherType } from "../../../stack/wire/ethernet.ts";
import * as icmp from "../../../stack/wire/icmpv4.ts";
import * as ipv4 from "../../../stack/wire/ipv4.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { Protocol } from "../../../stack/wire/protocol.ts";
import * as udp from "../../../stack/wire/udp.ts";
import { PEER } from "../../support/frames.ts";
import { checkAnswer6, checkIpv6 } from "./outgoing-v6.ts";
import { PEER_PORT, Port } from "../frames/pools.ts";

const LINK = ethernet.HEADER_LENGTH;

/** Most bytes that an ICMP error adds to what it quotes, and most that it has with its IP header. */
const ERROR_ADDS = ipv4.HEADER_LENGTH + icmp.HEADER_LENGTH, ERROR_LENGTH = 576;

/** The host that a frame left. */
export interface Sender {
  readonly mac: Mac;
  readonly ip: Ip;
  readonly mtu: number;
  readonly capabilities: Capabilities;
}

/** Asserts that a frame may leave. */
export function checkFrame(frame: Uint8Array, sender: Sender): void {
  ok(frame.length >= LINK, "a frame shorter than its header");
  ok(frame.length <= LINK + sender.mtu, `a frame of ${frame.length} bytes over an MTU of ${sender.mtu}`);
  ok(new Mac().read(frame, ethernet.SOURCE).equals(sender.mac), "a frame from another station");
  const type = ethernet.etherType(frame, 0);
  if (type === EtherType.Arp) checkArp(frame, sender);
  else if (type === EtherType.Ipv4) checkIpv4(frame, sender);
  else if (type === EtherType.Ipv6) checkIpv6(frame, sender);
  else ok(false, `a frame of type ${ethernet.etherTypeName(type)}`);
}

function checkArp(frame: Uint8Array, { mac, ip }: Sender): void {
  equal(arp.check(frame, LINK, frame.length), 0, "a malformed ARP packet");
  equal(frame.length, LINK + arp.LENGTH, "ARP with a tail");
  const senderMac = new Mac().read(frame, LINK + arp.SENDER_MAC);
  ok(senderMac.equals(mac), "ARP for another station");
  const sender = new Address().readV4(frame, LINK + arp.SENDER_ADDRESS);
  ok(ip.addresses.owns(sender), "ARP for another host");
  const target = new Address().readV4(frame, LINK + arp.TARGET_ADDRESS);
  const station = new Mac().read(frame, ethernet.DESTINATION);
  if (ip.addresses.owns(target)) {
    // RFC 5227 2.4: an announcement, in defence of the address.
    ok(sender.equals(target) && station.isBroadcast, "ARP about an own address");
    ok(ip.arp.conflicts.counters.defended > 0, "a defence that nobody asked for");
    return;
  }
  if (arp.operation(frame, LINK) === arp.Operation.Reply) ok(station.isUnicast, "an ARP reply to a group");
  else {
    ok(station.isUnicast || station.isBroadcast, "an ARP request to a group");
    ok(ip.addresses.onLink(target) !== undefined && target.isUnicast, `an ARP request for ${target}`);
  }
}

function checkIpv4(frame: Uint8Array, { ip, capabilities }: Sender): void {
  equal(ipv4.check(frame, LINK, frame.length), 0, "a malformed IPv4 packet");
  equal(ipv4.totalLength(frame, LINK), frame.length - LINK, "an IPv4 packet with a tail");
  equal(ipv4.headerLength(frame, LINK), ipv4.HEADER_LENGTH, "an IPv4 packet with options");
  if (ipv4.moreFragments(frame, LINK)) equal((frame.length - LINK) % 8, 4, "a fragment of an odd length");
  ok(!ipv4.isFragment(frame, LINK) || !ipv4.dontFragment(frame, LINK), "a fragment that must not be one");
  ok(ipv4.hopLimit(frame, LINK) > 0, "a hop limit of 0");
  if (capabilities.ipv4.fill) ok(ipv4.verifyChecksum(frame, LINK), "a wrong header checksum");
  const source = new Address().readV4(frame, LINK + ipv4.SOURCE);
  const destination = new Address().readV4(frame, LINK + ipv4.DESTINATION);
  ok(ip.addresses.owns(source), `a packet from ${source}`);
  ok(!destination.isLoopback && !destination.isUnspecified, `a packet to ${destination}`);
  const station = new Mac().read(frame, ethernet.DESTINATION);
  const scope = ip.addresses.scope(destination);
  ok(scope !== Scope.Own, "a packet to ourselves");
  if (scope === Scope.Broadcast) ok(station.isBroadcast, "a broadcast to one station");
  else if (destination.isMulticast) {
    ok(station.equals(multicastMac(destination, new Mac())), "a multicast to one station");
  } else ok(station.isUnicast, "a unicast packet to a group of stations");
  if (!ipv4.isFragment(frame, LINK)) checkTransport(frame, source, destination, capabilities);
}

function checkTransport(
  frame: Uint8Array,
  source: Address,
  destination: Address,
  capabilities: Capabilities,
): void {
  const at = LINK + ipv4.HEADER_LENGTH;
  const protocol = ipv4.protocol(frame, LINK);
  if (protocol === Protocol.Icmp) {
    equal(icmp.check(frame, at, frame.length), 0, "a malformed ICMP message");
    if (capabilities.icmpv4.fill) ok(icmp.verifyChecksum(frame, at, frame.length), "a wrong ICMP checksum");
  } else if (protocol === Protocol.Udp) {
    equal(udp.check(frame, at, frame.length), 0, "a malformed datagram");
    equal(udp.length(frame, at), frame.length - at, "a datagram with a tail");
    if (capabilities.udp.fill) ok(udp.verifyChecksum(frame, at, source, destination), "a wrong UDP checksum");
  } else ok(false, `a packet of protocol ${protocol}`);
}

/** Asserts that `answer` may be sent in answer to `frame`, in its buffer. */
export function checkAnswer(frame: Uint8Array, answer: Uint8Array, sender: Sender): void {
  const { ip } = sender;
  checkFrame(answer, sender);
  ok(!new Mac().read(answer, ethernet.DESTINATION).isMulticast, "an answer to a group of stations");
  if (ethernet.etherType(answer, 0) === EtherType.Arp) {
    equal(arp.operation(answer, LINK), arp.Operation.Reply, "an ARP request in answer");
    equal(arp.operation(frame, LINK), arp.Operation.Request, "an ARP reply to no request");
    return;
  }
  equal(
    ethernet.etherType(frame, 0),
    ethernet.etherType(answer, 0),
    "a packet in answer to another family's",
  );
  if (ethernet.etherType(answer, 0) === EtherType.Ipv6) return checkAnswer6(frame, answer);
  const isBroadcast = ethernet.isGroup(frame, ethernet.DESTINATION);
  const isOwn = ip.addresses.owns(new Address().readV4(frame, LINK + ipv4.DESTINATION));
  // RFC 1122 3.3.6: what is for one host, but sent to all stations, is discarded.
  ok(!isOwn || !isBroadcast, "an answer to a packet for us that all stations got");
  const asker = new Address().readV4(frame, LINK + ipv4.SOURCE);
  const to = new Address().readV4(answer, LINK + ipv4.DESTINATION);
  ok(to.equals(asker), `an answer to ${to}, who has not asked`);
  const at = LINK + ipv4.HEADER_LENGTH;
  const isError = ipv4.protocol(answer, LINK) === Protocol.Icmp && icmp.isError(icmp.type(answer, at));
  if (isError) checkError(frame, answer, sender);
  else ok(answer.length <= frame.length, `${answer.length} bytes in answer to ${frame.length}`);
}

/** RFC 1122 3.2.2: an error quotes what it is about, and is not sent about an error, a fragment, or what went to many. */
function checkError(frame: Uint8Array, error: Uint8Array, { ip }: Sender): void {
  const total = ipv4.totalLength(frame, LINK);
  const quoted = error.length - LINK - ERROR_ADDS;
  equal(quoted, Math.min(total, ERROR_LENGTH - ERROR_ADDS), "an error that does not quote all that fits");
  const quotation = error.subarray(LINK + ERROR_ADDS);
  equal(
    quotation.toHex(),
    frame.subarray(LINK, LINK + quoted).toHex(),
    "an error that quotes something else",
  );
  equal(ipv4.isFragment(frame, LINK), false, "an error about a fragment");
  ok(!ethernet.isGroup(frame, ethernet.DESTINATION), "an error about what was sent to many stations");
  ok(
    ip.addresses.owns(new Address().readV4(frame, LINK + ipv4.DESTINATION)),
    "an error about what was sent to many",
  );
  ok(!ip.addresses.isForged(new Address().readV4(frame, LINK + ipv4.SOURCE)), "an error to nobody");
  const at = LINK + ipv4.headerLength(frame, LINK);
  if (ipv4.protocol(frame, LINK) !== Protocol.Icmp) return;
  ok(LINK + total > at && !icmp.isError(icmp.type(frame, at)), "an error about an error");
}

/** Asserts that a frame which a connected handler was told of as an error quotes a datagram of its conversation. */
export function checkQuotation(frame: Uint8Array): void {
  const at = LINK + ipv4.headerLength(frame, LINK) + icmp.HEADER_LENGTH;
  const end = LINK + ipv4.totalLength(frame, LINK);
  const header = ipv4.headerLength(frame, at);
  ok(
    end - at >= 28 && header >= ipv4.HEADER_LENGTH && end - at >= header + 8,
    "an error that quotes too little",
  );
  equal(ipv4.version(frame, at), 4);
  equal(ipv4.protocol(frame, at), Protocol.Udp);
  equal(ipv4.fragmentOffset(frame, at), 0);
  const ends = [ipv4.SOURCE, ipv4.DESTINATION].map((field) =>
    new Address().readV4(frame, at + field).toString()
  );
  const ports = [udp.sourcePort(frame, at + header), udp.destinationPort(frame, at + header)];
  deepEqual([ends[1], ...ports], [PEER, Port.Connected, PEER_PORT], "an error about another conversation");
  const toldTo = new Address().readV4(frame, LINK + ipv4.DESTINATION).toString();
  equal(ends[0], toldTo, "an error about another host's datagram");
}
