import { deepEqual, equal, match, ok } from "node:assert/strict";
import { put16 } from "../../../../stack/wire/bytes.ts";
import * as icmpv4 from "../../../../stack/wire/icmpv4.ts";
import * as ipv4 from "../../../../stack/wire/ipv4.ts";
import { describe, describeIp, explain, explainIp } from "../../../../stack/wire/pretty/frame.ts";
import { check, fc } from "../../../support/property.ts";
import * as frames from "../frames.ts";

function line(frame: Uint8Array): string {
  return describe(frame, 0, frame.length);
}

const FRAMES = Object.values(frames).filter((value) => value instanceof Uint8Array);

Deno.test("pretty: one line a frame", () => {
  equal(line(frames.ARP_REQUEST), "ARP who has 10.0.0.1? tell 10.0.0.2");
  equal(line(frames.ARP_REPLY), "ARP 10.0.0.1 is at 02:00:00:00:00:01");
  equal(line(frames.ECHO_REQUEST), "10.0.0.2 > 10.0.0.1: ICMP echo request, id 5, seq 1, length 64");
  equal(line(frames.ECHO_REPLY), "10.0.0.1 > 10.0.0.2: ICMP echo reply, id 5, seq 1, length 64");
  equal(line(frames.UDP), "10.0.0.2:5353 > 10.0.0.1:9: UDP, length 3");
  equal(line(frames.UDP_V6), "[2001:db8::2]:5353 > [2001:db8::1]:9: UDP, length 3");
  equal(
    line(frames.PORT_UNREACHABLE),
    "10.0.0.1 > 10.0.0.2: ICMP destination unreachable, port unreachable, for 10.0.0.2:5353 > 10.0.0.1:9: UDP, length 3",
  );
  equal(
    line(frames.SYN),
    "10.0.0.2:58166 > 10.0.0.1:7: TCP SYN, seq 1530168253, win 64240, " +
      "options [mss 1460, sack permitted, timestamps 1153569601 0, wscale 10], length 0",
  );
  equal(
    line(frames.TCP_DATA),
    "10.0.0.2:58166 > 10.0.0.1:7: TCP PSH ACK, seq 1530168254, ack 3641398454, win 63, " +
      "options [timestamps 1153569604 662037729], length 5",
  );
  equal(
    line(frames.LAST_FRAGMENT),
    "10.0.0.2 > 10.0.0.1: UDP fragment, id 36213, offset 1480, last, length 28",
  );
});

Deno.test("pretty: hardware addresses come in front on demand", () => {
  equal(
    describe(frames.UDP, 0, frames.UDP.length, true),
    "02:00:00:00:00:02 > 02:00:00:00:00:01, 10.0.0.2:5353 > 10.0.0.1:9: UDP, length 3",
  );
});

Deno.test("pretty: an IP packet without its Ethernet header", () => {
  equal(describeIp(frames.UDP, 14, frames.UDP.length), "10.0.0.2:5353 > 10.0.0.1:9: UDP, length 3");
  equal(
    describeIp(frames.UDP_V6, 14, frames.UDP_V6.length),
    "[2001:db8::2]:5353 > [2001:db8::1]:9: UDP, length 3",
  );
  match(describeIp(frames.ARP_REQUEST, 14, 42), /^IP version 0, length 28$/);
  equal(explainIp(frames.UDP, 14, frames.UDP.length)[0], "IPv4 10.0.0.2 > 10.0.0.1");
});

Deno.test("pretty: the tree has every field, and what a layer carries is indented below it", () => {
  deepEqual(explain(frames.ECHO_REQUEST, 0, frames.ECHO_REQUEST.length), [
    "Ethernet 02:00:00:00:00:02 > 02:00:00:00:00:01, IPv4",
    "  IPv4 10.0.0.2 > 10.0.0.1",
    "    header 20 bytes, total 84 bytes, traffic class 0x00",
    "    id 15932, don't fragment, offset 0",
    "    hop limit 64, protocol ICMP, checksum 0xe86a (right)",
    "    ICMP echo request",
    "      type 8, code 0",
    "      checksum 0x00e7 (right)",
    "      id 5, seq 1",
    "      data 56 bytes",
  ]);
  deepEqual(explain(frames.ARP_REPLY, 0, frames.ARP_REPLY.length), [
    "Ethernet 02:00:00:00:00:01 > 02:00:00:00:00:02, ARP",
    "  ARP reply",
    "    sender 02:00:00:00:00:01 10.0.0.1",
    "    target 02:00:00:00:00:02 10.0.0.2",
  ]);
});

Deno.test("pretty: the tree of an ICMP error goes on into the packet that it quotes", () => {
  deepEqual(explain(frames.PORT_UNREACHABLE, 0, frames.PORT_UNREACHABLE.length).slice(5), [
    "    ICMP destination unreachable, port unreachable",
    "      type 3, code 3",
    "      checksum 0x111c (right)",
    "      IPv4 10.0.0.2 > 10.0.0.1",
    "        header 20 bytes, total 31 bytes, traffic class 0x00",
    "        id 36197, don't fragment, offset 0",
    "        hop limit 64, protocol UDP, checksum 0x9966 (right)",
    "        UDP 5353 > 9",
    "          length 11, checksum 0x1281 (not verifiable)",
    "          data 3 bytes",
  ]);
});

Deno.test("pretty: wrong checksums are marked, each as its own", () => {
  const header = frames.ECHO_REQUEST.slice();
  header[14 + 8] = 63;
  equal(
    line(header),
    "10.0.0.2 > 10.0.0.1: ICMP echo request, id 5, seq 1, length 64 (wrong header checksum)",
  );
  for (const frame of [frames.ECHO_REQUEST, frames.UDP, frames.UDP_V6, frames.TCP_DATA]) {
    const bytes = frame.slice();
    bytes[bytes.length - 1]! ^= 1;
    match(line(bytes), / \(wrong checksum\)$/);
    ok(explain(bytes, 0, bytes.length).some((text) => text.endsWith("(wrong)")));
  }
});

Deno.test("pretty: a datagram without checksum is not wrong over IPv4, but over IPv6 (RFC 8200 8.1)", () => {
  const v4 = frames.UDP.slice();
  put16(v4, 40, 0);
  equal(line(v4), "10.0.0.2:5353 > 10.0.0.1:9: UDP, length 3");
  ok(explain(v4, 0, v4.length).some((text) => text.includes("no checksum")));
  const v6 = frames.UDP_V6.slice();
  put16(v6, 60, 0);
  match(line(v6), /\(wrong checksum\)$/);
});

Deno.test("pretty: a frame that was cut says so, and what is left is still printed", () => {
  const { length } = frames.ECHO_REQUEST;
  equal(
    describe(frames.ECHO_REQUEST, 0, length - 10),
    "10.0.0.2 > 10.0.0.1: ICMP echo request, id 5, seq 1, length 54 (truncated)",
  );
  equal(describe(frames.ECHO_REQUEST, 0, 38), "10.0.0.2 > 10.0.0.1: ICMP (truncated), 4 bytes (truncated)");
  equal(describe(frames.ECHO_REQUEST, 0, 30), "IPv4 (truncated), 16 bytes");
  equal(describe(frames.ECHO_REQUEST, 0, 9), "Ethernet (truncated), 9 bytes");
  equal(describe(frames.ECHO_REQUEST, 0, 0), "Ethernet (truncated), 0 bytes");
  equal(describe(frames.ARP_REQUEST, 0, 41), "ARP (truncated), 27 bytes");
});

Deno.test("pretty: contradicting headers are marked", () => {
  const ip = frames.UDP.slice();
  ip[14] = 0x44;
  equal(line(ip), "IPv4 (malformed), 31 bytes");
  const udp = frames.UDP.slice();
  put16(udp, 38, 7);
  equal(line(udp), "10.0.0.2:5353 > 10.0.0.1:9: UDP (malformed), 11 bytes");
  const tcp = frames.SYN.slice();
  tcp[34 + 21] = 1;
  match(line(tcp), /options \[malformed\], length 0 \(wrong checksum\)$/);
});

Deno.test("pretty: protocols without a printer show their name, length and first bytes", () => {
  const lldp = frames.ARP_REQUEST.slice();
  put16(lldp, 12, 0x88cc);
  equal(line(lldp), "0x88cc, length 28");
  deepEqual(explain(lldp, 0, lldp.length).slice(1), [
    "  0x88cc, 28 bytes",
    "    00 01 08 00 06 04 00 01 02 00 00 00 00 02 0a 00 ...",
  ]);
  const sctp = frames.UDP.slice();
  sctp[14 + 9] = 132;
  ipv4.fillChecksum(sctp, 14);
  equal(line(sctp), "10.0.0.2 > 10.0.0.1: SCTP, length 11");
});

Deno.test("pretty: a VLAN tag is printed and passed (IEEE 802.1Q)", () => {
  const tagged = new Uint8Array(frames.UDP.length + 4);
  tagged.set(frames.UDP.subarray(0, 12));
  tagged.set([0x81, 0x00, 0xa0, 0x64], 12);
  tagged.set(frames.UDP.subarray(12), 16);
  equal(line(tagged), "vlan 100, 10.0.0.2:5353 > 10.0.0.1:9: UDP, length 3");
  equal(explain(tagged, 0, tagged.length)[1], "  802.1Q vlan 100, priority 5, IPv4");
});

Deno.test("pretty: bytes that nest without end are printed to some depth", () => {
  const tags = new Uint8Array(65_536);
  for (let at = 12; at < tags.length; at += 4) tags.set([0x81, 0x00], at);
  match(line(tags), /nested too deep/);

  const errors = new Uint8Array(60_000);
  for (let at = 0; at + 28 <= errors.length; at += 28) {
    ipv4.emit(errors, at, 0, errors.length - at, 0, 0, 64, 1, 1, 2);
    icmpv4.emitError(errors, at + 20, icmpv4.Type.TimeExceeded, 0, 0);
  }
  match(describeIp(errors, 0, errors.length), /nested too deep/);
});

Deno.test("pretty: reads nothing behind the end", () => {
  for (const frame of FRAMES) {
    for (let end = 0; end <= frame.length; end++) {
      const zeros = new Uint8Array(frame.length);
      const ones = new Uint8Array(frame.length).fill(0xff);
      zeros.set(frame.subarray(0, end));
      ones.set(frame.subarray(0, end));
      equal(describe(zeros, 0, end, true), describe(ones, 0, end, true));
      deepEqual(explain(zeros, 0, end), explain(ones, 0, end));
      equal(describe(frame, 0, end), describe(frame.slice(0, end), 0, end));
    }
  }
});

Deno.test("pretty: never throws, on any bytes, and on real frames with any bytes changed", () => {
  const changed = fc.tuple(
    fc.constantFrom(...FRAMES),
    fc.array(fc.tuple(fc.nat(100), fc.nat(255)), { maxLength: 4 }),
  )
    .map(([frame, changes]) => {
      const bytes = frame.slice();
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      return bytes;
    });
  check(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 120 }), changed), fc.nat(130), (bytes, end) => {
      ok(describe(bytes, 0, end).length > 0);
      const tree = explain(bytes, 0, end);
      ok(tree.length > 0);
      ok(tree.every((text) => text.trim() !== "" && !/undefined|NaN/.test(text)), tree.join("\n"));
      ok(describeIp(bytes, 0, end).length > 0);
    }),
    { runs: 3000 },
  );
});
