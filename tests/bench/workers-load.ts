/**
 * The load of the `workers` benchmark: a server with so many threads on a TAP that it makes.
 *
 * `unshare -n deno run -A tests/bench/workers-load.ts 2`: a line of JSON a figure.
 *
 * @module
 */
import { setInterfaceAddress, setInterfaceUp } from "../../nic/linux/netif.ts";
import { createTap } from "../../nic/linux/tun.ts";
import { APPLIANCE, KERNEL, PREFIX, TAP } from "../support/cables.ts";
import { beside, deno, output } from "./process.ts";
import type { Figure } from "./report.ts";

const CONNECTIONS = 50;

/** Ticks of a second in proc(5). */
const TICKS = 100;

/** How many threads, and for how many seconds each load is, the first of which is to warm up. */
const [count = "1", seconds = "2"] = Deno.args;

function print(what: string, unit: string, value: number): void {
  const threads = count === "1" ? "1 thread" : `${count} workers`;
  console.log(JSON.stringify({ title: `${threads}: ${what}`, unit, values: [value] } satisfies Figure));
}

/** The processor time of a process and all its threads so far, in microseconds. */
function processorTime(pid: number): number {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * (1_000_000 / TICKS);
}

/** How many requests were answered. */
async function load(seconds: string): Promise<number> {
  const text = await output(["wrk", "-t1", `-c${CONNECTIONS}`, `-d${seconds}s`, `http://${APPLIANCE}/`]);
  const [, requests] = /(\d+) requests in/.exec(text) ?? [];
  if (requests === undefined) throw new Error(`wrk: ${text}`);
  return Number(requests);
}

createTap(TAP, { multiQueue: true });
setInterfaceAddress(TAP, `${KERNEL}${PREFIX}`);
setInterfaceUp("lo");
setInterfaceUp(TAP);
const [program = "", ...args] = deno(
  beside("../../apps/main.ts"),
  ...[
    "serve",
    "http",
    "--nic",
    `tap:${TAP}`,
    "--addr",
    `${APPLIANCE}${PREFIX}`,
    "--workers",
    count,
    "--json",
  ],
);
const server = new Deno.Command(program, { args, stdin: "null", stdout: "piped" }).spawn();
try {
  const reader = server.stdout.getReader();
  await reader.read();
  await load(seconds);
  const used = processorTime(server.pid), began = performance.now();
  const requests = await load(seconds);
  print("requests", "/s", requests / (performance.now() - began) * 1_000);
  print("processor time", "us/request", (processorTime(server.pid) - used) / requests);
  await reader.cancel();
} finally {
  server.kill("SIGKILL");
  await server.status;
}
