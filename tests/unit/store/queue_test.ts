import assert from "node:assert/strict";
import { Queue } from "../../../stack/store/queue.ts";
import { check, fc } from "../../support/property.ts";

Deno.test("queue: first in, first out, and -1 when nothing waits", () => {
  const queue = new Queue(2);
  assert.equal(queue.shift(), -1);
  assert.ok(queue.push(5));
  assert.ok(queue.push(6));
  assert.ok(!queue.push(7));
  assert.equal(queue.at(1), 6);
  assert.equal(queue.shift(), 5);
  assert.equal(queue.shift(), 6);
  assert.equal(queue.at(0), -1);
});

Deno.test("queue: the capacity is checked when the queue is made", () => {
  assert.throws(() => new Queue(0), /capacity must be/);
});

Deno.test("queue: any sequence of operations leaves what an array would hold", () => {
  const operation = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("push" as const), value: fc.integer() }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("shift" as const), value: fc.constant(0) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear" as const), value: fc.constant(0) }) },
  );
  check(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(operation, { maxLength: 60 }),
      (capacity, operations) => {
        const queue = new Queue(capacity);
        const model: number[] = [];
        for (const { kind, value } of operations) {
          if (kind === "push") {
            const fits = model.length < capacity;
            assert.equal(queue.push(value), fits);
            if (fits) model.push(value);
          } else if (kind === "shift") {
            assert.equal(queue.shift(), model.shift() ?? -1);
          } else {
            queue.clear();
            model.length = 0;
          }
          assert.equal(queue.size, model.length);
          for (let i = 0; i <= model.length; i++) assert.equal(queue.at(i), model[i] ?? -1);
        }
      },
    ),
  );
});
