import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { FrameNote, FrameRing, RecordKind } from "../../../../nic/shard/frame-ring.ts";
import { Checksum, Frame, HEADROOM, Segmentation } from "../../../../stack/frame.ts";
import { check, fc } from "../../../support/property.ts";

const CAPACITY = 1_024;

/** A frame of these bytes, with room for more. */
function frame(bytes: readonly number[] | Uint8Array, room: number = 2_048): Frame {
  const made = new Frame(new Uint8Array(HEADROOM + room));
  ok(made.resize(bytes.length));
  made.bytes.set(bytes, made.start);
  return made;
}

const bytesOf = ({ bytes, start, end }: Frame): number[] => [...bytes.subarray(start, end)];

function ring(capacity: number = CAPACITY): FrameRing {
  return new FrameRing(new ArrayBuffer(FrameRing.size(capacity)), 0, capacity);
}

const NOTE = new FrameNote();

Deno.test("frame ring: frames come out whole and in their order, also across the ring's end", () => {
  check(fc.property(fc.array(fc.tuple(fc.nat(300), fc.boolean()), { maxLength: 60 }), (steps) => {
    const line = ring();
    const waiting: number[][] = [];
    const into = frame([]);
    steps.forEach(([length, takes], index) => {
      const bytes = Array.from({ length }, (_, at) => (at + index) & 0xff);
      if (line.put(frame(bytes), NOTE)) waiting.push(bytes);
      else ok(waiting.length > 0, "an empty ring has room for a third of it");
      if (takes && waiting.length > 0) {
        ok(line.take(into, NOTE));
        deepEqual(bytesOf(into), waiting.shift());
      }
    });
    for (const bytes of waiting) {
      ok(line.take(into, NOTE));
      deepEqual(bytesOf(into), bytes);
    }
    ok(line.isEmpty);
    equal(line.take(into, NOTE), false);
  }));
});

Deno.test("frame ring: positions wrap with 32 bits and nothing is lost", () => {
  const buffer = new ArrayBuffer(FrameRing.size(CAPACITY));
  const words = new Int32Array(buffer);
  // Both positions, shortly before 2^31 and then before 2^32.
  for (const position of [0x7fff_fff0, -16]) {
    words[0] = words[16] = position & ~0xf;
    const line = new FrameRing(buffer, 0, CAPACITY);
    const into = frame([]);
    for (let turn = 0; turn < 100; turn++) {
      ok(line.put(frame([turn, 1, 2]), NOTE));
      ok(line.put(frame([turn, 3]), NOTE));
      ok(line.take(into, NOTE));
      deepEqual(bytesOf(into), [turn, 1, 2]);
      ok(line.take(into, NOTE));
      deepEqual(bytesOf(into), [turn, 3]);
    }
  }
});

Deno.test("frame ring: what is said of a frame goes with it: its kind, its turns, its checksum", () => {
  const line = ring();
  const sent = frame([1, 2, 3, 4, 5, 6, 7, 8]);
  sent.leaveChecksum(sent.start + 2, 4);
  const note = new FrameNote();
  note.kind = RecordKind.Question;
  note.left = 5;
  ok(line.put(sent, note));
  const verified = frame([9]);
  verified.checksum = Checksum.Verified;
  ok(line.put(verified, new FrameNote()));
  const into = frame([]);
  const read = new FrameNote();
  ok(line.take(into, read));
  deepEqual([read.kind, read.left, into.checksum], [RecordKind.Question, 5, Checksum.Partial]);
  deepEqual([into.checksumAt - into.start, into.checksumField], [2, 4]);
  ok(line.take(into, read));
  deepEqual([read.kind, read.left, into.checksum], [RecordKind.Frame, 0, Checksum.Verified]);
});

Deno.test("frame ring: a packet can be put behind the header of another frame", () => {
  const line = ring();
  const packet = frame([5, 6, 7]);
  packet.leaveChecksum(packet.start + 1, 0);
  ok(line.put(packet, NOTE, frame([1, 2, 3, 4]), 3));
  const into = frame([]);
  ok(line.take(into, NOTE));
  deepEqual(bytesOf(into), [1, 2, 3, 5, 6, 7]);
  equal(into.checksumAt - into.start, 4);
});

Deno.test("frame ring: what does not fit is refused, whole", () => {
  const line = ring();
  equal(line.put(frame(new Uint8Array(CAPACITY)), NOTE), false);
  let count = 0;
  while (line.put(frame(new Uint8Array(100).fill(count)), NOTE)) count++;
  equal(count, 8, "each takes 128 bytes");
  const many = frame([1]);
  many.segmentation = Segmentation.TcpV4;
  const into = frame([]);
  for (let index = 0; index < count; index++) {
    ok(line.take(into, NOTE));
    deepEqual(bytesOf(into), Array(100).fill(index));
  }
  equal(line.put(many, NOTE), false, "many segments in one are not passed");
});

Deno.test("frame ring: a frame that is too long for who takes it is gone, and the next one comes", () => {
  const line = ring();
  ok(line.put(frame(new Uint8Array(300)), NOTE));
  ok(line.put(frame([1]), NOTE));
  const into = frame([], 100);
  equal(line.take(into, NOTE), false);
  ok(line.take(into, NOTE));
  deepEqual(bytesOf(into), [1]);
});

Deno.test("frame ring: whoever takes an end over finds what was there", () => {
  const buffer = new SharedArrayBuffer(FrameRing.size(CAPACITY));
  const first = new FrameRing(buffer, 0, CAPACITY);
  ok(first.put(frame([1]), NOTE));
  ok(first.put(frame([2]), NOTE));
  const into = frame([]);
  ok(new FrameRing(buffer, 0, CAPACITY).take(into, NOTE));
  ok(new FrameRing(buffer, 0, CAPACITY).put(frame([3]), NOTE));
  const last = new FrameRing(buffer, 0, CAPACITY);
  ok(last.take(into, NOTE));
  deepEqual(bytesOf(into), [2]);
  ok(last.take(into, NOTE));
  deepEqual(bytesOf(into), [3]);
});

Deno.test("frame ring: memory that was spoilt makes it neither throw nor read outside of itself", () => {
  check(fc.property(fc.array(fc.integer(), { minLength: 80, maxLength: 80 }), (values) => {
    const buffer = new ArrayBuffer(FrameRing.size(CAPACITY));
    new Int32Array(buffer).set(values);
    const line = new FrameRing(buffer, 0, CAPACITY);
    const into = frame([]);
    for (let tries = 0; tries < 200; tries++) line.take(into, NOTE);
    line.put(frame([1, 2, 3]), NOTE);
  }));
});

Deno.test("frame ring: its capacity is a power of two", () => {
  for (const capacity of [0, 32, 100, -64]) throws(() => ring(capacity), RangeError);
});
