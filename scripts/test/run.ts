/**
 * Running one part of the tests, and what failed of it a second time.
 *
 * @module
 */
import { ROOT } from "../pack/run.ts";
import type { Part } from "./parts.ts";
import {
  chosen,
  count,
  type Counts,
  failedNames,
  filterOf,
  readReport,
  type Run,
  together,
} from "./report.ts";

/** What came of a part. */
export interface Result {
  readonly counts: Counts;
  /** The tests that passed at their second try, one line each with the error of the first. */
  readonly flaky: readonly string[];
}

/** Dots in a line. */
const WIDTH = 100;

/** Where more tests fail than this, something else than chance has taken hold. */
const MOST_AGAIN = 10;

/**
 * Runs a part, and in parts that say so the tests that failed once more, alone. `prefix` goes before the command;
 * `filter` chooses tests by their names; `stop` ends it.
 */
export async function runPart(
  part: Part,
  prefix: readonly string[],
  filter: string | undefined,
  stop: AbortSignal,
): Promise<Result> {
  const command = [...prefix, Deno.execPath(), "test", "--quiet", "--no-prompt", ...part.options];
  const all = await test(command, part, filter, stop);
  const first = filter === undefined ? all : { ...all, cases: chosen(all.cases) };
  const failed = failedNames(first.cases);
  const isChance = failed.length > 0 && failed.length <= MOST_AGAIN && !first.isCutOff && !stop.aborted;
  if (!part.triesTwice || !isChance) return { counts: count(first), flaky: [] };
  console.log(
    `\n== ${part.name}: a second try of ${failed.length === 1 ? "the one" : failed.length} that failed ==`,
  );
  const second = await test(command, part, filterOf(failed), stop);
  const { counts, flaky } = together(first, second);
  return {
    counts,
    flaky: flaky.map(({ name, error }) => `${name}: ${error || "its file broke before its turn"}`),
  };
}

/** A run, and whether the limit of time ended it. */
interface LimitedRun extends Run {
  readonly isCutOff: boolean;
}

async function test(
  command: readonly string[],
  part: Part,
  filter: string | undefined,
  stop: AbortSignal,
): Promise<LimitedRun> {
  const report = await Deno.makeTempFile({ prefix: "ethox-test-", suffix: ".xml" });
  try {
    const reporter = [`--reporter=${part.dots ? "dot" : "pretty"}`, `--junit-path=${report}`];
    const filters = filter === undefined ? [] : [`--filter=${filter}`];
    const [program = "", ...args] = [...command, ...reporter, ...filters, ...part.files];
    const ended = await execute(program, args, part, stop);
    return { ...ended, cases: readReport(await Deno.readTextFile(report)) };
  } finally {
    await Deno.remove(report);
  }
}

async function execute(
  program: string,
  args: string[],
  part: Part,
  stop: AbortSignal,
): Promise<{ success: boolean; isCutOff: boolean }> {
  const colors: Record<string, string> = part.dots || !Deno.stdout.isTerminal() ? { NO_COLOR: "1" } : {};
  const child = new Deno.Command(program, {
    args,
    cwd: ROOT,
    env: colors,
    stdin: "null",
    stdout: part.dots ? "piped" : "inherit",
  }).spawn();
  let last: ReturnType<typeof setTimeout> | undefined;
  // SIGINT first, at which `deno test` names the tests that are not done.
  const end = () => {
    kill(child, "SIGINT");
    last = setTimeout(() => kill(child, "SIGKILL"), 5_000);
  };
  let isCutOff = false;
  const timer = setTimeout(() => {
    console.error(`test: ${part.name} took longer than ${part.limit / 60_000} minutes`);
    isCutOff = true;
    end();
  }, part.limit);
  stop.addEventListener("abort", end);
  if (part.dots) await showDots(child.stdout);
  const { success } = await child.status;
  stop.removeEventListener("abort", end);
  clearTimeout(timer);
  clearTimeout(last);
  return { success: success && !isCutOff, isCutOff };
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended, for Ctrl-C reaches it too.
  }
}

/** Where stdout is no terminal, the reporter writes each dot on a line of its own. */
async function showDots(stream: ReadableStream<Uint8Array>): Promise<void> {
  let column = 0, rest = "";
  const write = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(text));
  const show = (line: string) => {
    const isDot = line === "." || line === "," || line === "!";
    if (!isDot) {
      write(column > 0 ? `\n${line}\n` : `${line}\n`);
      column = 0;
      return;
    }
    write(line);
    if (++column === WIDTH) write("\n");
    column %= WIDTH;
  };
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = `${rest}${text}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) show(line);
  }
  if (rest !== "") show(rest);
}
