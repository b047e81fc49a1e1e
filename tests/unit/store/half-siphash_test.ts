import assert from "node:assert/strict";
import { halfSipHash } from "../../../stack/store/half-siphash.ts";

Deno.test("half siphash: the published vectors of HalfSipHash-1-3 for whole words", () => {
  // The message is the bytes 00, 01, 02 and so on, the key the bytes 00 to 07.
  const message = new Int32Array([0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c]);
  const hashes = [0x5814c896, 0x7e059ea6, 0x577999b1, 0x6b28096c, 0x8b31d501];
  for (const [count, expected] of hashes.entries()) {
    assert.equal(halfSipHash(message, 0, count, 0x03020100, 0x07060504) >>> 0, expected);
  }
});

Deno.test("half siphash: only the words in range count, wherever they stand", () => {
  const there = halfSipHash(new Int32Array([9, 9, 5, 6, 9]), 2, 2, 1, 2);
  assert.equal(there, halfSipHash(new Int32Array([5, 6]), 0, 2, 1, 2));
});

Deno.test("half siphash: inputs that collide under one key do not under another", () => {
  const mask = 0xffff;
  const words = new Int32Array(1);
  const slotOf = (word: number, key: number): number => {
    words[0] = word;
    return halfSipHash(words, 0, 1, key, 7) & mask;
  };
  const aimed: number[] = [];
  for (let word = 0; aimed.length < 8; word++) if (slotOf(word, 1) === 0) aimed.push(word);
  assert.ok(new Set(aimed.map((word) => slotOf(word, 2))).size > 4);
});
