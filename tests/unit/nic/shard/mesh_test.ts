import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { RecordKind } from "../../../../nic/shard/frame-ring.ts";
import { MEMBERS_MAX, meshMemory, MeshPort, setPresent } from "../../../../nic/shard/mesh.ts";
import { Frame, HEADROOM } from "../../../../stack/frame.ts";

function frame(...bytes: number[]): Frame {
  const made = new Frame(new Uint8Array(HEADROOM + 100));
  ok(made.resize(bytes.length));
  made.bytes.set(bytes, made.start);
  return made;
}

/** Three members, all present, and who was woken. */
function three(): { memory: SharedArrayBuffer; ports: MeshPort[]; woken: number[] } {
  const memory = meshMemory(3);
  const woken: number[] = [];
  const ports = [0, 1, 2].map((index) => new MeshPort(memory, 3, index, (member) => woken.push(member)));
  for (const index of [0, 1, 2]) setPresent(memory, index, true);
  return { memory, ports, woken };
}

Deno.test("mesh: a frame reaches the member that it was put for, and nobody else", () => {
  const { ports: [a, b, c] } = three();
  ok(a!.pass(2, frame(1, 2), 4));
  ok(b!.isEmpty && !c!.isEmpty && a!.isEmpty);
  const into = frame();
  equal(b!.take(into), false);
  ok(c!.take(into));
  deepEqual([into.length, c!.note.left, c!.note.kind], [2, 4, RecordKind.Frame]);
  deepEqual({ ...a!.counters }, { passed: 1, taken: 0, notPassed: 0, notTaken: 0 });
  deepEqual({ ...c!.counters }, { passed: 0, taken: 1, notPassed: 0, notTaken: 0 });
});

Deno.test("mesh: who puts is heard in turn, whatever the others put", () => {
  const { ports: [a, b, c] } = three();
  for (let count = 0; count < 5; count++) a!.pass(2, frame(0), 0);
  b!.pass(2, frame(1), 0);
  const into = frame();
  const order = Array.from({ length: 3 }, () => c!.take(into) && into.bytes[into.start]);
  ok(order.includes(1), String(order));
});

Deno.test("mesh: each member is woken once for all that was put for it", () => {
  const { ports: [a], woken } = three();
  a!.pass(1, frame(0), 0);
  a!.pass(1, frame(0), 0);
  a!.pass(2, frame(0), 0);
  deepEqual(woken, []);
  a!.flush();
  deepEqual(woken, [1, 2]);
  a!.flush();
  deepEqual(woken, [1, 2]);
});

Deno.test("mesh: a question is told from a frame", () => {
  const { ports: [a, , c] } = three();
  ok(a!.ask(2, frame(7)));
  ok(c!.take(frame()));
  equal(c!.note.kind, RecordKind.Question);
});

Deno.test("mesh: nothing is put for a member that is not there, or whose line is full, and both are counted", () => {
  const { memory, ports: [a] } = three();
  setPresent(memory, 1, false);
  equal(a!.isPresent(1), false);
  equal(a!.pass(1, frame(0), 0), false);
  equal(a!.counters.notPassed, 1);
  setPresent(memory, 1, true);
  let count = 0;
  while (a!.pass(1, frame(0), 0)) count++;
  ok(count > 1_000);
  equal(a!.counters.notPassed, 2);
  equal(a!.counters.passed, count);
});

Deno.test("mesh: frames for a member that has ended are counted, by all lines, and questions are not", () => {
  const { ports: [a, b, c] } = three();
  a!.pass(2, frame(0), 0);
  b!.pass(2, frame(0), 0);
  b!.ask(2, frame(7));
  a!.pass(1, frame(0), 0);
  c!.abandon(frame());
  deepEqual({ ...c!.counters }, { passed: 0, taken: 0, notPassed: 0, notTaken: 2 });
  ok(c!.isEmpty && !b!.isEmpty);
});

Deno.test("mesh: it has 2 members at least and as many as it has words for", () => {
  for (const members of [0, 1, MEMBERS_MAX + 1]) throws(() => meshMemory(members), RangeError);
});
