/**
 * NDP, MLD, IGMP and ARP from strangers, to a host that configures itself: nothing throws, every message is counted
 * once, every table keeps its limit, and what leaves is well-formed and no more than time and what came in ask for.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { Autoconf } from "../../../stack/ndp/autoconf.ts";
import { DNS_MAX } from "../../../stack/ndp/dns.ts";
import { REDIRECTS_MAX } from "../../../stack/host/redirects.ts";
import { ROUTERS_MAX } from "../../../stack/ndp/routers.ts";
import { seconds } from "../../../stack/store/time.ts";
import { Address } from "../../../stack/wire/address.ts";
import * as arp from "../../../stack/wire/arp.ts";
import { WireError } from "../../../stack/wire/error.ts";
import { EtherType } from "../../../stack/wire/ethernet.ts";
import * as ethernetWire from "../../../stack/wire/ethernet.ts";
import * as icmpv6 from "../../../stack/wire/icmpv6.ts";
import * as igmp from "../../../stack/wire/igmp.ts";
import * as ipv4Wire from "../../../stack/wire/ipv4.ts";
import * as ipv6Wire from "../../../stack/wire/ipv6.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import * as ndpWire from "../../../stack/wire/ndp.ts";
import { Protocol } from "../../../stack/wire/protocol.ts";
import { arpFrame, concat, ethernet, ipv4, OWN_MAC, PEER_MAC } from "../../support/frames.ts";
import { groupMac, ipv6 } from "../../support/frames-v6.ts";
import { type Host, host } from "../../support/host.ts";
import { prefixOption, ROUTER, ROUTER_MAC, routerAdvertisement } from "../../support/ndp.ts";
import { fc } from "../../support/property.ts";
import { HEX } from "../codec.ts";
import { target } from "../target.ts";

// An input is a row of messages: kind, source, destination, hop limit, time, length, and so many bytes of body.
const HEADER = 6;

const SOURCES6 = ["::", ROUTER, "fe80::2", "2001:db8:1::2", "2001:db8::1", "fe80::1", "ff02::1"];
const DESTINATIONS6 = ["ff02::1", "2001:db8::1", "fe80::1", "ff02::1:ff00:1", "ff02::16"];
const SOURCES4 = ["10.0.0.2", "0.0.0.0", "10.0.0.1", "8.8.8.8", "224.0.0.1"];
const DESTINATIONS4 = ["224.0.0.1", "10.0.0.1", "239.1.2.3", "224.0.0.22"];
const TARGETS = ["2001:db8::1", "fe80::1", "fe80::2", ROUTER, "2001:db8:1::9", "ff02::1"];
const HOPS = [255, 1, 64];
const WAITS = [0, 1, 100_000, seconds(1), seconds(5), seconds(120), seconds(4_000), seconds(100_000)];

const pick = <T>(from: readonly T[], index: number): T => from[index % from.length]!;

/** Kinds from here on are IPv4's. */
const IPV4_KINDS = 192;

const TYPES = [134, 135, 136, 137, 130, 131, 132, 143, 133];

/** A message as a frame; its checksum is right, so that code behind that check sees it. */
function frameOf(kind: number, from: number, to: number, hop: number, body: Uint8Array): Uint8Array {
  if (kind >= IPV4_KINDS) return frameOf4(kind, from, to, hop, body);
  const type = pick(TYPES, kind);
  const isNdp = type >= 133 && type <= 137;
  // Mostly what such a message must have, since whatever else it has ends there.
  const hopLimit = hop < 224 ? (isNdp ? 255 : 1) : pick(HOPS, hop);
  const source = from < 128
    ? (type === 136 ? pick(TARGETS, from) : pick([ROUTER, "fe80::2"], from))
    : pick(SOURCES6, from);
  const destination = pick(DESTINATIONS6, to);
  const message = new Uint8Array(Math.max(8, body.length));
  message.set(body);
  message[0] = type;
  message[1] = hop < 240 ? 0 : message[1]!;
  const a = Address.parse(source), b = Address.parse(destination);
  icmpv6.fillChecksum(message, 0, message.length, a, b);
  const isAlert = !isNdp && hop < 248;
  const payload = isAlert ? concat(Uint8Array.of(Protocol.Icmpv6, 0, 5, 2, 0, 0, 1, 0), message) : message;
  const protocol = isAlert ? Protocol.HopByHop : Protocol.Icmpv6;
  return ethernet(ipv6(payload, { source, destination, hopLimit, protocol }), {
    etherType: EtherType.Ipv6,
    destination: b.isMulticast ? groupMac(destination) : OWN_MAC,
    source: hop % 2 === 0 ? PEER_MAC : ROUTER_MAC,
  });
}

function frameOf4(kind: number, from: number, to: number, hop: number, body: Uint8Array): Uint8Array {
  const hopLimit = hop < 224 ? 1 : pick(HOPS, hop);
  const source = pick(SOURCES4, from), destination = pick(DESTINATIONS4, to);
  if (kind % 8 === 3) {
    const sender = body.length >= 4 ? body.slice(0, 4).join(".") : source;
    return arpFrame({
      sender,
      target: pick(["10.0.0.1", "10.0.0.7", sender], to),
      operation: 1 + (kind >> 7),
    });
  }
  const message = new Uint8Array(Math.max(8, body.length));
  message.set(body);
  message[0] = pick([0x11, 0x11, 0x12, 0x16, 0x17, 0x22], kind >> 3);
  igmp.fillChecksum(message, 0, message.length);
  const options = hop < 248 ? [0x94, 4, 0, 0] : [];
  return ethernet(ipv4(message, { source, destination, hopLimit, options, protocol: Protocol.Igmp }), {
    destination: "01:00:5e:00:00:01",
  });
}

function bytesOf(address: string): Uint8Array {
  const bytes = new Uint8Array(16);
  Address.parse(address).writeV6(bytes, 0);
  return bytes;
}

const byte = fc.nat(255);

const option = fc.oneof(
  fc.constantFrom(
    prefixOption(),
    prefixOption({ valid: 0, preferred: 0 }),
    prefixOption({ valid: 1, preferred: 1 }),
    prefixOption({ prefix: "::", length: 0 }),
    Uint8Array.of(1, 1, 2, 0, 0, 0, 0, 0x77),
    Uint8Array.of(2, 1, 2, 0, 0, 0, 0, 0x78),
    Uint8Array.of(5, 1, 0, 0, 0, 0, 5, 0),
    Uint8Array.of(25, 3, 0, 0, 0, 0, 0, 9, ...bytesOf("2001:db8::53")),
    Uint8Array.of(31, 2, 0, 0, 0, 0, 0, 9, 1, 97, 0, 0xc0, 0, 0, 0, 0),
  ),
  fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) =>
    prefixOption({ prefix: bytes.slice(0, 6).toHex().replaceAll(/(....)(?=.)/g, "$1:") + "::" })
  ),
  fc.uint8Array({ maxLength: 24 }),
);

const join = (...parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const some = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const place = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...TARGETS).map(bytesOf) }, {
  weight: 1,
  arbitrary: some(16),
});
const far = fc.nat(200).map((n) => bytesOf(`2001:db8:ffff::${n.toString(16)}`));
const optionList = fc.array(option, { maxLength: 4 }).map((list) => join(...list));

/** Bodies with the kind that they are of, so that most are whole. */
const bodies = fc.oneof(
  fc.tuple(fc.constant(0), fc.tuple(some(16), optionList).map((parts) => join(...parts))),
  fc.tuple(fc.constantFrom(1, 2), fc.tuple(some(8), place, optionList).map((parts) => join(...parts))),
  fc.tuple(
    fc.constant(3),
    fc.tuple(some(8), place, fc.oneof(far, place), optionList).map((parts) => join(...parts)),
  ),
  fc.tuple(
    fc.constantFrom(4, 5, 6),
    fc.tuple(
      some(8),
      fc.oneof(fc.constant(new Uint8Array(16)), place),
      fc.constantFrom(new Uint8Array(0), new Uint8Array(4)),
    ).map((parts) => join(...parts)),
  ),
  fc.tuple(byte, fc.uint8Array({ maxLength: 64 })),
);

const message = fc.tuple(bodies, fc.nat(9), byte, byte, byte, byte).map(
  ([[kind, content], turn, from, to, hop, wait]) => {
    const cut = content.slice(0, 255);
    // Of the kinds of IPv6, every ninth is the same.
    const whole = kind < IPV4_KINDS ? kind + TYPES.length * turn : kind;
    return Uint8Array.from([whole, from, to, hop, wait, cut.length, ...cut]);
  },
);

const input = fc.array(message, { minLength: 1, maxLength: 30 }).map((messages) => {
  return Uint8Array.from(messages.flatMap((one) => [...one]));
});

function checkSent(frame: Uint8Array): void {
  ok(new Mac().read(frame, ethernetWire.SOURCE).equals(Mac.parse(OWN_MAC)), "a frame from another station");
  const at = 14;
  switch (ethernetWire.etherType(frame, 0)) {
    case EtherType.Arp:
      return equal(arp.check(frame, at, frame.length), WireError.None);
    case EtherType.Ipv4:
      equal(ipv4Wire.check(frame, at, frame.length), WireError.None);
      ok(ipv4Wire.verifyChecksum(frame, at));
      return equal(igmp.check(frame, at + ipv4Wire.headerLength(frame, at), frame.length), WireError.None);
    default: {
      equal(ipv6Wire.check(frame, at, frame.length), WireError.None);
      const hasOptions = ipv6Wire.nextHeader(frame, at) === Protocol.HopByHop;
      const from = at + 40 + (hasOptions ? 8 : 0);
      const source = new Address().readV6(frame, at + ipv6Wire.SOURCE);
      const destination = new Address().readV6(frame, at + ipv6Wire.DESTINATION);
      ok(icmpv6.verifyChecksum(frame, from, frame.length, source, destination), "a wrong checksum");
      if (!hasOptions) {
        equal(ndpWire.check(frame, from, frame.length), WireError.None);
        equal(ipv6Wire.hopLimit(frame, at), 255);
      }
    }
  }
}

function checkTables(made: Host, { ndp }: Autoconf): void {
  const { addresses, neighbours, routes } = made.ip;
  ok(ndp!.routers.list().length <= ROUTERS_MAX && ndp!.redirects.size <= REDIRECTS_MAX);
  ok(ndp!.dns.servers.length <= DNS_MAX && ndp!.dns.search.length <= DNS_MAX);
  ok(neighbours.size <= 8 + 2, "neighbours");
  ok(addresses.entries().length <= 3 + 2 * 16 + 8, `${addresses.entries().length} addresses`);
  ok(routes.size <= 1 + 32 + REDIRECTS_MAX + 32, `${routes.size} routes`);
  for (const own of ["10.0.0.1", "2001:db8::1", "fe80::1"]) {
    ok(addresses.owns(Address.parse(own)), `${own} is kept, whoever claims it`);
    equal(neighbours.state(Address.parse(own), made.nic.now()), undefined, "nobody else has it");
  }
}

function run(bytes: Uint8Array): void {
  const made = host({
    knowsPeer: false,
    guard: false,
    ip: { addresses: ["10.0.0.1/24", "2001:db8::1/64", "fe80::1/64"], neighbours: { capacity: 8 } },
  });
  const autoconf = new Autoconf(made.ip, {
    mac: Mac.parse(OWN_MAC),
    secret: [1, 2, 3, 4],
    slaac: true,
    temporary: true,
  });
  made.ip.addresses.join(Address.parse("239.1.2.3"));
  made.deliver(routerAdvertisement());
  let now = 0, sent = 0, received = 0, begun = 0;
  const talk = () => {
    for (let turn = 0; turn < 64; turn++) {
      const frames = made.transmit(16);
      sent += frames.length;
      frames.forEach(checkSent);
      if (made.deadline > now) return;
    }
    ok(false, "the host always wants to be asked again at once");
  };
  for (let at = 0; at + HEADER <= bytes.length;) {
    const [kind = 0, from = 0, to = 0, hop = 0, wait = 0, length = 0] = bytes.subarray(at, at + HEADER);
    at += HEADER;
    now += pick(WAITS, wait);
    begun = made.eth.counters.received;
    made.at(now).deliver(frameOf(kind, from, to, hop, bytes.slice(at, at + length)));
    received += made.eth.counters.received - begun;
    at += length;
    talk();
    checkTables(made, autoconf);
  }
  // Time asks for some: probes for each address, reports for each group, solicitations of routers and neighbours.
  ok(sent <= 64 + 24 * received, `${sent} frames for ${received}`);
}

/** What strangers on the link say to a host that configures itself. */
export const linkControl = target({ name: "link-control", runs: 300, codec: HEX, input, run });
