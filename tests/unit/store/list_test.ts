import assert from "node:assert/strict";
import { List } from "../../../stack/store/list.ts";
import { check, fc } from "../../support/property.ts";

function values<T>(list: List<T>): (T | undefined)[] {
  return Array.from({ length: list.size }, (_, index) => list.at(index));
}

Deno.test("list: what does not fit is refused, and what is not there is nothing", () => {
  const list = new List<string>(2);
  assert.ok(list.push("a"));
  assert.ok(list.push("b"));
  assert.ok(!list.push("c"));
  assert.equal(list.at(2), undefined);
  assert.equal(list.at(-1), undefined);
  assert.equal(list.pop(), "b");
  assert.equal(list.at(1), undefined);
});

Deno.test("list: swapRemove fills the gap with the last value, removeAt keeps the order", () => {
  const list = new List<number>(4);
  for (const value of [1, 2, 3, 4]) list.push(value);
  assert.equal(list.swapRemove(0), 1);
  assert.deepEqual(values(list), [4, 2, 3]);
  assert.equal(list.removeAt(0), 4);
  assert.deepEqual(values(list), [2, 3]);
});

Deno.test("list: a list without room is possible, a negative capacity is not", () => {
  assert.ok(!new List<number>(0).push(1));
  assert.throws(() => new List(-1), /capacity must be a whole number from 0 to 16777216, but is -1/);
});

Deno.test("list: any sequence of operations leaves what an array would hold", () => {
  const operation = fc.record({
    kind: fc.constantFrom("push", "insertAt", "pop", "removeAt", "swapRemove", "set", "clear"),
    index: fc.integer({ min: -1, max: 6 }),
    value: fc.nat(),
  });
  check(fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
    const capacity = 5;
    const list = new List<number>(capacity);
    const model: number[] = [];
    for (const { kind, index, value } of operations) {
      const inside = index >= 0 && index < model.length;
      const full = model.length === capacity;
      if (kind === "push") {
        assert.equal(list.push(value), !full);
        if (!full) model.push(value);
      } else if (kind === "insertAt") {
        const fits = !full && (inside || index === model.length);
        assert.equal(list.insertAt(index, value), fits);
        if (fits) model.splice(index, 0, value);
      } else if (kind === "pop") {
        assert.equal(list.pop(), model.pop());
      } else if (kind === "removeAt") {
        assert.equal(list.removeAt(index), inside ? model.splice(index, 1)[0] : undefined);
      } else if (kind === "swapRemove") {
        assert.equal(list.swapRemove(index), model[index]);
        const last = inside ? model.pop() : undefined;
        if (last !== undefined && index < model.length) model[index] = last;
      } else if (kind === "set") {
        assert.equal(list.set(index, value), inside);
        if (inside) model[index] = value;
      } else {
        list.clear();
        model.length = 0;
      }
      assert.deepEqual(values(list), model);
      assert.equal(list.at(model.length), undefined);
    }
  }));
});
