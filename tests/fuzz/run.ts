/**
 * Fuzzing for as long as one likes: `deno task fuzz [--seconds N] [--seed S] [--file FILE] [TARGET...]`.
 *
 * Each target's corpus goes first, then inputs are made up in rounds, each with a seed of its own. What breaks a rule is
 * made as small as it goes and kept in the corpus, so that `deno task test` fails until it is mended.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { entriesOf, keep } from "./corpus.ts";
import type { Target } from "./target.ts";
import { TARGETS } from "./targets.ts";

/** How long a round of one target may take, in milliseconds, and how many inputs it has at most. */
const ROUND = 2_000, ROUND_RUNS = 50_000;

interface Options {
  readonly seconds: number;
  readonly seed: number;
  readonly file: string | undefined;
  readonly targets: readonly Target[];
}

/** What a target has come to. */
interface Tally {
  readonly target: Target;
  runs: number;
  milliseconds: number;
  /** Whether it has found something: the same would be found over and over. */
  isDone: boolean;
}

function main(args: string[]): number {
  let options: Options;
  try {
    options = read(args);
  } catch (error) {
    console.error(`fuzz: ${error instanceof Error ? error.message : error}`);
    return 2;
  }
  if (options.file !== undefined) return replayFile(options.targets, options.file);
  let broken = 0;
  for (const target of options.targets) broken += replayCorpus(target);
  const { seconds, seed } = options;
  console.log(`seed ${seed}, ${seconds} s for ${options.targets.map(({ name }) => name).join(" ")}`);
  const tallies = options.targets.map((target) => ({ target, runs: 0, milliseconds: 0, isDone: false }));
  const end = performance.now() + seconds * 1_000;
  // In a short run too, every target has its turn.
  const turn = Math.min(ROUND, seconds * 1_000 / tallies.length);
  for (let round = 0; performance.now() < end && tallies.some(({ isDone }) => !isDone); round++) {
    for (const tally of tallies) {
      const left = end - performance.now();
      if (left > 0 && !tally.isDone) broken += fuzz(tally, seed + round, Math.min(turn, left));
    }
  }
  report(tallies, broken);
  return broken === 0 ? 0 : 1;
}

function read(args: string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { seconds: { type: "string" }, seed: { type: "string" }, file: { type: "string" } },
  });
  const targets = positionals.map((name) => {
    const target = TARGETS.find((target) => target.name === name);
    if (target !== undefined) return target;
    throw new Error(`there is no target "${name}"; there are ${TARGETS.map(({ name }) => name).join(", ")}`);
  });
  return {
    seconds: number("--seconds", values.seconds ?? "60", 86_400),
    seed: values.seed === undefined ? Date.now() % 0x7fff_ffff : number("--seed", values.seed, 0x7fff_ffff),
    file: values.file,
    targets: targets.length === 0 ? TARGETS : targets,
  };
}

function number(option: string, text: string, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value <= most) return value;
  throw new Error(`${option}: write a whole number up to ${most}, not "${text}"`);
}

/** Replays one file: of the target that its folder names. */
function replayFile(targets: readonly Target[], file: string): number {
  const folder = file.split("/").at(-2);
  const target = targets.find(({ name }) => name === folder) ??
    (targets.length === 1 ? targets[0] : undefined);
  if (target === undefined) {
    console.error(`fuzz: "${file}" is in no target's folder; name the target as well`);
    return 2;
  }
  return isFine(file, target, Deno.readTextFileSync(file)) ? 0 : 1;
}

function replayCorpus(target: Target): number {
  const entries = entriesOf(target);
  const wrong = entries.filter(({ file, text }) => !isFine(file, target, text));
  return wrong.length;
}

function isFine(file: string, target: Target, text: string): boolean {
  try {
    target.replay(text);
    return true;
  } catch (error) {
    console.log(`BROKEN ${file}`);
    console.log(error instanceof Error ? error.stack : error);
    return false;
  }
}

function fuzz(tally: Tally, seed: number, milliseconds: number): number {
  const { target } = tally;
  const start = performance.now();
  const { runs, finding } = target.fuzz(seed, ROUND_RUNS, milliseconds);
  tally.runs += runs;
  tally.milliseconds += performance.now() - start;
  if (finding === undefined) return 0;
  tally.isDone = true;
  const file = `tests/fuzz/corpus/${keep(target, finding, seed)}`;
  console.log(`\nFOUND ${target.name}, seed ${seed}, after ${tally.runs} runs: ${file}`);
  console.log(`${finding.message}\n${finding.input}`);
  console.log(`replay it: deno task fuzz --file ${file}\n`);
  return 1;
}

function report(tallies: readonly Tally[], broken: number): void {
  let all = 0;
  for (const { target, runs, milliseconds } of tallies) {
    all += runs;
    const rate = Math.round(runs / Math.max(milliseconds, 1) * 1_000);
    console.log(`${target.name.padEnd(12)} ${String(runs).padStart(10)} runs ${String(rate).padStart(8)} /s`);
  }
  console.log(`${all} runs, ${broken} findings`);
}

if (import.meta.main) Deno.exit(main(Deno.args));
