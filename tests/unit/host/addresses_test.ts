import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { Addresses, AddressState, Scope } from "../../../stack/host/addresses.ts";
import { Address } from "../../../stack/wire/address.ts";

const parse = (text: string) => Address.parse(text);

Deno.test("addresses: what a destination means to a host on two subnets", () => {
  const addresses = new Addresses(["10.0.0.1/24", "192.168.1.1/16"]);
  addresses.join(parse("224.0.0.251"));
  const scopes = (texts: string[]) => texts.map((text) => addresses.scope(parse(text)));
  deepEqual(scopes(["10.0.0.1", "192.168.1.1"]), [Scope.Own, Scope.Own]);
  deepEqual(scopes(["255.255.255.255", "10.0.0.255", "192.168.255.255"]), Array(3).fill(Scope.Broadcast));
  deepEqual(scopes(["224.0.0.251"]), [Scope.Multicast]);
  deepEqual(scopes(["10.0.0.2", "192.168.1.255", "224.0.0.2", "0.0.0.0"]), Array(4).fill(Scope.Other));
  addresses.leave(parse("224.0.0.251"));
  deepEqual(scopes(["224.0.0.251"]), [Scope.Other]);
});

Deno.test("addresses: a /31 and a /32 have no broadcast address (RFC 3021 2.1)", () => {
  const addresses = new Addresses(["10.0.0.0/31", "10.0.1.255/32"]);
  equal(addresses.scope(parse("10.0.0.1")), Scope.Other);
  equal(addresses.scope(parse("10.0.0.0")), Scope.Own);
  equal(addresses.scope(parse("10.0.1.255")), Scope.Own);
});

Deno.test("addresses: what is no host's address is refused by name", () => {
  for (
    const text of [
      "224.0.0.1/24",
      "0.0.0.0/0",
      "10.0.0.255/24",
      "255.255.255.255/32",
      "240.0.0.1/8",
      "::/0",
      "ff02::1/64",
    ]
  ) {
    throws(() => new Addresses([text]), { name: "RangeError", message: new RegExp(`^${text}`) }, text);
  }
  throws(() => new Addresses(["10.0.0.300/24"]), SyntaxError);
  throws(() => new Addresses().join(parse("10.0.0.1")), RangeError);
});

Deno.test("addresses: no host can have our own, a group's, a broadcast or a loopback address (RFC 1122 3.2.1.3)", () => {
  const addresses = new Addresses(["10.0.0.1/24"]);
  const forged = [
    "10.0.0.1",
    "10.0.0.255",
    "0.0.0.0",
    "0.1.2.3",
    "127.0.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
  ];
  for (const text of forged) ok(addresses.isForged(parse(text)), text);
  for (const text of ["10.0.0.2", "10.0.1.255", "1.0.0.1", "223.255.255.254"]) {
    ok(!addresses.isForged(parse(text)), text);
  }
});

Deno.test("addresses: an address added again gets the new prefix length", () => {
  const addresses = new Addresses(["10.0.0.1/24"]);
  addresses.add("10.0.0.1/8");
  deepEqual([...addresses].map(String), ["10.0.0.1/8"]);
  equal(addresses.onLink(parse("10.9.9.9"))?.toString(), "10.0.0.1");
});

Deno.test("addresses: the own address towards a neighbour is that of the longest prefix", () => {
  const addresses = new Addresses(["10.0.0.1/8", "10.1.0.1/16", "2001:db8::1/64"]);
  equal(addresses.onLink(parse("10.1.2.3"))?.toString(), "10.1.0.1");
  equal(addresses.onLink(parse("10.2.2.3"))?.toString(), "10.0.0.1");
  equal(addresses.onLink(parse("2001:db8::5"))?.toString(), "2001:db8::1");
  equal(addresses.onLink(parse("11.0.0.1")), undefined);
});

Deno.test("addresses: the source is of the destination's family and scope, then nearest the next hop", () => {
  const addresses = new Addresses([
    "10.0.0.1/8",
    "10.1.0.1/16",
    "fe80::1/64",
    "2001:db8::1/64",
    "2001:db8:1::1/64",
  ]);
  const source = (destination: string, nextHop = destination) =>
    addresses.sourceFor(parse(destination), parse(nextHop))?.toString();
  equal(source("10.1.2.3"), "10.1.0.1");
  equal(source("11.0.0.1", "10.2.2.3"), "10.0.0.1");
  equal(source("255.255.255.255"), "10.0.0.1");
  equal(source("2001:db8:1::9"), "2001:db8:1::1");
  equal(
    source("2001:db9::", "fe80::9"),
    "2001:db8::1",
    "a router's link-local address is no reason to use ours",
  );
  equal(source("fe80::9"), "fe80::1");
  equal(source("ff02::1"), "fe80::1", "a group of the link");
  equal(source("ff05::2"), "2001:db8::1", "a group of the site");
  equal(new Addresses(["10.0.0.1/8"]).sourceFor(parse("2001:db8::1"), parse("fe80::1")), undefined);
  equal(
    new Addresses(["fe80::1/64"]).sourceFor(parse("2001:db8::1"), parse("fe80::9"))?.toString(),
    "fe80::1",
  );
});

Deno.test("addresses: a host is in the groups of all nodes and of its own addresses (RFC 4291 2.8)", () => {
  const addresses = new Addresses(["10.0.0.1/8", "2001:db8::12:3456/64"]);
  equal(addresses.scope(parse("ff02::1")), Scope.Multicast);
  equal(addresses.scope(parse("ff02::1:ff12:3456")), Scope.Multicast);
  equal(addresses.scope(parse("ff02::1:ff00:1")), Scope.Other, "10.0.0.1 has no such group");
  equal(addresses.scope(parse("ff02::2")), Scope.Other);
  equal(addresses.scope(parse("ff05::1")), Scope.Other);
  equal(addresses.scope(parse("ff02::1:fe12:3456")), Scope.Other);
  addresses.remove(parse("2001:db8::12:3456"));
  equal(addresses.scope(parse("ff02::1:ff12:3456")), Scope.Other);
});

Deno.test("addresses: every change of the own addresses grows the version", () => {
  const addresses = new Addresses();
  const versions = [addresses.version];
  addresses.add("10.0.0.1/24");
  versions.push(addresses.version);
  addresses.add("10.0.0.1/25");
  versions.push(addresses.version);
  equal(addresses.remove(parse("10.0.0.9")), false);
  equal(addresses.version, versions[2], "nothing was removed");
  equal(addresses.remove(parse("10.0.0.1")), true);
  versions.push(addresses.version);
  deepEqual(versions, [...new Set(versions)].sort((a, b) => a - b));
});

Deno.test("addresses: own hands out the table's copy, which the next packet does not overwrite", () => {
  const addresses = new Addresses(["10.0.0.1/24"]);
  const scratch = parse("10.0.0.1");
  const own = addresses.own(scratch);
  scratch.setV4(0);
  equal(own?.toString(), "10.0.0.1");
  equal(addresses.own(scratch), undefined);
});

Deno.test("addresses: tentative and duplicate ones are listed, but neither answered for nor sent from (RFC 4862 2)", () => {
  const addresses = new Addresses(["10.0.0.1/24"]);
  for (const state of [AddressState.Tentative, AddressState.Duplicate]) {
    addresses.add("2001:db8::5/64", { state });
    const own = parse("2001:db8::5");
    deepEqual([addresses.owns(own), addresses.isForged(own), addresses.scope(own)], [
      false,
      false,
      Scope.Other,
    ]);
    equal(addresses.onLink(parse("2001:db8::6")), undefined);
    equal(addresses.sourceFor(parse("2001:db8::6"), parse("2001:db8::6")), undefined);
    deepEqual([...addresses].map(String), ["10.0.0.1/24"]);
    equal(addresses.entries().length, 2);
    equal(addresses.find(own)?.state, state);
  }
  equal(
    addresses.scope(parse("ff02::1:ff00:5")),
    Scope.Multicast,
    "duplicates must be heard (RFC 4862 5.4.2)",
  );
  addresses.setState(parse("2001:db8::5"), AddressState.Preferred);
  equal(addresses.owns(parse("2001:db8::5")), true);
  equal(addresses.setState(parse("2001:db8::9"), AddressState.Preferred), false);
});

Deno.test("addresses: lifetimes deprecate, then remove, at the deadline (RFC 4862 5.5.4)", () => {
  const addresses = new Addresses();
  addresses.add("2001:db8::5/64", { preferredUntil: 50, validUntil: 100 });
  equal(addresses.deadline(), 50);
  addresses.expire(49);
  equal(addresses.entries()[0]?.state, AddressState.Preferred);
  addresses.expire(50);
  equal(addresses.entries()[0]?.state, AddressState.Deprecated);
  equal(addresses.deadline(), 100);
  addresses.setLifetimes(parse("2001:db8::5"), 80, 120, 60);
  equal(addresses.entries()[0]?.state, AddressState.Preferred);
  addresses.expire(120);
  deepEqual(addresses.entries(), []);
  equal(addresses.deadline(), Infinity);
});

Deno.test("addresses: a subnet counts as on the link unless it was added without (RFC 5942 4)", () => {
  const addresses = new Addresses();
  addresses.add("2001:db8::5/64", { isOnLink: false });
  equal(addresses.onLink(parse("2001:db8::6")), undefined);
  equal(addresses.sourceFor(parse("2001:db8::6"), parse("2001:db8::6"))?.toString(), "2001:db8::5");
});

Deno.test("addresses: a group is left when it was left as often as it was joined; every host is in that of all (RFC 1112 4)", () => {
  const addresses = new Addresses(["10.0.0.1/24"]);
  const group = parse("239.1.2.3");
  const version = addresses.groupsVersion;
  addresses.join(group);
  addresses.join(group);
  addresses.leave(group);
  equal(addresses.scope(group), Scope.Multicast);
  deepEqual(addresses.groups().map(String), ["239.1.2.3"]);
  addresses.leave(group);
  addresses.leave(group);
  equal(addresses.scope(group), Scope.Other);
  equal(addresses.groupsVersion, version + 2, "only the first and the last change anything");
  equal(addresses.scope(parse("224.0.0.1")), Scope.Multicast);
});
