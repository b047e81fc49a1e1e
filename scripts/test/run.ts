/**
 * Running one part of the tests, and counting.
 *
 * @module
 */
import { ROOT } from "../pack/run.ts";
import type { Part } from "./parts.ts";

/** How many tests ended how. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Dots in a line. */
const WIDTH = 100;

/** Runs `deno test` on a part. `prefix` goes before the command; `extra` is passed on; `stop` ends it. */
export async function runPart(
  part: Part,
  prefix: readonly string[],
  extra: readonly string[],
  stop: AbortSignal,
): Promise<Counts> {
  const report = await Deno.makeTempFile({ prefix: "ethox-test-", suffix: ".xml" });
  try {
    const reporter = `--reporter=${part.dots ? "dot" : "pretty"}`;
    const deno = [Deno.execPath(), "test", "--quiet", "--no-prompt", reporter, `--junit-path=${report}`];
    const [program = "", ...args] = [...prefix, ...deno, ...part.options, ...extra, ...part.files];
    const success = await execute(program, args, part, stop);
    return count(await Deno.readTextFile(report), success);
  } finally {
    await Deno.remove(report);
  }
}

async function execute(program: string, args: string[], part: Part, stop: AbortSignal): Promise<boolean> {
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
  const timer = setTimeout(() => {
    console.error(`test: ${part.name} took longer than ${part.limit / 60_000} minutes`);
    end();
  }, part.limit);
  stop.addEventListener("abort", end);
  if (part.dots) await showDots(child.stdout);
  const { success } = await child.status;
  stop.removeEventListener("abort", end);
  clearTimeout(timer);
  clearTimeout(last);
  return success;
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

/** The numbers in a JUnit report. What failed outside of a test, such as a type error, is one failure more. */
function count(xml: string, success: boolean): Counts {
  let passed = 0, failed = 0, skipped = 0;
  for (const [, body = ""] of xml.matchAll(/<testcase\b[^>]*?(?:\/>|>(.*?)<\/testcase>)/gs)) {
    if (body.includes("<skipped")) skipped++;
    else if (body.includes("<failure") || body.includes("<error")) failed++;
    else passed++;
  }
  if (!success && failed === 0) failed = 1;
  return { passed, failed, skipped };
}
