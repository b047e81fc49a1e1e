import assert from "node:assert/strict";
import { RingBuffer } from "../../../stack/store/ring.ts";
import { check, fc } from "../../support/property.ts";

const text = (words: string): Uint8Array => new TextEncoder().encode(words);

function drain(ring: RingBuffer): string {
  const bytes = new Uint8Array(ring.available);
  ring.dequeue(bytes);
  return new TextDecoder().decode(bytes);
}

Deno.test("ring: what goes in comes out, across the wrap too, and what does not fit stays outside", () => {
  const ring = new RingBuffer(new Uint8Array(8));
  assert.equal(ring.enqueue(text("abcdef")), 6);
  ring.discard(4);
  assert.equal(ring.enqueue(text("ghijklmn")), 6);
  assert.equal(ring.free, 0);
  assert.equal(drain(ring), "efghijkl");
});

Deno.test("ring: data ahead of its turn waits beyond the tail until it is committed", () => {
  const ring = new RingBuffer(new Uint8Array(8));
  ring.enqueue(text("ab"));
  assert.equal(ring.writeAt(2, text("ef")), 2);
  assert.equal(ring.available, 2);
  assert.equal(ring.writeAt(0, text("cd")), 2);
  ring.commit(4);
  assert.equal(drain(ring), "abcdef");
});

Deno.test("ring: a peek leaves the bytes where they are, for a retransmission", () => {
  const ring = new RingBuffer(new Uint8Array(4));
  ring.enqueue(text("abcd"));
  const copy = new Uint8Array(2);
  assert.equal(ring.peek(1, copy), 2);
  assert.deepEqual(copy, text("bc"));
  assert.equal(ring.peek(3, copy), 1);
  assert.equal(ring.peek(9, copy), 0);
  assert.equal(ring.peek(-1, copy), 0);
  assert.equal(ring.available, 4);
});

Deno.test("ring: regions are given as start and length, for work without a copy", () => {
  const ring = new RingBuffer(new Uint8Array(100), 10, 18);
  ring.enqueue(text("abcdef"));
  ring.discard(5);
  assert.deepEqual([ring.readStart(), ring.readLength()], [15, 1]);
  assert.deepEqual([ring.writeStart(), ring.writeLength()], [16, 2]);
  assert.deepEqual([ring.writeStart(2), ring.writeLength(2)], [10, 5]);
});

Deno.test("ring: in a part of an arena it writes nothing outside its part", () => {
  const arena = new Uint8Array(100).fill(0xee);
  const ring = new RingBuffer(arena, 10, 18);
  for (let i = 0; i < 20; i++) {
    ring.enqueue(text("abcdefghijk"));
    ring.discard(3);
  }
  assert.ok(arena.every((byte, at) => byte === 0xee || (at >= 10 && at < 18)));
});

Deno.test("ring: lengths past the array that is copied from or to are cut to it", () => {
  const ring = new RingBuffer(new Uint8Array(300));
  assert.equal(ring.enqueue(new Uint8Array(100), 0, 200), 100);
  assert.equal(ring.dequeue(new Uint8Array(5), 2, 50), 3);
});

Deno.test("ring: commits and discards beyond what is there are a programmer's error", () => {
  const ring = new RingBuffer(new Uint8Array(4));
  ring.enqueue(text("abc"));
  assert.throws(() => ring.commit(2), /cannot commit 2 bytes: 1 are free/);
  assert.throws(() => ring.discard(4), /cannot discard 4 bytes: 3 are available/);
  assert.throws(() => ring.discard(-1), RangeError);
  assert.throws(() => new RingBuffer(new Uint8Array(0)), /not empty: 0 to 0/);
  assert.throws(() => new RingBuffer(new Uint8Array(9), 4, 10), RangeError);
});

Deno.test("ring: any sequence of operations leaves what an array would hold", () => {
  const operation = fc.record({
    kind: fc.constantFrom("enqueue", "dequeue", "writeAt", "commit", "clear"),
    offset: fc.integer({ min: -1, max: 100 }),
    length: fc.nat(100),
    fill: fc.nat(255),
  });
  check(
    fc.property(
      fc.integer({ min: 1, max: 90 }),
      fc.array(operation, { maxLength: 60 }),
      (capacity, operations) => {
        const ring = new RingBuffer(new Uint8Array(capacity + 4), 2, capacity + 2);
        // The readable bytes, and the free ones as far as they are known.
        let readable: number[] = [];
        let ahead: (number | undefined)[] = new Array(capacity).fill(undefined);
        for (const { kind, offset, length, fill } of operations) {
          const data = Uint8Array.from({ length }, (_, i) => fill + i);
          const free = capacity - readable.length;
          if (kind === "enqueue") {
            const count = Math.min(length, free);
            assert.equal(ring.enqueue(data), count);
            readable.push(...data.subarray(0, count));
            ahead = ahead.slice(count);
          } else if (kind === "dequeue") {
            const count = Math.min(length, readable.length);
            const into = new Uint8Array(length + 1);
            assert.equal(ring.dequeue(into, 1), count);
            assert.deepEqual([...into.subarray(1, 1 + count)], readable.slice(0, count));
            readable = readable.slice(count);
            while (ahead.length < capacity - readable.length) ahead.push(undefined);
          } else if (kind === "writeAt") {
            const count = offset < 0 ? 0 : Math.max(0, Math.min(length, free - offset));
            assert.equal(ring.writeAt(offset, data), count);
            for (let i = 0; i < count; i++) ahead[offset + i] = data[i];
          } else if (kind === "commit") {
            const unknown = ahead.indexOf(undefined);
            const known = unknown < 0 ? ahead.length : unknown;
            ring.commit(known);
            readable.push(...ahead.slice(0, known).map((byte) => byte!));
            ahead = ahead.slice(known);
          } else {
            ring.clear();
            readable = [];
            ahead = new Array(capacity).fill(undefined);
          }
          assert.equal(ring.available, readable.length);
          assert.equal(ring.free, capacity - readable.length);
          const seen: number[] = [];
          while (seen.length < readable.length) {
            const start = ring.readStart(seen.length);
            seen.push(...ring.bytes.subarray(start, start + ring.readLength(seen.length)));
          }
          assert.deepEqual(seen, readable);
        }
      },
    ),
    { runs: 300 },
  );
});
