/**
 * `nics`: the same host on every kind of NIC, each in a network namespace of its own, with the kernel on the other side.
 *
 * @module
 */
import { namespaceSupport } from "../../nic/linux/netns.ts";
import { CABLES } from "../support/cables.ts";
import { beside, deno, output } from "./process.ts";
import type { Benchmark, Figure } from "./report.ts";

/** The benchmark. */
export const nics: Benchmark = {
  name: "nics",
  about: "UDP and TCP echo by the appliance on every kind of NIC, with the kernel as client",
  async run(report, quick) {
    const { prefix, reason } = await namespaceSupport();
    if (prefix === undefined) {
      report.note(`skipped: ${reason}`);
      return;
    }
    const rounds = quick ? 1 : 5;
    const figures = new Map<string, { unit: string; digits: number; values: number[] }>();
    for (let round = 0; round < rounds; round++) {
      for (const { name } of CABLES) {
        const text = await output([
          ...prefix,
          ...deno(beside("nics-load.ts"), name, quick ? "quick" : "full"),
        ]);
        for (const line of text.trim().split("\n")) add(figures, JSON.parse(line) as Figure);
      }
    }
    for (const [title, figure] of figures) report.figure({ title, ...figure });
  },
};

function add(
  figures: Map<string, { unit: string; digits: number; values: number[] }>,
  { title, unit, values, digits = 0 }: Figure,
): void {
  const figure = figures.get(title) ?? { unit, digits, values: [] };
  figure.values.push(...values);
  figures.set(title, figure);
}
