/** The Worker's side: a stack on a queue until it is told to end, or fails. */
import {
  dropCapabilities,
  EventFd,
  followClock,
  Mac,
  MeshPort,
  openQueue,
  ShardNic,
  Sorter,
} from "../../mod.ts";
import { messageOf } from "../cli/errors.ts";
import { answer } from "../control/commands.ts";
import { parseService, startServices } from "../services/registry.ts";
import type { ServiceChoice } from "../services/service.ts";
import { counterNames } from "./counter-board.ts";
import type { Order, ShardPlan, Word } from "./plan.ts";
import { Shard } from "./shard.ts";

/** Whether this thread is a Worker, and not the program's own. */
export function isWorker(): boolean {
  return "WorkerGlobalScope" in globalThis;
}

/** Waits for its plan and is what that says. */
export function beWorker(): void {
  globalThis.addEventListener("message", (event) => {
    const [port] = event instanceof MessageEvent ? event.ports : [];
    if (event instanceof MessageEvent && port !== undefined) void run(event.data, port);
  }, { once: true });
}

/** What nobody catches, in a timer or for want of an await, is caught here: Deno would print where it was thrown. */
const broken: Promise<never> = new Promise((_, reject) => {
  if (!isWorker()) return;
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    reject(event.error);
  });
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    reject(event.reason);
  });
});

/** Never throws: what goes wrong is told. */
async function run(plan: ShardPlan, port: MessagePort): Promise<void> {
  const say = (word: Word) => port.postMessage(word);
  let nic: ShardNic | undefined, shard: Shard | undefined;
  let isNicGone = false;
  try {
    if (plan.dropsCapabilities) dropCapabilities();
    followClock(plan.timeOrigin);
    nic = openShard(plan);
    const end = new AbortController();
    const made = shard = new Shard({
      nic,
      shared: plan.shared,
      mac: Mac.parse(plan.mac),
      vlan: plan.vlan,
      congestion: plan.congestion,
      secret: plan.secret,
      applied: (version, connections) => say({ kind: "applied", version, connections }),
    });
    const services = plan.services.reduce<readonly ServiceChoice[]>(
      (all, text) => parseService(text, all),
      [],
    );
    startServices(made.appliance, services);
    const host = { appliance: made.appliance, nic: nic.name, stop: () => end.abort() };
    port.addEventListener("message", ({ data }: MessageEvent<Order>) => {
      if (data.kind === "end") return end.abort();
      const { id } = data;
      if (data.kind === "request") {
        return void answer(host, data.line).then((reply) => say({ kind: "reply", id, reply }));
      }
      made.follow();
      made.publish();
      say({ kind: "reply", id, reply: { ok: true, result: [] } });
    });
    port.start();
    made.publish();
    say({ kind: "ready", names: counterNames(made.layers) });
    await Promise.race([broken, made.appliance.run(end.signal, made.tree(), () => made.follow())]);
    await close(nic, shard);
    say({ kind: "ended" });
  } catch (error) {
    isNicGone = nic?.failure !== undefined;
    await close(nic, shard);
    say({ kind: "failed", reason: messageOf(error), isNicGone });
  }
}

function openShard({ index, workers, queue, shared, events, ports }: ShardPlan): ShardNic {
  const nic = openQueue(queue);
  const bells = events.map((fd) => new EventFd(fd));
  const port = new MeshPort(shared.mesh, workers + 1, index, (member) => bells[member]?.signal());
  return new ShardNic(nic, port, new Sorter(nic.info.medium, ports));
}

/** Leaves its counters, and nothing that another thread is waiting in. */
async function close(nic: ShardNic | undefined, shard: Shard | undefined): Promise<void> {
  shard?.publish();
  nic?.close();
  // A wait that is under way uses this thread's memory.
  await nic?.ready();
}
