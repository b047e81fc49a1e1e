/**
 * `workers`: the web server with one thread and with two, with the kernel and `wrk` as client: requests a second, and
 * what one costs of all threads' processor time.
 *
 * @module
 */
import { namespaceSupport } from "../../nic/linux/netns.ts";
import { findProgram } from "../../scripts/setup/programs.ts";
import { beside, deno, output } from "./process.ts";
import type { Benchmark, Figure } from "./report.ts";

/** The benchmark. */
export const workers: Benchmark = {
  name: "workers",
  about: "serve http with one thread and with two, with wrk and 50 connections",
  async run(report, quick) {
    const { prefix, reason } = await namespaceSupport();
    if (prefix === undefined || findProgram("wrk") === undefined) {
      report.note(`skipped: ${reason ?? "wrk is not installed; deno task setup"}`);
      return;
    }
    const figures = new Map<string, Figure & { readonly values: number[] }>();
    for (let round = 0; round < (quick ? 1 : 3); round++) {
      // In turn, so that whatever else the machine does strikes both.
      for (const count of ["1", "2"]) {
        const text = await output([...prefix, ...deno(beside("workers-load.ts"), count, quick ? "1" : "3")]);
        for (const line of text.trim().split("\n")) {
          const figure: Figure = JSON.parse(line);
          const kept = figures.get(figure.title);
          if (kept === undefined) figures.set(figure.title, { ...figure, values: [...figure.values] });
          else kept.values.push(...figure.values);
        }
      }
    }
    for (const figure of figures.values()) report.figure(figure);
  },
};
