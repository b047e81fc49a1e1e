/**
 * How well TCP uses a link, and how fast the code is: bulk transfers over a simulated network, with users that neither
 * make nor look at the bytes.
 *
 * `deno run --v8-flags=--expose-gc -A tests/bench/sim_tcp.ts` prints all figures but those of losses that show no
 * congestion, which `deno run -A tests/bench/sim_tcp.ts random-loss` prints. With `random-loss-fair` it prints how
 * fairly two flows of cubic+ share such a path, for ten seeds and three starts of the second one: at a fifth of the
 * rate with as many losses a round trip, or with `full` behind it at 1 Gbit/s, which takes some ten minutes.
 *
 * @module
 */
import { getHeapStatistics } from "node:v8";
import {
  ALL_IGNORED,
  type Capabilities,
  type Faults,
  type Instant,
  milliseconds,
  Network,
  seconds,
} from "../../mod.ts";
import { type SendBuffer, Sink } from "../../stack/tcp/buffers.ts";
import type { CongestionControl } from "../../stack/tcp/congestion/control.ts";
import { Cubic } from "../../stack/tcp/congestion/cubic.ts";
import { CubicPlus } from "../../stack/tcp/congestion/cubic-plus.ts";
import { NewReno } from "../../stack/tcp/congestion/newreno.ts";
import type { Connection } from "../../stack/tcp/connection.ts";
import type { TcpOptions } from "../../stack/tcp/endpoint.ts";
import { type TcpHost, tcpHost } from "../support/tcp.ts";

/** Never runs out of bytes, and holds none; or ends after `total`. */
class Source implements SendBuffer {
  readonly limit: number;
  left: number;

  constructor(limit: number, total: number = Infinity) {
    this.limit = limit;
    this.left = total;
  }

  get length(): number {
    return Math.min(this.limit, this.left);
  }

  fill(): void {}

  ack(count: number): void {
    this.left -= count;
  }
}

/** A transfer that runs for ever. */
interface Flow {
  readonly connection: Connection;
  /** Bytes that have arrived. */
  readonly sink: Sink;
}

const PORT = 7;

/** The server's receive buffers, in the order in which connections are accepted. */
function serve(server: TcpHost, window: number): Sink[] {
  const sinks: Sink[] = [];
  server.tcp.listen({ port: PORT }, (connection) => {
    const sink = new Sink(window);
    sinks.push(sink);
    connection.receiveBuffer = sink;
    return {};
  });
  return sinks;
}

function connect(from: TcpHost, to: TcpHost, source: SendBuffer): Connection {
  return from.tcp.connect({
    address: to.address,
    port: PORT,
    localAddress: from.address,
    sendBuffer: source,
    receiveBuffer: new Sink(),
    handler: {},
  })!;
}

/** A bottleneck and who uses it. */
export interface LinkCase {
  /** Bits a second. */
  readonly rate: number;
  /** Both ways together. */
  readonly roundTrip: Instant;
  /** The share of frames lost at random on the way to the receiver. */
  readonly loss?: number;
  /** Frames that may wait before the link. */
  readonly queue: number;
  /** How long the transfer lasts. */
  readonly time: Instant;
  /** Makes the congestion control of each flow, counted from 0. */
  readonly congestion: (flow: number) => CongestionControl;
  /** The least window of both sides. Default 16 MiB. */
  readonly window?: number;
  readonly seed?: number;
}

/** What the flows of a {@linkcode LinkCase} got, as shares of what the link can carry of data. */
export interface LinkResult {
  readonly shares: readonly number[];
  /** Jain's index of fairness. */
  readonly fairness: number;
  /** The same over the last half of that time. */
  readonly fairnessLately: number;
  /** Segments that were sent again, of all that were sent. */
  readonly retransmitted: number;
  readonly timeouts: number;
}

/** Data a frame carries on such a link at most: 1,448 of 1,514 bytes. */
const GOODPUT = 1_448 / 1_514;

/** Runs `flows` transfers, the second one `later` than the first, and measures over the last `measured`. */
export function shareLink(
  use: LinkCase,
  flows: number = 1,
  later: Instant = 0,
  measured: Instant = use.time,
): LinkResult {
  const { rate, queue, roundTrip, loss, window = 1 << 24 } = use;
  const network = new Network({ frames: 1 << 15, turns: Infinity, seed: use.seed ?? 1 });
  const options = { receiveWindow: window };
  const delay = Math.floor(roundTrip / 4);
  const bottleneck: Faults = { rate, queue, delay, ...(loss !== undefined && { loss }) };
  const server = tcpHost(network, 3, { ingress: bottleneck, egress: { delay } }, options);
  const sinks = serve(server, window);
  const clients = Array.from({ length: flows }, (_, index) => {
    const client = tcpHost(network, index + 1, { ingress: { delay }, egress: { delay } }, {
      ...options,
      congestion: () => use.congestion(index),
    });
    network.at(index * later, () => void connect(client, server, new Source(window)));
    return client;
  });
  network.run(use.time - measured);
  const before = sinks.map(({ total }) => total);
  network.run(use.time - Math.floor(measured / 2));
  const halfway = sinks.map(({ total }) => total);
  network.run(use.time);
  const capacity = rate / 8 * GOODPUT * measured / seconds(1);
  const shares = sinks.map(({ total }, index) => (total - (before[index] ?? 0)) / capacity);
  const counters = clients.map(({ tcp }) => tcp.counters);
  const sent = counters.reduce((a, b) => a + b.sent, 0);
  return {
    shares,
    fairness: jain(shares),
    fairnessLately: jain(sinks.map(({ total }, index) => total - (halfway[index] ?? 0))),
    retransmitted: counters.reduce((a, b) => a + b.retransmitted, 0) / sent,
    timeouts: counters.reduce((a, b) => a + b.timeouts, 0),
  };
}

function jain(shares: readonly number[]): number {
  const sum = shares.reduce((a, b) => a + b, 0);
  return sum * sum / (shares.length * shares.reduce((a, b) => a + b * b, 0));
}

/** How fast the code is. */
export interface SpeedResult {
  /** Data segments that went through both stacks, a second of real time. */
  readonly rate: number;
  /** Bytes allocated on the heap a data segment, everything of the simulation included. */
  readonly allocated: number;
}

/** A transfer between two hosts, measured once it is warm. */
export class SpeedTest {
  readonly network = new Network({ frames: 4_096, turns: Infinity });
  readonly #flow: Flow;
  readonly client: TcpHost;

  constructor(options: Partial<TcpOptions> = {}, capabilities?: Capabilities, faults: Faults = {}) {
    const settings = { receiveWindow: 1 << 20, ...options };
    const link: Faults = { delay: 100, rate: 10_000_000_000, queue: 1_000, ...faults };
    const nic = capabilities === undefined ? {} : { capabilities };
    this.client = tcpHost(this.network, 1, { ingress: link, ...nic }, settings);
    const server = tcpHost(this.network, 2, { ingress: link, ...nic }, settings);
    const sinks = serve(server, 1 << 20);
    // A day after the machine's start: a time that takes more than 32 bits, as on a real clock.
    this.network.run(seconds(86_400));
    const connection = connect(this.client, server, new Source(1 << 19));
    this.network.run(seconds(86_401));
    this.#flow = { connection, sink: sinks[0]! };
  }

  /** Runs until so many more segments have arrived. */
  run(segments: number): SpeedResult {
    const { sink } = this.#flow;
    const end = sink.total + segments * 1_448;
    const isOver = () => sink.total >= end;
    const before = allocatedBytes();
    const start = performance.now();
    this.network.runUntil(isOver);
    const elapsed = (performance.now() - start) / 1_000;
    return { rate: segments / elapsed, allocated: (allocatedBytes() - before) / segments };
  }
}

/** Bytes ever allocated on the heap. Deno's types do not have the field yet. */
export function allocatedBytes(): number {
  const statistics: object = getHeapStatistics();
  const bytes: unknown = Reflect.get(statistics, "total_allocated_bytes");
  if (typeof bytes !== "number") {
    throw new Error("this Deno has no count of allocated bytes: use 2.9 or later");
  }
  return bytes;
}

/** Heap and buffers that one end of an idle connection takes, in bytes; `--expose-gc` makes it exact. */
export function idleConnections(count: number): number {
  const network = new Network({ frames: 4_096, turns: Infinity });
  const options = { connections: count, timeWaits: 1 };
  const link = { ingress: { delay: milliseconds(1) } };
  const client = tcpHost(network, 1, link, options), server = tcpHost(network, 2, link, options);
  const shared = new Sink();
  const handler = {};
  server.tcp.listen({ port: PORT, backlog: count }, (connection) => {
    connection.receiveBuffer = shared;
    return handler;
  });
  const before = usedMemory();
  for (let index = 0; index < count; index++) {
    const source = new Source(0, 0);
    client.tcp.connect({
      address: server.address,
      port: PORT,
      localAddress: client.address,
      sendBuffer: source,
      receiveBuffer: shared,
      handler,
    });
  }
  network.run(seconds(5));
  const open = client.tcp.connections.size + server.tcp.connections.size;
  if (open !== 2 * count) throw new Error(`${open} of ${2 * count} connections are open`);
  // Each has sent and received something, so that what is made on demand was made.
  for (const c of client.tcp.connections) {
    const source = c.sendBuffer as Source;
    Object.assign(source, { limit: 100, left: 100 });
    c.flush();
  }
  network.run(seconds(10));
  return (usedMemory() - before) / (2 * count);
}

function usedMemory(): number {
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

/** The figures of docs/tcp.md: CUBIC that spares losses without congestion, and who shares a link with it. */
function randomLoss(): void {
  const plus = () => new CubicPlus(), cubic = () => new Cubic(), newreno = () => new NewReno();
  const long = { rate: 1e9, roundTrip: milliseconds(50), queue: 2_000, time: seconds(60) };
  for (const [loss, congestion] of [[1e-4, plus], [1e-3, plus], [1e-4, cubic]] as const) {
    const { shares } = shareLink({ ...long, loss, congestion }, 1, 0, seconds(40));
    console.log(`1 Gbit/s, 50 ms, ${loss * 100} % lost, ${congestion().name}: ${percent(shares[0]!)} %`);
  }
  for (const seed of [1, 2, 3]) {
    const two = shareLink({ ...long, loss: 1e-4, seed, congestion: plus }, 2, seconds(2), seconds(40));
    const both = two.shares.map(percent).join(" and ");
    console.log(`0.01 % lost, two of cubic+, seed ${seed}: ${both} %, fairness ${two.fairness.toFixed(3)}`);
  }
  for (const queue of [8, 10, 40, 165]) {
    for (const other of [cubic, newreno, plus]) {
      const congestion = (flow: number) => flow === 0 ? plus() : other();
      const link = { rate: 1e8, roundTrip: milliseconds(20), queue, time: seconds(60), congestion };
      const { shares } = shareLink(link, 2, seconds(5), seconds(40));
      const names = `cubic+ and ${other().name}`;
      console.log(`100 Mbit/s, 20 ms, queue ${queue}, ${names}: ${shares.map(percent).join(" and ")} %`);
    }
  }
}

/** How fairly two flows of cubic+ share a path that loses by chance, over the last 40 of 60 s. */
function randomLossFair(isFull: boolean): void {
  const rate = isFull ? 1e9 : 2e8;
  const link = { rate, roundTrip: milliseconds(50), queue: rate / 5e5, loss: 1e5 / rate, time: seconds(60) };
  const all: number[] = [];
  for (const later of [0, 2, 5]) {
    for (let seed = 1; seed <= 10; seed++) {
      const use = { ...link, seed, congestion: () => new CubicPlus() };
      const { shares, fairness, fairnessLately } = shareLink(use, 2, seconds(later), seconds(40));
      all.push(fairness);
      const both = shares.map(percent).join(" and ");
      const indices = `${fairness.toFixed(3)}, of the last 20 s ${fairnessLately.toFixed(3)}`;
      console.log(`${later} s later, seed ${seed}: ${both} %, fairness ${indices}`);
    }
  }
  all.sort((a, b) => a - b);
  console.log(`fairness: least ${all[0]!.toFixed(3)}, median ${all[all.length >> 1]!.toFixed(3)}`);
}

if (import.meta.main && Deno.args[0] === "random-loss") randomLoss();
else if (import.meta.main && Deno.args[0] === "random-loss-fair") randomLossFair(Deno.args[1] === "full");
else if (import.meta.main) {
  const gigabit = { rate: 1e9, roundTrip: milliseconds(50), queue: 2_000, time: seconds(20) };
  for (const loss of [0, 1e-6, 1e-5, 1e-4]) {
    const { shares, retransmitted, timeouts } = shareLink({
      ...gigabit,
      loss,
      congestion: () => new Cubic(),
    });
    const again = (retransmitted * 100).toFixed(3);
    console.log(
      `1 Gbit/s, 50 ms, loss ${loss * 100} %: ${
        percent(shares[0]!)
      } %, ${again} % sent again, ${timeouts} timeouts`,
    );
  }
  const shared = { rate: 1e8, roundTrip: milliseconds(20), queue: 170, time: seconds(60) };
  for (const congestion of [() => new Cubic(), () => new NewReno()]) {
    const { shares, fairness } = shareLink({ ...shared, congestion }, 2, seconds(5), seconds(40));
    const both = shares.map(percent).join(" and ");
    console.log(`two ${congestion().name} flows: ${both} %, fairness ${fairness.toFixed(3)}`);
  }
  for (const capabilities of [undefined, ALL_IGNORED]) {
    const test = new SpeedTest({}, capabilities);
    test.run(200_000);
    for (let round = 0; round < 3; round++) {
      const { rate, allocated } = test.run(500_000);
      const how = capabilities === undefined ? "with checksums" : "without";
      console.log(`${how}: ${Math.round(rate)} data segments/s, ${allocated.toFixed(2)} B allocated each`);
    }
  }
  console.log(`an idle connection: ${Math.round(idleConnections(10_000))} B`);
}

function percent(share: number): string {
  return (share * 100).toFixed(1);
}
