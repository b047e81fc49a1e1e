/**
 * Runs the tests: `deno task test [FILTER...] [--filter TEXT]`.
 *
 * ```sh
 * deno task test                       # everything that can run here
 * deno task test unit kernel/ping      # folders and files below tests/, by the beginning of their path
 * deno task test doc                   # the examples in the documentation
 * deno task test pure alone            # other parts of the tests, by their names: doc, apps, kernel
 * deno task test kernel --filter RFC   # and only tests whose name holds this
 * ```
 *
 * Kernel tests need root, or a user namespace and an open /dev/net/tun, and programs that `setup.ts` installs if
 * the user gives leave; those that lack something are skipped. As root where CI=true, a skip is a failure.
 *
 * Of the programs and the kernel tests, in which other processes and real clocks take part, those that failed are run
 * once more, alone. A test has failed if it failed both times; one that needed its second try is named in the end, with
 * what went wrong at the first. All other tests have one try.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { prepareGround } from "./test/ground.ts";
import { parts } from "./test/parts.ts";
import type { Counts } from "./test/report.ts";
import { runPart } from "./test/run.ts";

async function main(args: string[]): Promise<number> {
  let filters: string[], filter: string | undefined;
  try {
    const parsed = parseArgs({ args, allowPositionals: true, options: { filter: { type: "string" } } });
    filters = parsed.positionals;
    filter = parsed.values.filter;
  } catch (error) {
    return usage((error as Error).message.split(". ")[0]!);
  }
  const chosen = parts(filters);
  const idle = filters.find((filter) => parts([filter]).length === 0);
  if (idle !== undefined) return usage(`no tests begin with "${idle}"`);

  const mustNotSkip = Deno.env.get("CI") === "true" && Deno.uid() === 0;
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => stop.abort());
  const rows: string[] = [], notes: string[] = [], flaky: string[] = [];
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (let part of chosen) {
    console.log(`\n== ${part.name}: ${part.title} ==`);
    let prefix: readonly string[] = [];
    if (part.name === "kernel") {
      const ground = await prepareGround();
      prefix = ground.prefix;
      // Each would say in full why it is skipped.
      if (!ground.usable) part = { ...part, dots: true };
      notes.push(...ground.problems);
      for (const problem of ground.problems) console.log(problem);
    }
    const started = performance.now();
    const result = await runPart(part, prefix, filter, stop.signal);
    if (stop.signal.aborted) return 130;
    flaky.push(...result.flaky);
    let { counts } = result;
    if (part.name === "kernel" && mustNotSkip && counts.skipped > 0) {
      notes.push("CI=true: a kernel test that is skipped has failed");
      counts = { ...counts, failed: counts.failed + counts.skipped, skipped: 0 };
    }
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    rows.push(`  ${part.name.padEnd(8)} ${inWords(counts)} (${seconds} s)`);
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
  console.log(["", ...rows, ...notes].join("\n"));
  if (flaky.length > 0) {
    console.log(
      `\n!! ${flaky.length} needed a second try:\n${flaky.map((line) => `!!   ${line}`).join("\n")}\n`,
    );
  }
  console.log(inWords(total));
  return total.failed === 0 ? 0 : 1;
}

function inWords({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

function usage(message: string): number {
  console.error(`test: ${message}; give the beginnings of paths below tests/, or doc, or --filter TEXT`);
  return 2;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
