import assert from "node:assert/strict";
import { copyBytes } from "../../../stack/store/copy.ts";
import { check, fc } from "../../support/property.ts";

Deno.test("copy: copies the range and nothing beside it, at every length and alignment", () => {
  const source = Uint8Array.from({ length: 300 }, (_, i) => i + 1);
  const offset = fc.nat(20);
  check(fc.property(offset, offset, fc.nat(200), (at, from, length) => {
    const target = new Uint8Array(300);
    copyBytes(target, at, source, from, length);
    const expected = new Uint8Array(300);
    for (let i = 0; i < length; i++) expected[at + i] = source[from + i]!;
    assert.deepEqual(target, expected);
  }));
});

Deno.test("copy: ranges of one array may overlap, forwards and backwards", () => {
  for (const length of [10, 100]) {
    for (const [at, from] of [[3, 0], [0, 3]] as const) {
      const bytes = Uint8Array.from({ length: 200 }, (_, i) => i);
      copyBytes(bytes, at, bytes, from, length);
      const moved = Array.from({ length }, (_, i) => from + i);
      assert.deepEqual([...bytes.subarray(at, at + length)], moved);
    }
  }
});
