import assert from "node:assert/strict";
import { NewReno } from "../../../stack/tcp/congestion/newreno.ts";
import { afterIdle, initialWindow } from "../../../stack/tcp/congestion/control.ts";
import { check, fc } from "../../support/property.ts";

const MSS = 1_000;

function reno(): NewReno {
  const control = new NewReno();
  control.reset(MSS);
  return control;
}

Deno.test("newreno: the first window is ten segments, or 14,600 bytes, or two (RFC 6928 2)", () => {
  assert.equal(initialWindow(536), 5_360);
  assert.equal(initialWindow(1_460), 14_600);
  assert.equal(initialWindow(2_000), 14_600);
  assert.equal(initialWindow(8_960), 17_920);
});

Deno.test("newreno: slow start doubles the window each round trip (RFC 5681 3.1)", () => {
  const control = reno();
  for (let i = 0; i < 5; i++) control.onAck(2 * MSS, 0, 0, true);
  assert.equal(control.cwnd, 20 * MSS);
});

Deno.test("newreno: no acknowledgment adds more than eight segments, after a timeout two (RFC 9406 4.2, RFC 3465 2.3)", () => {
  const control = reno();
  control.onAck(50 * MSS, 0, 0, true);
  assert.equal(control.cwnd, 18 * MSS);
  control.onTimeout(18 * MSS, 0);
  assert.equal(control.cwnd, MSS);
  control.onAck(9 * MSS, 0, 0, true);
  assert.equal(control.cwnd, 3 * MSS);
});

Deno.test("newreno: congestion avoidance adds a segment each window of bytes (RFC 3465 2.1)", () => {
  const control = reno();
  control.onLoss(40 * MSS, 0);
  control.onRecovered();
  assert.equal(control.ssthresh, 20 * MSS);
  assert.equal(control.cwnd, 20 * MSS);
  for (let i = 0; i < 19; i++) control.onAck(MSS, 0, 0, true);
  assert.equal(control.cwnd, 20 * MSS);
  control.onAck(MSS, 0, 0, true);
  assert.equal(control.cwnd, 21 * MSS);
});

Deno.test("newreno: a pause starts the counting of bytes anew (RFC 3465 2.1)", () => {
  const control = reno();
  control.onLoss(80 * MSS, 0);
  control.onRecovered();
  control.onAck(39 * MSS, 0, 0, true);
  control.onIdle(1, 0);
  const { ssthresh } = control;
  while (control.cwnd < ssthresh) control.onAck(MSS, 0, 0, true);
  control.onAck(MSS, 0, 0, true);
  assert.equal(control.cwnd, ssthresh);
});

Deno.test("newreno: a loss halves the flight, down to two segments (RFC 5681 equation 4)", () => {
  const control = reno();
  control.onLoss(30 * MSS, 0);
  assert.equal(control.ssthresh, 15 * MSS);
  control.onLoss(MSS, 0);
  assert.equal(control.ssthresh, 2 * MSS);
});

Deno.test("newreno: a window that is not used does not grow (RFC 7661 4.2)", () => {
  const control = reno();
  control.onAck(5 * MSS, 0, 0, false);
  assert.equal(control.cwnd, 10 * MSS);
});

Deno.test("newreno: what proves wrong is taken back, once", () => {
  const control = reno();
  for (let i = 0; i < 10; i++) control.onAck(2 * MSS, 0, 0, true);
  control.onTimeout(30 * MSS, 0);
  control.undo();
  assert.equal(control.cwnd, 30 * MSS);
  assert.equal(control.ssthresh, Infinity);
  control.cwnd = 5 * MSS;
  control.undo();
  assert.equal(control.cwnd, 5 * MSS);
  control.onAck(9 * MSS, 0, 0, true);
  assert.equal(control.cwnd, 13 * MSS, "nor is it slow start after a timeout any more");
});

Deno.test("newreno: a pause halves the window for each timeout, and never widens it (RFC 2861 2, RFC 5681 4.1)", () => {
  const control = reno();
  for (let i = 0; i < 60; i++) control.onAck(2 * MSS, 0, 0, true);
  const { cwnd } = control;
  control.onIdle(1, 0);
  assert.equal(control.cwnd, cwnd / 2);
  assert.equal(control.ssthresh, Infinity, "slow start has not met a limit yet");
  control.onIdle(40, 0);
  assert.equal(control.cwnd, initialWindow(MSS));
  assert.equal(afterIdle(3 * MSS, MSS, 1), 3 * MSS);
  control.onLoss(8 * MSS, 0);
  control.onRecovered();
  control.onIdle(9, 0);
  assert.equal(control.cwnd, 4 * MSS);
  assert.equal(control.ssthresh, 4 * MSS);
});

Deno.test("newreno: whatever happens, the window stays at a segment or more", () => {
  const event = fc.tuple(fc.nat(5), fc.integer({ min: 0, max: 200 * MSS }), fc.boolean());
  check(fc.property(fc.array(event, { maxLength: 200 }), (events) => {
    const control = reno();
    for (const [kind, bytes, flag] of events) {
      if (kind <= 1) control.onAck(bytes, 1_000, 0, flag);
      else if (kind === 2) {
        control.onLoss(bytes, 0);
        control.onRecovered();
      } else if (kind === 3) control.onTimeout(bytes, 0);
      else if (kind === 4) control.onIdle(bytes % 50, 0);
      else control.undo();
      assert.ok(Number.isInteger(control.cwnd) && control.cwnd >= MSS);
      assert.ok(control.ssthresh >= 2 * MSS);
    }
  }));
});
