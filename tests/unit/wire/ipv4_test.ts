import { deepEqual, equal, ok } from "node:assert/strict";
import { Address } from "../../../stack/wire/address.ts";
import { put16 } from "../../../stack/wire/bytes.ts";
import { WireError } from "../../../stack/wire/error.ts";
import * as ipv4 from "../../../stack/wire/ipv4.ts";
import { Protocol } from "../../../stack/wire/protocol.ts";
import { check, fc } from "../../support/property.ts";
import { ECHO_REQUEST, LAST_FRAGMENT } from "./frames.ts";

const PACKET = ECHO_REQUEST.slice(14);

Deno.test("ipv4: every field of a ping's header (RFC 791 3.1)", () => {
  equal(ipv4.check(PACKET, 0, PACKET.length), WireError.None);
  equal(ipv4.version(PACKET, 0), 4);
  equal(ipv4.headerLength(PACKET, 0), 20);
  equal(ipv4.trafficClass(PACKET, 0), 0);
  equal(ipv4.totalLength(PACKET, 0), 84);
  equal(ipv4.identification(PACKET, 0), 0x3e3c);
  equal(ipv4.dontFragment(PACKET, 0), true);
  equal(ipv4.moreFragments(PACKET, 0), false);
  equal(ipv4.fragmentOffset(PACKET, 0), 0);
  equal(ipv4.isFragment(PACKET, 0), false);
  equal(ipv4.hopLimit(PACKET, 0), 64);
  equal(ipv4.protocol(PACKET, 0), Protocol.Icmp);
  equal(ipv4.headerChecksum(PACKET, 0), 0xe86a);
  equal(new Address().readV4(PACKET, ipv4.SOURCE).toString(), "10.0.0.2");
  equal(new Address().readV4(PACKET, ipv4.DESTINATION).toString(), "10.0.0.1");
});

Deno.test("ipv4: a fragment's offset is counted in bytes (RFC 791 3.1)", () => {
  equal(ipv4.fragmentOffset(LAST_FRAGMENT, 14), 1480);
  equal(ipv4.moreFragments(LAST_FRAGMENT, 14), false);
  equal(ipv4.isFragment(LAST_FRAGMENT, 14), true);
});

Deno.test("ipv4: the first fragment is one too, though its offset is 0", () => {
  const bytes = PACKET.slice();
  ipv4.setFragment(bytes, 0, ipv4.Flag.MoreFragments, 0);
  ok(ipv4.isFragment(bytes, 0) && ipv4.moreFragments(bytes, 0) && !ipv4.dontFragment(bytes, 0));
});

Deno.test("ipv4: emit and fillChecksum write the header that Linux sent", () => {
  const bytes = new Uint8Array(20).fill(0xee);
  ipv4.emit(bytes, 0, 0, 84, 0x3e3c, ipv4.Flag.DontFragment, 64, Protocol.Icmp, 0x0a000002, 0x0a000001);
  equal(ipv4.headerChecksum(bytes, 0), 0);
  ipv4.fillChecksum(bytes, 0);
  deepEqual(bytes, PACKET.slice(0, 20));
});

Deno.test("ipv4: the checksum covers the header, options included, and nothing else (RFC 791 3.1)", () => {
  ok(ipv4.verifyChecksum(PACKET, 0));
  for (let at = 0; at < 20; at++) {
    const bytes = PACKET.slice();
    bytes[at]! ^= 0x10;
    ok(!ipv4.verifyChecksum(bytes, 0), `a bit of byte ${at}`);
  }
  const payload = PACKET.slice();
  payload[20]! ^= 0x10;
  ok(ipv4.verifyChecksum(payload, 0));

  const options = new Uint8Array(24);
  options.set(PACKET.subarray(0, 20));
  options[0] = 0x46;
  options[23] = 1;
  ipv4.fillChecksum(options, 0);
  ok(ipv4.verifyChecksum(options, 0));
  options[23] = 2;
  ok(!ipv4.verifyChecksum(options, 0));
});

Deno.test("ipv4: link padding behind the packet is allowed (RFC 894)", () => {
  const padded = new Uint8Array(100);
  padded.set(PACKET);
  equal(ipv4.check(padded, 0, 100), WireError.None);
});

Deno.test("ipv4: a packet that ends before its total length is truncated", () => {
  for (let end = 0; end < PACKET.length; end++) {
    equal(ipv4.check(PACKET, 0, end), WireError.Truncated, `${end} bytes`);
  }
});

Deno.test("ipv4: another version is not for us (RFC 1122 3.2.1.1)", () => {
  for (const first of [0x00, 0x55, 0x65, 0xf5]) {
    const bytes = PACKET.slice();
    bytes[0] = first;
    equal(ipv4.check(bytes, 0, bytes.length), WireError.Unrecognized);
  }
});

Deno.test("ipv4: a header shorter than 20 bytes, or longer than the packet, contradicts itself (RFC 791 3.1)", () => {
  for (const [first, total] of [[0x44, 84], [0x40, 84], [0x45, 19], [0x45, 0], [0x46, 23]] as const) {
    const bytes = PACKET.slice();
    bytes[0] = first;
    put16(bytes, 2, total);
    equal(ipv4.check(bytes, 0, bytes.length), WireError.Malformed, `${first} ${total}`);
  }
});

Deno.test("ipv4: every setter sets its own field and no other", () => {
  const bytes = PACKET.slice();
  ipv4.setTrafficClass(bytes, 0, 0xb8);
  ipv4.setTotalLength(bytes, 0, 60);
  ipv4.setIdentification(bytes, 0, 0xabcd);
  ipv4.setFragment(bytes, 0, ipv4.Flag.MoreFragments, 65_528);
  ipv4.setHopLimit(bytes, 0, 1);
  ipv4.setProtocol(bytes, 0, Protocol.Udp);
  ipv4.setHeaderChecksum(bytes, 0, 0x1234);
  ipv4.setSource(bytes, 0, -1);
  ipv4.setDestination(bytes, 0, 0x7f000001);
  equal(bytes.slice(0, 20).toHex(), "45b8003cabcd3fff01111234ffffffff7f000001");
  equal(ipv4.fragmentOffset(bytes, 0), 65_528);
  equal(ipv4.source(bytes, 0), -1);
  equal(ipv4.destination(bytes, 0), 0x7f000001);
});

Deno.test("ipv4: what is emitted is well-formed and read back, at any offset", () => {
  const byte = fc.nat(255);
  const half = fc.nat(0xffff);
  const word = fc.integer();
  check(
    fc.property(
      fc.nat(3),
      byte,
      half,
      byte,
      byte,
      word,
      word,
      (at, tos, id, hops, protocol, source, destination) => {
        const bytes = new Uint8Array(64).fill(0xee);
        ipv4.emit(bytes, at, tos, 40, id, 0, hops, protocol, source, destination);
        ipv4.fillChecksum(bytes, at);
        equal(ipv4.check(bytes, at, at + 40), WireError.None);
        equal(ipv4.checkOptions(bytes, at), WireError.None);
        ok(ipv4.verifyChecksum(bytes, at));
        equal(ipv4.trafficClass(bytes, at), tos);
        equal(ipv4.totalLength(bytes, at), 40);
        equal(ipv4.identification(bytes, at), id);
        equal(ipv4.isFragment(bytes, at), false);
        equal(ipv4.hopLimit(bytes, at), hops);
        equal(ipv4.protocol(bytes, at), protocol);
        equal(ipv4.source(bytes, at), source);
        equal(ipv4.destination(bytes, at), destination);
        equal(bytes[at + 20], 0xee);
      },
    ),
  );
});

Deno.test("ipv4: any bytes are checked without throwing, and what passes lies inside them", () => {
  const likely = fc.tuple(fc.constantFrom(0x45, 0x46, 0x4f), fc.uint8Array({ maxLength: 80 })).map(
    ([first, rest]) => {
      const bytes = Uint8Array.of(first, ...rest);
      bytes[2] = 0;
      return bytes;
    },
  );
  check(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), likely), (bytes) => {
      if (ipv4.check(bytes, 0, bytes.length) !== WireError.None) return;
      ok(ipv4.headerLength(bytes, 0) >= 20);
      ok(ipv4.headerLength(bytes, 0) <= ipv4.totalLength(bytes, 0));
      ok(ipv4.totalLength(bytes, 0) <= bytes.length);
    }),
    { runs: 1000 },
  );
});
