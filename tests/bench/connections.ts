/**
 * `connections`: what a short connection costs: connect, one byte there and back, close. In memory, and over a TAP with
 * the kernel as the client.
 *
 * Each case in memory and each round is a process of its own, and the cases take turns.
 *
 * @module
 */
import { namespaceSupport } from "../../nic/linux/netns.ts";
import type { ConnectionsCase, ConnectionsCost } from "./connections-case.ts";
import { beside, deno, output } from "./process.ts";
import type { Benchmark, Figure, Report } from "./report.ts";

const CONTROLS = ["cubic", "bbr"] as const;

/** The benchmark. */
export const connections: Benchmark = {
  name: "connections",
  about: "connect, a byte there and back, close: in memory, and over a TAP beside the kernel's own server",
  async run(report, quick) {
    await inMemory(report, quick);
    const { prefix, reason } = await namespaceSupport();
    if (prefix === undefined) {
      report.note(`over a TAP: skipped: ${reason}`);
      return;
    }
    const text = await output([...prefix, ...deno(beside("connections-load.ts"), quick ? "quick" : "full")]);
    for (const line of text.trim().split("\n")) report.figure(JSON.parse(line) as Figure);
  },
};

async function inMemory(report: Report, quick: boolean): Promise<void> {
  const costs = CONTROLS.map((congestion) => ({ congestion, values: [] as ConnectionsCost[] }));
  for (let round = 0; round < (quick ? 1 : 5); round++) {
    for (const { congestion, values } of costs) {
      const what: ConnectionsCase = { congestion, parallel: 50, count: quick ? 30_000 : 200_000 };
      values.push(JSON.parse(await output(deno(beside("connections-case.ts"), JSON.stringify(what)))));
    }
  }
  for (const { congestion, values } of costs) {
    const title = `in memory, ${congestion}, 50 at a time`;
    report.figure({
      title: `${title}: server`,
      unit: "us",
      values: values.map((cost) => cost.server),
      digits: 2,
    });
    report.figure({
      title: `${title}: client`,
      unit: "us",
      values: values.map((cost) => cost.client),
      digits: 2,
    });
    const allocated = values.map((cost) => cost.allocated);
    report.figure({ title: `${title}: allocated by both`, unit: "B", values: allocated });
  }
}
