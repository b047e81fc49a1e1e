/**
 * `sim`: how fast two hosts exchange datagrams over a perfect simulated link.
 *
 * @module
 */
import type { Benchmark } from "./report.ts";
import { simUdp } from "./sim_udp.ts";

/** The benchmark. */
export const sim: Benchmark = {
  name: "sim",
  about: "two hosts, UDP echo over a simulated link, 64 outstanding; packets both ways counted",
  run(report, quick) {
    const packets = quick ? 500_000 : 2_000_000;
    for (const length of [18, 1_472]) {
      const results = Array.from(
        { length: quick ? 2 : 5 },
        () => simUdp({ packets, outstanding: 64, length }),
      );
      const title = `UDP echo, ${length} B`;
      const rates = results.map(({ seconds }) => packets / seconds / 1e6);
      report.figure({ title, unit: "M packets/s", digits: 2, values: rates });
      const growth = results.map(({ heapBytesPerPacket }) => heapBytesPerPacket);
      report.figure({ title: "  heap growth", unit: "B/packet", digits: 3, values: growth });
    }
  },
};
