import { equal, ok, throws } from "node:assert/strict";
import { Address } from "../../../stack/wire/address.ts";
import { Cidr } from "../../../stack/wire/cidr.ts";
import { check, fc } from "../../support/property.ts";

const at = Address.parse;

Deno.test("cidr: contains what shares the prefix (RFC 4632 3.1)", () => {
  const subnet = Cidr.parse("10.0.0.1/24");
  ok(subnet.contains(at("10.0.0.0")) && subnet.contains(at("10.0.0.255")));
  ok(!subnet.contains(at("10.0.1.0")) && !subnet.contains(at("9.255.255.255")));
  equal(subnet.network.toString(), "10.0.0.0");
  equal(subnet.address.toString(), "10.0.0.1");
  equal(subnet.toString(), "10.0.0.1/24");
});

Deno.test("cidr: the directed broadcast has all host bits one (RFC 919 7)", () => {
  const subnet = Cidr.parse("10.1.2.3/20");
  equal(subnet.broadcast?.toString(), "10.1.15.255");
  ok(subnet.isBroadcast(at("10.1.15.255")));
  ok(!subnet.isBroadcast(at("10.1.2.255")));
});

Deno.test("cidr: a /31 is two hosts without a broadcast (RFC 3021 2.1)", () => {
  const link = Cidr.parse("10.0.0.0/31");
  equal(link.broadcast, undefined);
  ok(!link.isBroadcast(at("10.0.0.1")));
  ok(link.contains(at("10.0.0.1")) && !link.contains(at("10.0.0.2")));
});

Deno.test("cidr: a /32 is one host without a broadcast", () => {
  const host = Cidr.parse("10.0.0.1/32");
  equal(host.broadcast, undefined);
  ok(!host.isBroadcast(at("10.0.0.1")));
  ok(host.contains(at("10.0.0.1")) && !host.contains(at("10.0.0.0")));
});

Deno.test("cidr: a /30 still has a broadcast", () => {
  equal(Cidr.parse("10.0.0.1/30").broadcast?.toString(), "10.0.0.3");
});

Deno.test("cidr: IPv6 has no broadcast (RFC 4291 2)", () => {
  const subnet = Cidr.parse("2001:db8::1/64");
  equal(subnet.broadcast, undefined);
  ok(!subnet.isBroadcast(at("2001:db8::ffff:ffff:ffff:ffff")));
  ok(subnet.contains(at("2001:db8::ffff:ffff:ffff:ffff")) && !subnet.contains(at("2001:db8:0:1::")));
});

Deno.test("cidr: a default route matches its own family only", () => {
  ok(Cidr.parse("0.0.0.0/0").contains(at("255.255.255.255")));
  ok(!Cidr.parse("0.0.0.0/0").contains(at("::")));
  ok(Cidr.parse("::/0").contains(at("2001:db8::1")));
  ok(!Cidr.parse("::/0").contains(at("10.0.0.1")));
});

Deno.test("cidr: keeps its own copy of the address it is made from", () => {
  const scratch = at("10.0.0.1");
  const subnet = new Cidr(scratch, 24);
  scratch.setV4(0);
  equal(subnet.toString(), "10.0.0.1/24");
});

Deno.test("cidr: a wrong text says what is wrong and what is allowed", () => {
  throws(
    () => Cidr.parse("10.0.0.300/24"),
    /SyntaxError: "10.0.0.300" is not an IP address: "300" at column 8 is above 255/,
  );
  throws(() => Cidr.parse("10.0.0.1"), /SyntaxError: "10.0.0.1" has no prefix length: write ADDRESS\/PREFIX/);
  throws(
    () => Cidr.parse("10.0.0.1/33"),
    /RangeError: the prefix length of 10.0.0.1 must be a whole number from 0 to 32, not 33/,
  );
  throws(() => Cidr.parse("2001:db8::1/129"), /RangeError: .* from 0 to 128, not 129/);
  for (const prefix of ["", "-1", "+1", "024", "1.5", "a", "24 ", "1e1", "0x8", "8/8"]) {
    throws(() => Cidr.parse(`10.0.0.1/${prefix}`), /SyntaxError: .* is not a prefix length/, prefix);
  }
  throws(() => Cidr.parse("::ffff:10.0.0.1/120"), /SyntaxError: .* write 10.0.0.1 and a prefix of 0 to 32/);
  throws(() => new Cidr(at("10.0.0.1"), 1.5), RangeError);
});

Deno.test("cidr: agrees with comparing bit by bit, in both families", () => {
  const word = fc.integer();
  const bits = (a: Address) =>
    [a.a, a.b, a.c, a.d].map((w) => (w >>> 0).toString(2).padStart(32, "0")).join("");
  check(
    fc.property(fc.boolean(), word, word, fc.nat(128), fc.nat(127), (isV4, x, y, length, flip) => {
      const prefix = isV4 ? length % 33 : length;
      const skip = isV4 ? 96 : 0;
      const address = isV4 ? new Address().setV4(x) : new Address().set(x | 1, y, x, y);
      const other = new Address().copy(address);
      const bit = isV4 ? 96 + flip % 32 : Math.max(flip, 1);
      const mask = 0x80000000 >>> (bit & 31);
      other.set(
        other.a ^ (bit >> 5 === 0 ? mask : 0),
        other.b ^ (bit >> 5 === 1 ? mask : 0),
        other.c ^ (bit >> 5 === 2 ? mask : 0),
        other.d ^ (bit >> 5 === 3 ? mask : 0),
      );
      const subnet = new Cidr(address, prefix);
      ok(subnet.contains(address));
      equal(subnet.contains(other), bit >= skip + prefix);
      equal(bits(subnet.network), bits(address).slice(0, skip + prefix).padEnd(128, "0"));
      if (subnet.broadcast) {
        equal(bits(subnet.broadcast), bits(address).slice(0, skip + prefix).padEnd(128, "1"));
      }
      equal(Cidr.parse(subnet.toString()).toString(), subnet.toString());
    }),
    { runs: 1000 },
  );
});
