/**
 * The load of the `connections` benchmark over a TAP. Runs in a network namespace of its own, makes the TAP in it, and
 * opens connections to the appliance and to an echo on the kernel's own sockets, taking turns.
 *
 * `unshare -n deno run -A tests/bench/connections-load.ts quick|full`: a line of JSON a figure.
 *
 * @module
 */
import { setInterfaceUp } from "../../nic/linux/netif.ts";
import { openConnections } from "./connections-client.ts";
import { easeClient, makeTap } from "./ground.ts";
import type { Figure } from "./report.ts";
import { Station } from "./tap-station.ts";

/** How much is measured: rounds, and seconds a load. */
const PLANS = {
  quick: { rounds: 1, seconds: 0.8 },
  full: { rounds: 5, seconds: 2 },
} as const;

const PORT = 7, MANY = 50, FIRST = 0.8, WARM_UP = 1.5;

/** In the order of their first value. */
const figures = new Map<string, { unit: string; digits: number; values: number[] }>();

function add(title: string, unit: string, value: number, digits: number = 0): void {
  const figure = figures.get(title) ?? { unit, digits, values: [] };
  figure.values.push(value);
  figures.set(title, figure);
}

/** Connections a second; notes that, and what one takes of the station's processor time. */
function measure(title: string, station: Station, parallel: number, seconds: number): number {
  const before = station.cpuTime();
  const opened = openConnections(station.address, PORT, parallel, seconds);
  const rate = opened.count / opened.seconds;
  add(title, "/s", rate);
  add(`${title}: CPU, kernel included`, "us", (station.cpuTime() - before) / opened.count, 1);
  return rate;
}

async function main({ rounds, seconds }: (typeof PLANS)[keyof typeof PLANS]): Promise<void> {
  easeClient();
  setInterfaceUp("lo");
  makeTap("bench0", "10.8.0.1/24");
  await using kernel = await Station.kernel("127.0.0.1");
  openConnections(kernel.address, PORT, MANY, WARM_UP);
  for (let round = 0; round < rounds; round++) {
    await using appliance = await Station.appliance("bench0", "10.8.0.2", "tcp-echo");
    measure(`${MANY} at a time, the first ${FIRST} s of a new process`, appliance, MANY, FIRST);
    openConnections(appliance.address, PORT, MANY, WARM_UP);
    for (const parallel of [1, MANY]) {
      const ours = measure(`${parallel} at a time`, appliance, parallel, seconds);
      const others = measure(`${parallel} at a time, the kernel over loopback`, kernel, parallel, seconds);
      add(`${parallel} at a time, ours over the kernel's`, "x", ours / others, 2);
    }
  }
  for (const [title, figure] of figures) console.log(JSON.stringify({ title, ...figure } satisfies Figure));
}

const plan = Deno.args[0] === "quick" || Deno.args[0] === "full" ? PLANS[Deno.args[0]] : undefined;
if (plan === undefined) throw new Error("say quick or full");
await main(plan);
