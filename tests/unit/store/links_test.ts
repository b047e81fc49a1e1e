import assert from "node:assert/strict";
import { Links } from "../../../stack/store/links.ts";
import { check, fc } from "../../support/property.ts";

function forward(links: Links, list: number): number[] {
  const nodes: number[] = [];
  for (let node = links.head(list); node >= 0; node = links.next(node)) nodes.push(node);
  return nodes;
}

function backward(links: Links, list: number): number[] {
  const nodes: number[] = [];
  for (let node = links.tail(list); node >= 0; node = links.previous(node)) nodes.push(node);
  return nodes;
}

Deno.test("links: a node used again moves to the back, so that the head is the least recently used", () => {
  const order = new Links(3);
  for (const node of [0, 1, 2]) order.pushBack(0, node);
  order.moveToBack(0);
  assert.deepEqual(forward(order, 0), [1, 2, 0]);
});

Deno.test("links: lists share the nodes, and a node stands in one list at a time", () => {
  const links = new Links(2, 2);
  links.pushBack(0, 1);
  links.pushBack(1, 1);
  assert.ok(links.isEmpty(0));
  assert.equal(links.listOf(1), 1);
  assert.equal(links.remove(1), 1);
  assert.equal(links.remove(1), -1);
  assert.equal(links.listOf(1), -1);
});

Deno.test("links: a node in no list is not moved to the back of any", () => {
  const links = new Links(1);
  links.moveToBack(0);
  assert.ok(links.isEmpty(0));
});

Deno.test("links: sizes are checked when the lists are made", () => {
  assert.throws(() => new Links(-1), /nodes must be a whole number from 0 to 16777216, but is -1/);
  assert.throws(() => new Links(1, 0), RangeError);
});

Deno.test("links: any sequence of operations leaves what arrays would hold, in both directions", () => {
  const nodes = 6;
  const lists = 3;
  const operation = fc.record({
    kind: fc.constantFrom("pushBack", "pushFront", "moveToBack", "remove"),
    list: fc.nat(lists - 1),
    node: fc.nat(nodes - 1),
  });
  check(fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
    const links = new Links(nodes, lists);
    const model: number[][] = Array.from({ length: lists }, () => []);
    for (const { kind, list, node } of operations) {
      const at = model.findIndex((members) => members.includes(node));
      if (at >= 0) model[at]!.splice(model[at]!.indexOf(node), 1);
      if (kind === "pushBack") {
        links.pushBack(list, node);
        model[list]!.push(node);
      } else if (kind === "pushFront") {
        links.pushFront(list, node);
        model[list]!.unshift(node);
      } else if (kind === "moveToBack") {
        links.moveToBack(node);
        if (at >= 0) model[at]!.push(node);
      } else {
        assert.equal(links.remove(node), at);
      }
      for (let i = 0; i < lists; i++) {
        assert.deepEqual(forward(links, i), model[i]);
        assert.deepEqual(backward(links, i), model[i]!.toReversed());
        assert.equal(links.isEmpty(i), model[i]!.length === 0);
      }
    }
  }));
});
