import assert from "node:assert/strict";
import { check, fc } from "../../support/property.ts";
import { get16, get32 } from "../../../stack/wire/bytes.ts";
import { describeIp } from "../../../stack/wire/pretty/frame.ts";
import { type Actual, readPacket } from "./actual.ts";
import type { PacketAction, TcpOption } from "./ast.ts";
import { buildPacket } from "./build.ts";
import { configure } from "./config.ts";
import { Flow } from "./flow.ts";
import { Flows } from "./flows.ts";
import { parseScript } from "./parser.ts";
import { datagramBytes, streamBytes } from "./pattern.ts";
import { optionBytes, optionsText, readOptions } from "./tcp-options.ts";

const V4 = configure([], "test");
const V6 = configure([{ name: "ip_version", value: "ipv6", at: { line: 1, column: 1 } }], "test");

function action(line: string): PacketAction {
  const { action } = parseScript(`0 < ${line}`, "test.pkt").events[0]!;
  assert.ok(action.kind === "packet");
  return action;
}

function build(line: string, config = V4): Uint8Array {
  const bytes = buildPacket(action(line), new Flows(config).current);
  assert.ok(typeof bytes !== "string", `${bytes}`);
  return bytes;
}

function actual(line: string, config = V4): Actual {
  const packet = readPacket(build(line, config));
  assert.ok(typeof packet !== "string", `${packet}`);
  return packet;
}

const LINES = [
  "S 5:5(0) win 1000 <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>",
  "FP. 1:1001(1000) ack 1 win 3 urg 5",
  "- 0:0(0)",
  "udp (0)",
  "udp (33)",
  "icmp echo_request id 7 seq 9 [raw (21)]",
  "icmp unreachable port_unreachable [udp (10)]",
  "icmp unreachable port_unreachable [1:11(10)]",
];

Deno.test("drill: packets that come in have the right lengths and checksums, in both families", () => {
  for (const line of LINES) {
    for (const config of [V4, V6]) {
      const packet = actual(line, config);
      assert.deepEqual(packet.faults, [], line);
      assert.equal(packet.isV4, config.isV4);
      assert.equal(packet.source.toString(), config.remote.toString());
      assert.equal(packet.destination.toString(), config.local.toString());
    }
  }
});

Deno.test("drill: the stack's own printer finds nothing wrong with packets that come in", () => {
  for (const line of LINES) {
    const bytes = build(line);
    assert.doesNotMatch(describeIp(bytes, 0, bytes.length), /wrong|malformed|truncated/, line);
  }
});

Deno.test("drill: a segment's fields are where RFC 9293 3.1 has them", () => {
  const bytes = build("5000 > 80 WA. 100:103(3) ack 7 win 515 urg 9");
  assert.deepEqual([get16(bytes, 20), get16(bytes, 22)], [5_000, 80]);
  assert.deepEqual([get32(bytes, 24), get32(bytes, 28)], [100, 7]);
  assert.equal(get16(bytes, 32), 0x5190);
  assert.deepEqual([get16(bytes, 34), get16(bytes, 38)], [515, 9]);
});

Deno.test("drill: faults are made as told, and only those", () => {
  assert.deepEqual(actual("[badsum] udp (9)").faults, ["UDP's checksum is wrong"]);
  assert.deepEqual(actual("[nosum] udp (9)").faults, ["UDP's checksum is missing"]);
  assert.deepEqual(actual("[badsum] S 0:0(0)").faults, ["TCP's checksum is wrong"]);
  assert.deepEqual(actual("[badsum] icmp echo_request").faults, ["ICMP's checksum is wrong"]);
  assert.deepEqual(actual("[badipsum] udp (9)").faults, ["the IP header's checksum is wrong"]);
  assert.match(`${readPacket(build("[badlen] udp (9)"))}`, /truncated/);
});

Deno.test("drill: payloads are the stream's bytes from where the peer's SYN put its start", () => {
  const flow = new Flows(V4).current;
  const payload = (line: string) => {
    const bytes = buildPacket(action(line), flow);
    assert.ok(typeof bytes !== "string");
    return bytes.slice(40);
  };
  payload("S 1000:1000(0)");
  assert.deepEqual(payload(". 1001:1011(10)"), streamBytes(0, 10));
  assert.deepEqual(payload(". 2001:2006(5)"), streamBytes(1_000, 5));
  assert.deepEqual(actual("udp (12)").body, {
    kind: "udp",
    sourcePort: 50_000,
    destinationPort: 8_080,
    payload: datagramBytes(12),
  });
});

Deno.test("drill: a packet is carried in IP, GRE and MPLS as their RFCs say (RFC 2003, 2784, 2890, 3032, 4023)", () => {
  const tunnel = "ipv4 [ttl 9, tos 0x10] 2.2.2.2 > 1.1.1.1:";
  const ip = build(`${tunnel} udp (4)`);
  assert.deepEqual([ip[1], ip[8], ip[9], ip.length], [0x10, 9, 4, 20 + 20 + 8 + 4]);
  const gre = build(`${tunnel} gre flags 0xb000, sum 511, off 7, key 0x80001234, seq 512: udp (4)`);
  assert.equal(gre[9], 47);
  assert.equal(gre.slice(20, 36).toHex(), "b0000800" + "01ff0007" + "80001234" + "00000200");
  assert.equal(build(`${tunnel} gre: udp (4)`).slice(20, 24).toHex(), "00000800");
  const mpls = build(
    `${tunnel} gre: mpls (label 1048575, tc 7, ttl 1) (label 5, tc 0, [S], ttl 255): udp (4)`,
  );
  assert.equal(mpls.slice(20, 32).toHex(), "00008847" + "fffffe01" + "000051ff");
  const v6 = build("ipv6 2::2 > 1::1: udp (4)", V6);
  assert.deepEqual([v6[6], v6.length], [41, 40 + 40 + 8 + 4]);
  assert.match(`${buildPacket(action("gre: udp (4)"), new Flows(V4).current)}`, /no IP header carries/);
});

Deno.test("drill: what cannot be built is said in words", () => {
  const flow = new Flows(V4).current;
  assert.match(`${buildPacket(action("S 0:0(0) <mp_capable a>"), flow)}`, /the option mp_capable a/);
  assert.match(`${buildPacket(action("S 0:0(0) {mut ip ihl}"), flow)}`, /fuzzer/);
  assert.match(`${buildPacket(action("icmp no_such"), flow)}`, /"no_such" is no type of ICMP/);
  assert.match(`${buildPacket(action("icmp unreachable no_such"), flow)}`, /"no_such" is no code/);
  const five = "sack 1:2 3:4 5:6 7:8 9:10";
  assert.match(`${buildPacket(action(`. 1:1(0) <${five}>`), flow)}`, /take 44 bytes, and a header has 40/);
});

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const data = fc.uint8Array({ maxLength: 8 });
const option: fc.Arbitrary<TcpOption> = fc.oneof(
  fc.constantFrom<TcpOption>({ kind: "nop" }, { kind: "sackOK" }),
  fc.record({ kind: fc.constant("mss" as const), value: fc.integer({ min: 0, max: 0xffff }) }),
  fc.record({ kind: fc.constant("wscale" as const), value: fc.integer({ min: 0, max: 0xff }) }),
  fc.record({ kind: fc.constant("TS" as const), value: u32, echo: u32 }),
  fc.record({
    kind: fc.constant("sack" as const),
    blocks: fc.array(fc.record({ left: u32, right: u32 }), { minLength: 1, maxLength: 2 }),
  }),
  fc.record({ kind: fc.constantFrom("FO" as const, "FOEXP" as const, "md5" as const), data }),
  fc.record({ kind: fc.constant("other" as const), number: fc.integer({ min: 60, max: 90 }), data }),
);

Deno.test("drill: options that are written into a segment are read out of it again", () => {
  const flow = new Flow({ address: V4.local, port: 1 }, { address: V4.remote, port: 2 });
  check(
    fc.property(fc.array(option, { maxLength: 4 }), (options) => {
      const bytes = optionBytes(options, flow);
      if (typeof bytes === "string") return;
      const read = readOptions(bytes, 0, bytes.length).filter(({ kind }) => kind !== "eol");
      assert.equal(optionsText(read), optionsText(options));
    }),
    { runs: 500 },
  );
});

Deno.test("drill: whatever bytes the stack may send, reading them does not throw", () => {
  const template = build(LINES[0]!);
  check(
    fc.property(
      fc.uint8Array({ maxLength: 80 }),
      fc.nat({ max: 59 }),
      fc.nat({ max: 255 }),
      (noise, at, value) => {
        readPacket(noise);
        const bytes = template.slice();
        bytes[at] = value;
        readPacket(bytes);
        readPacket(bytes.subarray(0, at));
      },
    ),
    { runs: 1_000 },
  );
});
