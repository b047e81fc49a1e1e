import assert from "node:assert/strict";
import { OrderedMap } from "../../../stack/store/map.ts";
import { check, fc } from "../../support/property.ts";

const alphabetical = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

Deno.test("ordered map: entries are walked in the order of their keys", () => {
  const map = new OrderedMap<string, number>(3, alphabetical);
  for (const [key, value] of [["tcp", 6], ["icmp", 1], ["udp", 17]] as const) assert.ok(map.set(key, value));
  assert.deepEqual([0, 1, 2].map((i) => [map.keyAt(i), map.valueAt(i)]), [["icmp", 1], ["tcp", 6], [
    "udp",
    17,
  ]]);
  assert.equal(map.get("tcp"), 6);
  assert.equal(map.get("igmp"), undefined);
});

Deno.test("ordered map: a full map refuses a new key but replaces the value of one it has", () => {
  const map = new OrderedMap<string, number>(1, alphabetical);
  map.set("a", 1);
  assert.ok(!map.set("b", 2));
  assert.ok(map.set("a", 3));
  assert.equal(map.get("a"), 3);
  assert.equal(map.size, 1);
});

Deno.test("ordered map: any sequence of operations leaves what a Map would hold", () => {
  const operation = fc.record({
    kind: fc.constantFrom("set", "set", "remove"),
    key: fc.constantFrom(..."abcdefg"),
    value: fc.nat(),
  });
  check(fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
    const map = new OrderedMap<string, number>(5, alphabetical);
    const model = new Map<string, number>();
    for (const { kind, key, value } of operations) {
      if (kind === "set") {
        const fits = model.has(key) || model.size < 5;
        assert.equal(map.set(key, value), fits);
        if (fits) model.set(key, value);
      } else {
        assert.equal(map.remove(key), model.get(key));
        model.delete(key);
      }
      const sorted = [...model].sort(([a], [b]) => alphabetical(a, b));
      const held = Array.from({ length: map.size }, (_, i) => [map.keyAt(i), map.valueAt(i)]);
      assert.deepEqual(held, sorted);
      for (const key of "abcdefg") assert.equal(map.get(key), model.get(key));
    }
  }));
});
