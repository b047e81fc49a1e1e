import assert from "node:assert/strict";
import { milliseconds } from "../../../stack/store/time.ts";
import { Recovery } from "../../../stack/tcp/connection.ts";
import { onRetransmissionTimeout } from "../../../stack/tcp/recovery.ts";
import { Frto, undoIfSpurious, undoStart } from "../../../stack/tcp/undo.ts";
import { Script } from "./script.ts";
import { MSS } from "./transfer.ts";

const RTT = milliseconds(40);

/** A sender with ten segments out whose timer has run out, and the first of them sent again. */
function timedOut(options: { hasSack?: boolean; segments?: number } = {}): Script {
  const script = new Script(options);
  script.send();
  onRetransmissionTimeout(script.c, script.wait(script.c.rtt.rto).now);
  assert.deepEqual(script.send(), [-1]);
  return script;
}

Deno.test("undo: after a timeout new data goes out before any more is sent again (RFC 5682 3.1, step 2b)", () => {
  const script = timedOut();
  script.wait(milliseconds(5)).ack(1);
  assert.equal(script.c.frtoStep, Frto.Probing);
  assert.deepEqual(script.send(), [10, 11]);
});

Deno.test("undo: an acknowledgment of what was sent once proves the timeout wrong (RFC 5682 3.1, step 3b)", () => {
  for (const hasSack of [true, false]) {
    const script = timedOut({ hasSack });
    script.wait(milliseconds(5)).ack(1);
    script.send();
    script.wait(milliseconds(1)).ack(2);
    assert.equal(script.c.tcp.counters.undone, 1);
    assert.equal(script.c.recovery, Recovery.None);
    assert.ok(script.window >= 10);
    assert.equal(script.threshold, Infinity);
    assert.equal(script.c.flight.lost, 0);
    script.wait(milliseconds(1)).ack(3);
    assert.equal(
      script.c.recovery,
      Recovery.None,
      "nor is anything taken for lost by the retransmission's time",
    );
  }
});

Deno.test("undo: where only the new data arrives, the flight was lost (RFC 5682 3.1, step 3a)", () => {
  for (const hasSack of [true, false]) {
    const script = timedOut({ hasSack });
    script.wait(RTT).ack(1);
    script.send();
    script.wait(RTT).ack(1, { sack: [[10, 11]] });
    assert.equal(script.c.frtoStep, Frto.Off);
    assert.equal(script.c.tcp.counters.undone, 0);
    assert.ok(script.window <= 3);
    assert.equal(script.send()[0], -2);
  }
});

Deno.test("undo: with nothing new to send, slow start goes on at once (RFC 5682 3.1, step 2b)", () => {
  const script = timedOut({ segments: 10 });
  script.wait(RTT).ack(1);
  assert.equal(script.c.frtoStep, Frto.Off);
  assert.deepEqual(script.send().slice(0, 2), [-2, -3]);
});

Deno.test("undo: without SACK a duplicate means that the timeout was right (RFC 5682 2.1, step 2a)", () => {
  const script = timedOut({ hasSack: false });
  script.wait(RTT).ack(0);
  assert.equal(script.c.frtoStep, Frto.Off);
  assert.equal(script.c.tcp.counters.undone, 0);
});

Deno.test("undo: a second timeout is believed (RFC 5682 3.1, step 1)", () => {
  const script = timedOut();
  onRetransmissionTimeout(script.c, script.wait(script.c.rtt.rto).now);
  assert.equal(script.c.frtoStep, Frto.Off);
});

Deno.test("undo: an acknowledgment that echoes the original's timestamp takes a timeout back (RFC 3522 3.2)", () => {
  const script = timedOut();
  script.wait(milliseconds(5)).ack(1, { echoAge: milliseconds(200) });
  assert.equal(script.c.tcp.counters.undone, 1);
  assert.ok(script.window >= 10);
  const right = timedOut();
  right.wait(milliseconds(45)).ack(1, { echoAge: milliseconds(45) });
  assert.equal(right.c.tcp.counters.undone, 0);
});

Deno.test("undo: the echo of a retransmission is no proof against a later one, with which a recovery began (RFC 3522 3.2)", () => {
  const { c } = new Script();
  const { flight } = c;
  for (let count = 0; count < 4; count++) flight.push(flight.end + MSS, 0);
  flight.markLost(0);
  flight.resend(0, MSS, milliseconds(50));
  undoStart(c);
  flight.markLost(2);
  flight.resend(2, MSS, milliseconds(60));
  flight.begin();
  flight.ackTo(2 * MSS);
  // It echoes what left at 50 ms.
  assert.equal(undoIfSpurious(c, milliseconds(90), true, milliseconds(40)), false);
});

Deno.test("undo: the same after a fast retransmit, which then was reordering (RFC 3522 3.2)", () => {
  const script = new Script();
  script.send();
  script.wait(RTT).ack(0, { sack: [[1, 5]] });
  assert.equal(script.c.recovery, Recovery.Fast);
  assert.equal(script.send()[0], -1);
  script.wait(milliseconds(2)).ack(5, { echoAge: milliseconds(42) });
  assert.equal(script.c.recovery, Recovery.None);
  assert.equal(script.threshold, Infinity);
  assert.ok(script.c.reorderSeen);
});

Deno.test("undo: when all that was sent again is reported as duplicate, the window comes back (RFC 3708 2)", () => {
  const script = new Script();
  script.send();
  script.wait(RTT).ack(0, { sack: [[2, 10]] });
  const sent = script.send(2);
  assert.deepEqual(sent, [-1, -2]);
  script.wait(milliseconds(2)).ack(10);
  assert.equal(script.window, 5);
  script.wait(RTT).ack(10, { dsack: [0, 1] });
  assert.equal(script.window, 5, "one of the two may have been needed");
  script.ack(10, { dsack: [1, 2] });
  assert.equal(script.c.tcp.counters.undone, 1);
  assert.equal(script.window, 10);
});

Deno.test("undo: duplicates of something else prove nothing", () => {
  const script = new Script();
  script.send();
  script.wait(RTT).ack(3);
  script.ack(3, { sack: [[4, 10]] });
  script.send(1);
  script.ack(3, { dsack: [1, 2], sack: [[4, 10]] });
  assert.equal(script.c.tcp.counters.undone, 0);
  assert.equal(script.c.recovery, Recovery.Fast);
});
