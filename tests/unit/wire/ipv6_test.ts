import { deepEqual, equal, ok } from "node:assert/strict";
import { Address } from "../../../stack/wire/address.ts";
import { WireError } from "../../../stack/wire/error.ts";
import * as ipv6 from "../../../stack/wire/ipv6.ts";
import { Protocol } from "../../../stack/wire/protocol.ts";
import { check, fc } from "../../support/property.ts";
import { UDP_V6 } from "./frames.ts";

const PACKET = UDP_V6.slice(14);

Deno.test("ipv6: every field of the header (RFC 8200 3)", () => {
  equal(ipv6.check(PACKET, 0, PACKET.length), WireError.None);
  equal(ipv6.version(PACKET, 0), 6);
  equal(ipv6.trafficClass(PACKET, 0), 0);
  equal(ipv6.flowLabel(PACKET, 0), 0x8b4b3);
  equal(ipv6.payloadLength(PACKET, 0), 11);
  equal(ipv6.nextHeader(PACKET, 0), Protocol.Udp);
  equal(ipv6.hopLimit(PACKET, 0), 64);
  equal(new Address().readV6(PACKET, ipv6.SOURCE).toString(), "2001:db8::2");
  equal(new Address().readV6(PACKET, ipv6.DESTINATION).toString(), "2001:db8::1");
});

Deno.test("ipv6: emit writes the header that Linux sent", () => {
  const bytes = new Uint8Array(40).fill(0xee);
  ipv6.emit(
    bytes,
    0,
    0,
    0x8b4b3,
    11,
    Protocol.Udp,
    64,
    Address.parse("2001:db8::2"),
    Address.parse("2001:db8::1"),
  );
  deepEqual(bytes, PACKET.slice(0, 40));
});

Deno.test("ipv6: a packet that ends before its payload length is truncated, padding behind it is allowed", () => {
  for (let end = 0; end < PACKET.length; end++) {
    equal(ipv6.check(PACKET, 0, end), WireError.Truncated, `${end} bytes`);
  }
  const padded = new Uint8Array(100);
  padded.set(PACKET);
  equal(ipv6.check(padded, 0, 100), WireError.None);
});

Deno.test("ipv6: another version is not for us", () => {
  for (const first of [0x00, 0x45, 0x50, 0x70]) {
    const bytes = PACKET.slice();
    bytes[0] = first;
    equal(ipv6.check(bytes, 0, bytes.length), WireError.Unrecognized);
  }
});

Deno.test("ipv6: every setter sets its own field and no other", () => {
  const bytes = new Uint8Array(40);
  bytes[0] = 0x60;
  ipv6.setTrafficClass(bytes, 0, 0xab);
  ipv6.setFlowLabel(bytes, 0, 0xcdef0);
  ipv6.setPayloadLength(bytes, 0, 0x0102);
  ipv6.setNextHeader(bytes, 0, 3);
  ipv6.setHopLimit(bytes, 0, 4);
  equal(bytes.slice(0, 8).toHex(), "6abcdef001020304");
  ipv6.setTrafficClass(bytes, 0, 0);
  equal(ipv6.flowLabel(bytes, 0), 0xcdef0);
  ipv6.setFlowLabel(bytes, 0, 0);
  equal(bytes.slice(0, 4).toHex(), "60000000");
});

Deno.test("ipv6: what is emitted is well-formed and read back, at any offset", () => {
  const byte = fc.nat(255);
  const word = fc.integer();
  check(
    fc.property(
      fc.nat(3),
      byte,
      fc.nat(0xfffff),
      byte,
      byte,
      word,
      word,
      word,
      (at, tc, label, next, hops, x, y, z) => {
        const bytes = new Uint8Array(64).fill(0xee);
        const source = new Address().set(x, y, z, x);
        const destination = new Address().set(z, y, x, z);
        ipv6.emit(bytes, at, tc, label, 15, next, hops, source, destination);
        equal(ipv6.check(bytes, at, at + 55), WireError.None);
        deepEqual([ipv6.trafficClass(bytes, at), ipv6.flowLabel(bytes, at)], [tc, label]);
        deepEqual([ipv6.nextHeader(bytes, at), ipv6.hopLimit(bytes, at)], [next, hops]);
        ok(new Address().readV6(bytes, at + ipv6.SOURCE).equals(source));
        ok(new Address().readV6(bytes, at + ipv6.DESTINATION).equals(destination));
        equal(bytes[at + 40], 0xee);
      },
    ),
  );
});

Deno.test("ipv6: any bytes are checked without throwing, and what passes lies inside them", () => {
  check(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      if (bytes.length > 4) bytes.set([0x60, bytes[1]!, 0, 0, 0]);
      if (ipv6.check(bytes, 0, bytes.length) === WireError.None) {
        ok(40 + ipv6.payloadLength(bytes, 0) <= bytes.length);
      }
    }),
    { runs: 500 },
  );
});
