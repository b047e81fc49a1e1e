/** A host with several threads: one that speaks for it, this one, and a Worker for each queue of the NIC. */
import {
  EventFd,
  formatNicSpec,
  HubNic,
  meshMemory,
  MeshPort,
  type OpenedNic,
  Queues,
  setPresent,
  type SipKey,
  Waiter,
} from "../../mod.ts";
import type { Appliance } from "../appliance.ts";
import { UsageError } from "../cli/errors.ts";
import type { Output } from "../cli/output.ts";
import type { ControlledWorkers } from "../control/command.ts";
import type { answer } from "../control/commands.ts";
import { layers } from "../report.ts";
import { labelOf } from "../services/registry.ts";
import type { ServiceChoice } from "../services/service.ts";
import { openStation, type Station, type StationOptions } from "../station.ts";
import { answerForAll } from "./control.ts";
import { counterMemory, type Layers, sumCounters } from "./counter-board.ts";
import { Crew } from "./crew.ts";
import { factsMemory } from "./facts.ts";
import { neighbourMemory } from "./neighbour-board.ts";
import type { ShardPlan } from "./plan.ts";
import type { SharedMemory } from "./shard.ts";
import { Speaker } from "./speaker.ts";

/** UDP ports of the host's own conversations: DHCP's client, DHCPv6's, multicast DNS. */
const OWN_PORTS: readonly number[] = [68, 546, 5_353];

/** How often it is looked how many requests have been answered, in milliseconds. */
const COUNTING = 20;

/** The most Workers. */
export const WORKERS_MAX = 16;

/** How a {@linkcode Sharded} is set up, besides its station. */
export interface ShardedOptions {
  /** How many Workers there are to be: 2 or more. */
  readonly workers: number;
  readonly services: readonly ServiceChoice[];
  readonly output: Output;
  /** The module that Workers are started from. */
  readonly program: string;
  /** Whether the Workers give their capabilities up by themselves. */
  readonly dropsCapabilities: boolean;
}

/** Such a host. */
export class Sharded {
  /** The thread that speaks for the host, as a station. */
  readonly station: Station;
  readonly #crew: Crew;
  readonly #speaker: Speaker;
  readonly #hub: HubNic;
  readonly #end: () => Promise<void>;
  readonly #services: readonly ServiceChoice[];

  /** Opens the NIC and all its queues. Throws a CliError or a NicError. */
  constructor(
    options: StationOptions,
    { workers, services, output, program, dropsCapabilities }: ShardedOptions,
  ) {
    const name = formatNicSpec(options.nic);
    const queues = Queues.open(options.nic, workers);
    let bell: EventFd, waiter: Waiter;
    try {
      ({ bell, waiter } = openBell(name));
    } catch (error) {
      queues.close();
      throw error;
    }
    const bells = [...queues.handouts.map((_, index) => queues.event(index)), bell.fd];
    const events = bells.map((fd) => new EventFd(fd));
    const mesh = meshMemory(workers + 1);
    const port = new MeshPort(mesh, workers + 1, workers, (member) => events[member]?.signal());
    const hub = this.#hub = new HubNic(queues.exit, port, {
      wait: (deadline) => waiter.wait(deadline),
      drain: () => bell.drain(),
      wake: () => waiter.wake(),
      close: () => void this.#end(),
    });
    let crew: Crew | undefined, ended: Promise<void> | undefined;
    const giveBack = () =>
      waiter.close(() => {
        bell.close();
        queues.close();
      });
    // Not before nobody uses the queues any more.
    this.#end = () =>
      ended ??= crew === undefined ? Promise.resolve(giveBack()) : crew.end().then(() => {
        hub.abandon();
        giveBack();
      });
    this.station = openStation(options, output, undefined, (): OpenedNic => ({
      spec: options.nic,
      nic: hub,
      peer: undefined,
      kernelMac: queues.kernelMac,
      isUp: () => queues.isUp(),
      isRunning: () => queues.isRunning(),
      [Symbol.dispose]: () => hub.close(),
    }));
    const { appliance } = this.station;
    const shared: SharedMemory = {
      mesh,
      facts: factsMemory(),
      neighbours: neighbourMemory(appliance.ip.neighbours.capacity),
      counters: counterMemory(workers),
    };
    setPresent(mesh, workers, true);
    const wakeAll = () => queues.handouts.forEach((_, index) => queues.wake(index));
    this.#speaker = new Speaker(appliance, hub, shared, wakeAll);
    this.#services = services;
    const spoken = services.filter(({ service }) => service.speaksForHost === true);
    const flows = services.filter((choice) => !spoken.includes(choice));
    const [a = 0, b = 0, c = 0, d = 0] = crypto.getRandomValues(new Int32Array(4));
    const secret: SipKey = [a, b, c, d];
    const plans = queues.handouts.map((queue, index): ShardPlan => ({
      index,
      workers,
      queue,
      shared,
      events: bells,
      ports: [...OWN_PORTS, ...spoken.map((choice) => choice.port)],
      mac: String(appliance.eth.mac),
      vlan: options.vlan,
      congestion: appliance.congestion,
      secret,
      services: flows.map((choice) => `${choice.service.name}:${choice.port}`),
      timeOrigin: performance.timeOrigin,
      dropsCapabilities,
    }));
    this.#crew = crew = new Crew({
      program,
      plans,
      shared,
      output,
      wake: (index) => queues.wake(index),
      fail: (reason) => hub.fail(reason),
    });
  }

  /** Those of the services that the speaker has, for it to start; Workers start the others. */
  get spokenServices(): readonly ServiceChoice[] {
    return this.#services.filter(({ service }) => service.speaksForHost === true);
  }

  /**
   * Starts the Workers, and answers what ends them. `enough` is called when so many requests have been answered. Throws
   * a CliError when they cannot be started.
   */
  async start(count: number | undefined, enough: () => void): Promise<AsyncDisposable> {
    try {
      await this.#crew.start();
    } catch (error) {
      this.station.close();
      throw error;
    }
    const timer = count === undefined ? undefined : setInterval(() => {
      if (this.#answered() >= count) enough();
    }, COUNTING);
    return {
      [Symbol.asyncDispose]: () => {
        clearInterval(timer);
        return this.#end();
      },
    };
  }

  /** Resolves when all know the host's addresses and routes. */
  async settle(): Promise<void> {
    this.#speaker.follow();
    await this.#crew.settled(this.#speaker.version);
  }

  /** To be called after each cycle of the speaker's. */
  follow(): void {
    this.#speaker.follow();
  }

  /** What all threads have counted. */
  layers(): Layers {
    const own: Layers = [...layers(this.#appliance), ["workers", this.#hub.port.counters]];
    return sumCounters(own, this.#crew.counters());
  }

  /** What the control socket asks for the Workers. */
  get workers(): ControlledWorkers {
    return {
      list: () => this.#crew.list().map((info) => ({ ...info })),
      restart: async (worker) => {
        const info = await this.#crew.restart(worker);
        return info === undefined ? undefined : { ...info };
      },
    };
  }

  /** Answers requests of the control socket. */
  get answer(): typeof answer {
    return answerForAll(this.#crew, this.#speaker, () => this.layers());
  }

  /** Requests answered, of all kinds. */
  #answered(): number {
    const labels = ["icmp", ...this.#services.map(labelOf)];
    const counters: readonly Readonly<Record<string, number>>[] = this.layers().filter(([layer]) => {
      return labels.includes(layer);
    }).map(([, counters]) => ({ ...counters }));
    return counters.reduce((sum, { answered = 0 }) => sum + answered, 0);
  }

  get #appliance(): Appliance {
    return this.station.appliance;
  }
}

/** What wakes this thread, and what it waits with. Throws a NicError. */
function openBell(name: string): { bell: EventFd; waiter: Waiter } {
  const bell = EventFd.make(name);
  try {
    return { bell, waiter: new Waiter(bell.fd, name) };
  } catch (error) {
    bell.close();
    throw error;
  }
}

/** Throws a UsageError for what there is for one thread only. */
export function refuseForWorkers({ nic, pcap, fault, filter, tunnel, verbose }: StationOptions): void {
  if (nic.kind === "link") throw new UsageError("--workers: a wire in memory has no queues; leave it out");
  const refused = [
    [verbose, "--verbose", `look at the other end, as with: tcpdump -i ${nic.name}`],
    [pcap, "--pcap", `capture at the other end, as with: tcpdump -i ${nic.name} -w FILE`],
    [fault, "--fault", `let the kernel do it, as with: tc qdisc add dev ${nic.name} root netem loss 1%`],
    [filter, "--filter", "it is for one thread"],
    [tunnel, "--tunnel", "all its packets would be one flow's, and so one worker's"],
  ] as const;
  for (const [value, option, reason] of refused) {
    if (value !== undefined) throw new UsageError(`${option}: not together with --workers: ${reason}`);
  }
}
