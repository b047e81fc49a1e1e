import { deepEqual, equal, ok } from "node:assert/strict";
import { Address, multicastMac } from "../../../stack/wire/address.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { check, fc } from "../../support/property.ts";
import { ECHO_REQUEST, UDP_V6 } from "./frames.ts";

const word = fc.integer();

function holds(property: (address: Address) => boolean, yes: readonly string[], no: readonly string[]): void {
  for (const text of yes) ok(property(Address.parse(text)), `${text} must`);
  for (const text of no) ok(!property(Address.parse(text)), `${text} must not`);
}

Deno.test("address: an IPv4 address is kept as its mapped IPv6 address (RFC 4291 2.5.5.2)", () => {
  const address = Address.parse("192.168.1.2");
  deepEqual([address.a, address.b, address.c, address.d], [0, 0, 0xffff, 0xc0a80102 | 0]);
  ok(address.isV4);
  ok(address.equals(new Address().setV4(0xc0a80102)));
  ok(!address.equals(Address.parse("::192.168.1.2")), "the deprecated compatible form is another address");
});

Deno.test("address: is read from the headers of both families", () => {
  equal(new Address().readV4(ECHO_REQUEST, 14 + 12).toString(), "10.0.0.2");
  equal(new Address().readV6(UDP_V6, 14 + 8).toString(), "2001:db8::2");
});

Deno.test("address: is written to the headers of both families", () => {
  const bytes = new Uint8Array(16);
  Address.parse("10.0.0.1").writeV4(bytes, 2);
  deepEqual([...bytes.subarray(0, 8)], [0, 0, 10, 0, 0, 1, 0, 0]);
  const address = Address.parse("2001:db8::ff00:42:8329");
  address.writeV6(bytes, 0);
  ok(new Address().readV6(bytes, 0).equals(address));
});

Deno.test("address: unspecified (RFC 1122 3.2.1.3, RFC 4291 2.5.2)", () => {
  holds((a) => a.isUnspecified, ["0.0.0.0", "::"], ["0.0.0.1", "::1", "::fffe:0:0", "1::"]);
});

Deno.test("address: loopback (RFC 1122 3.2.1.3, RFC 4291 2.5.3)", () => {
  holds((a) => a.isLoopback, ["127.0.0.1", "127.255.255.255", "::1"], [
    "128.0.0.1",
    "0.0.0.1",
    "::2",
    "::127.0.0.1",
    "1::1",
  ]);
});

Deno.test("address: multicast (RFC 1112 4, RFC 4291 2.7)", () => {
  holds(
    (a) => a.isMulticast,
    ["224.0.0.1", "239.255.255.255", "ff02::1", "ff00::"],
    ["223.255.255.255", "240.0.0.0", "fe80::1", "::"],
  );
});

Deno.test("address: limited broadcast (RFC 919 7)", () => {
  holds((a) => a.isBroadcast, ["255.255.255.255"], [
    "10.0.0.255",
    "::ffff:ffff",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
  ]);
});

Deno.test("address: link-local (RFC 3927 2.1, RFC 4291 2.5.6)", () => {
  holds((a) => a.isLinkLocal, ["169.254.1.2", "fe80::1", "febf::1"], [
    "169.255.0.1",
    "fec0::1",
    "fe00::1",
    "::a9fe:0",
  ]);
});

Deno.test("address: unicast is what one host can have (RFC 1112 4, RFC 4291 2.4)", () => {
  holds(
    (a) => a.isUnicast,
    ["10.0.0.1", "127.0.0.1", "223.255.255.255", "2001:db8::1", "fe80::1", "::1"],
    ["0.0.0.0", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "ff02::1"],
  );
});

Deno.test("address: solicited-node multicast keeps the low 24 bits (RFC 4291 2.7.1, its example)", () => {
  const into = new Address();
  equal(Address.parse("4037::1:800:200e:8c6c").solicitedNode(into).toString(), "ff02::1:ff0e:8c6c");
  ok(into.isMulticast);
});

Deno.test("address: an interface identifier from a MAC address flips its local bit (RFC 4291 Appendix A)", () => {
  const prefix = Address.parse("fe80::dead:beef");
  const mac = Mac.parse("34:56:78:9a:bc:de");
  equal(new Address().setEui64(prefix, mac).toString(), "fe80::3656:78ff:fe9a:bcde");
  equal(new Address().setEui64(prefix, Mac.parse("02:00:00:00:00:01")).toString(), "fe80::ff:fe00:1");
});

Deno.test("address: an IPv4 group is carried by its low 23 bits (RFC 1112 6.4)", () => {
  const into = new Mac();
  equal(multicastMac(Address.parse("224.0.0.251"), into).toString(), "01:00:5e:00:00:fb");
  equal(multicastMac(Address.parse("239.255.1.2"), into).toString(), "01:00:5e:7f:01:02");
  ok(into.isMulticast);
});

Deno.test("address: an IPv6 group is carried by its low 32 bits (RFC 2464 7)", () => {
  equal(multicastMac(Address.parse("ff02::1:ff00:1"), new Mac()).toString(), "33:33:ff:00:00:01");
});

Deno.test("address: bytes, words and text are the same address", () => {
  check(fc.property(word, word, word, word, (a, b, c, d) => {
    const address = new Address().set(a, b, c, d);
    const bytes = new Uint8Array(20);
    address.writeV6(bytes, 3);
    const read = new Address().readV6(bytes, 3);
    ok(read.equals(address));
    deepEqual([read.a, read.b, read.c, read.d], [a, b, c, d]);
    ok(Address.parse(address.toString()).equals(address), address.toString());
    ok(new Address().copy(address).equals(address));
  }));
});

Deno.test("address: one other bit makes another address", () => {
  check(fc.property(word, fc.nat(127), (value, bit) => {
    const words = [value, value, value, value] as const;
    const address = new Address().set(...words);
    const flip = (index: number) => bit >> 5 === index ? 1 << (bit & 31) : 0;
    ok(
      !address.equals(new Address().set(value ^ flip(0), value ^ flip(1), value ^ flip(2), value ^ flip(3))),
    );
  }));
});

Deno.test("address: every word is signed, whatever was set", () => {
  const address = new Address().set(0xffffffff, 0x80000000, 0xffffffff, 0xffffffff);
  deepEqual([address.a, address.b, address.c, address.d], [-1, -0x80000000, -1, -1]);
  deepEqual(address.clear(), new Address());
});
