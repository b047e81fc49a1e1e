import { deepEqual, equal, throws } from "node:assert/strict";
import { type Route, RouteKind, Routes } from "../../../stack/host/routes.ts";
import { Address } from "../../../stack/wire/address.ts";
import { Cidr } from "../../../stack/wire/cidr.ts";
import { check, fc } from "../../support/property.ts";

const to = (network: string) => Cidr.parse(network);
const ip = (text: string) => Address.parse(text);

/** The gateway towards an address, as text. */
function way(routes: Routes, destination: string, now: number = 0): string | undefined {
  return routes.lookup(ip(destination), now)?.gateway.toString();
}

Deno.test("routes: the longest prefix wins, in whatever order they were added (RFC 1122 3.3.1.2)", () => {
  const routes = new Routes();
  routes.add(to("10.1.0.0/16"), ip("10.0.0.16"));
  routes.addDefault(ip("10.0.0.254"));
  routes.add(to("10.1.2.3/32"), ip("10.0.0.32"));
  routes.add(to("10.1.2.0/24"), ip("10.0.0.24"));
  equal(way(routes, "10.1.2.3"), "10.0.0.32");
  equal(way(routes, "10.1.2.4"), "10.0.0.24");
  equal(way(routes, "10.1.3.4"), "10.0.0.16");
  equal(way(routes, "8.8.8.8"), "10.0.0.254");
  deepEqual([...routes].map((route) => route.network.prefix), [32, 24, 16, 0]);
});

Deno.test("routes: the families do not mix: ::/0 is no way to an IPv4 address", () => {
  const routes = new Routes();
  routes.addDefault(ip("2001:db8::1"));
  equal(way(routes, "8.8.8.8"), undefined);
  equal(way(routes, "2001:db9::1"), "2001:db8::1");
  routes.addDefault(ip("10.0.0.254"));
  equal(way(routes, "8.8.8.8"), "10.0.0.254");
  equal([...routes].length, 2, "one family's default replaces not the other's");
  throws(() => routes.add(to("10.0.0.0/8"), ip("2001:db8::1")), RangeError);
});

Deno.test("routes: a route that has expired gives way to a shorter prefix, at that very instant", () => {
  const routes = new Routes();
  routes.addDefault(ip("10.0.0.254"));
  routes.add(to("10.1.0.0/16"), ip("10.0.0.16"), 1_000);
  equal(way(routes, "10.1.0.1", 999), "10.0.0.16");
  equal(way(routes, "10.1.0.1", 1_000), "10.0.0.254");
});

Deno.test("routes: a network has one route: the new one replaces the old, host bits or not", () => {
  const routes = new Routes(1);
  equal(routes.add(to("10.1.0.0/16"), ip("10.0.0.1")), true);
  equal(routes.add(to("10.1.9.9/16"), ip("10.0.0.2")), true, "a full table still takes a replacement");
  equal(way(routes, "10.1.0.1"), "10.0.0.2");
  equal([...routes].length, 1);
});

Deno.test("routes: a full table refuses, and is as it was", () => {
  const routes = new Routes(1);
  routes.add(to("10.1.0.0/16"), ip("10.0.0.1"));
  const { version } = routes;
  equal(routes.add(to("10.2.0.0/16"), ip("10.0.0.2")), false);
  equal(routes.version, version);
  equal(way(routes, "10.1.0.1"), "10.0.0.1");
  equal(way(routes, "10.2.0.1"), undefined);
});

Deno.test("routes: a removed route is gone; what is not there cannot be removed", () => {
  const routes = new Routes();
  routes.add(to("10.1.0.0/16"), ip("10.0.0.1"));
  equal(routes.remove(to("10.1.0.0/17")), false);
  equal(routes.remove(to("10.1.0.0/16")), true);
  equal(way(routes, "10.1.0.1"), undefined);
  equal(routes.remove(to("10.1.0.0/16")), false);
});

Deno.test("routes: the table keeps a copy of the gateway, which may be a packet's address that will change", () => {
  const routes = new Routes();
  const scratch = ip("10.0.0.254");
  routes.addDefault(scratch);
  scratch.setV4(0);
  equal(way(routes, "8.8.8.8"), "10.0.0.254");
});

Deno.test("routes: of two routes to one network the smaller metric is used, the other when that has expired", () => {
  const routes = new Routes();
  const network = to("10.1.0.0/16");
  routes.set({ network, gateway: ip("10.0.0.3"), metric: 300 });
  routes.set({ network, gateway: ip("10.0.0.1"), metric: 100, expires: 1_000 });
  routes.set({ network, gateway: ip("10.0.0.2"), metric: 200, expires: 2_000 });
  deepEqual([999, 1_000, 2_000].map((now) => way(routes, "10.1.0.1", now)), [
    "10.0.0.1",
    "10.0.0.2",
    "10.0.0.3",
  ]);
  deepEqual(routes.to(to("10.1.2.3/16")).map(({ metric }) => metric), [100, 200, 300]);
  equal(routes.remove(network, 150), false);
  equal(routes.remove(network, 100), true);
  equal(way(routes, "10.1.0.1", 0), "10.0.0.2");
  equal(routes.remove(network), true, "without a metric, all of them");
  equal(routes.size, 0);
});

Deno.test("routes: the same network and metric is the same route, whatever its gateway", () => {
  const routes = new Routes(1);
  equal(routes.set({ network: to("10.1.0.0/16"), gateway: ip("10.0.0.1"), metric: 5 }), true);
  equal(routes.set({ network: to("10.1.9.9/16"), gateway: ip("10.0.0.2"), metric: 5 }), true);
  equal(routes.set({ network: to("10.1.0.0/16"), gateway: ip("10.0.0.2"), metric: 6 }), false, "full");
  equal(routes.size, 1);
  equal(way(routes, "10.1.0.1"), "10.0.0.2");
});

Deno.test("routes: in a full table those that have expired make room, and only those", () => {
  const routes = new Routes(2);
  routes.add(to("10.1.0.0/16"), ip("10.0.0.1"), 1_000);
  routes.add(to("10.2.0.0/16"), ip("10.0.0.2"));
  equal(routes.add(to("10.3.0.0/16"), ip("10.0.0.3"), undefined, 999), false);
  equal(routes.add(to("10.3.0.0/16"), ip("10.0.0.3"), undefined, 1_000), true);
  deepEqual([...routes].map(({ network }) => String(network)).sort(), ["10.2.0.0/16", "10.3.0.0/16"]);
});

Deno.test("routes: a link's, an unreachable and a blackhole route have no gateway; a gateway's has one", () => {
  const routes = new Routes();
  routes.addDefault(ip("10.0.0.254"));
  routes.set({ network: to("192.0.2.0/24") });
  routes.set({ network: to("198.51.100.0/24"), kind: RouteKind.Unreachable });
  routes.set({ network: to("203.0.113.0/24"), kind: RouteKind.Blackhole });
  const kind = (text: string) => routes.lookup(ip(text), 0)?.kind;
  equal(kind("192.0.2.1"), RouteKind.OnLink);
  equal(kind("198.51.100.1"), RouteKind.Unreachable);
  equal(kind("203.0.113.1"), RouteKind.Blackhole);
  equal(kind("8.8.8.8"), RouteKind.Gateway);
  const network = to("10.0.0.0/8"), gateway = ip("10.0.0.1");
  throws(() => routes.set({ network, gateway, kind: RouteKind.Blackhole }), RangeError);
  throws(() => routes.set({ network, kind: RouteKind.Gateway }), RangeError);
  for (const metric of [-1, 0.5, 2 ** 32]) throws(() => routes.set({ network, metric }), RangeError);
});

Deno.test("routes: any table answers as a list in which every route is looked at", () => {
  const address = fc.oneof(
    fc.integer({ min: 0, max: 0xff }).map((n) => new Address().setV4(n * 0x0101_0101)),
    fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })).map(([high, low]) =>
      new Address().set(high << 30, 0, low << 16, low)
    ),
  );
  const route = fc.record({
    address,
    prefix: fc.integer({ min: 0, max: 128 }),
    metric: fc.integer({ min: 0, max: 2 }),
    expires: fc.integer({ min: 1, max: 10 }),
    isAdded: fc.boolean(),
  });
  check(
    fc.property(fc.array(route, { maxLength: 40 }), fc.array(address), (steps, destinations) => {
      const routes = new Routes();
      let model: Route[] = [];
      for (const { address, prefix, metric, expires, isAdded } of steps) {
        const network = new Cidr(address, address.isV4 ? prefix & 31 : prefix);
        const isSame = (other: Route) =>
          other.network.prefix === network.prefix && other.network.network.equals(network.network) &&
          other.network.isV4 === network.isV4 && other.metric === metric;
        const had = model.some(isSame);
        model = model.filter((other) => !isSame(other));
        if (!isAdded) equal(routes.remove(network, metric), had);
        else {
          routes.set({ network, metric, expires });
          model.push({ network, metric, expires, kind: RouteKind.OnLink, gateway: new Address() });
        }
      }
      equal(routes.size, model.length);
      for (const destination of [...destinations, ...steps.map((step) => step.address)]) {
        for (const now of [0, 5, 10]) {
          const [best] = model.filter(({ network, expires }) =>
            expires > now && network.contains(destination)
          ).sort((one, other) => other.network.prefix - one.network.prefix || one.metric - other.metric);
          const found = routes.lookup(destination, now);
          equal(String(found?.network.network), String(best?.network.network));
          deepEqual([found?.network.prefix, found?.metric], [best?.network.prefix, best?.metric]);
        }
      }
    }),
    { runs: 300 },
  );
});
