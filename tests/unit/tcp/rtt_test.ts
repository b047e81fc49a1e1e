import assert from "node:assert/strict";
import { milliseconds, seconds } from "../../../stack/store/time.ts";
import { INITIAL_RTO, MAX_RTO, MIN_RTO, RttEstimator, UNMEASURED } from "../../../stack/tcp/rtt.ts";
import { check, fc } from "../../support/property.ts";

Deno.test("rtt: the timeout is one second until something is measured (RFC 6298 2.1)", () => {
  const rtt = new RttEstimator();
  assert.equal(rtt.rto, INITIAL_RTO);
  assert.equal(rtt.rto, seconds(1));
  assert.equal(rtt.minRtt, UNMEASURED);
});

Deno.test("rtt: the first measurement is SRTT, and half of it the variation (RFC 6298 2.2)", () => {
  const rtt = new RttEstimator();
  rtt.measure(milliseconds(400), 0);
  assert.equal(rtt.srtt, milliseconds(400));
  assert.equal(rtt.rttvar, milliseconds(200));
  assert.equal(rtt.rto, milliseconds(400 + 4 * 200));
});

Deno.test("rtt: later ones count an eighth, and the variation a quarter (RFC 6298 2.3)", () => {
  const rtt = new RttEstimator();
  rtt.measure(milliseconds(400), 0);
  rtt.measure(milliseconds(800), 1);
  // The variation is computed with the old SRTT.
  assert.equal(rtt.rttvar, milliseconds(200 * 3 / 4 + 400 / 4));
  assert.equal(rtt.srtt, milliseconds(400 * 7 / 8 + 800 / 8));
});

Deno.test("rtt: on a steady path the timeout leaves room for a delayed acknowledgment (RFC 6298 2.4)", () => {
  for (const path of [50, milliseconds(1), milliseconds(190), seconds(2)]) {
    const rtt = new RttEstimator();
    for (let i = 0; i < 200; i++) rtt.measure(path, i);
    assert.equal(rtt.srtt, path);
    assert.equal(rtt.rto, path + MIN_RTO);
  }
});

Deno.test("rtt: every timeout doubles it, to a limit, and a measurement ends that (RFC 6298 5.5, 5.7)", () => {
  const rtt = new RttEstimator();
  rtt.measure(milliseconds(100), 0);
  const base = rtt.rto;
  for (let i = 1; i <= 4; i++) {
    rtt.backOff();
    assert.equal(rtt.rto, base * 2 ** i);
  }
  for (let i = 0; i < 2_000; i++) rtt.backOff();
  assert.equal(rtt.rto, MAX_RTO);
  rtt.measure(milliseconds(100), 1);
  assert.ok(rtt.rto <= base);
});

Deno.test("rtt: many measurements a round trip count as one (RFC 7323, Appendix G)", () => {
  const rtt = new RttEstimator();
  rtt.measure(milliseconds(100), 0);
  rtt.expect(200);
  for (let i = 0; i < 100; i++) rtt.measure(milliseconds(200), i);
  // One round trip of 100 measurements moves SRTT about as far as one alone would.
  assert.ok(Math.abs(rtt.srtt - milliseconds(111.8)) < milliseconds(1), `${rtt.srtt}`);
});

Deno.test("rtt: even a weight of thousands finds its way to a new path", () => {
  const rtt = new RttEstimator();
  rtt.measure(milliseconds(50), 0);
  rtt.expect(4_000);
  for (let i = 0; i < 200_000; i++) rtt.measure(milliseconds(51), i);
  assert.ok(Math.abs(rtt.srtt - milliseconds(51)) <= 10, `${rtt.srtt}`);
  assert.ok(rtt.rttvar < milliseconds(1), `${rtt.rttvar}`);
});

Deno.test("rtt: the least round trip is the least of the last minutes", () => {
  const rtt = new RttEstimator();
  rtt.measure(milliseconds(10), 0);
  rtt.measure(milliseconds(30), seconds(299));
  assert.equal(rtt.minRtt, milliseconds(10));
  rtt.measure(milliseconds(30), seconds(301));
  assert.equal(rtt.minRtt, milliseconds(30));
});

Deno.test("rtt: data after a lost SYN starts with three seconds, unless a round trip is known (RFC 6298 5.7)", () => {
  const lost = new RttEstimator();
  lost.backOff();
  lost.afterLostSyn();
  assert.equal(lost.rto, seconds(3));
  const measured = new RttEstimator();
  measured.measure(milliseconds(20), 0);
  measured.afterLostSyn();
  assert.equal(measured.rto, milliseconds(20) + MIN_RTO);
});

Deno.test("rtt: whatever is measured, estimates are whole and the timeout stays within its limits", () => {
  const samples = fc.array(
    fc.tuple(fc.integer({ min: -5, max: seconds(100) }), fc.integer({ min: 0, max: 5_000 })),
    { minLength: 1, maxLength: 60 },
  );
  check(fc.property(samples, (list) => {
    const rtt = new RttEstimator();
    let now = 0;
    let largest = 0;
    // Before any time was taken there is none to speak of.
    rtt.measure(1, now);
    for (const [sample, expected] of list) {
      rtt.expect(expected);
      rtt.measure(sample, now += 1_000);
      largest = Math.max(largest, sample, 1);
      assert.ok(Number.isInteger(rtt.srtt) && rtt.srtt >= 1 && rtt.srtt <= largest, `srtt ${rtt.srtt}`);
      assert.ok(Number.isInteger(rtt.rttvar) && rtt.rttvar >= 0);
      assert.ok(rtt.rto >= MIN_RTO && rtt.rto <= MAX_RTO);
      assert.ok(rtt.minRtt >= 1 && rtt.minRtt <= largest);
    }
  }));
});
