/**
 * Routers, prefixes and redirects: RFC 4861 6 and 8, RFC 4191, RFC 7559, RFC 8106.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { NeighbourState } from "../../../stack/host/neighbours.ts";
import { seconds } from "../../../stack/store/time.ts";
import { Address } from "../../../stack/wire/address.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { UNKNOWN_MTU } from "../../../stack/ip/path-mtu.ts";
import { EtherType } from "../../../stack/wire/ethernet.ts";
import * as ipv6Wire from "../../../stack/wire/ipv6.ts";
import { concat, data, ethernet, PEER_MAC } from "../../support/frames.ts";
import { icmpv6, ipv6, PEER6 } from "../../support/frames-v6.ts";
import {
  advertisement,
  bytes6,
  linkOption,
  message,
  ndpHost,
  OWN_LOCAL6,
  PEER_LOCAL6,
  prefixOption,
  redirect,
  ROUTER,
  ROUTER_MAC,
  routerAdvertisement,
  run,
  word,
} from "../../support/ndp.ts";

type Made = ReturnType<typeof ndpHost>;

const FAR = "2001:db8:ffff::9";
const OTHER = "fe80::ee", OTHER_MAC = "02:00:00:00:00:ee";

/** A host that configures itself. */
const slaacHost = (): Made => ndpHost({ ndp: { slaac: true } });

/** Where a packet would go next. */
function nextHop({ ip, nic }: Made, destination: string): string | undefined {
  const route = ip.routes.lookup(Address.parse(destination), nic.now());
  if (route === undefined) return undefined;
  return route.gateway.isUnspecified ? "link" : String(route.gateway);
}

Deno.test("ndp: a host asks for routers three times, 4 s apart, then ever less often (RFC 4861 6.3.7, RFC 7559)", () => {
  const made = slaacHost();
  const said = run(made, 0, seconds(120));
  ok(said.every((line) => line.endsWith(`RS from ${OWN_LOCAL6}`)), said.join("\n"));
  const times = said.map((line) => parseFloat(line));
  deepEqual(times.slice(0, 3), [0, 4, 8]);
  ok(times.length >= 5 && times.length <= 7, `${times}`);
  equal(made.ndp.isSearching, false, "whoever waits for a router need not any more");
});

Deno.test("ndp: an advertisement ends the search", () => {
  const made = slaacHost();
  made.transmit();
  equal(made.ndp.isSearching, true);
  made.deliver(routerAdvertisement());
  equal(made.ndp.isSearching, false);
  deepEqual(run(made, 0, seconds(100)), []);
});

Deno.test("ndp: routers are asked for anew when the cable was pulled, since there may be others (RFC 4861 6.3.7)", () => {
  const made = slaacHost();
  made.transmit();
  made.deliver(routerAdvertisement());
  deepEqual(run(made, 0, seconds(100)), []);
  made.ndp.announce();
  const times = run(made, seconds(100), seconds(110)).map((line) => parseFloat(line));
  equal(times.length, 3);
  ok(times[0]! >= 100 && times[0]! < 101, "hosts that were switched on together do not ask together");
  made.deliver(routerAdvertisement());
  deepEqual(run(made, seconds(110), seconds(200)), []);
});

Deno.test("ndp: a router is used as long as its lifetime says (RFC 4861 6.3.4)", () => {
  const made = slaacHost();
  equal(nextHop(made, FAR), undefined);
  made.deliver(routerAdvertisement({ lifetime: 30 }));
  equal(nextHop(made, FAR), ROUTER);
  equal(nextHop(made.at(seconds(29)), FAR), ROUTER);
  equal(nextHop(made.at(seconds(30)), FAR), undefined);
  made.transmit();
  deepEqual(made.ndp.routers.list(), []);
});

Deno.test("ndp: a lifetime of 0 ends a router at once, and what it redirected to itself (RFC 4861 6.3.4)", () => {
  const made = slaacHost();
  made.deliver(routerAdvertisement());
  made.deliver(routerAdvertisement({ lifetime: 0 }));
  equal(nextHop(made, FAR), undefined);
});

Deno.test("ndp: a router's link address is in the cache, stale, and it is known to be a router (RFC 4861 6.3.4)", () => {
  const made = slaacHost();
  made.deliver(routerAdvertisement());
  const address = Address.parse(ROUTER);
  equal(made.ip.neighbours.state(address, 0), NeighbourState.Stale);
  equal(String(made.ip.neighbours.station(address)), ROUTER_MAC);
  equal(made.ip.neighbours.isRouter(address), true);
});

Deno.test("ndp: whoever says that it is no router any more is none (RFC 4861 7.2.5)", () => {
  const made = slaacHost();
  made.deliver(routerAdvertisement());
  made.deliver(
    advertisement({ source: ROUTER, destination: OWN_LOCAL6, target: ROUTER, flags: "S", mac: ROUTER_MAC }),
  );
  equal(nextHop(made, FAR), undefined);
});

Deno.test("ndp: advertisements from addresses that are not link-local, or with another hop limit, are ignored (RFC 4861 6.1.2)", () => {
  const made = slaacHost();
  made.deliver(
    routerAdvertisement({ source: "2001:db8::ff" }),
    routerAdvertisement({ source: "::" }),
    routerAdvertisement({ source: OWN_LOCAL6 }),
    routerAdvertisement({ hopLimit: 254 }),
    routerAdvertisement({ code: 1 }),
    routerAdvertisement({ checksumError: 1 }),
    routerAdvertisement({ options: [Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0)] }),
  );
  deepEqual(made.ndp.routers.list(), []);
  equal(made.ndp.counters.badAddress, 3);
  equal(made.ndp.counters.badHopLimit, 1);
  equal(made.ndp.counters.malformed, 2);
  equal(nextHop(made, FAR), undefined);
});

Deno.test("ndp: a host that was configured by hand heeds no advertisement", () => {
  const made = ndpHost();
  made.deliver(routerAdvertisement({ options: [prefixOption()] }));
  equal(nextHop(made, FAR), undefined);
  equal(made.ip.addresses.entries().length, 2);
  equal(made.ndp.counters.routerAdvertisements, 0);
});

Deno.test("ndp: of several routers the one with the higher preference is used (RFC 4191 3.2)", () => {
  const made = slaacHost();
  const high = 0x08, low = 0x18;
  made.deliver(routerAdvertisement());
  made.deliver(routerAdvertisement({ source: OTHER, mac: OTHER_MAC, flags: low }));
  equal(nextHop(made, FAR), ROUTER);
  made.deliver(routerAdvertisement({ source: OTHER, mac: OTHER_MAC, flags: high }));
  equal(nextHop(made, FAR), OTHER);
});

Deno.test("ndp: a router that does not answer makes way for another, and comes back with its next advertisement (RFC 4861 6.3.6)", () => {
  const made = slaacHost();
  made.deliver(routerAdvertisement(), routerAdvertisement({ source: OTHER, mac: OTHER_MAC }));
  equal(nextHop(made, FAR), ROUTER);
  made.ip.neighbours.lookup(Address.parse(ROUTER), 0, new Mac());
  run(made, 0, seconds(9));
  equal(made.ip.neighbours.counters.lost, 1);
  equal(nextHop(made, FAR), OTHER);
  made.ip.neighbours.lookup(Address.parse(OTHER), seconds(9), new Mac());
  run(made, seconds(9), seconds(20));
  equal(nextHop(made, FAR), ROUTER, "if none answers, the one that failed longest ago is tried again");
  made.deliver(routerAdvertisement({ source: OTHER, mac: OTHER_MAC }));
  equal(nextHop(made, FAR), OTHER);
});

Deno.test("ndp: sixteen routers are kept; more are counted", () => {
  const made = slaacHost();
  for (let n = 1; n <= 40; n++) made.deliver(routerAdvertisement({ source: `fe80::100:${n}` }));
  equal(made.ndp.routers.list().length, 16);
  equal(made.ndp.counters.overLimit, 24);
});

/** The echo reply of the host to a request with so much data, as its fragments' [hop limit, length] with all headers. */
function reply(made: Made, length: number): (readonly [number, number])[] {
  made.knows(PEER6, PEER_MAC);
  made.transmit();
  const request = ethernet(ipv6(icmpv6(data(length), { type: 128 })), { etherType: EtherType.Ipv6 });
  const frames = [...made.deliver(request), ...made.transmit()];
  return frames.map((frame) => [ipv6Wire.hopLimit(frame, 14), frame.length - 14] as const);
}

Deno.test("ndp: what we send has the hop limit that a router advises, unless somebody has said otherwise (RFC 4861 6.3.4)", () => {
  const made = slaacHost();
  deepEqual(reply(made, 8), [[64, 56]]);
  made.deliver(routerAdvertisement({ hopLimitAdvice: 99 }));
  deepEqual(reply(made, 8), [[99, 56]]);
  made.deliver(routerAdvertisement({ hopLimitAdvice: 0 }));
  deepEqual(reply(made, 8), [[99, 56]], "0 means that the router does not say");
  made.deliver(routerAdvertisement({ hopLimitAdvice: 1 }));
  deepEqual(reply(made, 8), [[99, 56]], "nor is anybody cut off by a forged one");
  equal(made.ndp.hopLimit, 1);
  made.icmp.hopLimit = 77;
  deepEqual(reply(made, 8), [[77, 56]]);
});

Deno.test("ndp: packets are no longer than the MTU that a router advertises, from 1280 to the NIC's (RFC 4861 6.3.4)", () => {
  const made = slaacHost();
  const mtu = (value: number) => concat(Uint8Array.of(5, 1, 0, 0), word(value));
  const lengths = () => reply(made, 1_352).map(([, length]) => length).sort();
  deepEqual(lengths(), [1_400]);
  made.deliver(routerAdvertisement({ options: [mtu(1_380)] }));
  deepEqual(lengths(), [1_376, 80]);
  for (const value of [1_279, 1_501, 0]) made.deliver(routerAdvertisement({ options: [mtu(value)] }));
  deepEqual(lengths(), [1_376, 80]);
  made.deliver(routerAdvertisement({ options: [mtu(1_500)] }));
  deepEqual(lengths(), [1_400], "it may grow again");
});

Deno.test("ndp: a path that is narrower still goes before the link's MTU (RFC 8201 4)", () => {
  const made = slaacHost();
  made.deliver(routerAdvertisement({ options: [concat(Uint8Array.of(5, 1, 0, 0), word(1_380))] }));
  const { pathMtus } = made.ip;
  pathMtus.learn(Address.parse(PEER6), 1_300, 1_400, 0);
  equal(pathMtus.get(Address.parse(PEER6), 0), 1_300);
  equal(pathMtus.get(Address.parse("2001:db8::77"), 0), 1_380);
  equal(pathMtus.get(Address.parse("10.0.0.2"), 0), UNKNOWN_MTU, "it is IPv6's only");
});

Deno.test("ndp: parameters are taken within bounds; what is not specified stays as it was (RFC 4861 6.3.4)", () => {
  const made = slaacHost();
  const mtu = (value: number) => concat(Uint8Array.of(5, 1, 0, 0), word(value));
  made.deliver(
    routerAdvertisement({ hopLimitAdvice: 33, reachable: 10_000, retrans: 2_000, options: [mtu(1_400)] }),
  );
  made.deliver(routerAdvertisement({ hopLimitAdvice: 0, options: [mtu(1_279), mtu(9_000)] }));
  const { ndp } = made;
  deepEqual([ndp.hopLimit, ndp.reachableTime, ndp.retry, ndp.mtu], [33, seconds(10), seconds(2), 1_400]);
  made.deliver(routerAdvertisement({ reachable: 0xffffffff, retrans: 1, flags: 0xc0 }));
  deepEqual([ndp.reachableTime, ndp.retry], [seconds(10), 100_000]);
  deepEqual([ndp.managed, ndp.otherConfiguration], [true, true]);
});

Deno.test("ndp: what a prefix covers is on the link for its valid lifetime, and only with the flag that says so (RFC 4861 6.3.4)", () => {
  const made = slaacHost();
  made.deliver(routerAdvertisement({
    options: [
      prefixOption({ prefix: "2001:db8:1::", flags: "L", valid: 100 }),
      prefixOption({ prefix: "2001:db8:2::", flags: "A", valid: 100 }),
      prefixOption({ prefix: "fe80::", flags: "L" }),
      prefixOption({ prefix: "ff02::", flags: "L" }),
      prefixOption({ prefix: "::", length: 0, flags: "L" }),
    ],
  }));
  equal(nextHop(made, "2001:db8:1::5"), "link");
  equal(nextHop(made, "2001:db8:2::5"), ROUTER);
  equal(nextHop(made, FAR), ROUTER, "a prefix of no bits would make everything a neighbour");
  equal(nextHop(made.at(seconds(100)), "2001:db8:1::5"), ROUTER);
  made.at(0).deliver(routerAdvertisement({ options: [prefixOption({ flags: "L", valid: 0 })] }));
  equal(nextHop(made, "2001:db8:1::5"), ROUTER, "and a lifetime of 0 ends it at once");
});

Deno.test("ndp: prefixes of random routers are bounded: 32 on the link, addresses of 16, and counted beyond", () => {
  const made = slaacHost();
  for (let n = 0; n < 100; n++) {
    made.deliver(
      routerAdvertisement({ options: [prefixOption({ prefix: `2001:db8:${(n + 1).toString(16)}::` })] }),
    );
  }
  equal(made.ip.addresses.entries().length, 2 + 16);
  equal([...made.ip.routes].filter(({ gateway }) => gateway.isUnspecified).length, 32);
  equal(made.ndp.counters.overLimit, 84 + 68);
});

Deno.test("ndp: DNS servers and search domains live as long as they are advertised (RFC 8106 5)", () => {
  const made = slaacHost();
  const servers = (lifetime: number, ...addresses: string[]) =>
    concat(Uint8Array.of(25, 1 + 2 * addresses.length, 0, 0), word(lifetime), ...addresses.map(bytes6));
  const domain = concat(
    Uint8Array.of(31, 3, 0, 0),
    word(60),
    Uint8Array.of(3, 0x6c, 0x61, 0x62, 0, 2, 0x41, 0x42, 0, 0, 0, 0, 0, 0, 0, 0),
  );
  made.deliver(
    routerAdvertisement({ options: [servers(60, "2001:db8::53", "2001:db8::54", "ff02::1"), domain] }),
  );
  deepEqual(made.ndp.dns.servers.map(String), ["2001:db8::53", "2001:db8::54"]);
  deepEqual(made.ndp.dns.search, ["lab", "ab"]);
  const { version } = made.ndp.dns;
  made.deliver(routerAdvertisement({ options: [servers(0, "2001:db8::53")] }));
  deepEqual(made.ndp.dns.servers.map(String), ["2001:db8::54"]);
  made.at(seconds(61)).transmit();
  deepEqual([made.ndp.dns.servers, made.ndp.dns.search], [[], []]);
  ok(made.ndp.dns.version > version);
  for (let n = 0; n < 9; n++) {
    made.deliver(routerAdvertisement({ options: [servers(60, `2001:db8::a:${n}`, `2001:db8::b:${n}`)] }));
  }
  equal(made.ndp.dns.servers.length, 8);
  made.deliver(
    routerAdvertisement({ options: [Uint8Array.of(25, 2, 0, 0, 0, 0, 0, 1, ...new Uint8Array(8))] }),
  );
  equal(made.ndp.dns.servers.length, 8, "half an address is none");
});

Deno.test("ndp: a redirect from the first hop is followed, to another router or to the destination itself (RFC 4861 8.3)", () => {
  const made = slaacHost();
  made.deliver(routerAdvertisement());
  made.deliver(redirect(FAR, OTHER, { mac: OTHER_MAC }));
  equal(nextHop(made, FAR), OTHER);
  equal(nextHop(made, "2001:db8:ffff::8"), ROUTER, "for that destination alone");
  equal(String(made.ip.neighbours.station(Address.parse(OTHER))), OTHER_MAC);
  equal(made.ip.neighbours.isRouter(Address.parse(OTHER)), true);
  made.deliver(redirect("2001:db8:ffff::7", "2001:db8:ffff::7"));
  equal(nextHop(made, "2001:db8:ffff::7"), "link");
  equal(made.ndp.counters.redirects, 2);
});

Deno.test("ndp: no redirect is followed from anybody else, off the link, for a group, or to nonsense (RFC 4861 8.1)", () => {
  const made = slaacHost();
  made.deliver(routerAdvertisement());
  made.deliver(
    redirect(FAR, OTHER, { source: OTHER }),
    redirect(FAR, OTHER, { source: "2001:db8::ff" }),
    redirect(FAR, OTHER, { destination: "ff02::1" }),
    redirect(FAR, "2001:db8::ee"),
    redirect("ff0e::1", "ff0e::1"),
    redirect("2001:db8::5", OTHER),
    redirect(FAR, OWN_LOCAL6),
    redirect("fe80::5", "fe80::5"),
    redirect("::ffff:10.0.0.1", OTHER),
  );
  equal(made.ndp.counters.badRedirect, 9);
  made.deliver(redirect(FAR, OTHER, { hopLimit: 64 }), redirect(FAR, OTHER, { code: 1 }));
  equal(made.ndp.counters.redirects, 0);
  equal(nextHop(made, FAR), ROUTER);
  equal(nextHop(ndpHost(), FAR), undefined);
});

Deno.test("ndp: a redirect ends by itself, when its target does not answer, and when its router is none any more", () => {
  const aged = slaacHost();
  aged.deliver(routerAdvertisement(), redirect(FAR, OTHER));
  equal(nextHop(aged.at(seconds(600)), FAR), ROUTER);

  const silent = slaacHost();
  silent.deliver(routerAdvertisement(), redirect(FAR, OTHER));
  silent.ip.neighbours.lookup(Address.parse(OTHER), 0, new Mac());
  run(silent, 0, seconds(4));
  equal(nextHop(silent, FAR), ROUTER);

  const gone = slaacHost();
  gone.deliver(routerAdvertisement(), redirect(FAR, OTHER));
  gone.deliver(routerAdvertisement({ source: OTHER, lifetime: 0 }));
  equal(nextHop(gone, FAR), ROUTER);
});

Deno.test("ndp: 64 redirects are kept, the latest ones", () => {
  const made = slaacHost();
  made.deliver(routerAdvertisement());
  for (let n = 1; n <= 100; n++) made.deliver(redirect(`2001:db8:ffff::${n}`, OTHER));
  equal(made.ndp.redirects.size, 64);
  equal(nextHop(made, "2001:db8:ffff::36"), ROUTER);
  equal(nextHop(made, "2001:db8:ffff::37"), OTHER);
});

Deno.test("ndp: a router's own router solicitation is for routers", () => {
  const made = slaacHost();
  made.deliver(message(133, 0, linkOption(1, OTHER_MAC), { source: PEER_LOCAL6, destination: "ff02::1" }));
  equal(made.ndp.counters.forRouters, 1);
});
