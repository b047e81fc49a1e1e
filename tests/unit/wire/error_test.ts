import { equal } from "node:assert/strict";
import { WireError, wireErrorName } from "../../../stack/wire/error.ts";

Deno.test("wire error: 0 is no error, so that a check reads as a condition", () => {
  equal(WireError.None, 0);
  equal(Object.values(WireError).filter((error) => !error).length, 1);
});

Deno.test("wire error: every error has words of its own", () => {
  const names = Object.values(WireError).map(wireErrorName);
  equal(new Set(names).size, Object.keys(WireError).length);
  equal(wireErrorName(WireError.WrongChecksum), "wrong checksum");
});
