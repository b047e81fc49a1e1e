/**
 * The load of the `tcp` benchmark. Runs in a network namespace of its own, makes the TAPs in it, starts appliances as
 * users do, and measures them from the kernel's side. The second one stands behind a wire that loses 1 % both ways.
 *
 * `unshare -n deno run -A tests/bench/tcp-load.ts quick|full`: a line of JSON a figure.
 *
 * @module
 */
import { easeClient, makeTap } from "./ground.ts";
import { type Figure, median, quantile } from "./report.ts";
import { Station } from "./tap-station.ts";
import { type Moved, TcpClient } from "./tcp-client.ts";

/** How much is measured: rounds, seconds a load, bytes to echo, connections to hold. */
const PLANS = {
  quick: { rounds: 1, seconds: 0.7, echo: 16 << 20, hold: 500 },
  full: { rounds: 5, seconds: 2, echo: 64 << 20, hold: 1_000 },
} as const;

const SERVICES = ["tcp-echo", "discard", "chargen"];

/** In the order of their first value. */
const figures = new Map<string, { unit: string; digits: number; values: number[] }>();

function add(title: string, unit: string, value: number, digits: number = 0): void {
  const figure = figures.get(title) ?? { unit, digits, values: [] };
  figure.values.push(value);
  figures.set(title, figure);
}

/** The rate, and the processor time of the appliance for it. */
async function move(title: string, station: Station, load: () => Promise<Moved>): Promise<void> {
  const before = station.cpuTime();
  const { bytes, seconds } = await load();
  add(`${title}: MB/s`, "MB/s", bytes / seconds / 1e6);
  add(`${title}: CPU, kernel included`, "s/GB", (station.cpuTime() - before) / 1e6 / (bytes / 1e9), 2);
}

async function main({ rounds, seconds, echo, hold }: (typeof PLANS)[keyof typeof PLANS]): Promise<void> {
  easeClient();
  makeTap("bench0", "10.8.0.1/24");
  makeTap("bench1", "10.9.0.1/24");
  await using plain = await Station.appliance("bench0", "10.8.0.2", ...SERVICES);
  await using lossy = await Station.appliance("bench1", "10.9.0.2", ...SERVICES, "--fault", "loss=1%,seed=1");
  const client = new TcpClient("10.8.0.2"), unlucky = new TcpClient("10.9.0.2");
  await client.echo(4 << 20);
  for (let round = 0; round < rounds; round++) {
    const times = await client.pingPong(seconds);
    add("1 byte there and back: p50", "us", median(times));
    add("1 byte there and back: p99", "us", quantile(times, 0.99));
    await move("upload", plain, () => client.upload(seconds));
    await move("download", plain, () => client.download(seconds));
    await move(`echo of ${echo >> 20} MiB`, plain, () => client.echo(echo));
    for (const parallel of [1, 50]) {
      const opened = await client.connections(parallel, seconds);
      add(`connections, ${parallel} at a time`, "/s", opened.count / opened.seconds);
    }
    const idle = plain.memory();
    await client.hold(hold, () => {
      // Later rounds find the memory that the first has given back.
      if (round === 0) add(`${hold} open: memory, one`, "KB", (plain.memory() - idle) / hold, 1);
    });
    await move("upload, 1 % lost both ways", lossy, () => unlucky.upload(2 * seconds));
    await move("download, 1 % lost both ways", lossy, () => unlucky.download(2 * seconds));
  }
  for (const [title, figure] of figures) console.log(JSON.stringify({ title, ...figure } satisfies Figure));
}

const plan = Deno.args[0] === "quick" || Deno.args[0] === "full" ? PLANS[Deno.args[0]] : undefined;
if (plan === undefined) throw new Error("say quick or full");
await main(plan);
