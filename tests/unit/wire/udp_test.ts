import { deepEqual, equal, ok } from "node:assert/strict";
import { Address } from "../../../stack/wire/address.ts";
import { get16, put16 } from "../../../stack/wire/bytes.ts";
import { checksum } from "../../../stack/wire/checksum.ts";
import { WireError } from "../../../stack/wire/error.ts";
import * as udp from "../../../stack/wire/udp.ts";
import { check, fc } from "../../support/property.ts";
import { UDP, UDP_V6 } from "./frames.ts";

const SOURCE = Address.parse("10.0.0.2");
const DESTINATION = Address.parse("10.0.0.1");
const SOURCE_V6 = Address.parse("2001:db8::2");
const DESTINATION_V6 = Address.parse("2001:db8::1");
const DATAGRAM = UDP.slice(34);

Deno.test("udp: every field of a datagram (RFC 768)", () => {
  equal(udp.check(DATAGRAM, 0, DATAGRAM.length), WireError.None);
  equal(udp.sourcePort(DATAGRAM, 0), 5353);
  equal(udp.destinationPort(DATAGRAM, 0), 9);
  equal(udp.length(DATAGRAM, 0), 11);
  equal(udp.checksum(DATAGRAM, 0), 0x1281);
});

Deno.test("udp: emit and fillChecksum write what Linux sent, over IPv4 and IPv6", () => {
  for (
    const [frame, at, source, destination] of [[UDP, 34, SOURCE, DESTINATION], [
      UDP_V6,
      54,
      SOURCE_V6,
      DESTINATION_V6,
    ]] as const
  ) {
    const bytes = frame.slice();
    bytes.fill(0xee, at, at + 8);
    udp.emit(bytes, at, 5353, 9, 11);
    equal(udp.checksum(bytes, at), udp.NO_CHECKSUM);
    udp.fillChecksum(bytes, at, source, destination);
    deepEqual(bytes, frame);
    ok(udp.verifyChecksum(bytes, at, source, destination));
  }
});

Deno.test("udp: the checksum covers the addresses, so that a misdelivered datagram is seen (RFC 768 'Fields')", () => {
  ok(udp.verifyChecksum(DATAGRAM, 0, SOURCE, DESTINATION));
  ok(!udp.verifyChecksum(DATAGRAM, 0, SOURCE, Address.parse("10.0.0.3")));
  const bytes = DATAGRAM.slice();
  bytes[9]! ^= 1;
  ok(!udp.verifyChecksum(bytes, 0, SOURCE, DESTINATION));
});

Deno.test("udp: no checksum is right over IPv4 and wrong over IPv6 (RFC 1122 4.1.3.4, RFC 8200 8.1)", () => {
  const bytes = DATAGRAM.slice();
  udp.setChecksum(bytes, 0, udp.NO_CHECKSUM);
  ok(udp.verifyChecksum(bytes, 0, SOURCE, DESTINATION));
  ok(!udp.verifyChecksum(bytes, 0, SOURCE_V6, DESTINATION_V6));
});

Deno.test("udp: a checksum that computes to 0 is sent as all ones, which verifies too (RFC 768 'Fields')", () => {
  equal(udp.sentChecksum(0), 0xffff);
  equal(udp.sentChecksum(1), 1);
  const bytes = DATAGRAM.slice(0, 10);
  udp.emit(bytes, 0, 5353, 9, 10);
  put16(bytes, 8, 0);
  // Data that is its own datagram's checksum brings the sum to all ones, whose complement is 0.
  udp.fillChecksum(bytes, 0, SOURCE, DESTINATION);
  put16(bytes, 8, udp.checksum(bytes, 0));
  udp.fillChecksum(bytes, 0, SOURCE, DESTINATION);
  equal(udp.checksum(bytes, 0), 0xffff);
  ok(udp.verifyChecksum(bytes, 0, SOURCE, DESTINATION));
});

Deno.test("udp: a NIC completes the pseudo-header's sum to the full checksum", () => {
  const bytes = DATAGRAM.slice();
  udp.fillPartialChecksum(bytes, 0, SOURCE, DESTINATION);
  // What the NIC does: sum header and data, the field's start value included, and put the complement there.
  put16(bytes, udp.CHECKSUM, checksum(bytes, 0, bytes.length, 0));
  deepEqual(bytes, DATAGRAM);
});

Deno.test("udp: a length below 8 contradicts itself, one past the end is truncated (RFC 768 'Fields')", () => {
  for (const length of [0, 7]) {
    const bytes = DATAGRAM.slice();
    udp.setLength(bytes, 0, length);
    equal(udp.check(bytes, 0, bytes.length), WireError.Malformed);
  }
  for (let end = 0; end < 11; end++) equal(udp.check(DATAGRAM, 0, end), WireError.Truncated, `${end} bytes`);
  const padded = new Uint8Array(20);
  padded.set(DATAGRAM);
  equal(udp.check(padded, 0, 20), WireError.None);
});

Deno.test("udp: every setter sets its own field and no other", () => {
  const bytes = new Uint8Array(8);
  udp.setSourcePort(bytes, 0, 0x0102);
  udp.setDestinationPort(bytes, 0, 0x0304);
  udp.setLength(bytes, 0, 0x0506);
  udp.setChecksum(bytes, 0, 0x0708);
  equal(bytes.toHex(), "0102030405060708");
});

Deno.test("udp: what is emitted verifies, is read back, and never says that it has no checksum", () => {
  const half = fc.nat(0xffff);
  const word = fc.integer();
  check(
    fc.property(
      half,
      half,
      fc.uint8Array({ maxLength: 60 }),
      word,
      word,
      fc.boolean(),
      (from, to, data, x, y, v4) => {
        const bytes = new Uint8Array(8 + data.length);
        bytes.set(data, 8);
        const source = v4 ? new Address().setV4(x) : new Address().set(1, 2, 3, x);
        const destination = v4 ? new Address().setV4(y) : new Address().set(1, 2, 3, y);
        udp.emit(bytes, 0, from, to, bytes.length);
        udp.fillChecksum(bytes, 0, source, destination);
        equal(udp.check(bytes, 0, bytes.length), WireError.None);
        ok(udp.checksum(bytes, 0) !== udp.NO_CHECKSUM);
        ok(udp.verifyChecksum(bytes, 0, source, destination));
        deepEqual([udp.sourcePort(bytes, 0), udp.destinationPort(bytes, 0)], [from, to]);
        deepEqual(bytes.slice(8), data);
      },
    ),
  );
});

Deno.test("udp: any bytes are checked without throwing, and what passes lies inside them", () => {
  check(
    fc.property(fc.uint8Array({ maxLength: 30 }), fc.nat(40), (bytes, length) => {
      if (bytes.length > 5) put16(bytes, 4, length);
      if (udp.check(bytes, 0, bytes.length) === WireError.None) ok(get16(bytes, 4) <= bytes.length);
    }),
    { runs: 500 },
  );
});
