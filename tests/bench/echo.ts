/**
 * `echo`: what the layers cost, in memory, with every checksum verified and written.
 *
 * Each case and round is a process of its own, and the cases take turns, so that what the machine does meanwhile
 * falls on all of them alike.
 *
 * @module
 */
import type { EchoSample } from "./echo-case.ts";
import { type CaseName, CASES } from "./echo-trees.ts";
import { beside, deno, output, plainDeno } from "./process.ts";
import { type Benchmark, median, type Report } from "./report.ts";

const NAMES = Object.keys(CASES) as CaseName[];

/** The benchmark. */
export const echo: Benchmark = {
  name: "echo",
  about: "echoes in memory, one slot; processor time, since other programs may use the machine",
  async run(report, quick) {
    const samples = new Map<CaseName, EchoSample[]>(NAMES.map((name) => [name, []]));
    const untuned: EchoSample[] = [];
    for (let round = 0; round < (quick ? 2 : 9); round++) {
      for (const name of NAMES) {
        samples.get(name)?.push(await sample(deno, name, quick));
      }
      untuned.push(await sample(plainDeno, "icmp", quick));
    }
    for (const name of NAMES) write(report, name, samples.get(name) ?? []);
    const values = untuned.map(({ cpu }) => cpu);
    report.figure({ title: "ICMP echo, eth + ip + icmp, V8 as it is by itself", unit: "ns/packet", values });
    breakdown(report, (name) => median((samples.get(name) ?? []).map(({ cpu }) => cpu)));
  },
};

async function sample(run: typeof deno, name: CaseName, quick: boolean): Promise<EchoSample> {
  return JSON.parse(await output(run(beside("echo-case.ts"), name, quick ? "0.3" : "0.6"))) as EchoSample;
}

function write(report: Report, name: CaseName, samples: readonly EchoSample[]): void {
  const { title, answers } = CASES[name];
  report.figure({ title, unit: "ns/packet", values: samples.map(({ cpu }) => cpu) });
  if (!answers) return;
  const rates = samples.map(({ cpu }) => 1e3 / cpu);
  report.figure({ title: "  packets a processor second", unit: "M/s", digits: 2, values: rates });
  report.figure({ title: "  real time", unit: "ns/packet", values: samples.map(({ wall }) => wall) });
  const growth = samples.map(({ heap }) => heap);
  report.figure({ title: "  heap growth", unit: "B/packet", digits: 3, values: growth });
}

/** What each part adds, as differences of the medians. */
function breakdown(report: Report, cost: (name: CaseName) => number): void {
  const parts: readonly [string, number][] = [
    ["harness", cost("harness")],
    ["eth receives", cost("eth") - cost("harness")],
    ["ip receives", cost("ip") - cost("eth")],
    ["icmp receives, all three answer", cost("icmp") - cost("ip")],
    ["of all that, the checksums", cost("icmp") - cost("unsummed")],
    ["layers over bytes", cost("icmp") - cost("bytes")],
  ];
  for (const [part, value] of parts) {
    report.figure({ title: `ICMP echo, by layer: ${part}`, unit: "ns/packet", values: [value] });
  }
}
