import assert from "node:assert/strict";
import { ABSENT, HashMap } from "../../../stack/store/hash-map.ts";
import { halfSipHash } from "../../../stack/store/half-siphash.ts";
import { check, fc } from "../../support/property.ts";

const SEED: readonly [number, number] = [0x5eed, -0x5eed];

Deno.test("hash map: finds a key of four words, and nothing under a key that differs in one word", () => {
  const map = new HashMap(8, 4, SEED);
  assert.ok(map.insert4(0x0a000001, 0x0a000002, 80, 1024, 7));
  assert.equal(map.lookup4(0x0a000001, 0x0a000002, 80, 1024), 7);
  assert.equal(map.lookup4(0x0a000001, 0x0a000002, 80, 1025), ABSENT);
  assert.equal(map.remove4(0x0a000001, 0x0a000002, 80, 1024), 7);
  assert.equal(map.remove4(0x0a000001, 0x0a000002, 80, 1024), ABSENT);
  assert.equal(map.size, 0);
});

Deno.test("hash map: a key may stand anywhere in an array of words", () => {
  const map = new HashMap(8, 2, SEED);
  map.insert(new Int32Array([0, 0, 5, -6]), 2, 1);
  assert.equal(map.lookup(new Int32Array([5, -6])), 1);
  assert.equal(map.lookup(new Int32Array([0, 0, 5, -6]), 1), ABSENT);
});

Deno.test("hash map: a full map refuses a new key but replaces the value of one it has", () => {
  const map = new HashMap(1, 1, SEED);
  assert.ok(map.insert(new Int32Array([1]), 0, 10));
  assert.ok(!map.insert(new Int32Array([2]), 0, 20));
  assert.ok(map.insert(new Int32Array([1]), 0, 11));
  assert.equal(map.lookup(new Int32Array([1])), 11);
  assert.equal(map.lookup(new Int32Array([2])), ABSENT);
  map.clear();
  assert.ok(map.insert(new Int32Array([2]), 0, 20));
});

Deno.test("hash map: sizes and widths are checked", () => {
  assert.throws(() => new HashMap(0, 4, SEED), /capacity must be/);
  assert.throws(() => new HashMap(1, 0, SEED), /keyWords must be/);
  assert.throws(() => new HashMap(1, 9, SEED).lookup4(0, 0, 0, 0), /keys have 9 words, not 4/);
});

Deno.test("hash map: two keys that have the same hash are still two keys", () => {
  const words = new Int32Array(1);
  const keyOf = new Map<number, number>();
  let twin: number | undefined;
  for (; twin === undefined; words[0]!++) {
    const hash = halfSipHash(words, 0, 1, ...SEED) & 0x7fffffff;
    twin = keyOf.get(hash);
    keyOf.set(hash, words[0]!);
  }
  words[0]!--;
  const map = new HashMap(4, 1, SEED);
  map.insert(words, 0, 1);
  assert.equal(map.lookup(new Int32Array([twin])), ABSENT);
  map.insert(new Int32Array([twin]), 0, 2);
  assert.equal(map.lookup(words), 1);
});

Deno.test("hash map: a million changes leave no trace that would slow a look-up down or lose a key", () => {
  const map = new HashMap(64, 1, SEED);
  const key = new Int32Array(1);
  for (let i = 0; i < 1_000_000; i++) {
    key[0] = i - 60;
    if (i >= 60) assert.equal(map.remove(key), (i - 60) & 0xffff);
    key[0] = i;
    assert.ok(map.insert(key, 0, i & 0xffff));
  }
  assert.equal(map.size, 60);
  map.clear();
  key[0] = 3;
  assert.equal(map.lookup(key), ABSENT);
});

Deno.test("hash map: any sequence of operations leaves what a Map would hold", () => {
  const operation = fc.record({
    kind: fc.constantFrom("insert", "insert", "remove"),
    // Few keys in a map nearly full: probes run into one another and wrap around the table's end.
    key: fc.tuple(fc.constantFrom(0, -1, 1 << 31), fc.nat(7)),
    value: fc.nat(),
  });
  const cases = fc.tuple(fc.integer({ min: 1, max: 20 }), fc.tuple(fc.integer(), fc.integer()));
  check(
    fc.property(cases, fc.array(operation, { maxLength: 80 }), ([capacity, seed], operations) => {
      const map = new HashMap(capacity, 2, seed);
      const model = new Map<string, number>();
      for (const { kind, key, value } of operations) {
        const words = new Int32Array(key);
        const name = words.join();
        if (kind === "insert") {
          const fits = model.has(name) || model.size < capacity;
          assert.equal(map.insert(words, 0, value), fits);
          if (fits) model.set(name, value);
        } else {
          assert.equal(map.remove(words), model.get(name) ?? ABSENT);
          model.delete(name);
        }
        assert.equal(map.size, model.size);
        for (const a of [0, -1, 1 << 31]) {
          for (let b = 0; b < 8; b++) {
            assert.equal(map.lookup(new Int32Array([a, b])), model.get(`${a},${b}`) ?? ABSENT);
          }
        }
      }
    }),
    { runs: 200 },
  );
});

Deno.test("add: stores under a new key only, and not in a full map", () => {
  const map = new HashMap(1, 1, [1, 2]);
  assert.ok(map.add(new Int32Array([1]), 0, 10));
  assert.ok(!map.add(new Int32Array([1]), 0, 11));
  assert.ok(!map.add(new Int32Array([2]), 0, 20));
  assert.equal(map.lookup(new Int32Array([1])), 10);
  assert.equal(map.lookup(new Int32Array([2])), -1);
  assert.equal(map.size, 1);
});
