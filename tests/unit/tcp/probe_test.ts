import assert from "node:assert/strict";
import { milliseconds, seconds } from "../../../stack/store/time.ts";
import { NewReno } from "../../../stack/tcp/congestion/newreno.ts";
import {
  onProbeSent,
  onProbeTimeout,
  onRetransmissionTimeout,
  probeTimeout,
} from "../../../stack/tcp/recovery.ts";
import { ConnectionState } from "../../../stack/tcp/state.ts";
import { Script } from "./script.ts";
import { lossesOf, MSS } from "./transfer.ts";

const RTT = milliseconds(40);

/** A sender with so many segments out, all it had, whose last was then sent again as a probe. */
function probed(segments: number): Script {
  const script = new Script({ segments });
  script.send();
  script.wait(probeTimeout(script.c));
  onProbeTimeout(script.c);
  script.c.flight.resend(segments - 1, MSS, script.now);
  onProbeSent(script.c, true);
  return script;
}

Deno.test("probe: it is due after two round trips, and the peer's delay where one segment is out (RFC 8985 7.2)", () => {
  const script = new Script({ segments: 2 });
  assert.equal(probeTimeout(script.c), -1, "nothing is out");
  script.send(1);
  // The variation of one measurement makes for a timeout of three round trips here, and it never comes later.
  assert.equal(probeTimeout(script.c), Math.min(2 * RTT + milliseconds(200), script.c.rtt.rto));
  script.send(1);
  assert.equal(probeTimeout(script.c), 2 * RTT + milliseconds(2));
});

Deno.test("probe: without a round trip measured it waits for a second (RFC 8985 7.2)", () => {
  const c = lossesOf(new NewReno());
  c.flight.push(MSS, 0);
  assert.equal(probeTimeout(c), seconds(1));
});

Deno.test("probe: none without SACK, in a handshake, in recovery, with holes, or while another is out (RFC 8985 7.2)", () => {
  const plain = new Script({ hasSack: false });
  plain.send();
  assert.equal(probeTimeout(plain.c), -1);
  const syn = new Script();
  syn.c.state = ConnectionState.SynSent;
  syn.send(1);
  assert.equal(probeTimeout(syn.c), -1);
  const holes = new Script();
  holes.send();
  holes.wait(RTT).ack(0, { sack: [[1, 2]] });
  assert.equal(probeTimeout(holes.c), -1);
  const twice = probed(3);
  assert.equal(probeTimeout(twice.c), -1);
  const late = new Script();
  late.send();
  onRetransmissionTimeout(late.c, late.wait(late.c.rtt.rto).now);
  assert.equal(probeTimeout(late.c), -1);
});

Deno.test("probe: one that fills the last hole has repaired a loss, which is congestion (RFC 8985 7.4)", () => {
  const script = probed(5);
  script.offer(15);
  script.wait(RTT).ack(5);
  assert.ok(script.c.probeOut, "not known yet");
  script.send(3);
  script.wait(RTT).ack(6);
  assert.ok(!script.c.probeOut);
  assert.ok(script.threshold < 10);
});

Deno.test("probe: one that is reported as a duplicate was for nothing (RFC 8985 7.4)", () => {
  const script = probed(5);
  script.offer(15);
  script.wait(milliseconds(1)).ack(5);
  script.wait(RTT).ack(5, { dsack: [4, 5] });
  assert.ok(!script.c.probeOut);
  assert.equal(script.c.reorderWindows, 1, "nor is it reordering (RFC 8985 6.2, step 4)");
  script.send(3);
  script.wait(RTT).ack(6);
  assert.equal(script.threshold, Infinity);
});

Deno.test("probe: a bare acknowledgment in answer says the same without D-SACK (RFC 8985 7.4)", () => {
  const script = probed(5);
  script.wait(milliseconds(1)).ack(5);
  script.wait(RTT).ack(5);
  assert.ok(!script.c.probeOut);
  assert.equal(script.threshold, Infinity);
});

Deno.test("probe: data that comes with the same number says nothing of it (RFC 8985 7.4)", () => {
  const script = probed(5);
  script.offer(15);
  script.wait(RTT).ack(5);
  script.wait(milliseconds(1)).ack(5, { hasData: true });
  assert.ok(script.c.probeOut, "not known yet");
  script.send(3);
  script.wait(RTT).ack(6);
  assert.ok(!script.c.probeOut);
  assert.ok(script.threshold < 10, "the probe has repaired a loss");
});

Deno.test("probe: one with new data says nothing but that it has arrived (RFC 8985 7.4)", () => {
  const script = new Script({ segments: 12 });
  script.send(10);
  onProbeTimeout(script.c);
  script.c.flight.push(11 * MSS, script.now);
  onProbeSent(script.c, false);
  script.wait(RTT).ack(11);
  assert.ok(!script.c.probeOut);
  assert.equal(script.threshold, Infinity);
});

Deno.test("probe: its SACK tells of the tail that was lost (RFC 8985 7.1)", () => {
  const script = probed(5);
  script.wait(RTT).ack(0, { sack: [[4, 5]] });
  assert.deepEqual(script.send(), [-1, -2], "as many as half of the flight");
  script.wait(RTT).ack(2, { sack: [[4, 5]] });
  assert.deepEqual(script.send(), [-3, -4]);
  assert.equal(script.c.tcp.counters.timeouts, 0);
});

Deno.test("probe: a timeout ends it", () => {
  const script = probed(5);
  onRetransmissionTimeout(script.c, script.wait(script.c.rtt.rto).now);
  assert.ok(!script.c.probeOut && !script.c.probeWanted);
});

Deno.test("probe: none before a round trip was measured behind the last one (RFC 8985 7.3)", () => {
  const script = probed(3);
  const { c } = script;
  // What the acknowledgment answers was sent twice, which is no measurement (RFC 6298 3).
  script.wait(RTT).ack(3);
  script.ack(3, { dsack: [2, 3] });
  assert.equal(c.probeOut, false);
  script.offer(4).send();
  assert.equal(probeTimeout(c), -1);
  script.wait(RTT).ack(5);
  assert.ok(probeTimeout(c) > 0);
});
