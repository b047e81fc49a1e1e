/**
 * One case of the `echo` benchmark in a process of its own, so that no other case's types are in its compiled code.
 *
 * `deno run tests/bench/echo-case.ts NAME SECONDS`: a line of JSON.
 *
 * @module
 */
import process from "node:process";
import { type CaseName, CASES, EchoLoop } from "./echo-trees.ts";

/** What one process measured. */
export interface EchoSample {
  /** Real time in nanoseconds a packet. */
  readonly wall: number;
  /** Processor time in nanoseconds a packet, the engine's own threads included. */
  readonly cpu: number;
  /** Growth of the heap in bytes a packet, all growth between looks added up. */
  readonly heap: number;
}

// As many as a NIC hands over at once.
const BATCH = 64, BATCHES_A_LOOK = 3_125;

/** Runs a case for so many seconds, after a third of that to warm up. */
export function measure(name: CaseName, seconds: number): EchoSample {
  const loop = new EchoLoop(CASES[name]);
  runFor(loop, seconds / 3);
  const cpu = process.cpuUsage();
  const start = performance.now();
  const { packets, heap } = runFor(loop, seconds);
  const wall = performance.now() - start;
  const used = process.cpuUsage(cpu);
  return { wall: wall * 1e6 / packets, cpu: (used.user + used.system) * 1e3 / packets, heap: heap / packets };
}

function runFor(loop: EchoLoop, seconds: number): { packets: number; heap: number } {
  const until = performance.now() + seconds * 1e3;
  let packets = 0, heap = 0;
  while (performance.now() < until) {
    const before = Deno.memoryUsage().heapUsed;
    for (let batch = 0; batch < BATCHES_A_LOOK; batch++) loop.run(BATCH);
    packets += BATCH * BATCHES_A_LOOK;
    // A collection in between makes one look worthless; the others show what is allocated.
    heap += Math.max(0, Deno.memoryUsage().heapUsed - before);
  }
  return { packets, heap };
}

if (import.meta.main) {
  const [name, seconds] = Deno.args;
  console.log(JSON.stringify(measure(name as CaseName, Number(seconds))));
}
