import assert from "node:assert/strict";
import {
  EMPTY,
  FromBytes,
  IntoBytes,
  Sink,
  StreamReceive,
  StreamSend,
  Through,
} from "../../../stack/tcp/buffers.ts";
import { check, fc } from "../../support/property.ts";

const LIMIT = 16_384;

/** The byte at a place of an endless stream. */
function byteAt(position: number): number {
  return (position * 131 + (position >>> 8) * 7) & 255;
}

function stream(from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => byteAt(from + i));
}

Deno.test("buffers: a size that none can have is refused with the reason", () => {
  const message = "the size of a buffer must be a whole number from 1 to 1073741824, but is ";
  for (const size of [0, -4_096, 4_096.5, NaN, Infinity, 2 ** 30 + 1]) {
    for (const make of [StreamSend, StreamReceive, Through]) {
      assert.throws(() => new make(size), { name: "RangeError", message: message + size });
    }
  }
});

Deno.test("buffers: any other size is what a buffer holds, and no more, though its memory is a power of two", () => {
  for (const size of [1, 4_095, 5_000, 2 ** 20 + 1]) {
    const sent = new StreamSend(size), received = new StreamReceive(size);
    assert.equal(sent.write(stream(0, size + 1)), size);
    received.write(0, stream(0, size), 0, size);
    received.advance(size);
    assert.deepEqual([sent.free, received.window], [0, 0]);
    const out = new Uint8Array(size);
    sent.fill(0, out, 0, size);
    assert.deepEqual(out, stream(0, size));
    assert.equal(received.read(out), size);
    assert.deepEqual(out, stream(0, size));
  }
});

Deno.test("buffers: a send buffer takes as much as it has room for, and says how much", () => {
  const buffer = new StreamSend(4_096);
  assert.equal(buffer.write(stream(0, 4_000)), 4_000);
  assert.equal(buffer.write(stream(4_000, 200)), 96);
  assert.equal(buffer.free, 0);
  assert.equal(buffer.write(stream(0, 1)), 0);
  buffer.ack(10);
  assert.equal(buffer.write(stream(4_096, 100), 0, 100), 10);
});

Deno.test("buffers: a stream to send is the same bytes, however it is written, read and acknowledged", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("write" as const), size: fc.integer({ min: 0, max: 6_000 }) }),
    fc.record({ kind: fc.constant("fill" as const), size: fc.nat(), other: fc.nat() }),
    fc.record({ kind: fc.constant("ack" as const), size: fc.nat() }),
  );
  check(fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
    const buffer = new StreamSend(LIMIT);
    const out = new Uint8Array(LIMIT + 8);
    let start = 0, end = 0;
    for (const next of steps) {
      if (next.kind === "write") {
        const source = new Uint8Array(next.size + 5);
        source.set(stream(end, next.size), 5);
        const taken = buffer.write(source, 5, next.size);
        assert.equal(taken, Math.min(next.size, LIMIT - (end - start)));
        end += taken;
      } else if (next.kind === "fill" && end > start) {
        const offset = next.size % (end - start);
        const length = next.other % (end - start - offset + 1);
        buffer.fill(offset, out, 3, length);
        assert.deepEqual(out.subarray(3, 3 + length), stream(start + offset, length));
      } else if (next.kind === "ack") {
        const count = end === start ? 0 : next.size % (end - start + 1);
        buffer.ack(count);
        start += count;
      }
      assert.equal(buffer.length, end - start);
      assert.equal(buffer.free, LIMIT - (end - start));
    }
  }));
});

Deno.test("buffers: a received stream is the same bytes, in whatever order they were written", () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("write" as const), a: fc.nat(), b: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("advance" as const), a: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("read" as const), a: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("discard" as const), a: fc.nat() }) },
  );
  check(
    fc.property(fc.array(step, { minLength: 1, maxLength: 80 }), (steps) => {
      const buffer = new StreamReceive(LIMIT);
      const has = new Set<number>();
      let read = 0, next = 0;
      for (const { kind, ...values } of steps) {
        if (kind === "write") {
          const window = buffer.window;
          if (window === 0) continue;
          const offset = values.a % window;
          const length = Math.min(1 + ("b" in values ? values.b : 0) % 3_000, window - offset);
          const source = new Uint8Array(length + 7);
          source.set(stream(next + offset, length), 7);
          buffer.write(offset, source, 7, length);
          for (let i = 0; i < length; i++) has.add(next + offset + i);
        } else if (kind === "advance") {
          let complete = 0;
          while (has.has(next + complete)) complete++;
          const count = complete === 0 ? 0 : values.a % (complete + 1);
          buffer.advance(count);
          next += count;
        } else if (kind === "read") {
          const target = new Uint8Array(next - read + 4);
          const wanted = (next - read === 0) ? 0 : values.a % (next - read + 1);
          assert.equal(buffer.read(target, 2, wanted), wanted);
          assert.deepEqual(target.subarray(2, 2 + wanted), stream(read, wanted));
          read += wanted;
        } else {
          const count = next === read ? 0 : values.a % (next - read + 1);
          buffer.discard(count);
          read += count;
        }
        assert.equal(buffer.length, next - read);
        assert.equal(buffer.window, LIMIT - (next - read));
      }
      const rest = new Uint8Array(LIMIT);
      const count = buffer.read(rest);
      assert.deepEqual(rest.subarray(0, count), stream(read, next - read));
    }),
    { runs: 300 },
  );
});

Deno.test("buffers: a read takes no more than there is", () => {
  const buffer = new StreamReceive(4_096);
  buffer.write(0, stream(0, 10), 0, 10);
  buffer.advance(10);
  assert.equal(buffer.read(new Uint8Array(100)), 10);
  assert.equal(buffer.read(new Uint8Array(100)), 0);
  assert.throws(() => buffer.discard(1), /cannot discard 1 of 0/);
});

Deno.test("buffers: an array is sent from its start and received to its end", () => {
  const source = new FromBytes(stream(0, 100));
  const target = new IntoBytes(new Uint8Array(100));
  const wire = new Uint8Array(60);
  source.fill(50, wire, 10, 50);
  target.write(50, wire, 10, 50);
  source.fill(0, wire, 10, 50);
  target.write(0, wire, 10, 50);
  target.advance(100);
  source.ack(100);
  assert.equal(source.length, 0);
  assert.equal(target.window, 0);
  const out = new IntoBytes(new Uint8Array(8));
  out.write(0, stream(5, 8), 2, 6);
  out.advance(6);
  assert.equal(out.length, 6);
  assert.equal(out.window, 2);
});

Deno.test("buffers: a sink counts, and nothing to send is nothing", () => {
  const sink = new Sink(99);
  sink.write();
  sink.advance(40);
  sink.advance(2);
  assert.equal(sink.total, 42);
  assert.equal(sink.window, 99);
  assert.equal(EMPTY.length, 0);
});

Deno.test("buffers: what comes in out of order goes out in order, as far as it is complete, and the limit holds", () => {
  const piece = fc.record({ size: fc.integer({ min: 1, max: 3_000 }), ack: fc.nat({ max: 5_000 }) });
  check(fc.property(fc.array(piece, { minLength: 1, maxLength: 40 }), (pieces) => {
    const buffer = new Through(LIMIT);
    const out = new Uint8Array(LIMIT);
    let start = 0, end = 0;
    for (const { size, ack } of pieces) {
      assert.equal(buffer.length, end - start);
      assert.equal(buffer.window, LIMIT - (end - start));
      const count = Math.min(size, buffer.window);
      const half = count >> 1;
      // The second half first, as a lost segment has it.
      if (count > half) buffer.write(half, stream(end + half, count - half), 0, count - half);
      if (half > 0) buffer.write(0, stream(end, half), 0, half);
      assert.equal(buffer.length, end - start);
      buffer.advance(count);
      end += count;
      buffer.fill(0, out, 0, end - start);
      assert.deepEqual(out.subarray(0, end - start), stream(start, end - start));
      const acked = Math.min(ack, end - start);
      buffer.ack(acked);
      start += acked;
    }
  }));
});

Deno.test("buffers: what arrived out of order survives that all before it was sent on and acknowledged", () => {
  const buffer = new Through(4_096);
  buffer.write(0, stream(0, 100), 0, 100);
  buffer.advance(100);
  buffer.write(50, stream(150, 50), 0, 50);
  buffer.ack(100);
  buffer.write(0, stream(100, 50), 0, 50);
  buffer.advance(100);
  const out = new Uint8Array(100);
  buffer.fill(0, out, 0, 100);
  assert.deepEqual(out, stream(100, 100));
});
