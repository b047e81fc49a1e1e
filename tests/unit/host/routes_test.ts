import { deepEqual, equal, throws } from "node:assert/strict";
import { Routes } from "../../../stack/host/routes.ts";
import { Address } from "../../../stack/wire/address.ts";
import { Cidr } from "../../../stack/wire/cidr.ts";

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
