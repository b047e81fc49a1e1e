import assert from "node:assert/strict";
import { milliseconds, seconds } from "../../../stack/store/time.ts";
import { Pacer } from "../../../stack/tcp/pacing.ts";

const MSS = 1_000;
const START = 0x7fff_0000;

/** Bytes that leave from `start` on for `time`, in whole segments, as soon as they may. */
function sent(pacer: Pacer, rate: number, time: number, start = START): number {
  const control = { pacingRate: rate };
  let bytes = 0;
  for (let passed = 0; passed < time;) {
    const wait = pacer.wait(control, MSS, (start + passed) | 0);
    if (wait > 0) {
      passed += wait;
      continue;
    }
    pacer.take(MSS);
    bytes += MSS;
  }
  return bytes;
}

Deno.test("pacing: what leaves in a second is the rate, but for a burst at the start, whatever the clock's word", () => {
  for (const rate of [10_000, 1e6, 123_456_789]) {
    const bytes = sent(new Pacer(), rate, seconds(1));
    const burst = Math.max(2 * MSS, rate / 1_000) + MSS;
    assert.ok(Math.abs(bytes - rate) <= burst, `${bytes} at ${rate}`);
  }
});

Deno.test("pacing: no burst is longer than a millisecond's worth or two segments (draft-ietf-ccwg-bbr 5.6.3)", () => {
  const pacer = new Pacer();
  const control = { pacingRate: 10e6 };
  const burst = () => {
    let bytes = 0;
    for (; pacer.wait(control, MSS, START) === 0; bytes += MSS) pacer.take(MSS);
    return bytes;
  };
  assert.equal(burst(), 10_000);
  assert.equal(pacer.wait(control, MSS, START + milliseconds(60)), 0);
  const after = pacer.wait(control, MSS, START + milliseconds(60));
  assert.equal(after, 0, "looking costs nothing");
});

Deno.test("pacing: a pause longer than the clock of segments tells leaves a full bucket, not an empty one", () => {
  const pacer = new Pacer();
  const control = { pacingRate: 1e6 };
  while (pacer.wait(control, MSS, 0) === 0) pacer.take(MSS + 1);
  assert.ok(pacer.wait(control, MSS, 1) > 0);
  assert.equal(pacer.wait(control, MSS, seconds(2_400) | 0), 0);
});

Deno.test("pacing: however low the rate, a segment leaves each second", () => {
  const pacer = new Pacer();
  const control = { pacingRate: 1 };
  while (pacer.wait(control, MSS, 0) === 0) pacer.take(MSS);
  assert.ok(pacer.wait(control, MSS, 0) <= seconds(1));
  assert.ok(sent(new Pacer(), 0.01, seconds(20)) >= 20 * MSS);
});
