import assert from "node:assert/strict";
import { Spares } from "../../../stack/store/spares.ts";

Deno.test("spares: what was given back is taken again, and what was not is made", () => {
  const spares = new Spares<Int32Array>((length) => new Int32Array(length), 64, 4_096);
  const first = spares.take(16);
  assert.equal(first.length, 16);
  assert.notEqual(spares.take(16), first);
  spares.give(first);
  assert.equal(spares.bytes, 64);
  assert.notEqual(spares.take(32), first);
  assert.equal(spares.take(16), first);
  assert.equal(spares.bytes, 0);
});

Deno.test("spares: nobody is given what somebody else still has", () => {
  const spares = new Spares<Int32Array>((length) => new Int32Array(length), 64, 1 << 20);
  const held = new Set<Int32Array>();
  for (let turn = 0; turn < 1_000; turn++) {
    const array = spares.take(1 << (turn % 7));
    assert.ok(!held.has(array));
    held.add(array);
    if (turn % 3 !== 0) continue;
    for (const one of held) spares.give(one);
    held.clear();
  }
});

Deno.test("spares: no more is kept than is allowed, and nothing longer than the longest", () => {
  const spares = new Spares<Int32Array>((length) => new Int32Array(length), 8, 100);
  for (let count = 0; count < 10; count++) spares.give(new Int32Array(8));
  assert.equal(spares.bytes, 96);
  spares.give(new Int32Array(0));
  spares.give(new Int32Array(16));
  assert.equal(spares.bytes, 96);
  assert.equal(spares.take(16).length, 16);
});
