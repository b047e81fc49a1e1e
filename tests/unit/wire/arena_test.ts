import { deepEqual, equal, ok } from "node:assert/strict";
import { makeArena, programOf, takeSpare } from "../../../stack/wire/arena.ts";

const PAGE = 1 << 16;

Deno.test("arena: is zero, as long as it was asked to be at least, and page aligned", () => {
  for (const [length, pages] of [[1, 1], [PAGE, 1], [PAGE + 1, 2]] as const) {
    const bytes = makeArena(length);
    equal(bytes.length, pages * PAGE);
    equal(bytes.byteOffset, 0);
    ok(bytes.every((byte) => byte === 0));
  }
});

Deno.test("arena: its program is WebAssembly's, and the same each time; other bytes have none", () => {
  const bytes = makeArena(PAGE);
  const program = programOf(bytes);
  ok(program !== undefined);
  equal(programOf(bytes), program);
  ok(programOf(makeArena(PAGE)) !== program, "another memory has its own");
  equal(programOf(new Uint8Array(PAGE)), undefined);
  equal(programOf(makeArena(2 * PAGE).subarray(2)), undefined, "offsets would not be the memory's");
});

Deno.test("arena: copies inside of it, also where the two places overlap", () => {
  const bytes = makeArena(PAGE).map((_, index) => index);
  const arena = makeArena(PAGE);
  arena.set(bytes);
  for (
    const [to, from, length] of [[1_000, 10, 300], [10, 11, 100], [11, 10, 100], [PAGE - 5, 0, 5], [7, 9, 0]]
  ) {
    programOf(arena)!.copy(to!, from!, length!);
    bytes.copyWithin(to!, from!, from! + length!);
    deepEqual(arena, bytes, `${length} from ${from} to ${to}`);
  }
});

Deno.test("arena: what is behind its length goes to whoever asks first", () => {
  const bytes = makeArena(100, PAGE);
  equal(bytes.length, 2 * PAGE);
  equal(takeSpare(bytes), 100);
  equal(takeSpare(bytes), -1);
  equal(takeSpare(makeArena(100)), -1);
  equal(takeSpare(new Uint8Array(2 * PAGE)), -1);
});
