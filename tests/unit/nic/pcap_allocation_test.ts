import assert from "node:assert/strict";
import { BpfProgram, DropWatch, EthCounters, IpCounters, PcapWriter } from "../../../mod.ts";

/** Less than any object, or a number that is no small integer, takes: room for what the engine itself does. */
const LIMIT = 8;

/** Heap bytes that one call takes, once the engine has optimised it: the middle of many short runs. */
function heapPerCall(call: (index: number) => void): number {
  const CALLS = 2_000;
  let index = 0;
  const run = () => {
    const before = Deno.memoryUsage().heapUsed;
    for (let count = 0; count < CALLS; count++) call(index++);
    return (Deno.memoryUsage().heapUsed - before) / CALLS;
  };
  for (let warm = 0; warm < 100; warm++) run();
  return Array.from({ length: 51 }, run).sort((a, b) => a - b)[25]!;
}

Deno.test("pcap allocation: writing a frame, of any length, with a comment or not, allocates nothing", () => {
  const arena = new Uint8Array(2_048 * 64);
  for (const length of [60, 1_514]) {
    const writer = new PcapWriter(() => {}, { wallClock: 1_700_000_000_000_000 });
    const bytes = heapPerCall((index) => {
      const start = (index & 31) * 2_048 + 128;
      writer.begin(arena, start, start + length, index, (index & 1) === 0 ? "in" : "out");
      writer.finish((index & 7) === 0 ? "dropped: ip.wrongChecksum" : undefined);
    });
    assert.ok(bytes < LIMIT, `${bytes} bytes a frame of ${length}`);
  }
});

Deno.test("pcap allocation: asking for the drop reason allocates nothing", () => {
  const eth = new EthCounters(), ip = new IpCounters();
  const watch = new DropWatch({ eth, ip });
  let drops = 0;
  const bytes = heapPerCall((index) => {
    eth.received++;
    if ((index & 7) === 0) ip.malformed++;
    if (watch.reason() !== undefined) drops++;
  });
  assert.ok(drops > 1_000);
  assert.ok(bytes < LIMIT, `${bytes} bytes a frame`);
});

Deno.test("filter allocation: running a program allocates nothing, whatever 32-bit values it computes", () => {
  const program = new BpfProgram([
    { code: 0x00, jt: 0, jf: 0, k: 0xffff_ff00 },
    { code: 0x02, jt: 0, jf: 0, k: 3 },
    { code: 0x20, jt: 0, jf: 0, k: 4 },
    { code: 0x61, jt: 0, jf: 0, k: 3 },
    { code: 0x3c, jt: 0, jf: 0, k: 0 },
    { code: 0x0c, jt: 0, jf: 0, k: 0 },
    { code: 0x2d, jt: 0, jf: 1, k: 0 },
    { code: 0x16, jt: 0, jf: 0, k: 0 },
    { code: 0x06, jt: 0, jf: 0, k: 0 },
  ]);
  const frame = new Uint8Array(64).fill(0xff);
  let kept = 0;
  const bytes = heapPerCall(() => {
    if (program.run(frame, 0, 64) !== 0) kept++;
  });
  assert.ok(kept > 1_000);
  assert.ok(bytes < LIMIT, `${bytes} bytes a run`);
});
