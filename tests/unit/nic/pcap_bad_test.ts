import assert from "node:assert/strict";
import { PcapError, type PcapPacket, PcapReader, readPcap } from "../../../mod.ts";
import { Input } from "../../../nic/pcap/input.ts";
import * as file from "../../support/pcap.ts";
import { classic, frame, ng } from "../../support/pcap.ts";
import { check, fc } from "../../support/property.ts";

const BOTH = [true, false];
const DATA = Uint8Array.of(1, 2, 3, 4, 5);

/** The packets before the file's end or fault, and the fault. */
function readAll(bytes: Uint8Array): { packets: PcapPacket[]; error: PcapError | undefined } {
  const packets: PcapPacket[] = [];
  try {
    for (const packet of readPcap(bytes)) packets.push(packet);
    return { packets, error: undefined };
  } catch (error) {
    if (!(error instanceof PcapError)) throw error;
    assert.ok(error.position >= 0 && error.position <= bytes.length, error.message);
    return { packets, error };
  }
}

function fault(bytes: Uint8Array): string {
  const { error } = readAll(bytes);
  assert.ok(error !== undefined, "the file is read without complaint");
  assert.ok(error.message.startsWith(`byte ${error.position}: `), error.message);
  return error.message;
}

Deno.test("pcap: a file cut off anywhere gives the packets before that and says where the cut one begins", () => {
  const list = [frame(DATA, { direction: "in", comment: "x" }), frame(new Uint8Array(0)), frame(DATA)];
  for (const bytes of [ng(list), classic(list)]) {
    const whole = [...readPcap(bytes)];
    let ends = 0;
    for (let length = 0; length < bytes.length; length++) {
      const { packets, error } = readAll(bytes.subarray(0, length));
      assert.deepEqual(packets, whole.slice(0, packets.length));
      if (error === undefined) ends++;
      else assert.match(error.message, length === 0 ? /empty/ : /ends \d+ bytes into/);
    }
    // It may end unnoticed behind each record or block but the last, and behind the section's and the file's header.
    assert.equal(ends, bytes[0] === 0x0a ? 5 : 3);
  }
});

Deno.test("pcap: hostile lengths are refused with the byte they stand at", () => {
  const little = true;
  const start = file.join(file.section(little), file.iface(little, 1, 0));
  const at = start.length;
  const faultAfter = (bytes: Uint8Array) => fault(file.join(start, bytes, new Uint8Array(64)));
  const raw = (length: number) => file.fields(little, [6, 32], [length, 32], [0, 64], [0, 64], [0, 64]);
  for (const length of [0, 4, 11, 13, 33, 0xffff_ffff]) {
    const message = faultAfter(raw(length));
    assert.match(message, new RegExp(`^byte ${at + 4}: .* claims ${length} bytes`));
  }
  assert.match(faultAfter(raw(0xffff_fffc)), /claims 4294967292 bytes; at most 16777216/);
  const mismatch = file.enhanced(little, DATA);
  mismatch[mismatch.length - 4]!++;
  assert.match(faultAfter(mismatch), new RegExp(`^byte ${at + mismatch.length - 4}: .*40 bytes says .* 41`));
  for (const captured of [9, 262_145, 0x7fff_ffff, 0xffff_fffd, 0xffff_ffff]) {
    const message = faultAfter(file.enhanced(little, DATA, { captured }));
    assert.match(message, new RegExp(`^byte ${at + 20}: .* claims ${captured} captured`));
  }
  const overlong = file.join(file.fields(little, [1, 16], [0xffff, 16]), DATA.subarray(0, 4));
  const message = faultAfter(file.enhanced(little, DATA, { options: [overlong] }));
  assert.match(message, new RegExp(`^byte ${at + 36}: option 1 claims 65535 bytes`));
  assert.match(faultAfter(file.enhanced(little, DATA, { interfaceId: 1 })), /interface 1 .* described 1/);
  assert.match(faultAfter(file.block(little, 6, new Uint8Array(16))), /packet block of 28 bytes/);
  assert.match(faultAfter(file.block(little, 1, new Uint8Array(4))), /interface description of 16 bytes/);
  assert.match(faultAfter(file.block(little, 3, file.fields(little, [900, 32]))), /claims 900 captured/);
  assert.match(faultAfter(file.block(little, 5, file.fields(little, [3, 32], [0, 64]))), /interface 3/);
  assert.match(faultAfter(file.block(little, 0x0a0d0d0a, new Uint8Array(16))), /byte order mark/);
  assert.match(faultAfter(file.section(little, 2)), /version 2/);
  const anew = file.join(file.section(false), file.enhanced(false, DATA));
  assert.match(faultAfter(anew), /interface 0 .* described 0/);
});

Deno.test("pcap: hostile classic records and headers are refused", () => {
  for (const little of BOTH) {
    const start = file.classicHeader(little, 0xa1b2c3d4, 1);
    for (const captured of [262_145, 0xffff_ffff]) {
      const message = fault(file.join(start, file.classicRecord(little, [0, 0], DATA, captured)));
      assert.match(message, new RegExp(`^byte 32: .* claims ${captured} captured`));
    }
    assert.match(fault(file.classicHeader(little, 0xa1b2c3d4, 1, 3)), /version 2\.3/);
    assert.match(fault(file.classicHeader(little, 0xa1b2cd34, 1)), /patched/);
  }
  assert.match(fault(Uint8Array.of(0x1f, 0x8b, 8, 0)), /compressed/);
  assert.match(fault(file.utf8("GET / HTTP/1.1")), /neither pcap nor pcapng/);
});

Deno.test("pcap: lies about lengths on the wire and snap lengths harm nobody", () => {
  const [packet] = [...readPcap(file.join(
    file.section(true),
    file.iface(true, 1, 2),
    file.enhanced(true, DATA, { original: 1, ticks: 0xffff_ffff_ffff_ffffn }),
  ))];
  assert.equal(packet?.originalLength, 5);
  const seconds = file.option(true, 9, Uint8Array.of(0));
  const [late] = [...readPcap(file.join(
    file.section(true),
    file.iface(true, 1, 0, seconds),
    file.enhanced(true, DATA, { ticks: 0xffff_ffff_ffff_ffffn }),
  ))];
  assert.equal(late?.timestamp, Number.MAX_SAFE_INTEGER);
});

Deno.test("pcap: bytes of any kind, or a good file with bytes changed, end in packets or a PcapError", () => {
  const good = ng([frame(DATA, { direction: "in", comment: "x" }), frame(new Uint8Array(90))]);
  const old = classic([frame(DATA), frame(new Uint8Array(90))]);
  const start = fc.constantFrom(good.subarray(0, 0), good.subarray(0, 28), old.subarray(0, 24), good, old);
  const change = fc.tuple(fc.nat(300), fc.nat(255));
  const changes = fc.array(change, { maxLength: 6 });
  check(
    fc.property(start, fc.uint8Array({ maxLength: 120 }), changes, (start, bytes, changes) => {
      const whole = file.join(start, bytes);
      for (const [at, value] of changes) if (at < whole.length) whole[at] = value;
      for (const packet of readAll(whole).packets) assert.ok(packet.bytes.length <= whole.length);
    }),
    { runs: 2_000 },
  );
});

Deno.test("pcap: a broken file stays broken, and is not gathered any more", () => {
  const reader = new PcapReader();
  reader.push(file.utf8("no capture"));
  assert.throws(() => reader.next(), PcapError);
  reader.push(ng([frame(DATA)]));
  assert.throws(() => reader.next(), PcapError);
  assert.throws(() => reader.finish(), PcapError);
});

Deno.test("pcap: memory grows by what has come and is not used up, not by what a file claims", () => {
  const input = new Input();
  const initial = input.bytes.length;
  for (let index = 0; index < 1_000; index++) {
    input.push(new Uint8Array(1_000));
    input.consume(990 + (index & 15));
    assert.equal(input.position + input.length, (index + 1) * 1_000);
  }
  assert.equal(input.bytes.length, initial);
  input.push(new Uint8Array(initial));
  assert.equal(input.bytes.length, 2 * initial);
});

Deno.test("pcap: a section with too many interfaces is refused", () => {
  const many = Array.from({ length: 4_097 }, () => file.iface(true, 1, 0));
  assert.match(fault(file.join(file.section(true), ...many)), /more than 4096 interfaces/);
});
