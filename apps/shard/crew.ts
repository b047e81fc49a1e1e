/** The main thread's side: the Workers, who are started again when they fail. */
import { setPresent } from "../../mod.ts";
import { CliError, ExitStatus } from "../cli/errors.ts";
import type { Output } from "../cli/output.ts";
import type { Reply } from "../control/request.ts";
import { clearCounters, type CounterNames, type Layers, readCounters, sumCounters } from "./counter-board.ts";
import type { Order, ShardPlan, Word } from "./plan.ts";
import type { SharedMemory } from "./shard.ts";

/** How long a Worker may take to start, to answer, and to end, in milliseconds. */
const START = 60_000, PATIENCE = 3_000, FAREWELL = 1_000;

/** How long one that has broken off gets to come back from a system call that uses its memory. */
const RETURN = 50;

/** How long it takes until one that has failed is started again: twice as long after each failure, up to the most. */
const BACK_OFF = { least: 100, most: 5_000 };

/** So many starts in a row that have failed, without it having run in between, and there is no use in one more. */
const STARTS_MAX = 4;

/** One that has lived so long has not failed again, but anew. In milliseconds. */
const LIFE = 60_000;

/** How a {@linkcode Crew} is set up. */
export interface CrewOptions {
  /** The module that Workers are started from. */
  readonly program: string;
  readonly plans: readonly ShardPlan[];
  readonly shared: SharedMemory;
  readonly output: Output;
  /** Ends a Worker's wait for its queue. */
  readonly wake: (index: number) => void;
  /** Called when the host cannot go on: the NIC is gone, or a Worker cannot be started any more. */
  readonly fail: (reason: string) => void;
}

/** A Worker, or what stands in for it while there is none. */
interface Member {
  readonly plan: ShardPlan;
  worker: Worker | undefined;
  port: MessagePort | undefined;
  state: "starting" | "running" | "failed" | "ended";
  names: CounterNames;
  startedAt: number;
  failures: number;
  /** How often it was started since it ran last. */
  starts: number;
  restarts: number;
  /** The version of the facts that it has taken over, and the connections that were reset for them. */
  version: number;
  connections: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  /** Being restarted by hand. */
  restarting: Promise<void> | undefined;
  /** Resolves when the Worker that was lost last uses its queue no more. */
  gone: Promise<void>;
}

/** What is known of a Worker. */
export interface MemberInfo {
  readonly worker: number;
  readonly state: string;
  readonly restarts: number;
}

/** All Workers of a host. */
export class Crew {
  readonly #options: CrewOptions;
  readonly #members: readonly Member[];
  readonly #waiting = new Map<number, (reply: Reply | undefined) => void>();
  /** Who wants to know when something has changed about a Worker. */
  readonly #watchers = new Set<() => void>();
  /** What those have counted that are no more. */
  #past: Layers = [];
  #nextId = 0;
  #isEnding = false;

  constructor(options: CrewOptions) {
    this.#options = options;
    this.#members = options.plans.map((plan): Member => ({
      plan,
      worker: undefined,
      port: undefined,
      state: "ended",
      names: [],
      startedAt: 0,
      failures: 0,
      starts: 0,
      restarts: 0,
      version: 0,
      connections: 0,
      timer: undefined,
      restarting: undefined,
      gone: Promise.resolve(),
    }));
  }

  /** Starts all. Throws a CliError when one cannot be started. */
  async start(): Promise<void> {
    let problem: string | undefined;
    const first = this.#members.map((member) =>
      this.#launch(member, (reason) => problem ??= `worker ${member.plan.index} cannot be started: ${reason}`)
    );
    const isStarted = () => this.#members.every(({ state }) => state === "running");
    await this.#until(() => problem !== undefined || isStarted(), START);
    for (const settle of first) settle();
    if (!isStarted()) problem ??= `the workers have not started within ${START / 1_000} s`;
    if (problem !== undefined) {
      await this.end();
      throw new CliError(ExitStatus.Failed, problem);
    }
  }

  /** What is known of each. */
  list(): readonly MemberInfo[] {
    return this.#members.map(({ plan, state, restarts }) => ({ worker: plan.index, state, restarts }));
  }

  /** What all have counted, those that are no more included. */
  counters(): Layers {
    const now = this.#members.map(({ plan, names }) => {
      return readCounters(this.#options.shared.counters, plan.index, names);
    });
    return sumCounters(this.#past, ...now);
  }

  /** Has all write their counters, and take over what is new. */
  async follow(): Promise<void> {
    await this.#orderAll((id) => ({ kind: "follow", id }));
  }

  /** Has all deal with a request; answers with their replies. */
  request(line: string): Promise<readonly Reply[]> {
    return this.#orderAll((id) => ({ kind: "request", id, line }));
  }

  /** Resolves when all have taken over the facts of this version; answers how many connections were reset for them. */
  async settled(version: number): Promise<number> {
    const all = this.#members;
    await this.#until(() => all.every(({ state, version: has }) => has >= version || state !== "running"));
    return all.reduce((sum, { version: has, connections }) => has === version ? sum + connections : sum, 0);
  }

  /**
   * Ends a Worker and starts another one in its place, the same one for all who ask meanwhile. Undefined: there is no
   * Worker of that number.
   */
  async restart(index: number): Promise<MemberInfo | undefined> {
    const member = this.#members[index];
    if (member === undefined) return undefined;
    await (member.restarting ??= this.#restart(member));
    return this.list()[index];
  }

  /** Ends all. */
  async end(): Promise<void> {
    this.#isEnding = true;
    this.#changed();
    await Promise.all(this.#members.map((member) => this.#end(member)));
  }

  async #restart(member: Member): Promise<void> {
    try {
      await this.#end(member);
      if (this.#isEnding) return;
      this.#launch(member);
      await this.#until(() => member.state === "running" || this.#isEnding, START);
    } finally {
      member.restarting = undefined;
    }
  }

  /** Starts a Worker. `failed` hears of its failures instead of the user until what is answered is called. */
  #launch(member: Member, failed?: (reason: string) => void): () => void {
    const { program } = this.#options;
    const { index } = member.plan;
    let hears = failed;
    clearTimeout(member.timer);
    if (member.startedAt > 0) member.restarts++;
    member.state = "starting";
    member.starts++;
    member.startedAt = performance.now();
    member.version = 0;
    const worker = member.worker = new Worker(program, { type: "module", name: `ethox-${index}` });
    const { port1, port2 } = new MessageChannel();
    member.port = port1;
    const fails = (reason: string, isOver: boolean, isFinal: boolean = false) => {
      if (member.worker !== worker) return;
      this.#lose(member, isOver);
      if (hears !== undefined) hears(reason);
      else if (isFinal) this.#options.fail(reason);
      else this.#startAgain(member, reason);
      this.#changed();
    };
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      fails(event.message, false);
    });
    port1.addEventListener("message", ({ data }: MessageEvent<Word>) => {
      if (member.worker !== worker) return;
      if (data.kind === "failed") fails(data.reason, true, data.isNicGone);
      else this.#heard(member, data);
    });
    port1.start();
    worker.postMessage(member.plan, [port2]);
    return () => hears = undefined;
  }

  #heard(member: Member, word: Exclude<Word, { kind: "failed" }>): void {
    switch (word.kind) {
      case "ready":
        member.names = word.names;
        member.state = "running";
        member.starts = 0;
        setPresent(this.#options.shared.mesh, member.plan.index, true);
        break;
      case "applied":
        member.version = word.version;
        member.connections = word.connections;
        break;
      case "reply":
        this.#waiting.get(word.id)?.(word.reply);
        break;
      case "ended":
        member.state = "ended";
    }
    this.#changed();
  }

  /** One has failed: another one takes its place after a while. */
  #startAgain(member: Member, reason: string): void {
    if (this.#isEnding) return;
    const { index } = member.plan;
    const { output, fail } = this.#options;
    const lived = performance.now() - member.startedAt;
    member.failures = lived > LIFE ? 1 : member.failures + 1;
    // Half a host, whose flows the kernel goes on to share out, is none.
    if (member.starts >= STARTS_MAX) {
      return fail(`worker ${index} cannot be started any more: ${reason}`);
    }
    const delay = Math.min(BACK_OFF.most, BACK_OFF.least * 2 ** (member.failures - 1));
    output.event("worker", { worker: index, change: "failed", reason });
    output.warn(`worker ${index} has failed and is started again; its connections are lost: ${reason}`);
    member.timer = setTimeout(() => this.#launch(member), delay);
  }

  /** One is no more: nothing is put for it, and what it has counted is kept. `isOver`: it has closed its NIC itself. */
  #lose(member: Member, isOver: boolean): void {
    const { shared, wake } = this.#options;
    const { index } = member.plan;
    setPresent(shared.mesh, index, false);
    member.state = "failed";
    const { worker } = member;
    if (isOver) worker?.terminate();
    else {
      wake(index);
      const rest = new Promise((resolve) => setTimeout(resolve, RETURN));
      member.gone = rest.then(() => worker?.terminate());
    }
    member.port?.close();
    member.worker = member.port = undefined;
    this.#past = sumCounters(this.#past, readCounters(shared.counters, index, member.names));
    member.names = [];
    clearCounters(shared.counters, index);
  }

  async #end(member: Member): Promise<void> {
    clearTimeout(member.timer);
    setPresent(this.#options.shared.mesh, member.plan.index, false);
    if (member.worker !== undefined) {
      this.#say(member, { kind: "end" });
      await this.#until(() => member.state === "ended" || member.worker === undefined, FAREWELL);
      if (member.worker !== undefined) this.#lose(member, member.state === "ended");
    }
    await member.gone;
  }

  #say(member: Member, order: Order): void {
    member.port?.postMessage(order);
  }

  async #orderAll(order: (id: number) => Order): Promise<readonly Reply[]> {
    const running = this.#members.filter(({ state }) => state === "running");
    const replies = await Promise.all(running.map((member) => this.#order(member, order)));
    return replies.filter((reply) => reply !== undefined);
  }

  /** Undefined: it did not answer in time, or has failed. */
  async #order(member: Member, order: (id: number) => Order): Promise<Reply | undefined> {
    const id = this.#nextId++;
    let reply: Reply | undefined;
    this.#waiting.set(id, (heard) => reply = heard);
    this.#say(member, order(id));
    await this.#until(() => reply !== undefined || member.state !== "running");
    this.#waiting.delete(id);
    return reply;
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }

  /** Resolves when something is so, or after a while. */
  #until(isSo: () => boolean, limit: number = PATIENCE): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve();
      };
      const look = () => {
        if (isSo()) end();
      };
      const timer = setTimeout(end, limit);
      this.#watchers.add(look);
      look();
    });
  }
}
