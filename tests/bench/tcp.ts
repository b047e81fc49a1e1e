/**
 * `tcp`: the services over TCP on a TAP, with the kernel as the client, in a network namespace of its own.
 *
 * @module
 */
import { namespaceSupport } from "../../nic/linux/netns.ts";
import { beside, deno, output } from "./process.ts";
import type { Benchmark, Figure } from "./report.ts";

/** The benchmark. */
export const tcp: Benchmark = {
  name: "tcp",
  about: "the kernel's TCP talks to ours over a TAP without offloads",
  async run(report, quick) {
    const { prefix, reason } = await namespaceSupport();
    if (prefix === undefined) {
      report.note(`skipped: ${reason}`);
      return;
    }
    const text = await output([...prefix, ...deno(beside("tcp-load.ts"), quick ? "quick" : "full")]);
    for (const line of text.trim().split("\n")) report.figure(JSON.parse(line) as Figure);
  },
};
