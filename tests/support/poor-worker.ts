/**
 * A Worker for tests that says that it runs, and then fails as it is told to: see `apps/shard/plan.ts`. It imports
 * nothing, so that it starts quickly.
 *
 * @module
 */

globalThis.addEventListener("message", (event) => {
  const [port] = event instanceof MessageEvent ? event.ports : [];
  if (!(event instanceof MessageEvent) || port === undefined) return;
  const { shared, services } = event.data;
  new Float64Array(shared.counters, 0, 1)[0] = 7;
  const turns = new Int32Array(shared.facts, 20, 1);
  port.addEventListener("message", ({ data }) => {
    const { kind, id, line } = data;
    // Who does not hear goes on with what it does, and shows it.
    if (kind === "end" && services[0] === "deaf") setInterval(() => Atomics.add(turns, 0, 1), 1);
    else if (kind === "end" && services[0] === "bad end") {
      port.postMessage({ kind: "failed", reason: "it could not end", isNicGone: false });
    } else if (kind === "end") port.postMessage({ kind: "ended" });
    else if (kind === "follow") port.postMessage({ kind: "reply", id, reply: { ok: true, result: [] } });
    else if (line === "fail") {
      port.postMessage({ kind: "failed", reason: "it was told to fail", isNicGone: false });
    } else if (line === "lose") {
      port.postMessage({ kind: "failed", reason: "tap0 has been removed", isNicGone: true });
    }
  });
  port.start();
  // What is broken once ran the first time.
  const runs = new Int32Array(shared.facts, 16, 1);
  const before = Atomics.add(runs, 0, 1);
  const isBroken = services[0] === "broken" || (services[0] === "broken once" && before > 1) ||
    (services[0] === "broken fourth" && before === 3);
  if (isBroken) port.postMessage({ kind: "failed", reason: "it is broken", isNicGone: false });
  else port.postMessage({ kind: "ready", names: [["tcp", ["accepted"]]] });
});
