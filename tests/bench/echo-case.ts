/**
 * One case of the `echo` benchmark in a process of its own, so that no other case's types are in its compiled code.
 *
 * `deno run -A tests/bench/echo-case.ts NAME SECONDS`: a line of JSON.
 *
 * @module
 */
import process from "node:process";
import { CASES, EchoLoop } from "./echo-trees.ts";
import { median } from "./report.ts";

/** What one process measured: medians over many looks, a few milliseconds each. */
export interface EchoSample {
  /** Real time in nanoseconds a packet. */
  readonly wall: number;
  /** Processor time in nanoseconds a packet, the engine's own threads included. */
  readonly cpu: number;
  /** Growth of the heap in bytes a packet, all growth between looks added up. */
  readonly heap: number;
}

// As many as a NIC hands over at once.
const BURST = 64, BURSTS_A_LOOK = 256, PACKETS_A_LOOK = BURST * BURSTS_A_LOOK;

/** Runs a loop for so many seconds, after half of that to warm up. */
function measure(loop: EchoLoop, seconds: number): EchoSample {
  run(loop, seconds / 2);
  return run(loop, seconds);
}

function run(loop: EchoLoop, seconds: number): EchoSample {
  const walls: number[] = [], cpus: number[] = [];
  const until = performance.now() + seconds * 1e3;
  let growth = 0;
  while (performance.now() < until) {
    const cpu = process.cpuUsage();
    const start = performance.now();
    const { heapUsed } = Deno.memoryUsage();
    for (let burst = 0; burst < BURSTS_A_LOOK; burst++) loop.run(BURST);
    // A collection in between makes one look worthless; the others show what is allocated.
    growth += Math.max(0, Deno.memoryUsage().heapUsed - heapUsed);
    walls.push((performance.now() - start) * 1e6 / PACKETS_A_LOOK);
    const { user, system } = process.cpuUsage(cpu);
    cpus.push((user + system) * 1e3 / PACKETS_A_LOOK);
  }
  const heap = growth / (walls.length * PACKETS_A_LOOK);
  return { wall: median(walls), cpu: median(cpus), heap };
}

const [name, seconds] = Deno.args;
const chosen = Object.entries(CASES).find(([key]) => key === name);
if (chosen === undefined) throw new Error(`there is no case "${name}"`);
console.log(JSON.stringify(measure(new EchoLoop(chosen[1]), Number(seconds))));
