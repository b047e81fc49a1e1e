import assert from "node:assert/strict";
import { checkSize } from "../../../stack/store/size.ts";

Deno.test("size: whole numbers in range pass, all else is named with what is allowed", () => {
  assert.equal(checkSize("slots", 1, 1, 8), 1);
  assert.equal(checkSize("slots", 8, 1, 8), 8);
  for (const wrong of [0, 9, 1.5, NaN, Infinity]) {
    const message = `slots must be a whole number from 1 to 8, but is ${wrong}`;
    assert.throws(() => checkSize("slots", wrong, 1, 8), { name: "RangeError", message });
  }
});
