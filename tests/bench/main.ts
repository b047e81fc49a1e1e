/**
 * The benchmarks: `deno task bench [--quick] [--json] [NAME...]`. docs/performance.md says what to make of the
 * figures.
 *
 * @module
 */
import { connections } from "./connections.ts";
import { echo } from "./echo.ts";
import { nics } from "./nics.ts";
import { type Benchmark, Report } from "./report.ts";
import { segments } from "./segments.ts";
import { sim } from "./sim.ts";
import { store } from "./store.ts";
import { tap } from "./tap.ts";
import { tcp } from "./tcp.ts";
import { workers } from "./workers.ts";

const BENCHMARKS: readonly Benchmark[] = [echo, tap, nics, workers, tcp, connections, segments, store, sim];
const FLAGS: ReadonlySet<string> = new Set(["--quick", "--json"]);

const USAGE = `Usage: deno task bench [--quick] [--json] [NAME...]

${BENCHMARKS.map(({ name, about }) => `  ${name.padEnd(12)}${about}`).join("\n")}

  --quick  fewer and shorter rounds, two to three minutes together
  --json   a line of JSON a figure
`;

/** Runs the chosen benchmarks, all by default; the exit status. */
async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    console.log(USAGE);
    return 0;
  }
  const names = args.filter((arg) => !FLAGS.has(arg));
  const unknown = names.find((name) => !BENCHMARKS.some((benchmark) => benchmark.name === name));
  if (unknown !== undefined) {
    console.error(`bench: there is no "${unknown}"\n\n${USAGE}`);
    return 2;
  }
  const report = new Report(args.includes("--json"));
  for (const benchmark of BENCHMARKS) {
    if (names.length > 0 && !names.includes(benchmark.name)) continue;
    report.begin(benchmark);
    await benchmark.run(report, args.includes("--quick"));
  }
  return 0;
}

Deno.exit(await main(Deno.args));
