/**
 * The load of the `tap` benchmark. Runs in a network namespace of its own, makes the TAPs in it, starts the stations
 * as processes, and measures them from the kernel's side, taking turns.
 *
 * `unshare -n deno run -A tests/bench/tap-load.ts quick|full`: a line of JSON a figure.
 *
 * @module
 */
import { makeTap } from "./ground.ts";
import { type Figure, median, quantile } from "./report.ts";
import { Client, type Protocol, sleep } from "./tap-client.ts";
import { Station } from "./tap-station.ts";

/** How much is measured. */
interface Plan {
  readonly rounds: number;
  /** Requests one after the other, without a gap, after 1 ms, after 10 ms. */
  readonly requests: readonly [number, number, number];
  /** How long a flood lasts, in seconds. */
  readonly flood: number;
}

const PLANS: Readonly<Record<string, Plan>> = {
  quick: { rounds: 1, requests: [1_000, 300, 100], flood: 0.7 },
  full: { rounds: 7, requests: [3_000, 500, 150], flood: 1.5 },
};

const GAPS = ["back to back", "after 1 ms", "after 10 ms"] as const;
const GAP_TIMES = [0, 1_000, 10_000] as const;
const OUTSTANDING = 64, IDLE = 3_000_000, PING_DATA = 56, UDP_DATA = 18;

/** Figures by title, in the order of their first value. */
class Figures {
  readonly #figures = new Map<string, { unit: string; digits: number; values: number[] }>();

  add(title: string, unit: string, value: number, digits: number = 0): void {
    const figure = this.#figures.get(title) ?? { unit, digits, values: [] };
    figure.values.push(value);
    this.#figures.set(title, figure);
  }

  values(title: string): readonly number[] {
    return this.#figures.get(title)?.values ?? [];
  }

  print(): void {
    for (const [title, figure] of this.#figures) {
      console.log(JSON.stringify({ title, ...figure } satisfies Figure));
    }
  }
}

const figures = new Figures();

/** One kind of load on one station, a round of which is measured at a time. */
class Load {
  readonly #title: string;
  readonly #station: Station;
  readonly #client: Client;

  constructor(title: string, station: Station, protocol: Protocol, length: number) {
    this.#title = title;
    this.#station = station;
    this.#client = new Client(protocol, station.address, length);
  }

  /** Lets the station's compiler and the neighbour caches settle. */
  warmUp(): void {
    this.#client.flood(OUTSTANDING, 0.4);
    this.#client.roundTrips(500, 0);
  }

  roundTrips(plan: Plan): void {
    GAPS.forEach((gap, index) => {
      const times = this.#client.roundTrips(plan.requests[index] ?? 0, GAP_TIMES[index] ?? 0);
      figures.add(`${this.#title}, round trip ${gap}: p50`, "us", median(times));
      figures.add(`${this.#title}, round trip ${gap}: p99`, "us", quantile(times, 0.99));
    });
  }

  flood(plan: Plan): void {
    const before = this.#station.cpuTime();
    const { answered, lost, seconds } = this.#client.flood(OUTSTANDING, plan.flood);
    const cpu = (this.#station.cpuTime() - before) / answered;
    const title = `${this.#title}, ${OUTSTANDING} outstanding`;
    figures.add(`${title}: packets/s`, "k/s", answered / seconds / 1e3);
    figures.add(`${title}: lost`, "packets", lost);
    figures.add(`${title}: CPU, kernel included`, "us/packet", cpu, 2);
  }
}

function ratio(title: string, over: string, under: string): void {
  const below = figures.values(under);
  figures.values(over).forEach((value, round) => {
    figures.add(title, "x", value / (below[round] ?? NaN), 2);
  });
}

async function main(plan: Plan): Promise<void> {
  makeTap("bench0", "10.8.0.1/24");
  makeTap("bench1", "10.9.0.1/24");
  makeTap("bench2", "10.7.0.1/24");
  await using stack = await Station.appliance("bench0", "10.8.0.2");
  await using bare = await Station.program("reflector", "bench1", "10.9.0.2");
  await using udp = await Station.program("udp-echo", "bench2", "10.7.0.2");
  const ping = new Load("ping", stack, "icmp", PING_DATA);
  const reflector = new Load("ping, reflector", bare, "icmp", PING_DATA);
  const datagrams = new Load("UDP", udp, "udp", UDP_DATA);
  for (const load of [ping, reflector, datagrams]) load.warmUp();
  for (let round = 0; round < plan.rounds; round++) {
    for (const load of [ping, reflector]) load.roundTrips(plan);
    for (const load of [ping, reflector, datagrams]) load.flood(plan);
  }
  ratio(
    "ping, CPU: the stack over the reflector",
    "ping, 64 outstanding: CPU, kernel included",
    "ping, reflector, 64 outstanding: CPU, kernel included",
  );
  idle(stack);
  figures.print();
}

function idle(station: Station): void {
  sleep(300_000);
  const before = station.cpuTime();
  const start = performance.now();
  sleep(IDLE);
  const share = (station.cpuTime() - before) / ((performance.now() - start) * 1e3);
  figures.add("idle for 3 s: CPU", "%", share * 100, 2);
}

const plan = PLANS[Deno.args[0] ?? ""];
if (plan === undefined) throw new Error("say quick or full");
await main(plan);
