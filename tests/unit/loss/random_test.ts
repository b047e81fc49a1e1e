import { deepStrictEqual, equal, notDeepStrictEqual, ok } from "node:assert/strict";
import { Random } from "../../../stack/loss/random.ts";

const words = (seed: number, count: number) => {
  const random = new Random(seed);
  return Array.from({ length: count }, () => random.next());
};

Deno.test("random: the same seed gives the same sequence, seeds next to each other different ones", () => {
  deepStrictEqual(words(0, 100), words(0, 100));
  const firsts = new Set(Array.from({ length: 10_000 }, (_, seed) => words(seed, 1)[0]));
  ok(firsts.size > 9_990);
  notDeepStrictEqual(words(0, 4), words(1, 4));
});

Deno.test("random: every bit of a word is set half of the time, at seed 0 as well", () => {
  for (const seed of [0, 1, 0xffffffff]) {
    const counts = new Int32Array(32);
    for (const word of words(seed, 20_000)) {
      for (let bit = 0; bit < 32; bit++) counts[bit]! += (word >>> bit) & 1;
    }
    ok(counts.every((count) => Math.abs(count - 10_000) < 400), `${counts}`);
  }
});

Deno.test("random: a sequence does not come back to its start soon", () => {
  const all = words(0, 100_000);
  ok(new Set(all).size > 99_990);
});

Deno.test("random: the seed has 32 bits", () => {
  deepStrictEqual(words(-1, 5), words(0xffffffff, 5));
  equal(new Random(-1).seed, 0xffffffff);
});

Deno.test("random: below reaches every number under its limit, and only those", () => {
  const random = new Random(0);
  const counts = new Int32Array(7);
  for (let draw = 0; draw < 7_000; draw++) counts[random.below(7)]!++;
  ok(counts.every((count) => Math.abs(count - 1_000) < 150), `${counts}`);
  equal(random.below(1), 0);
});

Deno.test("random: a chance of 0 draws nothing, so that it does not shift what follows", () => {
  const one = new Random(5);
  const other = new Random(5);
  for (let draw = 0; draw < 10; draw++) equal(one.chance(0), false);
  equal(one.next(), other.next());
});
