import { deepEqual, equal, fail, throws } from "node:assert/strict";
import { LayerError } from "../../../stack/error.ts";
import { RouteKind } from "../../../stack/host/routes.ts";
import { NeighbourState } from "../../../stack/host/neighbours.ts";
import { Ip, type IpOptions } from "../../../stack/ip/endpoint.ts";
import type { Link } from "../../../stack/link.ts";
import { ALL_MANUAL, Medium } from "../../../stack/slot.ts";
import { Frame } from "../../../stack/frame.ts";
import { NEVER, seconds } from "../../../stack/store/time.ts";
import { Address } from "../../../stack/wire/address.ts";
import { Cidr } from "../../../stack/wire/cidr.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { BROADCAST_MAC, OWN, OWN_MAC, PEER, PEER_MAC } from "../../support/frames.ts";

const ip = (text: string) => Address.parse(text);

interface LinkState {
  now?: number;
  isLoopback?: boolean;
  resolves?: boolean;
}

function link({ now = 0, isLoopback = false, resolves = true }: LinkState = {}): Link {
  const info = { timestamp: now, capabilities: ALL_MANUAL, mtu: 1500, isLoopback, medium: Medium.Ethernet };
  return { frame: new Frame(new Uint8Array(256)), info, mac: Mac.parse(OWN_MAC), resolves };
}

/** The way of a packet as "own address > station", or the error's number. */
function way(host: Ip, destination: string, state: LinkState = {}, source: string = "::"): string | number {
  const mac = new Mac();
  const own = host.path.find(ip(source), ip(destination), link(state), mac);
  return typeof own === "number" ? own : `${own} > ${mac}`;
}

/** 10.0.0.1/24 and 192.168.0.1/24, whose hosts .2 and .254 are known by a station of the same number. */
function host(options: IpOptions = {}): Ip {
  const made = new Ip({ addresses: [`${OWN}/24`, "192.168.0.1/24"], ...options });
  for (const prefix of ["10.0.0", "192.168.0"]) {
    for (const n of [2, 254]) made.neighbours.learn(ip(`${prefix}.${n}`), station(n), 0, true);
  }
  return made;
}

const station = (n: number) => new Mac().set(0x0200, n);
const GATEWAY = "02:00:00:00:00:fe";

Deno.test("path: a host on an own subnet is its own next hop, and the source is that subnet's address", () => {
  equal(way(host(), PEER), `${OWN} > ${PEER_MAC}`);
  equal(way(host(), "192.168.0.2"), `192.168.0.1 > ${PEER_MAC}`);
});

Deno.test("path: everybody else is reached through the gateway, from the address next to it (RFC 1122 3.3.1.1)", () => {
  equal(way(host({ gateways: ["192.168.0.254"] }), "8.8.8.8"), `192.168.0.1 > ${GATEWAY}`);
});

Deno.test("path: a local subnet goes before any route to it", () => {
  const made = host({ gateways: ["10.0.0.254"] });
  made.routes.add(Cidr.parse("10.0.0.2/32"), ip("192.168.0.254"));
  equal(way(made, PEER), `${OWN} > ${PEER_MAC}`);
});

Deno.test("path: on a link's route a destination is its own next hop, though no subnet of ours holds it", () => {
  const made = host();
  made.routes.set({ network: Cidr.parse("192.0.2.0/24") });
  equal(way(made, "192.0.2.7"), LayerError.Unreachable, "its look-up is noted");
  made.neighbours.learn(ip("192.0.2.7"), station(7), 0, true);
  equal(way(made, "192.0.2.7"), `${OWN} > 02:00:00:00:00:07`);
  equal(way(made, "192.0.2.7", {}, "192.168.0.1"), "192.168.0.1 > 02:00:00:00:00:07");
});

Deno.test("path: a gateway may be on the link by a route, as long as that lasts", () => {
  const made = host();
  made.neighbours.setStatic(ip("172.16.0.1"), station(254));
  made.routes.addDefault(ip("172.16.0.1"));
  equal(way(made, "8.8.8.8"), LayerError.Unreachable);
  made.routes.set({ network: Cidr.parse("172.16.0.1/32"), expires: seconds(10) });
  equal(way(made, "8.8.8.8", { now: seconds(10) - 1 }, OWN), `${OWN} > ${GATEWAY}`);
  equal(String(made.path.source(ip("8.8.8.8"), 0)), OWN);
  equal(way(made, "8.8.8.8", { now: seconds(10) }, OWN), LayerError.Unreachable);
});

Deno.test("path: an unreachable and a blackhole route hide the default route, without any look-up", () => {
  const made = host({ gateways: ["10.0.0.254"] });
  made.routes.set({ network: Cidr.parse("192.0.2.0/24"), kind: RouteKind.Unreachable });
  made.routes.set({ network: Cidr.parse("198.51.100.0/24"), kind: RouteKind.Blackhole });
  equal(way(made, "192.0.2.7"), LayerError.Unreachable);
  equal(way(made, "198.51.100.7"), LayerError.Unreachable);
  equal(way(made, "203.0.113.7"), `${OWN} > ${GATEWAY}`);
  deepEqual([made.counters.noRoute, made.counters.unresolved], [2, 0]);
});

Deno.test("path: without a route a destination is Unreachable and counted", () => {
  const made = host();
  equal(way(made, "8.8.8.8"), LayerError.Unreachable);
  equal(way(new Ip(), PEER), LayerError.Unreachable);
  equal(made.counters.noRoute, 1);
});

Deno.test("path: an unknown next hop is Unreachable, and the look-up is noted for the gateway, not the destination", () => {
  const made = host({ gateways: ["10.0.0.9"] });
  equal(way(made, "8.8.8.8"), LayerError.Unreachable);
  const looking = [...made.neighbours.entries(0)].filter((entry) => entry.mac === undefined);
  deepEqual(looking.map((entry) => entry.address.toString()), ["10.0.0.9"]);
});

Deno.test("path: broadcasts go to everybody, directed ones from their own subnet", () => {
  equal(way(host(), "255.255.255.255"), `${OWN} > ${BROADCAST_MAC}`);
  equal(way(host(), "192.168.0.255"), `192.168.0.1 > ${BROADCAST_MAC}`);
  equal(way(new Ip(), "255.255.255.255"), LayerError.Unreachable, "no address to send from");
});

Deno.test("path: a group's station carries the low 23 bits of its address (RFC 1112 6.4)", () => {
  equal(way(host(), "224.0.0.251"), `${OWN} > 01:00:5e:00:00:fb`);
  equal(way(host(), "239.129.2.3"), `${OWN} > 01:00:5e:01:02:03`);
  equal(way(host(), "224.0.0.251", {}, "192.168.0.1"), "192.168.0.1 > 01:00:5e:00:00:fb");
});

Deno.test("path: only own addresses are sources (RFC 1122 3.3.4.2), whichever is wanted", () => {
  equal(way(host(), PEER, {}, "192.168.0.1"), `192.168.0.1 > ${PEER_MAC}`);
  equal(way(host(), PEER, {}, "10.0.0.7"), LayerError.Illegal);
  equal(way(host(), PEER, {}, "0.0.0.0"), `${OWN} > ${PEER_MAC}`, "unspecified in either family: any");
});

Deno.test("path: what no host can have is never sent to, not even through a gateway (RFC 1122 3.2.1.3)", () => {
  const made = host({ gateways: ["10.0.0.254"] });
  for (const destination of ["0.0.0.0", "0.1.2.3", "127.0.0.1", "240.0.0.1"]) {
    equal(way(made, destination), LayerError.Illegal, destination);
  }
});

Deno.test("path: IPv6 hosts are reached on their link, through a gateway, or as a group's station (RFC 2464 7)", () => {
  const made = host({ addresses: ["fe80::1/64", "2001:db8::1/64", `${OWN}/24`] });
  made.neighbours.setStatic(ip("2001:db8::2"), station(2));
  made.neighbours.setStatic(ip("fe80::fe"), station(254));
  equal(way(made, "2001:db8::2"), `2001:db8::1 > ${PEER_MAC}`);
  equal(way(made, "2001:db9::1"), LayerError.Unreachable);
  made.routes.addDefault(ip("fe80::fe"));
  equal(way(made, "2001:db9::1"), `2001:db8::1 > ${GATEWAY}`);
  equal(way(made, "2001:db9::1", {}, "2001:db8::1"), `2001:db8::1 > ${GATEWAY}`);
  equal(way(made, "fe80::fe"), `fe80::1 > ${GATEWAY}`);
  equal(way(made, "ff02::1:2"), "fe80::1 > 33:33:00:01:00:02");
  equal(way(made, "ff05::1:3"), "2001:db8::1 > 33:33:00:01:00:03");
  equal(way(made, "2001:db8::9"), LayerError.Unreachable);
  equal(way(made, "2001:db8::2", {}, OWN), LayerError.Illegal, "a source of the other family");
  for (const destination of ["::", "::1"]) equal(way(made, destination), LayerError.Illegal, destination);
});

Deno.test("path: own addresses are reached on a loopback link only", () => {
  equal(way(host(), OWN), LayerError.Unreachable);
  equal(way(host(), OWN, { isLoopback: true }), `${OWN} > ${OWN_MAC}`);
  const local = new Ip({ addresses: ["127.0.0.1/8"] });
  equal(way(local, "127.0.0.1", { isLoopback: true }), `127.0.0.1 > ${OWN_MAC}`);
  equal(way(local, "127.0.0.1"), LayerError.Unreachable);
});

Deno.test("path: a link without stations needs no look-up", () => {
  const made = new Ip({ addresses: [`${OWN}/24`] });
  equal(
    made.path.find(new Address(), ip("10.0.0.77"), link({ resolves: false }), new Mac())?.toString(),
    OWN,
  );
  equal(made.neighbours.size, 0);
});

Deno.test("path: what was found is remembered only while no table has changed", () => {
  const changes: readonly (readonly [string, (made: Ip) => void, string | number])[] = [
    [
      "a neighbour moves",
      (made) => made.neighbours.learn(ip("10.0.0.254"), station(0x77), 1, false),
      `${OWN} > 02:00:00:00:00:77`,
    ],
    [
      "a neighbour is set by hand",
      (made) => made.neighbours.setStatic(ip("10.0.0.254"), station(0x77)),
      `${OWN} > 02:00:00:00:00:77`,
    ],
    ["a neighbour is removed", (made) => made.neighbours.remove(ip("10.0.0.254")), LayerError.Unreachable],
    [
      "a longer route appears",
      (made) => made.routes.add(Cidr.parse("8.8.8.0/24"), ip("10.0.0.2")),
      `${OWN} > ${PEER_MAC}`,
    ],
    ["the route is replaced", (made) => made.routes.addDefault(ip("10.0.0.2")), `${OWN} > ${PEER_MAC}`],
    ["the route is removed", (made) => made.routes.remove(Cidr.parse("0.0.0.0/0")), LayerError.Unreachable],
    ["the own address is removed", (made) => made.addresses.remove(ip(OWN)), LayerError.Illegal],
    ["the destination becomes our own", (made) => made.addresses.add("8.8.8.8/32"), LayerError.Unreachable],
  ];
  for (const [change, apply, expected] of changes) {
    const made = host({ gateways: ["10.0.0.254"] });
    equal(way(made, "8.8.8.8", {}, OWN), `${OWN} > ${GATEWAY}`);
    equal(way(made, "8.8.8.8", {}, OWN), `${OWN} > ${GATEWAY}`);
    apply(made);
    equal(way(made, "8.8.8.8", {}, OWN), expected, change);
  }
});

Deno.test("path: what was found is not remembered beyond the route's and the neighbour's time", () => {
  const expiring = host();
  expiring.routes.addDefault(ip("10.0.0.254"), seconds(10));
  equal(way(expiring, "8.8.8.8", { now: seconds(10) - 1 }, OWN), `${OWN} > ${GATEWAY}`);
  equal(way(expiring, "8.8.8.8", { now: seconds(10) }, OWN), LayerError.Unreachable);

  const used = host();
  for (let now = 0; now <= seconds(60); now += seconds(1)) {
    way(used, PEER, { now }, OWN);
    if (used.neighbours.deadline() < NEVER) return;
  }
  fail("a neighbour's use beyond its reachable time has it confirmed");
});

Deno.test("path: what was found for one packet is not taken for another's destination or source", () => {
  const made = host();
  equal(way(made, PEER, {}, OWN), `${OWN} > ${PEER_MAC}`);
  equal(way(made, "192.168.0.254", {}, OWN), `${OWN} > ${GATEWAY}`);
  equal(way(made, "192.168.0.254", {}, "192.168.0.1"), `192.168.0.1 > ${GATEWAY}`);
  equal(way(made, "192.168.0.254"), `192.168.0.1 > ${GATEWAY}`);
});

Deno.test("ip: a gateway must be another host on an own subnet", () => {
  throws(() => host({ gateways: ["172.16.0.1"] }), /172\.16\.0\.1 is on none of the subnets/);
  throws(() => host({ gateways: [OWN] }), RangeError);
  throws(() => host({ gateways: ["10.0.0.255"] }), RangeError);
  throws(() => host({ addresses: ["10.0.0.300/24"] }), SyntaxError);
  throws(() => host({ gateways: ["10.0.0.2"], routes: 0 }), RangeError);
});

Deno.test("path: a host without an address reaches all on the link and groups, and nobody else (RFC 1122 3.2.1.3 a)", () => {
  const nobody = new Ip();
  const find = (destination: string) => {
    const mac = new Mac();
    const own = nobody.path.findFromNobody(ip(destination), mac);
    return typeof own === "number" ? own : `${own} > ${mac}`;
  };
  equal(find("255.255.255.255"), `0.0.0.0 > ${BROADCAST_MAC}`);
  equal(find("224.0.0.1"), "0.0.0.0 > 01:00:5e:00:00:01");
  equal(find("ff02::1"), ":: > 33:33:00:00:00:01");
  equal(find(PEER), LayerError.Illegal);
});

Deno.test("path: progress confirms the neighbour on the way, a router as well as a host (RFC 4861 7.3.1)", () => {
  const made = host({ gateways: ["10.0.0.254"] });
  for (const [destination, nextHop] of [[PEER, PEER], ["8.8.8.8", "10.0.0.254"]] as const) {
    way(made, destination, { now: seconds(100) });
    equal(made.neighbours.state(ip(nextHop), seconds(100)), NeighbourState.Delay);
    equal(made.neighbours.doubted, 1);
    made.path.confirm(ip(destination), { timestamp: seconds(101) });
    equal(made.neighbours.state(ip(nextHop), seconds(101)), NeighbourState.Reachable);
    equal(made.neighbours.doubted, 0);
  }
  made.path.confirm(ip("8.8.8.8"), { timestamp: seconds(101) });
});
