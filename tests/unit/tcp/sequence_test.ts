import assert from "node:assert/strict";
import { add, after, before, distance, inWindow, latest, upTo } from "../../../stack/tcp/sequence.ts";
import { check, fc } from "../../support/property.ts";

const word = fc.oneof(
  fc.integer(),
  fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 31 - 2, -(2 ** 31) + 1),
);

Deno.test("sequence: numbers go on behind 2^31 and 2^32 (RFC 9293 3.4)", () => {
  assert.equal(add(0x7fffffff, 1), -0x80000000);
  assert.equal(add(-1, 1), 0);
  assert.equal(distance(0x7fffffff, -0x80000000), 1);
  assert.equal(distance(-1, 0), 1);
  assert.ok(before(0x7fffffff, -0x80000000) && after(-0x80000000, 0x7fffffff));
  assert.ok(before(-1, 0) && after(0, -1));
  assert.equal(latest(0x7fffffff, -0x80000000), -0x80000000);
  assert.equal(latest(-1, 0), 0);
});

Deno.test("sequence: what is less than 2^31 ahead is after, wherever it starts (RFC 9293 3.4)", () => {
  check(
    fc.property(word, fc.integer({ min: 0, max: 2 ** 31 - 1 }), (start, ahead) => {
      const there = add(start, ahead);
      assert.equal(there, there | 0, "signed");
      assert.equal(distance(start, there), ahead);
      assert.equal(before(start, there), ahead > 0);
      assert.equal(after(there, start), ahead > 0);
      assert.equal(upTo(start, there), true);
      assert.equal(upTo(there, start), ahead === 0);
      assert.equal(latest(start, there), there);
      assert.equal(latest(there, start), there);
    }),
    { runs: 1_000 },
  );
});

Deno.test("sequence: a window holds its length of numbers from its start, and no window holds none", () => {
  check(
    fc.property(word, fc.integer({ min: 0, max: 2 ** 30 }), fc.integer(), (start, length, offset) => {
      const expected = (offset >>> 0) < length;
      assert.equal(inWindow(add(start, offset), start, length), expected);
      assert.equal(inWindow(add(start, length), start, length), false);
      assert.equal(inWindow(add(start, -1), start, length), false);
      assert.equal(inWindow(add(start, length - 1), start, length), length > 0);
    }),
    { runs: 1_000 },
  );
});
