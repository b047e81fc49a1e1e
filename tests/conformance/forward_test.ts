/** What a router does with packets for other hosts: RFC 1812, RFC 791, RFC 8200, RFC 4443. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { RouteKind } from "../../stack/host/routes.ts";
import { seconds } from "../../stack/store/time.ts";
import { Address } from "../../stack/wire/address.ts";
import { Cidr } from "../../stack/wire/cidr.ts";
import { EtherType } from "../../stack/wire/ethernet.ts";
import * as icmpv6Wire from "../../stack/wire/icmpv6.ts";
import * as ipv4Wire from "../../stack/wire/ipv4.ts";
import { Mac } from "../../stack/wire/mac.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import {
  arpFrame,
  BROADCAST_MAC,
  concat,
  data,
  ethernet,
  icmp,
  ipv4,
  type Ipv4Fields,
  read,
} from "../support/frames.ts";
import { icmpv6, ipv6, type Ipv6Fields } from "../support/frames-v6.ts";
import { counted } from "../support/host.ts";
import {
  LEFT_HOST,
  LEFT_HOST6,
  LEFT_HOST_MAC,
  LEFT_MAC,
  RIGHT_HOST,
  RIGHT_HOST6,
  RIGHT_HOST_MAC,
  RIGHT_MAC,
  TestRouter,
} from "../support/router.ts";

const TO_ROUTER = { destination: LEFT_MAC, source: LEFT_HOST_MAC };

/** A packet of the left host's to the right host, in its frame to the router. */
function passing(fields: Ipv4Fields = {}, payload: Uint8Array = data(40), link = TO_ROUTER): Uint8Array {
  const packet = ipv4(payload, {
    source: LEFT_HOST,
    destination: RIGHT_HOST,
    protocol: Protocol.Udp,
    ...fields,
  });
  return ethernet(packet, link);
}

function passing6(fields: Ipv6Fields = {}, payload: Uint8Array = data(40)): Uint8Array {
  const packet = ipv6(payload, {
    source: LEFT_HOST6,
    destination: RIGHT_HOST6,
    protocol: Protocol.Udp,
    ...fields,
  });
  return ethernet(packet, { ...TO_ROUTER, etherType: EtherType.Ipv6 });
}

/** What the router counts beside what it has received. */
function counts(router: TestRouter): Record<string, number> {
  const { received: _, ...others } = counted(router.router.counters);
  return others;
}

Deno.test("forward: a packet leaves by the other link with one hop less, its checksum right, the rest as it was (RFC 1812 5.2.1)", () => {
  const router = new TestRouter();
  for (const hopLimit of [2, 64, 128, 255]) {
    const { left, right } = router.deliver(
      router.left,
      passing({ hopLimit, trafficClass: 0xb9, identification: 7 }),
    );
    deepEqual(left, []);
    equal(right.length, 1);
    const seen = read(right[0]);
    deepEqual([seen.source, seen.destination], [RIGHT_MAC, RIGHT_HOST_MAC]);
    ok(seen.ip!.isChecksumRight);
    equal(seen.ip!.hopLimit, hopLimit - 1);
    deepEqual([seen.ip!.source, seen.ip!.destination, seen.ip!.trafficClass], [LEFT_HOST, RIGHT_HOST, 0xb9]);
    deepEqual(seen.payload, data(40));
  }
  deepEqual(counts(router), { forwarded: 4 });
});

Deno.test("forward: every checksum stays right whatever the header holds (RFC 1624)", () => {
  const router = new TestRouter();
  for (let identification = 0; identification < 0x10000; identification += 97) {
    const { right } = router.deliver(
      router.left,
      passing({ identification, hopLimit: 1 + identification % 254 + 1 }),
    );
    ok(read(right[0]).ip!.isChecksumRight, `${identification}`);
  }
});

Deno.test("forward: an IPv6 packet leaves by the other link with one hop less (RFC 8200 3)", () => {
  const router = new TestRouter();
  const { right } = router.deliver(router.left, passing6({ hopLimit: 9, flowLabel: 0x12345 }));
  const { ip6, source, destination } = read(right[0]);
  deepEqual([source, destination], [RIGHT_MAC, RIGHT_HOST_MAC]);
  deepEqual([ip6!.hopLimit, ip6!.source, ip6!.destination], [8, LEFT_HOST6, RIGHT_HOST6]);
  equal(right[0]!.length, 14 + 40 + 40);
});

Deno.test("forward: the last hop is told as Time Exceeded to the sender, from the link's own address (RFC 1812 5.3.1)", () => {
  const router = new TestRouter();
  for (const hopLimit of [0, 1]) {
    const { left, right } = router.deliver(router.left, passing({ hopLimit }));
    deepEqual(right, []);
    const seen = read(left[0]);
    deepEqual([seen.ip!.source, seen.ip!.destination], ["10.0.0.1", LEFT_HOST]);
    deepEqual([seen.icmp!.type, seen.icmp!.code], [11, 0]);
    ok(seen.icmp!.isChecksumRight);
    // RFC 1812 4.3.2.3: the packet as it was received.
    equal(ipv4Wire.hopLimit(seen.payload, 0), hopLimit);
  }
  const { left } = router.deliver(router.left, passing6({ hopLimit: 1 }));
  const seen = read(left[0]);
  deepEqual([seen.ip6!.source, seen.icmp6!.type, seen.icmp6!.code], ["2001:db8::1", 3, 0]);
  deepEqual(counts(router), { hopLimit: 3, errorsSent: 3 });
});

Deno.test("forward: errors do not depend on what came before, such as a packet to a group", () => {
  const router = new TestRouter();
  const all = { destination: "33:33:00:00:00:01", source: LEFT_HOST_MAC, etherType: EtherType.Ipv6 };
  router.left.eth.join(Mac.parse(all.destination));
  const group = ipv6(icmpv6(data(8), { type: 129 }, LEFT_HOST6, "ff02::1"), {
    source: LEFT_HOST6,
    destination: "ff02::1",
  });
  router.deliver(router.left, ethernet(group, all));
  equal(router.left.ip.counters.received, 1);
  equal(router.deliver(router.left, passing6({ hopLimit: 1 })).left.length, 1);
  const { left } = router.deliver(router.left, ethernet(group, all), passing({ hopLimit: 1 }));
  equal(left.length, 1);
});

Deno.test("forward: without a route the sender is told that the network cannot be reached (RFC 1812 5.2.7.1, RFC 4443 3.1)", () => {
  const router = new TestRouter();
  const v4 = router.deliver(router.left, passing({ destination: "192.0.2.1" }));
  deepEqual([read(v4.left[0]).icmp!.type, read(v4.left[0]).icmp!.code], [3, 0]);
  const v6 = router.deliver(router.left, passing6({ destination: "2001:db8:9::1" }));
  deepEqual([read(v6.left[0]).icmp6!.type, read(v6.left[0]).icmp6!.code], [1, 0]);
  deepEqual(counts(router), { noRoute: 2, errorsSent: 2 });
});

Deno.test("forward: the longest prefix decides, over all links; a gateway gets the frame, not the packet", () => {
  const router = new TestRouter();
  const { routes } = router.right.ip;
  router.left.ip.routes.addDefault(Address.parse(LEFT_HOST));
  routes.add(Cidr.parse("192.0.2.0/24"), Address.parse(RIGHT_HOST));
  const { right } = router.deliver(router.left, passing({ destination: "192.0.2.1" }));
  deepEqual([read(right[0]).destination, read(right[0]).ip!.destination], [RIGHT_HOST_MAC, "192.0.2.1"]);
  // RFC 1812 5.3.1: by the link that it came from, too, if that is the way.
  const { left } = router.deliver(router.left, passing({ destination: "198.51.100.1" }));
  deepEqual([read(left[0]).destination, read(left[0]).ip!.hopLimit], [LEFT_HOST_MAC, 63]);
  routes.set({ network: Cidr.parse("192.0.2.128/25"), kind: RouteKind.Blackhole });
  routes.set({ network: Cidr.parse("192.0.2.64/26"), kind: RouteKind.Unreachable });
  deepEqual(router.deliver(router.left, passing({ destination: "192.0.2.200" })), { left: [], right: [] });
  const refused = router.deliver(router.left, passing({ destination: "192.0.2.65" }));
  deepEqual([read(refused.left[0]).icmp!.type, read(refused.left[0]).icmp!.code], [3, 1]);
  deepEqual(counts(router), { forwarded: 2, refusedByRoute: 2, errorsSent: 1 });
});

Deno.test("forward: a way that was remembered is forgotten when a route changes or expires", () => {
  const router = new TestRouter();
  const { routes } = router.right.ip;
  const network = Cidr.parse("192.0.2.0/24");
  const out = () => router.deliver(router.left, passing({ destination: "192.0.2.1" })).right.length;
  routes.add(network, Address.parse(RIGHT_HOST), seconds(10));
  deepEqual([out(), out()], [1, 1]);
  router.at(seconds(10));
  equal(out(), 0);
  routes.add(network, Address.parse(RIGHT_HOST));
  equal(out(), 1);
  routes.remove(network);
  equal(out(), 0);
});

Deno.test("forward: no host's packets with addresses that mean nobody, many or this link only (RFC 1812 5.3.7, RFC 3927 7)", () => {
  const router = new TestRouter();
  const sources = [
    "0.0.0.0",
    "0.1.2.3",
    "127.0.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "169.254.1.1",
  ];
  // RFC 1812 5.3.7: nor with an address of the router's, or the broadcast address of a subnet.
  for (const source of [...sources, "10.0.0.1", "10.0.1.1", "10.0.0.255"]) {
    deepEqual(router.deliver(router.left, passing({ source })), { left: [], right: [] }, source);
  }
  for (const destination of ["127.0.0.1", "0.0.0.7", "169.254.1.1"]) {
    deepEqual(router.deliver(router.left, passing({ destination })), { left: [], right: [] }, destination);
  }
  for (const source of ["::", "::1", "fe80::2", "ff02::1"]) {
    deepEqual(router.deliver(router.left, passing6({ source })), { left: [], right: [] }, source);
  }
  deepEqual(router.deliver(router.left, passing6({ destination: "fe80::9" })), { left: [], right: [] });
  deepEqual(counts(router), { martianSource: 14, martianDestination: 4 });
});

Deno.test("forward: broadcasts, groups, and what the link has sent to many stay on their link (RFC 1812 5.3.4, 5.3.5, RFC 2644)", () => {
  const router = new TestRouter();
  for (const destination of ["255.255.255.255", "10.0.0.255", "224.0.0.5", "239.1.2.3"]) {
    deepEqual(router.deliver(router.left, passing({ destination })), { left: [], right: [] }, destination);
  }
  const broadcast = { destination: BROADCAST_MAC, source: LEFT_HOST_MAC };
  deepEqual(router.deliver(router.left, passing({}, data(8), broadcast)), { left: [], right: [] });
  deepEqual(router.deliver(router.left, passing({ destination: "10.0.1.255" })), { left: [], right: [] });
  deepEqual(counts(router), { linkBroadcast: 1, directedBroadcast: 1 });
});

Deno.test("forward: source routes are refused, other options pass (RFC 7126 4.3, RFC 1812 5.3.13)", () => {
  const router = new TestRouter();
  const sourceRoute = [0x83, 7, 4, 10, 0, 1, 2, 0];
  deepEqual(router.deliver(router.left, passing({ options: sourceRoute })), { left: [], right: [] });
  equal(router.left.ip.counters.sourceRoute, 1);
  const { right } = router.deliver(router.left, passing({ options: [0x94, 4, 0, 0] }));
  ok(read(right[0]).ip!.isChecksumRight);
  equal(read(right[0]).ip!.headerLength, 24);
});

Deno.test("forward: what is too long for the next link and may not be cut is told with that link's MTU (RFC 1191 4, RFC 8201 3)", () => {
  const router = new TestRouter({ right: { mtu: 1_280 } });
  const v4 = router.deliver(router.left, passing({}, data(1_281 - 20)));
  const seen = read(v4.left[0]);
  deepEqual([seen.icmp!.type, seen.icmp!.code, seen.icmp!.sequence], [3, 4, 1_280]);
  const v6 = router.deliver(router.left, passing6({}, data(1_281 - 40)));
  deepEqual([read(v6.left[0]).icmp6!.type, v6.left[0]!.slice(14 + 40 + 4, 14 + 40 + 8)], [
    2,
    new Uint8Array([0, 0, 5, 0]),
  ]);
  deepEqual([v4.right, v6.right], [[], []]);
  const fits = router.deliver(router.left, passing({}, data(1_260)), passing6({}, data(1_240)));
  equal(fits.right.length, 2);
  deepEqual(counts(router), { tooBig: 2, errorsSent: 2, forwarded: 2 });
});

Deno.test("forward: without Don't Fragment a long packet leaves in pieces that are the packet again (RFC 791 3.2)", () => {
  for (const mtu of [68, 300, 576, 1_280]) {
    for (const options of [[], [0x94, 4, 0, 0], [7, 7, 4, 0, 0, 0, 0, 0]]) {
      const router = new TestRouter({ right: { mtu }, left: { slots: 64 } });
      const payload = data(1_400);
      const packet = passing({ flags: 0, identification: 77, options, hopLimit: 9 }, payload);
      const { right } = router.deliver(router.left, packet);
      const whole = new Uint8Array(payload.length);
      let covered = 0;
      for (const [index, frame] of right.entries()) {
        const { ip } = read(frame);
        const header = ipv4Wire.headerLength(frame, 14);
        const part = frame.slice(14 + header);
        ok(ip!.isChecksumRight && frame.length - 14 <= mtu);
        deepEqual([ip!.hopLimit, ip!.identification], [8, 77]);
        equal(ipv4Wire.moreFragments(frame, 14), index < right.length - 1);
        whole.set(part, ip!.offset);
        covered += part.length;
        if (index < right.length - 1) equal(part.length % 8, 0);
        // RFC 791 3.1: of options, only those with the copied flag are in every fragment.
        if (index > 0) equal(header, options[0] === 0x94 ? 24 : 20);
      }
      equal(covered, payload.length);
      deepEqual(whole, payload);
      deepEqual(counts(router), { forwarded: 1, fragments: right.length });
    }
  }
});

Deno.test("forward: a fragment that is cut again keeps its place, and the last is not the last of all (RFC 791 3.2)", () => {
  const router = new TestRouter({ right: { mtu: 576 } });
  const flags = ipv4Wire.Flag.MoreFragments;
  const { right } = router.deliver(
    router.left,
    passing({ flags, offset: 800, identification: 5 }, data(800)),
  );
  deepEqual(right.map((frame) => [read(frame).ip!.offset, ipv4Wire.moreFragments(frame, 14)]), [[800, true], [
    1_352,
    true,
  ]]);
});

Deno.test("forward: a fragment behind the end of any packet is not cut again, or its place would be another (RFC 791 3.1)", () => {
  const router = new TestRouter({ right: { mtu: 576 } });
  const flags = ipv4Wire.Flag.MoreFragments;
  deepEqual(router.deliver(router.left, passing({ flags, offset: 65_528 }, data(800))), {
    left: [],
    right: [],
  });
  deepEqual(counts(router), { notSent: 1 });
});

Deno.test("forward: a packet waits for its next hop's link address, and leaves when that is known (RFC 1812 3.3.2)", () => {
  const router = new TestRouter({ knowsHosts: false });
  const packets = [1, 2, 3].map((first) => passing({ hopLimit: 5 }, data(40, first)));
  deepEqual(router.deliver(router.left, ...packets), { left: [], right: [] });
  equal(router.woken[1], 3, "the other link's sender is asleep and must ask");
  const asked = router.transmit();
  deepEqual([asked.left, asked.right.length, read(asked.right[0]).arp?.target], [[], 1, RIGHT_HOST]);
  const reply = arpFrame({
    operation: 2,
    sender: RIGHT_HOST,
    senderMac: RIGHT_HOST_MAC,
    target: "10.0.1.1",
    targetMac: RIGHT_MAC,
  }, { source: RIGHT_HOST_MAC, destination: RIGHT_MAC });
  router.deliver(router.right, reply);
  equal(router.right.send.deadline(), 0);
  const { right } = router.transmit();
  deepEqual(
    right.map((frame) => [read(frame).destination, read(frame).ip!.hopLimit, read(frame).payload[0]]),
    [
      [RIGHT_HOST_MAC, 4, 1],
      [RIGHT_HOST_MAC, 4, 2],
      [RIGHT_HOST_MAC, 4, 3],
    ],
  );
  deepEqual(counts(router), { waited: 3 });
  equal(router.deliver(router.left, passing()).right.length, 1, "and all others at once");
});

Deno.test("forward: who does not answer is given up, and a scan of a subnet fills no more than the lines", () => {
  const router = new TestRouter({ knowsHosts: false });
  for (let host = 3; host < 250; host++) {
    router.deliver(router.left, passing({ destination: `10.0.1.${host}` }));
  }
  const { waited = 0, unresolved = 0 } = counts(router);
  deepEqual([waited, unresolved], [247, 0]);
  for (let second = 0; second < 40; second++) router.at(seconds(second)).transmit();
  equal(router.right.ip.counters.notSent, 247);
});

/** Asks both senders each second for so long, and answers with what the left one sends. */
function leftFor(router: TestRouter, duration: number): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let now = 0; now <= duration; now += seconds(1)) {
    for (let turn = 0; turn < 2; turn++) frames.push(...router.at(now).transmit().left);
  }
  return frames;
}

Deno.test("forward: the sender of what waited in vain is told host unreachable (RFC 1812 4.3.3.1)", () => {
  const router = new TestRouter();
  const packet = passing({ destination: "10.0.1.9", hopLimit: 9 });
  router.deliver(router.left, packet);
  const [error, ...others] = leftFor(router, seconds(4));
  const { ip, icmp, payload, destination } = read(error);
  deepEqual([destination, ip!.source, ip!.destination], [LEFT_HOST_MAC, "10.0.0.1", LEFT_HOST]);
  deepEqual([icmp!.type, icmp!.code, others.length], [3, 1, 0]);
  const spent = passing({ destination: "10.0.1.9", hopLimit: 8 });
  deepEqual(payload, spent.slice(14), "the packet as it would have been on the wire");
  deepEqual(counts(router), { waited: 1, undelivered: 1 });
  equal(router.left.ip.counters.errorsSent, 1);
  equal(router.woken[0], 1, "the sender of the link that it came from was asleep");
});

Deno.test("forward: over IPv6 it is address unreachable (RFC 4443 3.1, RFC 4861 7.2.2)", () => {
  const router = new TestRouter();
  const packet = passing6({ destination: "2001:db8:1::9", hopLimit: 9 });
  router.deliver(router.left, packet);
  const [error, ...others] = leftFor(router, seconds(4));
  const at = 14 + 40;
  equal(others.length, 0);
  deepEqual([error![at], error![at + 1]], [1, 3]);
  ok(
    icmpv6Wire.verifyChecksum(
      error!,
      at,
      error!.length,
      Address.parse("2001:db8::1"),
      Address.parse(LEFT_HOST6),
    ),
  );
  deepEqual(error!.slice(at + 8), passing6({ destination: "2001:db8:1::9", hopLimit: 8 }).slice(14));
});

Deno.test("forward: nobody is told about an error, a later fragment, or more often than the limit allows", () => {
  const router = new TestRouter();
  const to = { destination: "10.0.1.9" };
  const error = concat(icmp(data(28), { type: 3, code: 1 }));
  router.deliver(
    router.left,
    passing({ ...to, protocol: Protocol.Icmp }, error),
    passing({ ...to, offset: 8 }),
    passing6({ destination: "2001:db8:1::9", protocol: Protocol.Icmpv6 }, icmpv6(data(48), { type: 1 })),
  );
  deepEqual(leftFor(router, seconds(4)), []);
  equal(router.left.ip.counters.unsentErrors, 3);
  const many = new TestRouter();
  for (let host = 3; host < 100; host++) {
    many.deliver(many.left, passing({ destination: `10.0.1.${host}` }));
  }
  equal(leftFor(many, seconds(4)).length, 16);
  equal(many.left.ip.counters.unsentErrors, 97 - 16);
});

Deno.test("forward: fragments wait, too, and leave in their order (RFC 1812 3.3.2)", () => {
  const router = new TestRouter({ right: { mtu: 576 }, knowsHosts: false });
  router.deliver(router.left, passing({ flags: 0 }, data(1_200)));
  deepEqual(counts(router), { waited: 1 });
  router.transmit();
  router.right.ip.neighbours.setStatic(Address.parse(RIGHT_HOST), Mac.parse(RIGHT_HOST_MAC));
  const { right } = router.transmit();
  deepEqual(right.map((frame) => [read(frame).ip!.offset, read(frame).payload.length]), [
    [0, 552],
    [552, 552],
    [1_104, 96],
  ]);
  deepEqual(concat(...right.map((frame) => read(frame).payload)), data(1_200));
});

Deno.test("forward: of fragments that waited in vain one error tells", () => {
  const router = new TestRouter({ right: { mtu: 576 } });
  router.deliver(router.left, passing({ destination: "10.0.1.9", flags: 0 }, data(1_200)));
  equal(leftFor(router, seconds(4)).length, 1);
  equal(router.router.counters.undelivered, 3);
});

Deno.test("forward: errors are limited, and none is about an error (RFC 1812 4.3.2.7, 4.3.2.8)", () => {
  const router = new TestRouter();
  let told = 0;
  for (let count = 0; count < 200; count++) {
    told += router.deliver(router.left, passing({ hopLimit: 1 })).left.length;
  }
  ok(told > 30 && told < 80, `${told}: fifty, more or less by chance`);
  equal(router.router.counters.errorsNotSent, 200 - told);
  const error = concat(icmp(data(28), { type: 3, code: 1 }));
  const about = router.at(seconds(9)).deliver(
    router.left,
    passing({ hopLimit: 1, protocol: Protocol.Icmp }, error),
  );
  deepEqual(about, { left: [], right: [] });
});

Deno.test("forward: the router is a host on each of its addresses, by whatever link it is asked (RFC 1812 4.3.3.6)", () => {
  const router = new TestRouter();
  for (const destination of ["10.0.0.1", "10.0.1.1"]) {
    const { left } = router.deliver(router.left, passing({ destination, protocol: Protocol.Icmp }, icmp()));
    deepEqual([read(left[0]).ip!.source, read(left[0]).icmp!.type], [destination, 0]);
  }
  const echo = icmpv6(data(8), { type: 128 }, LEFT_HOST6, "2001:db8:1::1");
  const { left } = router.deliver(
    router.left,
    passing6({ destination: "2001:db8:1::1", protocol: Protocol.Icmpv6 }, echo),
  );
  deepEqual([read(left[0]).ip6!.source, read(left[0]).icmp6!.type], ["2001:db8:1::1", 129]);
});
