/**
 * The time-boxed part of fuzzing: the whole corpus, then about a second of made-up inputs for each target.
 *
 * @module
 */
import { deepEqual } from "node:assert/strict";
import { testSeed } from "../support/property.ts";
import { entriesOf, strays } from "./corpus.ts";
import { TARGETS } from "./targets.ts";

/** On a machine so slow that a target's runs take longer, fewer have to do. */
const LIMIT = 5_000;

for (const target of TARGETS) {
  Deno.test(`fuzz: ${target.name}: every entry of the corpus keeps the rules`, () => {
    for (const { file, text } of entriesOf(target)) {
      try {
        target.replay(text);
      } catch (error) {
        throw new Error(`tests/fuzz/corpus/${file} breaks a rule`, { cause: error });
      }
    }
  });

  Deno.test(`fuzz: ${target.name}: made-up inputs keep the rules`, () => {
    const seed = testSeed();
    const { finding } = target.fuzz(seed, target.runs, LIMIT);
    if (finding === undefined) return;
    const again = `deno task fuzz --seed ${seed} ${target.name}`;
    throw new Error(`${finding.message}\nseed ${seed}, or keep it with: ${again}\n${finding.input}`);
  });
}

Deno.test("fuzz: every file of the corpus belongs to a target", () => {
  deepEqual(strays(), []);
});
