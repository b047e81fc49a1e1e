import assert from "node:assert/strict";
import { OrderedList } from "../../../stack/store/ordered.ts";
import { check, fc } from "../../support/property.ts";

const ascending = (a: number, b: number): number => a - b;

Deno.test("ordered list: values come out in order, whatever order they went in", () => {
  const list = new OrderedList<number>(3, ascending);
  for (const value of [30, 10, 20]) assert.ok(list.insert(value));
  assert.equal(list.first(), 10);
  assert.equal(list.at(2), 30);
  assert.ok(!list.insert(5), "a full list refuses, even what would come first");
  assert.equal(list.first(), 10);
});

Deno.test("ordered list: equal values stand in the order of their insertion", () => {
  const list = new OrderedList<string>(3, (a, b) => a.length - b.length);
  for (const value of ["bb", "a", "cc"]) list.insert(value);
  assert.deepEqual([list.at(0), list.at(1), list.at(2)], ["a", "bb", "cc"]);
  assert.equal(list.find("xx"), 1);
  assert.equal(list.find("xxx"), -1);
});

Deno.test("ordered list: the capacity is checked when the list is made", () => {
  assert.throws(() => new OrderedList(NaN, ascending), /capacity must be .* but is NaN/);
});

Deno.test("ordered list: any insertions and removals leave what a sorted array would hold", () => {
  const operation = fc.record({ insert: fc.boolean(), number: fc.integer({ min: -3, max: 8 }) });
  check(fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
    const list = new OrderedList<number>(6, ascending);
    const model: number[] = [];
    for (const { insert, number } of operations) {
      if (insert) {
        assert.equal(list.insert(number), model.length < 6);
        if (model.length < 6) model.push(number);
        model.sort(ascending);
      } else {
        const inside = number >= 0 && number < model.length;
        assert.equal(list.removeAt(number), inside ? model.splice(number, 1)[0] : undefined);
      }
      assert.equal(list.size, model.length);
      assert.equal(list.first(), model[0]);
      for (const [index, value] of model.entries()) assert.equal(list.at(index), value);
      for (let probe = -4; probe < 10; probe++) {
        assert.equal(list.find(probe), model.indexOf(probe));
        assert.equal(list.lowerBound(probe), model.filter((value) => value < probe).length);
      }
    }
  }));
});
