import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { Mac } from "../../../stack/wire/mac.ts";
import { check, fc } from "../../support/property.ts";
import { ARP_REQUEST } from "./frames.ts";

Deno.test("mac: is read from and written to six bytes", () => {
  const mac = new Mac().read(ARP_REQUEST, 6);
  equal(mac.toString(), "02:00:00:00:00:02");
  const bytes = new Uint8Array(8);
  mac.write(bytes, 1);
  deepEqual([...bytes], [0, 2, 0, 0, 0, 0, 2, 0]);
});

Deno.test("mac: broadcast is a group, but no group is broadcast for that (IEEE 802 8)", () => {
  const broadcast = Mac.parse("ff:ff:ff:ff:ff:ff");
  ok(broadcast.isBroadcast && broadcast.isMulticast && !broadcast.isUnicast);
  ok(broadcast.equals(Mac.broadcast()));
  const group = Mac.parse("01:00:5e:00:00:01");
  ok(!group.isBroadcast && group.isMulticast && !group.isUnicast);
  ok(!Mac.parse("ff:ff:ff:ff:ff:fe").isBroadcast);
  ok(!Mac.parse("fe:ff:ff:ff:ff:ff").isBroadcast);
});

Deno.test("mac: the unset address is no station's", () => {
  ok(!Mac.parse("00:00:00:00:00:00").isUnicast);
  ok(Mac.parse("00:00:00:00:00:01").isUnicast);
  ok(Mac.parse("00:01:00:00:00:00").isUnicast);
});

Deno.test("mac: the second bit of the first byte says that the address was made up locally", () => {
  ok(Mac.parse("02:00:00:00:00:01").isLocal);
  ok(!Mac.parse("00:1b:21:00:00:01").isLocal);
});

Deno.test("mac: broadcast() is a fresh object, as whoever holds it may write to it", () => {
  Mac.broadcast().set(0, 0);
  ok(Mac.broadcast().isBroadcast);
});

Deno.test("mac: hyphens and upper case are read, colons and lower case are written", () => {
  equal(Mac.parse("02-AB-cd-00-00-01").toString(), "02:ab:cd:00:00:01");
});

Deno.test("mac: a wrong text throws and says how to write it", () => {
  for (
    const text of [
      "",
      "02:00:00:00:00",
      "02:00:00:00:00:01:02",
      "2:0:0:0:0:1",
      "02:00-00:00:00:01",
      "gg:00:00:00:00:00",
    ]
  ) {
    throws(
      () => Mac.parse(text),
      /SyntaxError: ".*" is not a MAC address: write six pairs of hexadecimal digits/,
    );
  }
});

Deno.test("mac: bytes, words and text are the same address", () => {
  const bytes = fc.uint8Array({ minLength: 6, maxLength: 6 });
  check(fc.property(bytes, (bytes) => {
    const mac = new Mac().read(bytes, 0);
    const written = new Uint8Array(6);
    mac.write(written, 0);
    deepEqual(written, bytes);
    ok(Mac.parse(mac.toString()).equals(mac));
    ok(new Mac().copy(mac).equals(mac));
    equal(mac.lo, mac.lo | 0, "a signed word");
    ok(mac.hi >= 0 && mac.hi <= 0xffff);
  }));
});

Deno.test("mac: set drops what does not fit", () => {
  const mac = new Mac().set(0x1ffff, 0xffffffff);
  equal(mac.hi, 0xffff);
  equal(mac.lo, -1);
});
