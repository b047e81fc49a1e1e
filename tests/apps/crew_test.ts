/** Workers that fail, and what is made of it. */
import assert from "node:assert/strict";
import { Output } from "../../apps/cli/output.ts";
import { counterMemory } from "../../apps/shard/counter-board.ts";
import { Crew } from "../../apps/shard/crew.ts";
import { factsMemory } from "../../apps/shard/facts.ts";
import { neighbourMemory } from "../../apps/shard/neighbour-board.ts";
import type { ShardPlan } from "../../apps/shard/plan.ts";
import type { SharedMemory } from "../../apps/shard/shard.ts";
import { meshMemory, MeshPort } from "../../nic/shard/mesh.ts";

/** A crew of one or more that does what `behaviour` says, and what it has told. */
function crewOf(count: number, behaviour: string = "") {
  const shared: SharedMemory = {
    mesh: meshMemory(count + 1),
    facts: factsMemory(),
    neighbours: neighbourMemory(16),
    counters: counterMemory(count),
  };
  let out = "", err = "";
  const gone: string[] = [];
  const io = { out: (text: string) => out += text, err: (text: string) => err += text, colors: false };
  const crew = new Crew({
    program: new URL("../support/poor-worker.ts", import.meta.url).href,
    plans: Array.from({ length: count }, (_, index): ShardPlan => ({
      index,
      workers: count,
      queue: {
        kind: "tap",
        name: "none0",
        attachment: {
          fd: -1,
          created: false,
          shared: true,
          offloads: { header: false, checksum: false, tcp: false, udp: false },
        },
      },
      shared,
      events: [],
      ports: [],
      mac: "02:00:00:00:00:01",
      vlan: undefined,
      congestion: "cubic",
      secret: [1, 2, 3, 4],
      services: [behaviour],
      timeOrigin: 0,
      dropsCapabilities: false,
    })),
    shared,
    output: new Output(io, { json: true }),
    wake: () => {},
    fail: (reason) => gone.push(reason),
  });
  const port = new MeshPort(shared.mesh, count + 1, count, () => {});
  const turns = new Int32Array(shared.facts, 20, 1);
  return { crew, gone, port, told: () => ({ out, err }), turns: () => Atomics.load(turns, 0) };
}

/** Resolves when something is so. */
async function until(isSo: () => boolean): Promise<void> {
  for (const end = performance.now() + 30_000; !isSo();) {
    assert.ok(performance.now() < end, String(isSo));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const restarts = (crew: Crew): number[] => crew.list().map((one) => one.restarts);
const isRunning = (crew: Crew): boolean => crew.list().every(({ state }) => state === "running");

Deno.test("crew: a worker that fails is started again, told of once, and what it counted is kept", async () => {
  const { crew, port, told } = crewOf(2);
  await crew.start();
  assert.ok(port.isPresent(0) && port.isPresent(1));
  void crew.request("fail");
  await until(() => restarts(crew).every((count) => count === 1) && isRunning(crew));
  const { out, err } = told();
  const events = out.trim().split("\n").map((line): Record<string, unknown> => JSON.parse(line));
  assert.deepEqual(
    events.map(({ event, change, reason }) => [event, change, reason]),
    Array(2).fill(["worker", "failed", "it was told to fail"]),
  );
  assert.match(
    err,
    /^(ethox: warning: worker \d has failed and is started again; [^\n]*: it was told to fail\n){2}$/,
  );
  assert.deepEqual(
    crew.counters(),
    [["tcp", { accepted: 14 }]],
    "7 of the first one's, and 7 of the next one's",
  );
  assert.ok(port.isPresent(0) && port.isPresent(1));
  await crew.end();
  assert.ok(!port.isPresent(0) && !port.isPresent(1));
});

Deno.test("crew: when a worker cannot be started any more the program is over", async () => {
  const { crew, gone } = crewOf(2, "broken once");
  await crew.start();
  void crew.request("fail");
  await until(() => gone.length > 0);
  assert.match(gone[0]!, /^worker \d cannot be started any more: it is broken$/);
  await crew.end();
});

Deno.test("crew: a worker that has run in between is not given up for one start that failed", async () => {
  const { crew, gone } = crewOf(1, "broken fourth");
  await crew.start();
  for (let failures = 1; failures <= 3; failures++) {
    void crew.request("fail");
    await until(() => restarts(crew)[0]! >= failures);
    await until(() => isRunning(crew) || failures === 3);
  }
  await until(() => isRunning(crew) || gone.length > 0);
  assert.deepEqual([gone, restarts(crew)], [[], [4]]);
  await crew.end();
});

Deno.test("crew: a worker that cannot be started at all is the user's affair", async () => {
  const { crew, told } = crewOf(2, "broken");
  await assert.rejects(crew.start(), /^CliError: worker \d cannot be started: it is broken$/);
  assert.deepEqual(told(), { out: "", err: "" });
});

Deno.test("crew: when the NIC is gone nobody is started again", async () => {
  const { crew, gone, told } = crewOf(2);
  await crew.start();
  await crew.request("lose");
  assert.deepEqual(gone, ["tap0 has been removed", "tap0 has been removed"]);
  assert.deepEqual(crew.list().map(({ state }) => state), ["failed", "failed"]);
  assert.deepEqual(told(), { out: "", err: "" });
  await crew.end();
});

Deno.test("crew: a worker that is restarted by hand is no failure", async () => {
  const { crew, told } = crewOf(2);
  await crew.start();
  assert.deepEqual(await crew.restart(1), { worker: 1, state: "running", restarts: 1 });
  assert.equal(await crew.restart(2), undefined);
  assert.deepEqual(told(), { out: "", err: "" });
  await crew.follow();
  await crew.end();
});

Deno.test("crew: a worker that two ask to restart at once is one worker", async () => {
  const { crew } = crewOf(1);
  await crew.start();
  const both = await Promise.all([crew.restart(0), crew.restart(0)]);
  assert.deepEqual(both, Array(2).fill({ worker: 0, state: "running", restarts: 1 }));
  await crew.end();
});

Deno.test("crew: a worker that is being restarted when all end is not started again", async () => {
  const { crew } = crewOf(1);
  await crew.start();
  const restarting = crew.restart(0);
  await crew.end();
  assert.notEqual((await restarting)?.state, "running");
  assert.deepEqual(restarts(crew), [0]);
});

Deno.test("crew: a worker that fails while it is ended to be restarted is started once", async () => {
  const { crew } = crewOf(1, "bad end");
  await crew.start();
  await crew.restart(0);
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.deepEqual(restarts(crew), [1]);
  await crew.end();
});

Deno.test("crew: a worker that does not end by itself has ended when its queue is given back, or to another", async () => {
  const { crew, turns } = crewOf(1, "deaf");
  await crew.start();
  for (const end of [() => crew.restart(0), () => crew.end()]) {
    const before = turns();
    await end();
    const after = turns();
    assert.ok(after > before, "it went on for a while");
    await new Promise((resolve) => setTimeout(resolve, 40));
    assert.equal(turns(), after);
  }
});
