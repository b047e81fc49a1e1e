import assert from "node:assert/strict";
import { NO_KEY, SlotMap } from "../../../stack/store/slot-map.ts";
import { check, fc } from "../../support/property.ts";

function keys<T>(map: SlotMap<T>): number[] {
  const found: number[] = [];
  for (let key = map.first(); key !== NO_KEY; key = map.next(key)) found.push(key);
  return found;
}

Deno.test("slot map: a stale key finds nothing, though its slot is in use again", () => {
  const map = new SlotMap<string>(1);
  const old = map.insert("old");
  assert.equal(map.remove(old), "old");
  const fresh = map.insert("fresh");
  assert.equal(map.get(old), undefined);
  assert.equal(map.remove(old), undefined);
  assert.equal(map.index(old), -1);
  assert.equal(map.get(fresh), "fresh");
});

Deno.test("slot map: a full map refuses with NO_KEY, which is itself no key", () => {
  const map = new SlotMap<string>(1);
  map.insert("one");
  assert.equal(map.insert("two"), NO_KEY);
  assert.equal(map.get(NO_KEY), undefined);
  assert.equal(map.size, 1);
});

Deno.test("slot map: a key that was never given out removes nothing", () => {
  const map = new SlotMap<string>(4);
  for (let key = -40; key < 40; key++) {
    assert.equal(map.get(key), undefined);
    assert.equal(map.remove(key), undefined);
  }
  assert.equal(map.size, 0);
});

Deno.test("slot map: the index of a live key serves tables beside the map, and leads back to the key", () => {
  const map = new SlotMap<string>(3);
  const key = map.insert("value");
  assert.equal(map.keyAt(map.index(key)), key);
  map.remove(key);
  assert.equal(map.keyAt(0), NO_KEY);
  assert.equal(map.keyAt(99), NO_KEY);
});

Deno.test("slot map: a walk may remove what it passes if it asks for the next key first", () => {
  const map = new SlotMap<number>(5);
  for (let i = 0; i < 5; i++) map.insert(i);
  for (let key = map.first(); key !== NO_KEY;) {
    const next = map.next(key);
    if (map.get(key)! % 2 === 0) map.remove(key);
    key = next;
  }
  assert.deepEqual(keys(map).map((key) => map.get(key)), [1, 3]);
});

Deno.test("slot map: the generation wraps after 2^11 reuses of a slot at the largest capacity, as documented", () => {
  const map = new SlotMap<number>(2 ** 20);
  for (let i = 1; i < 2 ** 20; i++) map.insert(i);
  const first = map.insert(0);
  for (let reuse = 1; reuse < 2 ** 11; reuse++) {
    map.remove(map.keyAt(map.index(first) < 0 ? 2 ** 20 - 1 : map.index(first)));
    assert.notEqual(map.insert(reuse), first);
    assert.equal(map.get(first), undefined);
  }
  map.remove(map.keyAt(2 ** 20 - 1));
  assert.equal(map.insert(-1), first);
});

Deno.test("slot map: the capacity is checked when the map is made", () => {
  assert.throws(() => new SlotMap(0), /capacity must be a whole number from 1 to 1048576, but is 0/);
  assert.throws(() => new SlotMap(2.5), RangeError);
});

Deno.test("slot map: any sequence of operations leaves what a Map with keys never used twice would hold", () => {
  const operation = fc.oneof(
    fc.record({ kind: fc.constant("insert" as const), pick: fc.nat() }),
    fc.record({ kind: fc.constant("remove" as const), pick: fc.nat() }),
  );
  check(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.array(operation, { maxLength: 80 }),
      (capacity, operations) => {
        const map = new SlotMap<number>(capacity);
        const model = new Map<number, number>();
        const given: number[] = [];
        for (const { kind, pick } of operations) {
          if (kind === "insert") {
            const key = map.insert(pick);
            assert.equal(key === NO_KEY, model.size === capacity);
            if (key === NO_KEY) continue;
            assert.ok(!given.includes(key), "a key was given out twice");
            given.push(key);
            model.set(key, pick);
          } else if (given.length > 0) {
            const key = given[pick % given.length]!;
            assert.equal(map.remove(key), model.get(key));
            model.delete(key);
          }
          assert.equal(map.size, model.size);
          assert.deepEqual(keys(map), [...model.keys()]);
          for (const key of given) assert.equal(map.get(key), model.get(key));
        }
      },
    ),
  );
});
