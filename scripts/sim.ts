/**
 * TCP transfers under random faults, as many as one likes: `deno task sim [--runs N] [--seed S] [--replay SCENARIO]`.
 *
 * A failure prints the smallest scenario found that fails as well, and how to run it alone with a trace of all
 * segments.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type NetworkEvent } from "../mod.ts";
import { check, fc, testSeed } from "../tests/support/property.ts";
import { describeFrame } from "../tests/support/tcp-frames.ts";
import { anyScenario, type Outcome, runScenario, type Scenario } from "../tests/support/tcp-scenario.ts";
import { fateName } from "../nic/link/fate.ts";

const USAGE = "Usage: deno task sim [--runs N] [--seed S] [--replay SCENARIO]";

function main(args: string[]): number {
  const { values } = parseArgs({
    args,
    options: {
      runs: { type: "string" },
      seed: { type: "string" },
      replay: { type: "string" },
      help: { type: "boolean" },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (values.replay !== undefined) return replayOne(JSON.parse(values.replay));
  // The properties read these.
  Deno.env.set("ETHOX_RUNS", values.runs ?? "100000");
  if (values.seed !== undefined) Deno.env.set("ETHOX_SEED", values.seed);
  return searchAll();
}

function searchAll(): number {
  const start = performance.now();
  let done = 0, segments = 0;
  let slowest: { scenario: Scenario; share: number } | undefined;
  console.log(`seed ${testSeed()}`);
  const property = fc.property(anyScenario, (scenario) => {
    const outcome = runScenario(scenario);
    segments += outcome.segments;
    const share = outcome.closedAt / outcome.bound;
    if (slowest === undefined || share > slowest.share) slowest = { scenario, share };
    if (++done % 1_000 === 0) report(done, segments, start, slowest.share);
  });
  try {
    check(property);
  } catch (error) {
    console.error(messages(error));
    return 1;
  }
  report(done, segments, start, slowest?.share ?? 0);
  console.log(`nearest to its bound: ${JSON.stringify(slowest?.scenario)}`);
  return 0;
}

function report(done: number, segments: number, start: number, share: number): void {
  const passed = ((performance.now() - start) / 1_000).toFixed(0);
  const nearest = (share * 100).toFixed(0);
  console.log(
    `${done} scenarios, ${segments} segments, ${passed} s; the slowest took ${nearest} % of its bound`,
  );
}

function replayOne(scenario: Scenario): number {
  const trace = (event: NetworkEvent) => {
    const time = (event.time / 1e6).toFixed(6);
    const way = event.direction === "out" ? "from" : "to";
    const frame = describeFrame(event.bytes, event.start, event.end);
    console.log(`${time} ${way} ${event.port} ${fateName(event.fate)}: ${frame}`);
  };
  try {
    const { closedAt, bound, segments }: Outcome = runScenario(scenario, trace);
    console.log(`closed at ${closedAt} us of at most ${Math.round(bound)}, ${segments} segments`);
    return 0;
  } catch (error) {
    console.error(messages(error));
    return 1;
  }
}

/** What went wrong, and why: the failure of a property is caused by that of its smallest scenario. */
function messages(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}\n${messages(error.cause)}`;
}

if (import.meta.main) Deno.exit(main(Deno.args));
