import assert from "node:assert/strict";
import { settle } from "../../../stack/store/settle.ts";

Deno.test("settle: makes as many objects as the engine watches, and keeps them until it has seen all", () => {
  let made = 0;
  settle(() => ({ number: made++ }));
  assert.ok(made >= 8, "seven and the one that ends it");
});
