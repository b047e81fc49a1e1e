/** How fast the window of cubic+ opens: as RFC 9438 has it, and faster where most losses show no congestion. */
import assert from "node:assert/strict";
import { type Instant, milliseconds, seconds } from "../../../stack/store/time.ts";
import { Cubic } from "../../../stack/tcp/congestion/cubic.ts";
import { CubicPlus } from "../../../stack/tcp/congestion/cubic-plus.ts";
import { MSS } from "./transfer.ts";

const RTT = milliseconds(20);
const WINDOW = 2_000;
/** RFC 9438 4.2: in twice K the window is three tenths above the one before the reduction, and grows fast. */
const TWICE_K = seconds(2 * Math.cbrt(WINDOW * 0.3 / 0.4)), ABOVE = 1.3 * WINDOW;

/** A reduction at that window, so many losses having been spared since the one before. */
function reduce<T extends Cubic>(control: T, spared = 0): T {
  if (control instanceof CubicPlus) control.judge.spared = spared;
  control.cwnd = WINDOW * MSS;
  control.onLoss(WINDOW * MSS, 0);
  control.onRecovered();
  return control;
}

/** A control that was reduced once at its start. */
function begin<T extends Cubic>(control: T): T {
  control.reset(MSS);
  return reduce(control);
}

/** Whether the window is there when it should be at such a pace. */
function assertPace(control: Cubic, pace: number): void {
  const end = Math.round(TWICE_K / pace / RTT) * RTT;
  run(control, 0, end);
  const late = (end - TWICE_K / pace) / seconds(1) * pace;
  const expected = ABOVE + late * 3 * 0.4 * (TWICE_K / 2 / seconds(1)) ** 2;
  assert.ok(Math.abs(control.cwnd / MSS - expected) < 10, `${pace}: ${control.cwnd / MSS}, not ${expected}`);
}

/** Round trips from `from` to `until`, with an acknowledgment for every hundredth of the window. */
function run(control: Cubic, from: Instant, until: Instant): void {
  for (let now = from; now < until; now += RTT) {
    const acked = Math.floor(control.cwnd / 100);
    for (let i = 0; i < 100; i++) control.onAck(acked, RTT, now + Math.floor(i * RTT / 100), true);
  }
}

Deno.test("cubic+: its window is CUBIC's while no loss is spared, from start to after a timeout (RFC 9438 4.2)", () => {
  const own = begin(new CubicPlus()), cubic = begin(new Cubic());
  for (const control of [own, cubic]) run(control, 0, TWICE_K);
  assert.equal(own.cwnd, cubic.cwnd);
  for (const control of [own, cubic]) {
    control.onTimeout(1_000 * MSS, 0);
    run(control, 0, TWICE_K);
  }
  assert.equal(own.cwnd, cubic.cwnd);
});

Deno.test("cubic+: for each loss that is spared time passes once more as fast, but no more than five times", () => {
  for (const [spared, pace] of [[0, 1], [1, 2], [3, 4], [4, 5], [5, 5], [1_000, 5]] as const) {
    const control = begin(new CubicPlus());
    control.judge.spared = spared;
    assertPace(control, pace);
  }
});

Deno.test("cubic+: what time has added so far stays when its pace becomes another", () => {
  const control = begin(new CubicPlus());
  run(control, 0, TWICE_K);
  const before = control.cwnd;
  control.judge.spared = 4;
  run(control, TWICE_K, TWICE_K + RTT);
  assert.ok(control.cwnd > before && control.cwnd < before + 100 * MSS, `${before} to ${control.cwnd}`);
});

Deno.test("cubic+: what was spared counts behind a reduction as well, by a quarter, and less behind others", () => {
  for (const [others, pace] of [[0, 1.5], [1, 1.375], [2, 1.28125], [30, 1]] as const) {
    const control = reduce(begin(new CubicPlus()), 2);
    for (let i = 0; i < others; i++) reduce(control);
    assertPace(control, pace);
  }
});

Deno.test("cubic+: however many were spared, six reductions that were not bring it back", () => {
  const control = begin(new CubicPlus());
  for (let i = 0; i < 100; i++) reduce(control, 1_000);
  for (let i = 0; i < 6; i++) reduce(control);
  assertPace(control, 1 + 4 * 0.75 ** 6);
});

Deno.test("cubic+: where time passes faster no round trip adds more than a 64th, which is no queue yet", () => {
  // An acknowledgment for every hundredth of a window adds up, so that 1 + x becomes up to e to the x.
  for (const [spared, least, most] of [[0, 1.4, Math.exp(0.5)], [1, 1.014, Math.exp(1 / 64)]] as const) {
    const control = begin(new CubicPlus());
    run(control, 0, RTT);
    control.judge.spared = spared;
    const before = control.cwnd;
    // In a recovery of a minute the function has run far ahead.
    for (let i = 0; i < 100; i++) control.onAck(Math.floor(before / 100), RTT, seconds(60), true);
    const growth = control.cwnd / before;
    assert.ok(growth > least && growth < most, `${growth}`);
  }
});
