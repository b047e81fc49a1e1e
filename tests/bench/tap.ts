/**
 * `tap`: a host on a TAP that the kernel talks to, in a network namespace of its own.
 *
 * @module
 */
import { namespaceSupport } from "../../nic/linux/netns.ts";
import { beside, deno, output } from "./process.ts";
import type { Benchmark, Figure } from "./report.ts";

/** The benchmark. */
export const tap: Benchmark = {
  name: "tap",
  about: "the kernel talks to the appliance, and to a reflector without a stack on the same kind of NIC",
  async run(report, quick) {
    const { prefix, reason } = await namespaceSupport();
    if (prefix === undefined) {
      report.note(`skipped: ${reason}`);
      return;
    }
    const text = await output([...prefix, ...deno(beside("tap-load.ts"), quick ? "quick" : "full")]);
    for (const line of text.trim().split("\n")) report.figure(JSON.parse(line) as Figure);
  },
};
