import assert from "node:assert/strict";
import { Assembler } from "../../../stack/store/assembler.ts";
import { check, fc } from "../../support/property.ts";

function ranges(assembler: Assembler): [number, number][] {
  return Array.from({ length: assembler.ranges }, (_, i) => [assembler.start(i), assembler.end(i)]);
}

Deno.test("assembler: data at the front is contiguous at once and moves the front when it is taken", () => {
  const assembler = new Assembler(2);
  assert.ok(assembler.add(0, 10));
  assert.equal(assembler.contiguous, 10);
  assert.equal(assembler.takeFront(), 10);
  assert.equal(assembler.contiguous, 0);
});

Deno.test("assembler: a hole that is filled joins what came before it", () => {
  const assembler = new Assembler(2);
  assembler.add(10, 10);
  assembler.add(30, 10);
  assert.equal(assembler.takeFront(), 0);
  assembler.add(0, 10);
  assert.equal(assembler.takeFront(), 20);
  assert.deepEqual(ranges(assembler), [[10, 20]]);
});

Deno.test("assembler: data that overlaps or touches ranges becomes one range with them", () => {
  const assembler = new Assembler(3);
  for (const offset of [10, 30, 50]) assembler.add(offset, 10);
  assembler.add(20, 10);
  assert.deepEqual(ranges(assembler), [[10, 40], [50, 60]]);
  assembler.add(35, 30);
  assert.deepEqual(ranges(assembler), [[10, 65]]);
});

Deno.test("assembler: one range too many is refused and changes nothing", () => {
  const assembler = new Assembler(2);
  assembler.add(10, 5);
  assembler.add(30, 5);
  assert.ok(!assembler.add(20, 5));
  assert.deepEqual(ranges(assembler), [[10, 15], [30, 35]]);
  assert.equal(assembler.recent(0), 1);
});

Deno.test("assembler: data at the front progresses though all ranges are in use", () => {
  const assembler = new Assembler(1);
  assembler.add(100, 5);
  assert.ok(assembler.add(0, 1));
  assert.ok(assembler.add(1, 1), "and so does what touches it");
  assert.equal(assembler.takeFront(), 2);
  assert.deepEqual(ranges(assembler), [[98, 103]]);
  assert.ok(new Assembler(0).add(0, 1));
});

Deno.test("assembler: what lies behind an end is forgotten, and the range across it ends there", () => {
  for (
    const [end, left] of [[5, []], [10, []], [15, [[10, 15]]], [25, [[10, 20]]], [60, [[10, 20], [
      30,
      40,
    ]]]] as const
  ) {
    const assembler = new Assembler(3);
    assembler.add(10, 10);
    assembler.add(30, 10);
    assembler.cut(end);
    assert.deepEqual(ranges(assembler), left);
    assert.ok(assembler.add(70, 1) && assembler.add(0, 10));
    assert.equal(assembler.takeFront(), left[0]?.[1] ?? 10);
  }
});

Deno.test("assembler: SACK blocks are found with the range of the latest data first (RFC 2018 4)", () => {
  const assembler = new Assembler(3);
  for (const offset of [50, 10, 30]) assembler.add(offset, 5);
  const reported = (): number[] => [0, 1, 2].map((rank) => assembler.start(assembler.recent(rank)));
  assert.deepEqual(reported(), [30, 10, 50]);
  assembler.add(55, 5);
  assert.deepEqual(reported(), [50, 30, 10]);
  assert.equal(assembler.recent(3), -1);
});

Deno.test("assembler: what came before is told from what is new, for D-SACK (RFC 2883)", () => {
  const assembler = new Assembler(2);
  assembler.add(0, 5);
  assembler.add(10, 5);
  assert.ok(assembler.has(0, 5));
  assert.ok(assembler.has(11, 4));
  assert.ok(!assembler.has(4, 2));
  assert.ok(!assembler.has(9, 6));
  assert.ok(!assembler.has(20, 1));
});

Deno.test("assembler: offsets that no stream has are a programmer's error", () => {
  const assembler = new Assembler(2);
  assert.throws(() => assembler.add(-1, 5), RangeError);
  assert.throws(() => assembler.add(5, -1), RangeError);
  assert.throws(() => assembler.add(2 ** 31 - 1, 1), RangeError);
  assert.throws(() => new Assembler(-1), RangeError);
});

/** Where numbers other than 0 stand together, as [start, end) pairs. */
function rangesOf(bytes: number[]): [number, number][] {
  const found: [number, number][] = [];
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === 0) continue;
    if (i > 0 && bytes[i - 1] !== 0) found[found.length - 1]![1] = i + 1;
    else found.push([i, i + 1]);
  }
  return found;
}

Deno.test("assembler: any order of additions leaves what a map of the bytes would hold", () => {
  const operation = fc.oneof(
    {
      weight: 9,
      arbitrary: fc.record({ take: fc.constant(false), offset: fc.nat(40), length: fc.nat(8) }),
    },
    { weight: 1, arbitrary: fc.record({ take: fc.constant(true), offset: fc.nat(0), length: fc.nat(0) }) },
  );
  check(
    fc.property(fc.nat(5), fc.array(operation, { maxLength: 50 }), (capacity, operations) => {
      const assembler = new Assembler(capacity);
      // For each byte the number of the operation it last came with, or 0.
      let bytes = new Array<number>(60).fill(0);
      for (const [step, { take, offset, length }] of operations.entries()) {
        if (take) {
          const front = bytes.indexOf(0);
          assert.equal(assembler.takeFront(), front);
          bytes = [...bytes.slice(front), ...new Array<number>(front).fill(0)];
        } else {
          const known = bytes.slice(offset, offset + length).every((stamp) => stamp > 0);
          assert.equal(assembler.has(offset, length), known);
          const after = bytes.slice().fill(step + 1, offset, offset + length);
          const fits = rangesOf(after).filter(([start]) => start > 0).length <= capacity;
          assert.equal(assembler.add(offset, length), fits);
          if (fits) bytes = after;
        }
        const held = rangesOf(bytes).filter(([start]) => start > 0);
        assert.equal(assembler.contiguous, bytes.indexOf(0));
        assert.deepEqual(ranges(assembler), held);
        const newest = held.map(([start, end]) => Math.max(...bytes.slice(start, end)));
        const byAge = newest.toSorted((a, b) => b - a).map((stamp) => newest.indexOf(stamp));
        for (let rank = 0; rank <= held.length; rank++) {
          assert.equal(assembler.recent(rank), byAge[rank] ?? -1);
        }
      }
    }),
    { runs: 500 },
  );
});
