import { deepEqual, equal, ok } from "node:assert/strict";
import { Address } from "../../../stack/wire/address.ts";
import { put16 } from "../../../stack/wire/bytes.ts";
import { checksum } from "../../../stack/wire/checksum.ts";
import { WireError } from "../../../stack/wire/error.ts";
import * as tcp from "../../../stack/wire/tcp.ts";
import { Flag } from "../../../stack/wire/tcp.ts";
import { check, fc } from "../../support/property.ts";
import { SYN, SYN_ACK_V6, TCP_DATA } from "./frames.ts";

const SOURCE = Address.parse("10.0.0.2");
const DESTINATION = Address.parse("10.0.0.1");
const SEGMENT = TCP_DATA.slice(34);

Deno.test("tcp: every field of a segment (RFC 9293 3.1)", () => {
  equal(tcp.check(SEGMENT, 0, SEGMENT.length), WireError.None);
  equal(tcp.sourcePort(SEGMENT, 0), 58_166);
  equal(tcp.destinationPort(SEGMENT, 0), 7);
  equal(tcp.sequence(SEGMENT, 0), 0x5b3483be);
  equal(tcp.acknowledgment(SEGMENT, 0), 0xd90b54b6 | 0);
  equal(tcp.headerLength(SEGMENT, 0), 32);
  equal(tcp.flags(SEGMENT, 0), Flag.Psh | Flag.Ack);
  equal(tcp.window(SEGMENT, 0), 63);
  equal(tcp.checksum(SEGMENT, 0), 0xca4c);
  equal(tcp.urgentPointer(SEGMENT, 0), 0);
});

Deno.test("tcp: emit and fillChecksum write what Linux sent", () => {
  const bytes = SEGMENT.slice();
  bytes.fill(0xee, 0, 20);
  tcp.emit(bytes, 0, 58_166, 7, 0x5b3483be, 0xd90b54b6, 32, Flag.Psh | Flag.Ack, 63);
  equal(tcp.checksum(bytes, 0), 0);
  tcp.fillChecksum(bytes, 0, bytes.length, SOURCE, DESTINATION);
  deepEqual(bytes, SEGMENT);
});

Deno.test("tcp: the checksum covers addresses, header and data, over IPv4 and IPv6 (RFC 9293 3.1)", () => {
  ok(tcp.verifyChecksum(SYN, 34, SYN.length, SOURCE, DESTINATION));
  ok(tcp.verifyChecksum(SEGMENT, 0, SEGMENT.length, SOURCE, DESTINATION));
  ok(!tcp.verifyChecksum(SEGMENT, 0, SEGMENT.length, SOURCE, Address.parse("10.0.0.3")));
  ok(!tcp.verifyChecksum(SEGMENT, 0, SEGMENT.length - 1, SOURCE, DESTINATION));
  const end = SYN_ACK_V6.length;
  ok(tcp.verifyChecksum(SYN_ACK_V6, 54, end, Address.parse("2001:db8::1"), Address.parse("2001:db8::2")));
});

Deno.test("tcp: a NIC completes the pseudo-header's sum to the full checksum", () => {
  const bytes = SEGMENT.slice();
  tcp.fillPartialChecksum(bytes, 0, bytes.length, SOURCE, DESTINATION);
  put16(bytes, tcp.CHECKSUM, checksum(bytes, 0, bytes.length, 0));
  deepEqual(bytes, SEGMENT);
});

Deno.test("tcp: a data offset below 5 contradicts itself, one past the end is truncated (RFC 9293 3.1)", () => {
  const bytes = SEGMENT.slice();
  tcp.setHeaderLength(bytes, 0, 16);
  equal(tcp.check(bytes, 0, bytes.length), WireError.Malformed);
  tcp.setHeaderLength(bytes, 0, 60);
  equal(tcp.check(bytes, 0, bytes.length), WireError.Truncated);
  for (let end = 0; end < 32; end++) equal(tcp.check(SEGMENT, 0, end), WireError.Truncated, `${end} bytes`);
  equal(tcp.check(SEGMENT, 0, 32), WireError.None);
});

Deno.test("tcp: every setter sets its own field and no other", () => {
  const bytes = new Uint8Array(20);
  tcp.setSourcePort(bytes, 0, 0x0102);
  tcp.setDestinationPort(bytes, 0, 0x0304);
  tcp.setSequence(bytes, 0, -2);
  tcp.setAcknowledgment(bytes, 0, 0x80000000);
  tcp.setHeaderLength(bytes, 0, 60);
  tcp.setFlags(bytes, 0, Flag.Syn | Flag.Cwr);
  tcp.setWindow(bytes, 0, 0x0506);
  tcp.setChecksum(bytes, 0, 0x0708);
  tcp.setUrgentPointer(bytes, 0, 0x090a);
  equal(bytes.toHex(), "01020304fffffffe80000000f08205060708090a");
  equal(tcp.headerLength(bytes, 0), 60);
  equal(tcp.sequence(bytes, 0), -2);
});

Deno.test("tcp: flags have names", () => {
  equal(tcp.flagNames(Flag.Syn | Flag.Ack), "SYN ACK");
  equal(tcp.flagNames(0xff), "FIN SYN RST PSH ACK URG ECE CWR");
  equal(tcp.flagNames(0), "no flags");
});

Deno.test("tcp: what is emitted is well-formed, verifies and is read back, at any offset", () => {
  const half = fc.nat(0xffff);
  const word = fc.integer();
  check(
    fc.property(
      fc.nat(3),
      half,
      half,
      word,
      word,
      fc.nat(10),
      fc.nat(255),
      half,
      (at, from, to, seq, ack, more, flags, window) => {
        const bytes = new Uint8Array(100).fill(0xee);
        const header = 20 + 4 * more;
        const end = at + header + 7;
        tcp.emit(bytes, at, from, to, seq, ack, header, flags, window);
        tcp.fillChecksum(bytes, at, end, SOURCE, DESTINATION);
        equal(tcp.check(bytes, at, end), WireError.None);
        ok(tcp.verifyChecksum(bytes, at, end, SOURCE, DESTINATION));
        deepEqual(
          [tcp.sourcePort(bytes, at), tcp.destinationPort(bytes, at), tcp.sequence(bytes, at)],
          [from, to, seq],
        );
        deepEqual(
          [
            tcp.acknowledgment(bytes, at),
            tcp.headerLength(bytes, at),
            tcp.flags(bytes, at),
            tcp.window(bytes, at),
          ],
          [ack, header, flags, window],
        );
        equal(bytes[at + 20], 0xee);
      },
    ),
  );
});

Deno.test("tcp: any bytes are checked without throwing, and a header that passes lies inside them", () => {
  check(
    fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
      if (tcp.check(bytes, 0, bytes.length) !== WireError.None) return;
      const header = tcp.headerLength(bytes, 0);
      ok(header >= 20 && header <= bytes.length);
    }),
    { runs: 500 },
  );
});
