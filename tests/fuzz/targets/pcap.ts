/**
 * Capture files of both formats: read whole and in pieces they hold the same, and what they hold can be written again.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { ClassicPcapWriter } from "../../../nic/pcap/classic-writer.ts";
import { PcapError } from "../../../nic/pcap/error.ts";
import type { PcapPacket } from "../../../nic/pcap/packet.ts";
import { PcapReader, readPcap } from "../../../nic/pcap/reader.ts";
import { PcapWriter } from "../../../nic/pcap/writer.ts";
import {
  block,
  classicHeader,
  classicRecord,
  enhanced,
  fields,
  iface,
  join,
  option,
  pad,
  section,
} from "../../support/pcap.ts";
import { fc } from "../../support/property.ts";
import { HEX } from "../codec.ts";
import { mutated } from "../frames/mutate.ts";
import { target } from "../target.ts";

/** The packets up to the error, if any, and where and what it is. */
interface Read {
  readonly packets: readonly PcapPacket[];
  readonly error: string | undefined;
}

function readWith(packets: PcapPacket[], read: () => void): Read {
  try {
    read();
  } catch (error) {
    ok(error instanceof PcapError, `${error}`);
    ok(error.message.startsWith(`byte ${error.position}: `), error.message);
    return { packets, error: error.message };
  }
  return { packets, error: undefined };
}

function readWhole(file: Uint8Array): Read {
  const packets: PcapPacket[] = [];
  return readWith(packets, () => {
    for (const packet of readPcap(file)) packets.push(packet);
  });
}

function readPieces(file: Uint8Array, size: number): Read {
  const packets: PcapPacket[] = [];
  const reader = new PcapReader();
  return readWith(packets, () => {
    const piece = new Uint8Array(size);
    for (let at = 0; at < file.length; at += size) {
      const length = Math.min(size, file.length - at);
      piece.set(file.subarray(at, at + length));
      reader.push(piece.subarray(0, length));
      piece.fill(0xee);
      for (let packet = reader.next(); packet !== undefined; packet = reader.next()) packets.push(packet);
    }
    reader.finish();
  });
}

function run(file: Uint8Array): void {
  const whole = readWhole(file);
  for (const size of [1, 7, 64]) deepEqual(readPieces(file, size), whole, `read in pieces of ${size} bytes`);
  let captured = 0;
  for (const { bytes, timestamp, originalLength, linkType, interfaceId } of whole.packets) {
    captured += bytes.length;
    ok(Number.isSafeInteger(timestamp), `a timestamp of ${timestamp}`);
    ok(originalLength >= bytes.length && linkType >= 0 && linkType <= 0xffff && interfaceId >= 0);
  }
  ok(captured <= file.length, `${captured} bytes of packets in a file of ${file.length}`);
  checkWritten(whole.packets);
}

/** What was read is written and read once more. Stamps are: those that the format has room for. */
function checkWritten(packets: readonly PcapPacket[]): void {
  for (const Writer of [PcapWriter, ClassicPcapWriter]) {
    const chunks: Uint8Array[] = [];
    const writer = new Writer((chunk) => chunks.push(chunk.slice()), { bufferSize: 512, snapLength: 4_096 });
    for (const { bytes, timestamp, direction } of packets) {
      writer.begin(bytes, 0, bytes.length, Math.abs(timestamp) % 2 ** 51, direction);
      writer.finish();
    }
    writer.end();
    const again = readWhole(join(...chunks));
    equal(again.error, undefined, "what we write we can read");
    equal(again.packets.length, packets.length);
    for (const [index, packet] of packets.entries()) {
      equal(again.packets[index]!.bytes.toHex(), packet.bytes.subarray(0, 4_096).toHex());
      if (Writer === PcapWriter) equal(again.packets[index]!.timestamp, Math.abs(packet.timestamp) % 2 ** 51);
    }
  }
}

const number32 = fc.oneof(
  fc.nat(80),
  fc.constantFrom(262_144, 262_145, 0x7fff_ffff, 0xffff_ffff),
  fc.nat(0xffff_ffff),
);
const data = fc.uint8Array({ maxLength: 40 });

function lie(honest: number, told: number | undefined): number {
  return told ?? honest;
}

const told = fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: number32 });

const anOption = fc.tuple(fc.oneof(fc.nat(16), fc.nat(0xffff)), fc.uint8Array({ maxLength: 12 }));

function ngBlock(little: boolean): fc.Arbitrary<Uint8Array> {
  const options = fc.array(anOption.map(([code, value]) => option(little, code, value)), { maxLength: 3 });
  return fc.oneof(
    fc.tuple(fc.nat(300), number32, options).map(([type, snap, options]) =>
      iface(little, type, snap, ...options)
    ),
    fc.record({
      data,
      id: fc.nat(2),
      ticks: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      captured: told,
      original: told,
      options,
    })
      .map(({ data, id, ticks, captured, original, options }) =>
        enhanced(little, data, {
          interfaceId: id,
          ticks,
          captured: lie(data.length, captured),
          original: lie(data.length, original),
          options,
        })
      ),
    fc.tuple(data, told).map(([data, length]) =>
      block(little, 3, join(fields(little, [lie(data.length, length), 32]), pad(data)))
    ),
    fc.tuple(data, fc.nat(2), told).map(([data, id, captured]) =>
      block(
        little,
        2,
        join(
          fields(little, [id, 16], [9, 16], [1, 32], [2, 32], [lie(data.length, captured), 32], [
            data.length,
            32,
          ]),
          pad(data),
        ),
      )
    ),
    fc.tuple(fc.nat(2), options).map(([id, options]) =>
      block(little, 5, join(fields(little, [id, 32], [0, 64]), ...options))
    ),
    fc.tuple(number32, data).map(([type, data]) => block(little, type, pad(data))),
    fc.constant(section(little)),
  );
}

const ng = fc.boolean().chain((little) =>
  fc.tuple(fc.nat(5), fc.array(ngBlock(little), { maxLength: 5 })).map(([dice, blocks]) =>
    join(section(little, dice === 0 ? 2 : 1), dice === 1 ? new Uint8Array(0) : iface(little, 1, 0), ...blocks)
  )
);

const classic = fc.boolean().chain((little) =>
  fc.tuple(
    fc.constantFrom(0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34),
    fc.array(fc.tuple(number32, number32, data, told, told), { maxLength: 4 }),
  ).map(([magic, records]) =>
    join(
      classicHeader(little, magic, 1),
      ...records.map(([seconds, fraction, data, captured, original]) =>
        classicRecord(little, [seconds, fraction], data, captured ?? data.length, original ?? data.length)
      ),
    )
  )
);

/** Capture files. */
export const pcap = target({
  name: "pcap",
  runs: 1_500,
  codec: HEX,
  input: fc.oneof(ng, classic, mutated(fc.oneof(ng, classic), 200), fc.uint8Array({ maxLength: 60 })),
  run,
});
