import assert from "node:assert/strict";
import { LinkType, PcapReader, PcapWriter, readPcap, readPcapStream } from "../../../mod.ts";
import { NanosecondWords } from "../../../nic/pcap/timestamp.ts";
import * as file from "../../support/pcap.ts";
import { classic, frame, ng, type Written } from "../../support/pcap.ts";
import { check, checkAsync, fc } from "../../support/property.ts";

const BOTH = [true, false];
const DATA = Uint8Array.of(1, 2, 3, 4, 5);

const frames = fc.array(
  fc.record<Written>({
    bytes: fc.uint8Array({ maxLength: 200 }),
    timestamp: fc.integer({ min: 0, max: 4_000_000_000_000_000 }),
    direction: fc.constantFrom("in", "out", undefined),
    comment: fc.option(fc.string({ unit: "binary", maxLength: 40 }), { nil: undefined }),
  }),
  { maxLength: 12 },
);

Deno.test("pcap: pcapng reads back as it was written: bytes, stamps, directions, comments", () => {
  check(fc.property(frames, (list) => {
    const packets = [...readPcap(ng(list))];
    assert.deepEqual(
      packets.map(({ bytes, timestamp, direction, comment }) => ({ bytes, timestamp, direction, comment })),
      list.map(({ bytes, timestamp, direction, comment }) => ({
        bytes,
        timestamp,
        direction,
        // What is no Unicode is replaced when it becomes UTF-8.
        comment: comment?.toWellFormed(),
      })),
    );
  }));
});

Deno.test("pcap: classic pcap reads back as it was written, but for what it has no place for", () => {
  check(fc.property(frames, (list) => {
    const packets = [...readPcap(classic(list))];
    assert.deepEqual(packets.map(({ bytes, timestamp }) => [[...bytes], timestamp]), [
      ...list.map(({ bytes, timestamp }) => [[...bytes], timestamp % (2 ** 32 * 1_000_000)]),
    ]);
  }));
});

Deno.test("pcap: a file that comes in pieces of any size gives the same packets as a whole one", async () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 8 });
  await checkAsync(fc.asyncProperty(frames, cuts, fc.boolean(), async (list, cuts, isClassic) => {
    const bytes = isClassic ? classic(list) : ng(list);
    const pieces = async function* () {
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const length = cuts[turn % cuts.length]!;
        yield await Promise.resolve(bytes.slice(at, at + length));
        at += length;
      }
    };
    assert.deepEqual(await Array.fromAsync(readPcapStream(pieces())), [...readPcap(bytes)]);
  }));
});

Deno.test("pcap: the writer tells the wall clock, the name, the link type and the statistics", () => {
  const options = { wallClock: 1_700_000_000_000_000, interfaceName: "tap:tap0", linkType: LinkType.Raw };
  const reader = new PcapReader();
  reader.push(
    ng([frame(DATA, { timestamp: 5, direction: "in" }), frame(DATA, { direction: "out" })], options),
  );
  assert.equal(reader.next()?.timestamp, 1_700_000_000_000_005);
  assert.equal(reader.next()?.linkType, LinkType.Raw);
  assert.equal(reader.next(), undefined);
  reader.finish();
  assert.equal(reader.format, "pcapng");
  assert.partialDeepStrictEqual(reader.interfaces, [
    { linkType: LinkType.Raw, snapLength: 262_144, name: "tap:tap0", received: 1, dropped: 0 },
  ]);
});

Deno.test("pcap: nanosecond stamps are exact, though no number holds them", () => {
  const instant = fc.integer({ min: 0, max: 2 ** 52 });
  check(fc.property(instant, instant, fc.nat(9), (wallClock, timestamp, later) => {
    const words = new NanosecondWords(wallClock);
    const microseconds = wallClock + timestamp + later;
    words.set(timestamp);
    words.set(timestamp + later);
    const nanoseconds = BigInt.asUintN(64, BigInt(microseconds) * 1_000n);
    assert.equal((BigInt(words.high >>> 0) << 32n) | BigInt(words.low >>> 0), nanoseconds);
  }));
});

Deno.test("pcap: a frame over the snap length is cut, and its length on the wire is kept", () => {
  for (const make of [ng, classic]) {
    const [packet] = [...readPcap(make([frame(new Uint8Array(100).fill(7))], { snapLength: 33 }))];
    assert.deepEqual(packet?.bytes, new Uint8Array(33).fill(7));
    assert.equal(packet?.originalLength, 100);
  }
  for (const snapLength of [0, -1, 1.5, NaN, 262_145]) {
    assert.throws(() => ng([], { snapLength }), RangeError, String(snapLength));
    assert.throws(() => classic([], { snapLength }), RangeError);
  }
});

Deno.test("pcap: the writer gathers in one buffer, of which no piece splits a block", () => {
  const pieces: Uint8Array[] = [];
  const buffers = new Set<ArrayBufferLike>();
  const writer = new PcapWriter((chunk) => {
    pieces.push(chunk.slice());
    buffers.add(chunk.buffer);
  }, { snapLength: 1_500, bufferSize: 4_000 });
  const bytes = new Uint8Array(1_500);
  for (let index = 0; index < 50; index++) writer.write(bytes, 0, 1_500, index, "in", "why".repeat(500));
  writer.end();
  assert.equal(buffers.size, 1);
  assert.ok(pieces.length >= 25, `${pieces.length} pieces`);
  let read = 0;
  const reader = new PcapReader();
  for (const piece of pieces) {
    reader.push(piece);
    for (let packet = reader.next(); packet !== undefined; packet = reader.next()) read++;
    reader.finish();
  }
  assert.equal(read, 50);
});

Deno.test("pcap: flush makes all that was written readable; a long comment is cut between characters", () => {
  const chunks: Uint8Array[] = [];
  const writer = new PcapWriter((chunk) => chunks.push(chunk.slice()));
  assert.equal(chunks.length, 0);
  writer.begin(DATA, 0, 5, 1);
  writer.flush();
  writer.write(DATA, 0, 5, 2, undefined, "€".repeat(1_000));
  writer.flush();
  writer.end();
  writer.end();
  writer.write(DATA, 0, 5, 3);
  writer.flush();
  const packets = [...readPcap(file.join(...chunks))];
  assert.deepEqual(packets.map(({ comment }) => comment), [undefined, "€".repeat(341)]);
});

Deno.test("pcap: what a sink throws comes through, and the writer goes on after it", () => {
  let full = true;
  const chunks: Uint8Array[] = [];
  const writer = new PcapWriter((chunk) => {
    if (full) throw new Error("no space left");
    chunks.push(chunk.slice());
  });
  assert.throws(() => writer.flush(), /no space left/);
  full = false;
  writer.write(DATA, 0, 5, 1);
  writer.end();
  assert.ok(chunks[0]!.length > 0);
});

Deno.test("pcap: classic files of either byte order and either resolution are read", () => {
  for (const little of BOTH) {
    for (const [magic, fraction] of [[0xa1b2c3d4, 7], [0xa1b23c4d, 7_999]] as const) {
      const bytes = file.join(
        file.classicHeader(little, magic, LinkType.Raw),
        file.classicRecord(little, [3, fraction], DATA, 5, 60),
      );
      assert.deepEqual([...readPcap(bytes)], [
        { timestamp: 3_000_007, bytes: DATA, originalLength: 60, linkType: LinkType.Raw, interfaceId: 0 },
      ]);
    }
  }
});

Deno.test("pcap: pcapng of either byte order is read, with resolutions, offsets, names and flags", () => {
  for (const little of BOTH) {
    const resolution = (value: number) => file.option(little, 9, Uint8Array.of(value));
    const offset = file.option(little, 14, file.fields(little, [BigInt.asUintN(64, -2n), 64]));
    const flags = (value: number) => file.option(little, 2, file.fields(little, [value, 32]));
    const comment = (text: string) => file.option(little, 1, file.utf8(text));
    const bytes = file.join(
      file.section(little),
      file.iface(little, 1, 0),
      file.iface(little, 101, 0, file.option(little, 2, file.utf8("wlan0")), resolution(9), offset),
      file.iface(little, 1, 0, resolution(0x80 | 10)),
      file.block(little, 0xbad, new Uint8Array(400)),
      file.enhanced(little, DATA, { ticks: 0x1_0000_0003n, options: [flags(1)] }),
      file.enhanced(little, DATA, {
        interfaceId: 1,
        ticks: 5_000_001_999n,
        options: [comment("eins"), flags(6), comment("zwei"), file.option(little, 0, DATA.subarray(0, 0))],
      }),
      file.enhanced(little, DATA, { interfaceId: 2, ticks: 2_560n, original: 4_000 }),
    );
    const reader = new PcapReader();
    reader.push(bytes);
    const common = { bytes: DATA, originalLength: 5, linkType: 1 };
    assert.deepEqual(reader.next(), { ...common, timestamp: 0x1_0000_0003, interfaceId: 0, direction: "in" });
    const noted = { direction: "out", comment: "eins\nzwei" };
    assert.deepEqual(reader.next(), {
      ...common,
      ...noted,
      timestamp: 3_000_001,
      interfaceId: 1,
      linkType: 101,
    });
    assert.equal(reader.interfaces[1]?.name, "wlan0");
    assert.deepEqual(reader.next(), {
      ...common,
      timestamp: 2_500_000,
      interfaceId: 2,
      originalLength: 4_000,
    });
  }
});

Deno.test("pcap: simple and obsolete packet blocks are read", () => {
  for (const little of BOTH) {
    const obsolete = file.fields(little, [0, 16], [9, 16], [0, 32], [77, 32], [5, 32], [5, 32]);
    const [first, second] = [...readPcap(file.join(
      file.section(little),
      file.iface(little, 1, 3),
      file.block(little, 2, file.join(obsolete, file.pad(DATA))),
      file.block(little, 3, file.join(file.fields(little, [900, 32]), file.pad(DATA.subarray(0, 3)))),
    ))];
    assert.deepEqual([first?.timestamp, first?.bytes], [77, DATA]);
    assert.deepEqual([second?.timestamp, second?.bytes, second?.originalLength], [
      77,
      DATA.subarray(0, 3),
      900,
    ]);
  }
});

Deno.test("pcap: a new section has its own byte order and its own interfaces", () => {
  const bytes = file.join(
    ...[true, false, true].flatMap((little, index) => [
      file.section(little),
      file.iface(little, index, 0),
      file.enhanced(little, DATA),
    ]),
  );
  assert.deepEqual([...readPcap(bytes)].map(({ linkType }) => linkType), [0, 1, 2]);
});
