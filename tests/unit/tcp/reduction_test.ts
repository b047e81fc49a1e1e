/** By how much a window shrinks, and how often: RFC 5681 3.1 and 4.3, RFC 9937 6.2, RFC 3168 6.1.2. */
import assert from "node:assert/strict";
import { milliseconds } from "../../../stack/store/time.ts";
import { CubicPlus } from "../../../stack/tcp/congestion/cubic-plus.ts";
import { NewReno } from "../../../stack/tcp/congestion/newreno.ts";
import { Recovery } from "../../../stack/tcp/connection.ts";
import { onEcnEcho, onReorderingTimeout, onRetransmissionTimeout } from "../../../stack/tcp/recovery.ts";
import { Script } from "./script.ts";
import { MSS } from "./transfer.ts";

const RTT = milliseconds(40);

/** A sender with so many segments out, a round trip ago, and a window for twice as many. */
function out(segments: number, options: { hasSack?: boolean } = {}): Script {
  const script = new Script({ ...options, segments });
  script.c.control.cwnd = 2 * segments * MSS;
  assert.equal(script.send().length, segments);
  return script.wait(RTT);
}

Deno.test("reduction: FlightSize is what was sent and not cumulatively acknowledged, once, SACKed or not (RFC 5681 2, RFC 6675 5)", () => {
  const script = out(10);
  script.ack(2, { sack: [[3, 10]] });
  assert.equal(script.c.recovery, Recovery.Fast);
  assert.equal(script.threshold, 5);
});

Deno.test("reduction: the same for a mark of congestion that comes with SACK blocks (RFC 3168 6.1.2)", () => {
  const script = out(10);
  const { c } = script;
  c.flight.begin();
  c.flight.ackTo(2 * MSS);
  c.flight.sack(3 * MSS, 9 * MSS);
  onEcnEcho(c, script.now);
  assert.equal(script.threshold, 5);
});

Deno.test("reduction: RecoverFS is what is still to be delivered when recovery begins (RFC 9937 6.2)", () => {
  const sacked = out(10);
  sacked.ack(1, { sack: [[3, 4]] });
  sacked.ack(1, { sack: [[3, 5]] });
  assert.equal(sacked.c.recovery, Recovery.None);
  sacked.ack(1, { sack: [[3, 8]] });
  assert.equal(sacked.c.recovery, Recovery.Fast);
  // One was acknowledged before, and two were SACKed.
  assert.equal(sacked.c.prrFlight, 7 * MSS);
  assert.equal(sacked.c.prrDelivered, 3 * MSS);
  const atOnce = out(10);
  atOnce.ack(2, { sack: [[3, 8]] });
  assert.equal(atOnce.c.prrFlight, 10 * MSS);
  assert.equal(atOnce.c.prrDelivered, 7 * MSS);
  const duplicates = out(10, { hasSack: false });
  for (let i = 0; i < 3; i++) duplicates.ack(0);
  assert.equal(duplicates.c.recovery, Recovery.Fast);
  assert.equal(duplicates.c.prrFlight, 8 * MSS);
  assert.equal(duplicates.c.prrDelivered, MSS);
});

Deno.test("reduction: half of what a recovery delivers leaves in it, whatever was SACKed before it began (RFC 9937 6.2)", () => {
  const script = out(40);
  const { c } = script;
  c.control.cwnd = 40 * MSS;
  c.reorderSeen = true;
  const due = script.offer(100).ack(0, { sack: [[1, 21]] });
  assert.equal(script.send().length, 20, "limited transmit");
  onReorderingTimeout(c, script.wait(due - script.now).now);
  assert.equal(c.recovery, Recovery.Fast);
  assert.equal(script.threshold, 20);
  let left = script.send().length;
  for (let next = 22; next <= 60; next++) {
    script.ack(0, { sack: [[1, next]] });
    left += script.send().length;
    const delivered = next - 21;
    assert.ok(Math.abs(left - delivered / 2) <= 1, `${left} out for ${delivered}`);
  }
});

Deno.test("reduction: losses that turn out to be congestion count by the flight they were found in (RFC 9438 4.6)", () => {
  const control = new CubicPlus();
  const script = new Script({ segments: 70 }, control);
  while (script.send().length > 0) {
    script.wait(RTT);
    const end = script.c.flight.end / MSS;
    for (let ack = script.c.flight.una / MSS + 1; ack <= end; ack++) script.ack(ack);
  }
  control.cwnd = 300 * MSS;
  const first = script.c.flight.una / MSS;
  assert.equal(script.offer(200).send().length, 200);
  script.offer(1_000).wait(RTT);
  for (let next = 2; next <= 5; next++) script.ack(first, { sack: [[first + 1, first + next]] });
  script.send();
  for (let next = 6; next <= 200; next++) {
    script.ack(first, { sack: [[first + 1, first + next]] });
    script.send();
  }
  assert.equal(script.threshold, Infinity, "spared");
  script.c.flight.begin();
  onEcnEcho(script.c, script.now);
  assert.equal(script.threshold, 140);
});

Deno.test("reduction: a timeout while losses are repaired is a second sign of congestion (RFC 5681 4.3)", () => {
  for (const hasSack of [true, false]) {
    const script = out(40, { hasSack });
    const { c } = script;
    c.control.cwnd = 40 * MSS;
    if (hasSack) script.ack(0, { sack: [[1, 40]] });
    else for (let i = 0; i < 39; i++) script.ack(0);
    script.send();
    assert.equal(script.threshold, 20);
    onRetransmissionTimeout(c, script.wait(c.rtt.rto).now);
    assert.deepEqual([script.window, script.threshold], [1, 10]);
    // The same segment once more: the threshold is held (RFC 5681 3.1).
    script.send();
    onRetransmissionTimeout(c, script.wait(c.rtt.rto).now);
    assert.deepEqual([script.window, script.threshold], [1, 10]);
  }
});

Deno.test("reduction: so is the loss of something else that slow start has sent again (RFC 5681 3.1, equation 4)", () => {
  const script = out(40, { hasSack: false });
  const { c } = script;
  c.control.cwnd = 40 * MSS;
  onRetransmissionTimeout(c, script.wait(c.rtt.rto).now);
  onRetransmissionTimeout(c, script.wait(c.rtt.rto).now);
  assert.equal(script.threshold, 20);
  for (let next = 1; next <= 11; next++) {
    script.send();
    script.wait(RTT).ack(next);
  }
  assert.equal(script.window, 12);
  onRetransmissionTimeout(c, script.wait(c.rtt.rto).now);
  assert.deepEqual([script.window, script.threshold], [1, 6]);
});

Deno.test("reduction: after a timeout L is 1 until what was out is acknowledged, then 2 (RFC 3465 2.3)", () => {
  for (const inRecovery of [true, false]) {
    const script = out(40);
    const { c } = script;
    c.control.cwnd = 40 * MSS;
    if (inRecovery) script.ack(0, { sack: [[1, 40]] });
    script.send();
    onRetransmissionTimeout(c, script.wait(c.rtt.rto).now);
    script.send();
    // Twice, so that F-RTO is over.
    onRetransmissionTimeout(c, script.wait(c.rtt.rto).now);
    script.offer(100).send();
    script.wait(RTT).ack(30);
    assert.equal(script.window, 2, "one acknowledgment of what had arrived long before");
    script.send();
    script.wait(RTT).ack(40);
    assert.equal(script.window, 3);
    assert.equal(c.recovery, Recovery.None);
    script.send();
    script.wait(RTT).ack(c.flight.end / MSS);
    assert.equal(script.window, 5);
  }
});

Deno.test("reduction: what is sent again fits in the window, like what is new (RFC 5681 3, RFC 6675 5, step C)", () => {
  const script = out(4);
  const { c } = script;
  c.flight.markAllLost();
  c.control.cwnd = 2_500;
  assert.deepEqual(script.send(), [-1, -2]);
  c.control.cwnd = 3_000;
  assert.deepEqual(script.send(), [-3]);
});

Deno.test("reduction: a control with a model hears of the end of a timeout's recovery, too (draft-ietf-ccwg-bbr 5.6.4.4)", () => {
  class Model extends NewReno {
    recovered = 0;
    readonly onDelivery = () => {};
    override onRecovered(): void {
      this.recovered++;
    }
  }
  const control = new Model();
  const script = new Script({}, control);
  script.send();
  onRetransmissionTimeout(script.c, script.wait(script.c.rtt.rto).now);
  script.send();
  script.wait(RTT).ack(10);
  assert.equal(script.c.recovery, Recovery.None);
  assert.equal(control.recovered, 1);
});
