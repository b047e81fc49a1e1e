/**
 * What IPv6 packets may leave a host.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { Address, multicastMac } from "../../../stack/wire/address.ts";
import * as ethernet from "../../../stack/wire/ethernet.ts";
import * as icmpv6 from "../../../stack/wire/icmpv6.ts";
import * as extension from "../../../stack/wire/ipv6-extension.ts";
import * as ipv6 from "../../../stack/wire/ipv6.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { Protocol } from "../../../stack/wire/protocol.ts";
import * as udp from "../../../stack/wire/udp.ts";
import type { Sender } from "./outgoing.ts";

const LINK = ethernet.HEADER_LENGTH, UPPER = LINK + ipv6.HEADER_LENGTH;

/** Asserts that an IPv6 packet may leave. */
export function checkIpv6(frame: Uint8Array, { ip, capabilities }: Sender): void {
  equal(ipv6.check(frame, LINK, frame.length), 0, "a malformed IPv6 packet");
  equal(ipv6.payloadLength(frame, LINK), frame.length - UPPER, "an IPv6 packet with a tail");
  ok(ipv6.hopLimit(frame, LINK) > 0, "a hop limit of 0");
  const source = new Address().readV6(frame, LINK + ipv6.SOURCE);
  const destination = new Address().readV6(frame, LINK + ipv6.DESTINATION);
  ok(ip.addresses.owns(source), `a packet from ${source}`);
  ok(
    !destination.isV4 && !destination.isLoopback && !destination.isUnspecified,
    `a packet to ${destination}`,
  );
  ok(!ip.addresses.owns(destination), "a packet to ourselves");
  const station = new Mac().read(frame, ethernet.DESTINATION);
  if (destination.isMulticast) {
    ok(station.equals(multicastMac(destination, new Mac())), "a multicast to one station");
  } else ok(station.isUnicast, "a unicast packet to a group of stations");
  const protocol = ipv6.nextHeader(frame, LINK);
  if (protocol === Protocol.Fragment) {
    ok(!extension.isAtomic(frame, UPPER), "an atomic fragment (RFC 8021)");
    if (extension.moreFragments(frame, UPPER)) {
      equal((frame.length - UPPER) % 8, 0, "a fragment of an odd length");
    }
  } else if (protocol === Protocol.Icmpv6) {
    equal(icmpv6.check(frame, UPPER, frame.length), 0, "a malformed ICMPv6 message");
    if (!capabilities.icmpv6.fill) return;
    ok(icmpv6.verifyChecksum(frame, UPPER, frame.length, source, destination), "a wrong ICMPv6 checksum");
  } else {
    equal(protocol, Protocol.Udp, "a packet of another protocol");
    equal(udp.check(frame, UPPER, frame.length), 0, "a malformed datagram");
    equal(udp.length(frame, UPPER), frame.length - UPPER, "a datagram with a tail");
    if (capabilities.udp.fill) {
      ok(udp.verifyChecksum(frame, UPPER, source, destination), "a wrong UDP checksum");
    }
  }
}

/** Asserts that a packet may be sent in answer to another, in its buffer. */
export function checkAnswer6(frame: Uint8Array, answer: Uint8Array): void {
  const asker = new Address().readV6(frame, LINK + ipv6.SOURCE);
  const to = new Address().readV6(answer, LINK + ipv6.DESTINATION);
  ok(to.equals(asker), `an answer to ${to}, who has not asked`);
  const isError = ipv6.nextHeader(answer, LINK) === Protocol.Icmpv6 &&
    icmpv6.isError(icmpv6.type(answer, UPPER));
  if (!isError) {
    return ok(answer.length <= frame.length, `${answer.length} bytes in answer to ${frame.length}`);
  }
  // RFC 4443 2.4 c: as much as fits the least MTU is quoted, byte for byte.
  ok(answer.length <= LINK + ipv6.MTU_MIN, "an error longer than every path takes");
  const quoted = answer.subarray(UPPER + icmpv6.HEADER_LENGTH);
  equal(
    quoted.toHex(),
    frame.subarray(LINK, LINK + quoted.length).toHex(),
    "an error that quotes something else",
  );
  if (ipv6.nextHeader(frame, LINK) !== Protocol.Icmpv6 || UPPER >= frame.length) return;
  ok(!icmpv6.isError(icmpv6.type(frame, UPPER)), "an error about an error");
}
