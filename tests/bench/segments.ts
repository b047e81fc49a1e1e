/**
 * `segments`: what a TCP segment costs in memory that comes in a burst, each by itself and joined (GRO).
 *
 * Each case and round is a process of its own, and the cases take turns.
 *
 * @module
 */
import { beside, deno, output } from "./process.ts";
import type { Benchmark } from "./report.ts";
import type { SegmentsCase } from "./segments-case.ts";

type Load = Omit<SegmentsCase, "joined" | "bursts">;

const LOADS: readonly [string, Load][] = [
  ["discarded, bursts of 32", { trusted: false, kept: false, burst: 32 }],
  ["the same, checksums verified by the NIC", { trusted: true, kept: false, burst: 32 }],
  ["kept in a buffer and read, bursts of 32", { trusted: false, kept: true, burst: 32 }],
  ["discarded, bursts of 2", { trusted: false, kept: false, burst: 2 }],
  ["discarded, one by one", { trusted: false, kept: false, burst: 1 }],
];

/** The benchmark. */
export const segments: Benchmark = {
  name: "segments",
  about: "TCP segments of 1,448 B to their user, in memory; processor time",
  async run(report, quick) {
    for (const [title, load] of LOADS) {
      const values = { alone: [] as number[], joined: [] as number[] };
      for (let round = 0; round < (quick ? 1 : 5); round++) {
        values.alone.push(await sample({ ...load, joined: false }, quick));
        values.joined.push(await sample({ ...load, joined: true }, quick));
      }
      report.figure({ title, unit: "ns/segment", values: values.alone });
      report.figure({ title: "  joined", unit: "ns/segment", values: values.joined });
    }
  },
};

async function sample(load: Omit<SegmentsCase, "bursts">, quick: boolean): Promise<number> {
  const bursts = Math.round((quick ? 100_000 : 1_000_000) / load.burst);
  return Number(await output(deno(beside("segments-case.ts"), JSON.stringify({ ...load, bursts }))));
}
