/**
 * IPv6 packets, with extension headers, fragments, ICMPv6 and UDP.
 *
 * @module
 */
import { concat } from "../../support/frames.ts";
import { ipv6, OWN6, OWN_LOCAL6, PEER6, PEER_LOCAL6 } from "../../support/frames-v6.ts";
import { fragmentHeader } from "../../support/fragments.ts";
import { fc } from "../../support/property.ts";
import { Address } from "../../../stack/wire/address.ts";
import * as icmpv6 from "../../../stack/wire/icmpv6.ts";
import { Protocol } from "../../../stack/wire/protocol.ts";
import * as udp from "../../../stack/wire/udp.ts";
import { payload, Port, seldom } from "./pools.ts";

const SOURCES = [
  PEER6,
  PEER6,
  PEER_LOCAL6,
  "2001:db8::9",
  OWN6,
  "::",
  "::1",
  "ff02::1",
  "::ffff:10.0.0.2",
] as const;
const DESTINATIONS = [
  OWN6,
  OWN6,
  OWN6,
  OWN_LOCAL6,
  "ff02::1",
  "ff02::1:ff00:1",
  "2001:db8::7",
  "::1",
] as const;

/** What is behind all headers: its protocol, and what it is made of between two addresses. */
type Upper = readonly [protocol: number, make: (source: Address, destination: Address) => Uint8Array];

const message: fc.Arbitrary<Upper> = fc.tuple(
  fc.constantFrom(128, 128, 128, 129, 1, 2, 3, 4, 130, 135, 136, 134, 137, 200),
  fc.nat(5),
  fc.integer(),
  payload,
).map(([type, code, rest, data]) => [Protocol.Icmpv6, (source, destination) => {
  const bytes = concat(new Uint8Array(icmpv6.HEADER_LENGTH), data);
  icmpv6.emitError(bytes, 0, type, code, rest);
  icmpv6.fillChecksum(bytes, 0, bytes.length, source, destination);
  return bytes;
}]);

const datagram: fc.Arbitrary<Upper> = fc.tuple(
  fc.oneof(fc.constantFrom(...Object.values(Port)), fc.nat(0xffff)),
  payload,
).map(([port, data]) => [Protocol.Udp, (source, destination) => {
  const bytes = concat(new Uint8Array(udp.HEADER_LENGTH), data);
  udp.emit(bytes, 0, 5_000, port, bytes.length);
  udp.fillChecksum(bytes, 0, source, destination);
  return bytes;
}]);

const other: fc.Arbitrary<Upper> = fc.tuple(fc.constantFrom(6, 59, 99, 1, 255), payload).map((
  [protocol, data],
) => [protocol, () => data]);

/** A header of options or a route: its number, and its bytes behind the first two. */
const extension = fc.tuple(
  fc.constantFrom(Protocol.HopByHop, Protocol.Destination, Protocol.Routing),
  fc.oneof(
    fc.constantFrom([1, 4, 0, 0, 0, 0], [5, 2, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0]),
    fc.array(fc.nat(255), { maxLength: 22 }),
  ),
);

/** An IPv6 packet whose upper checksum is right, whatever else is wrong. */
export const packet6: fc.Arbitrary<Uint8Array> = fc.record({
  source: fc.constantFrom(...SOURCES),
  destination: fc.constantFrom(...DESTINATIONS),
  upper: fc.oneof({ weight: 4, arbitrary: message }, { weight: 3, arbitrary: datagram }, {
    weight: 1,
    arbitrary: other,
  }),
  extensions: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, {
    weight: 1,
    arbitrary: fc.array(extension, { maxLength: 10 }),
  }),
  fragment: seldom(fc.tuple(fc.nat(80), fc.boolean(), fc.nat(3))),
  hopLimit: fc.constantFrom(1, 64, 255),
  trafficClass: fc.constantFrom(0, 1, 2, 3, 0xb8),
}).map(({ source, destination, upper: [protocol, make], extensions, fragment, ...rest }) => {
  let bytes = make(Address.parse(source), Address.parse(destination));
  let next: number = protocol;
  if (fragment !== undefined) {
    const [offset, isLast, identification] = fragment;
    bytes = concat(fragmentHeader(offset * 8, isLast, identification, next), bytes);
    next = Protocol.Fragment;
  }
  for (const [number, body] of extensions.toReversed()) {
    const header = new Uint8Array(Math.ceil((body.length + 2) / 8) * 8);
    header.set(body, 2);
    header[0] = next;
    header[1] = header.length / 8 - 1;
    bytes = concat(header, bytes);
    next = number;
  }
  return ipv6(bytes, { source, destination, protocol: next, ...rest });
});
