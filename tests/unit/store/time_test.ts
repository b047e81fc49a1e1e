import assert from "node:assert/strict";
import { expired, milliseconds, NEVER, seconds } from "../../../stack/store/time.ts";

Deno.test("time: instants are whole microseconds", () => {
  assert.equal(milliseconds(1.5), 1_500);
  assert.equal(seconds(0.0000014), 1);
});

Deno.test("time: an expiration has come at its very instant, and NEVER has not", () => {
  assert.ok(!expired(seconds(2), seconds(2) - 1));
  assert.ok(expired(seconds(2), seconds(2)));
  assert.ok(!expired(NEVER, Number.MAX_SAFE_INTEGER));
});
