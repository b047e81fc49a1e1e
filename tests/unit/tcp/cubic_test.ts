import assert from "node:assert/strict";
import { milliseconds, seconds } from "../../../stack/store/time.ts";
import { Cubic } from "../../../stack/tcp/congestion/cubic.ts";
import { check, fc } from "../../support/property.ts";

const MSS = 1_000;

/** A control whose window was `segments` when a loss was found, and is repaired. */
function afterLossAt(segments: number): Cubic {
  const control = new Cubic();
  control.reset(MSS);
  control.cwnd = segments * MSS;
  control.onLoss(segments * MSS, 0);
  control.onRecovered();
  return control;
}

/** Acknowledges the whole window each round trip, a segment at a time, until `until`. */
function run(control: Cubic, rtt: number, from: number, until: number): void {
  for (let now = from; now < until; now += rtt) {
    const segments = Math.floor(control.cwnd / MSS);
    for (let i = 0; i < segments; i++) control.onAck(MSS, rtt, now + rtt * i / segments, true);
  }
}

/** RFC 9438 4.2, in segments and seconds. */
function wCubic(t: number, wMax: number, cwndEpoch: number): number {
  return 0.4 * (t - Math.cbrt((wMax - cwndEpoch) / 0.4)) ** 3 + wMax;
}

Deno.test("cubic: a loss leaves seven tenths of the window (RFC 9438 4.6)", () => {
  const control = afterLossAt(100);
  assert.equal(control.ssthresh, 70 * MSS);
  assert.equal(control.cwnd, 70 * MSS);
  control.cwnd = 2 * MSS;
  control.onLoss(2 * MSS, 0);
  assert.equal(control.ssthresh, 2 * MSS);
});

Deno.test("cubic: a flight smaller than the window is what is reduced (RFC 9438 4.6)", () => {
  const control = new Cubic();
  control.reset(MSS);
  control.cwnd = 100 * MSS;
  control.onLoss(50 * MSS, 0);
  assert.equal(control.ssthresh, 35 * MSS);
});

Deno.test("cubic: the window follows the cubic function of time, below and above the last loss (RFC 9438 4.2)", () => {
  const rtt = milliseconds(100);
  for (const wMax of [500, 2_000]) {
    const control = afterLossAt(wMax);
    const k = Math.cbrt(wMax * 0.3 / 0.4);
    let now = 0;
    for (const t of [k / 4, k / 2, k, 1.25 * k, 1.5 * k]) {
      const until = Math.round(t * seconds(1) / rtt) * rtt;
      run(control, rtt, now, until);
      now = until;
      const expected = wCubic(now / seconds(1), wMax, wMax * 0.7);
      const ratio = control.cwnd / MSS / expected;
      assert.ok(
        Math.abs(ratio - 1) < 0.02,
        `W_max ${wMax}, t = ${t / k} K: ${control.cwnd / MSS} for ${expected}`,
      );
    }
  }
});

Deno.test("cubic: growth is a matter of time, not of the round trip (RFC 9438 3.2)", () => {
  const windows = [milliseconds(50), milliseconds(200)].map((rtt) => {
    const control = afterLossAt(5_000);
    run(control, rtt, 0, seconds(12));
    return control.cwnd;
  });
  assert.ok(Math.abs(windows[0]! / windows[1]! - 1) < 0.03, `${windows}`);
});

Deno.test("cubic: on a short path it grows as Reno with the same average (RFC 9438 4.3)", () => {
  const rtt = milliseconds(1);
  const control = afterLossAt(20);
  const alpha = 3 * 0.3 / 1.7;
  // 14 segments after the loss; five round trips add alpha each.
  run(control, rtt, 0, 5 * rtt);
  assert.ok(Math.abs(control.cwnd / MSS - (14 + 5 * alpha)) < 0.3, `${control.cwnd}`);
  // From the window before the loss on, one each: that takes 6 / alpha round trips, which is under 12.
  run(control, rtt, 5 * rtt, 12 * rtt);
  const before = control.cwnd;
  run(control, rtt, 12 * rtt, 22 * rtt);
  assert.ok(Math.abs((control.cwnd - before) / MSS - 10) < 0.7, `${control.cwnd - before}`);
});

Deno.test("cubic: a loss below the last maximum makes room for new flows (RFC 9438 4.7)", () => {
  const rtt = milliseconds(100);
  const control = afterLossAt(1_000);
  control.onLoss(700 * MSS, 0);
  control.onRecovered();
  // W_max is 700 * 0.85 = 595, not 700: after K the window has just come there.
  const k = Math.cbrt((595 - 490) / 0.4);
  run(control, rtt, 0, Math.round(k * 10) * rtt);
  assert.ok(Math.abs(control.cwnd / MSS - 595) < 12, `${control.cwnd / MSS}`);
});

Deno.test("cubic: no round trip adds more than half of the window (RFC 9438 4.2)", () => {
  const control = afterLossAt(100);
  const rtt = milliseconds(100);
  // An acknowledgment first, so that the epoch begins, then a pause in which the function runs far ahead.
  control.onAck(MSS, rtt, 0, true);
  const before = control.cwnd;
  for (let i = 0; i < 70; i++) control.onAck(MSS, rtt, seconds(60), true);
  assert.ok(control.cwnd <= before * 1.66 && control.cwnd > before * 1.3, `${control.cwnd}`);
  const now = control.cwnd;
  control.onAck(1_000 * MSS, rtt, seconds(60), true);
  assert.ok(control.cwnd <= now * 1.5 + 2, "nor one acknowledgment of many windows");
});

Deno.test("cubic: time in which the window was not needed does not count (RFC 9438 5.8)", () => {
  const rtt = milliseconds(100);
  const control = afterLossAt(1_000);
  run(control, rtt, 0, seconds(2));
  const before = control.cwnd;
  control.onAck(MSS, rtt, seconds(3), false);
  run(control, rtt, seconds(1_000), seconds(1_000.3));
  assert.ok(control.cwnd < before * 1.1, `${before} to ${control.cwnd}`);
});

Deno.test("cubic: after a timeout slow start leads to the threshold (RFC 9438 4.8)", () => {
  const control = afterLossAt(100);
  control.onTimeout(70 * MSS, 0);
  assert.equal(control.cwnd, MSS);
  assert.equal(control.ssthresh, 49 * MSS);
  control.onAck(MSS, milliseconds(10), seconds(1), true);
  assert.equal(control.cwnd, 2 * MSS);
});

Deno.test("cubic: after a timeout the function begins where slow start ends, flat (RFC 9438 4.8)", () => {
  const rtt = milliseconds(100);
  const control = afterLossAt(2_000);
  control.onTimeout(1_000 * MSS, 0);
  while (control.cwnd < control.ssthresh) control.onAck(MSS, rtt, 0, true);
  assert.equal(control.cwnd, 700 * MSS);
  run(control, rtt, 0, seconds(5));
  // 0.4 * 5 ** 3 = 50.
  assert.ok(Math.abs(control.cwnd / MSS - 750) < 6, `${control.cwnd / MSS}`);
});

for (const what of ["timeout", "reduction"]) {
  Deno.test(`cubic: a spurious ${what} is taken back, the function included (RFC 9438 4.9.1, 4.9.2)`, () => {
    const rtt = milliseconds(100);
    const twin = afterLossAt(1_000), control = afterLossAt(1_000);
    for (const each of [twin, control]) run(each, rtt, 0, seconds(3));
    if (what === "timeout") control.onTimeout(control.cwnd, seconds(3));
    else {
      control.onLoss(control.cwnd, seconds(3));
      control.onRecovered();
    }
    control.undo();
    assert.equal(control.cwnd, twin.cwnd);
    assert.equal(control.ssthresh, twin.ssthresh);
    for (const each of [twin, control]) run(each, rtt, seconds(3), seconds(6));
    assert.equal(control.cwnd, twin.cwnd);
  });
}

Deno.test("cubic: after a timeout that is taken back slow start is as fast as before (RFC 9438 4.9.1, RFC 3465 2.3)", () => {
  const control = new Cubic();
  control.reset(MSS);
  control.cwnd = 50 * MSS;
  control.onTimeout(50 * MSS, 0);
  control.undo();
  control.onAck(8 * MSS, milliseconds(10), seconds(1), true);
  assert.equal(control.cwnd, 58 * MSS);
  // But one that follows a timeout that was right leaves its mark.
  control.onTimeout(58 * MSS, seconds(2));
  control.onTimeout(MSS, seconds(4));
  control.undo();
  control.onAck(8 * MSS, milliseconds(10), seconds(5), true);
  assert.equal(control.cwnd, 3 * MSS);
});

Deno.test("cubic: where slow start ends without a loss the function begins, flat (RFC 9438 4.10)", () => {
  const rtt = milliseconds(100);
  const control = new Cubic();
  control.reset(MSS);
  control.cwnd = 500 * MSS;
  // Seven rounds of which the second has grown.
  for (let round = 0; round < 7; round++) {
    for (let sample = 1; sample <= 8; sample++) {
      control.onRoundTrip(round === 0 ? rtt : 1.2 * rtt, 8 * round + sample, 8 * (round + 1));
    }
  }
  run(control, rtt, 0, seconds(5));
  assert.equal(control.ssthresh, 500 * MSS);
  assert.ok(Math.abs(control.cwnd / MSS - 550) < 6, `${control.cwnd / MSS}`);
  control.onLoss(control.cwnd, seconds(5));
  control.onRecovered();
  const k = Math.cbrt(0.3 * 550 / 0.4);
  run(control, rtt, seconds(5), seconds(5) + Math.round(k * 10) * rtt);
  assert.ok(Math.abs(control.cwnd / MSS - 550) < 10, "and no room is made by this first loss (4.7)");
});

Deno.test("cubic: an acknowledgment never makes the window smaller (RFC 9438 4.2)", () => {
  const control = afterLossAt(1_000);
  control.onAck(MSS, milliseconds(100), 0, true);
  control.cwnd = 900 * MSS;
  for (let i = 0; i < 100; i++) control.onAck(9 * MSS, milliseconds(100), seconds(i / 100), true);
  assert.equal(control.cwnd, 900 * MSS);
});

Deno.test("cubic: the window in bytes grows the same whatever the MSS becomes", () => {
  const rtt = milliseconds(100);
  const control = afterLossAt(1_000);
  run(control, rtt, 0, seconds(2));
  const before = control.cwnd;
  control.setMss(MSS / 2);
  control.onAck(MSS, rtt, seconds(2), true);
  assert.ok(control.cwnd >= before && control.cwnd < before * 1.01);
});

Deno.test("cubic: whatever happens, the window stays whole and at a segment or more", () => {
  const event = fc.tuple(fc.nat(6), fc.integer({ min: 0, max: 500 * MSS }), fc.boolean(), fc.nat(seconds(3)));
  check(fc.property(fc.array(event, { maxLength: 200 }), (events) => {
    const control = new Cubic();
    control.reset(MSS);
    let now = 0;
    for (const [kind, bytes, flag, wait] of events) {
      now += wait;
      if (kind <= 2) control.onAck(bytes, milliseconds(10), now, flag);
      else if (kind === 3) {
        control.onLoss(bytes, now);
        control.onRecovered();
      } else if (kind === 4) control.onTimeout(bytes, now);
      else if (kind === 5) control.onIdle(1 + bytes % 50, now);
      else control.undo();
      assert.ok(Number.isInteger(control.cwnd) && control.cwnd >= MSS, `${control.cwnd}`);
      assert.ok(control.ssthresh >= 2 * MSS);
    }
  }));
});
