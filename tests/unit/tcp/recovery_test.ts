import assert from "node:assert/strict";
import { Clock } from "../../../stack/tcp/clock.ts";
import { milliseconds, NEVER, seconds } from "../../../stack/store/time.ts";
import { Recovery } from "../../../stack/tcp/connection.ts";
import {
  mustHaveTimer,
  onEcnEcho,
  onIdleRestart,
  onReorderingTimeout,
  onRetransmissionTimeout,
  sendAllowance,
} from "../../../stack/tcp/recovery.ts";
import { MAX_RTO } from "../../../stack/tcp/rtt.ts";
import { check, fc } from "../../support/property.ts";
import { Script } from "./script.ts";
import { MSS } from "./transfer.ts";

const RTT = milliseconds(40);

/** A sender with the segments 0 to 9 out, a round trip ago. */
function tenOut(options: { hasSack?: boolean; segments?: number } = {}): Script {
  const script = new Script(options);
  assert.deepEqual(script.send(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  return script.wait(RTT);
}

Deno.test("recovery: each of the first two duplicates lets one new segment out (RFC 3042 2)", () => {
  const script = tenOut({ hasSack: false });
  script.ack(0);
  assert.deepEqual(script.send(), [10]);
  script.ack(0);
  assert.deepEqual(script.send(), [11]);
  assert.equal(script.c.recovery, Recovery.None);
});

Deno.test("recovery: the third duplicate is a loss: half the window, and the first segment again (RFC 5681 3.2)", () => {
  const script = tenOut({ hasSack: false });
  for (let i = 0; i < 3; i++) {
    script.ack(0);
    if (i < 2) script.send();
  }
  assert.equal(script.c.recovery, Recovery.Fast);
  assert.equal(script.threshold, 5, "limited transmit does not count (RFC 5681 3.2, step 2)");
  assert.deepEqual(script.send(), [-1]);
  assert.equal(script.c.tcp.counters.recoveries, 1);
});

Deno.test("recovery: a partial acknowledgment sends the next hole again, without a further reduction (RFC 6582 3.2)", () => {
  const script = tenOut({ hasSack: false });
  for (let i = 0; i < 8; i++) script.ack(0);
  script.send();
  script.wait(RTT);
  script.ack(4);
  assert.equal(script.c.recovery, Recovery.Fast);
  assert.equal(script.send()[0], -5);
  assert.equal(script.threshold, 5);
  assert.equal(script.c.tcp.counters.recoveries, 1);
});

Deno.test("recovery: it ends when all is acknowledged that was out, with the threshold as window (RFC 6582 3.2)", () => {
  const script = tenOut({ hasSack: false });
  for (let i = 0; i < 9; i++) script.ack(0);
  script.send();
  script.wait(RTT);
  script.ack(10);
  assert.equal(script.c.recovery, Recovery.None);
  assert.equal(script.window, 5);
});

Deno.test("recovery: duplicates that follow at once are echoes of it, not a new loss (RFC 6582 3.2, step 1)", () => {
  const script = tenOut({ hasSack: false });
  for (let i = 0; i < 9; i++) script.ack(0);
  script.wait(RTT).ack(10);
  script.send();
  for (let i = 0; i < 4; i++) script.ack(10);
  assert.equal(script.c.recovery, Recovery.None);
  script.wait(RTT).ack(11);
  script.send();
  for (let i = 0; i < 3; i++) script.ack(11);
  assert.equal(script.c.recovery, Recovery.Fast);
});

Deno.test("recovery: duplicates beyond what is out are lies, and let nothing out", () => {
  const script = tenOut({ hasSack: false });
  for (let i = 0; i < 1_000; i++) {
    script.ack(0);
    script.send();
  }
  assert.ok(script.c.flight.count <= 30, `${script.c.flight.count}`);
});

Deno.test("recovery: with SACK the third segment behind a hole tells of it (RFC 8985 6.2, step 4)", () => {
  const script = tenOut();
  assert.notEqual(script.ack(0, { sack: [[1, 2]] }), NEVER, "the reordering window is being waited for");
  script.ack(0, { sack: [[1, 3]] });
  assert.equal(script.c.recovery, Recovery.None);
  assert.equal(script.ack(0, { sack: [[1, 4]] }), NEVER);
  assert.equal(script.c.recovery, Recovery.Fast);
  assert.deepEqual(script.send(), [-1]);
  assert.equal(script.threshold, 5);
});

Deno.test("recovery: fewer are waited for as long as a quarter of the least round trip (RFC 8985 6.2, step 4)", () => {
  const script = tenOut();
  const deadline = script.ack(0, { sack: [[9, 10]] });
  assert.equal(deadline, script.now + RTT / 4);
  script.now = deadline - 1;
  onReorderingTimeout(script.c, script.now);
  assert.equal(script.c.recovery, Recovery.None);
  script.now = deadline;
  onReorderingTimeout(script.c, script.now);
  assert.equal(script.c.recovery, Recovery.Fast);
  assert.equal(script.c.flight.lost, 9 * MSS);
  assert.equal(script.c.reorderWaits, false);
});

Deno.test("recovery: a segment overtaken once makes three no proof any more (RFC 8985 6.2, steps 3 and 4)", () => {
  const script = tenOut();
  script.ack(0, { sack: [[1, 2]] });
  script.ack(2);
  assert.ok(script.c.reorderSeen);
  const deadline = script.ack(2, { sack: [[3, 10]] });
  assert.equal(script.c.recovery, Recovery.None);
  assert.equal(deadline, script.now + RTT / 4);
});

Deno.test("recovery: every round with a duplicate widens the reordering window, for 16 recoveries (RFC 8985 6.2, step 4)", () => {
  const script = tenOut();
  const { c } = script;
  script.ack(2, { dsack: [0, 1] });
  script.ack(3, { dsack: [1, 2] });
  assert.equal(c.reorderWindows, 2, "once a round");
  script.send();
  script.wait(RTT).ack(12);
  script.ack(13, { dsack: [4, 5] });
  assert.equal(c.reorderWindows, 3);
  for (let i = 0; i < 16; i++) {
    assert.equal(c.reorderWindows, 3);
    script.send();
    const first = c.flight.una / MSS, count = c.flight.count;
    script.wait(RTT).ack(first, { sack: [[first + 1, first + count]] });
    onReorderingTimeout(c, script.wait(RTT).now);
    assert.equal(c.recovery, Recovery.Fast);
    script.send(1);
    script.wait(RTT).ack(first + count);
  }
  assert.equal(c.reorderWindows, 1);
});

Deno.test("recovery: a retransmission that is lost is found by what was sent after it (RFC 8985 3.1)", () => {
  const script = tenOut();
  script.ack(0, { sack: [[1, 10]] });
  const sent = script.send();
  assert.deepEqual(sent.slice(0, 2), [-1, 10]);
  script.wait(RTT).ack(0, { sack: [[1, 11]] });
  assert.equal(script.send()[0], -1);
  assert.equal(script.c.tcp.counters.timeouts, 0);
  assert.equal(script.c.tcp.counters.recoveries, 1);
});

Deno.test("recovery: what may leave shrinks in proportion to what arrives (RFC 9937 6.2)", () => {
  const script = new Script();
  script.c.control.cwnd = 40 * MSS;
  script.send();
  script.wait(RTT);
  script.ack(0, { sack: [[1, 4]] });
  assert.equal(script.threshold, 20);
  let out = script.send().length;
  for (let i = 5; i <= 40; i++) {
    script.ack(0, { sack: [[1, i]] });
    out += script.send().length;
    const delivered = i - 1;
    assert.ok(out <= Math.ceil(delivered / 2) + 1, `${out} out for ${delivered}`);
  }
  // The whole flight of 40 has arrived but for one: half of it went out meanwhile.
  assert.ok(out >= 19 && out <= 20, `${out}`);
  script.wait(RTT).ack(40);
  assert.equal(script.window, 20);
});

Deno.test("recovery: below the threshold no more leaves for an acknowledgment than arrived, and one (RFC 6937 3)", () => {
  const script = new Script();
  script.c.control.cwnd = 40 * MSS;
  script.send();
  script.wait(RTT);
  // Nearly all of the flight is lost: the pipe is far below the threshold.
  script.ack(0, { sack: [[37, 40]] });
  assert.equal(script.c.flight.lost, 37 * MSS);
  assert.ok(script.send().length <= 4);
  let next = 1;
  for (let i = 0; i < 20; i++) {
    script.wait(RTT / 20).ack(next++, { sack: [[37, 40]] });
    assert.ok(script.send().length <= 2);
  }
});

Deno.test("recovery: a timeout leaves one segment of the window, and doubles the timeout (RFC 5681 3.1, RFC 6298 5.5)", () => {
  const script = tenOut();
  const { c } = script;
  const { rto } = c.rtt;
  onRetransmissionTimeout(c, script.wait(rto).now);
  assert.deepEqual(script.send(), [-1]);
  assert.equal(script.window, 1);
  assert.equal(script.threshold, 5);
  assert.equal(c.rtt.rto, 2 * rto);
  onRetransmissionTimeout(c, script.wait(2 * rto).now);
  assert.deepEqual(script.send(), [-1]);
  assert.equal(script.threshold, 5, "held for what is lost again");
  assert.equal(c.rtt.rto, 4 * rto);
  assert.equal(c.flight.lost, 9 * MSS);
});

Deno.test("recovery: after a timeout slow start repairs the flight (RFC 5681 3.1)", () => {
  for (const hasSack of [true, false]) {
    const script = tenOut({ hasSack, segments: 10 });
    const { c } = script;
    onRetransmissionTimeout(c, script.wait(c.rtt.rto).now);
    const sent: number[] = [];
    for (let una = 0; una < 10;) {
      const now = script.send();
      assert.ok(now.length > 0, "it goes on");
      sent.push(...now);
      script.wait(RTT);
      for (let i = 0; i < now.length; i++) script.ack(++una);
    }
    assert.deepEqual(sent, [-1, -2, -3, -4, -5, -6, -7, -8, -9, -10]);
    assert.equal(c.recovery, Recovery.None);
    assert.equal(c.flight.count, 0);
  }
});

Deno.test("recovery: duplicates of what was out at a timeout start no fast retransmit (RFC 6582 3.2, step 4)", () => {
  const script = tenOut({ hasSack: false });
  const { c } = script;
  onRetransmissionTimeout(c, script.wait(c.rtt.rto).now);
  script.send();
  for (let i = 0; i < 5; i++) script.ack(0);
  script.wait(RTT).ack(6);
  for (let i = 0; i < 5; i++) script.ack(6);
  assert.equal(c.recovery, Recovery.Timeout);
  assert.equal(c.tcp.counters.recoveries, 0);
  assert.equal(script.threshold, 5);
});

Deno.test("recovery: a peer that takes back what it had SACKed is sent it again (RFC 2018 8)", () => {
  const script = tenOut();
  script.ack(0, { sack: [[1, 10]] });
  script.send(1);
  script.wait(RTT).ack(1);
  assert.ok(script.c.flight.isReceived(0), "the acknowledgment stands still before what is SACKed");
  onRetransmissionTimeout(script.c, script.wait(script.c.rtt.rto).now);
  assert.equal(script.c.flight.sacked, 0);
  assert.equal(script.send()[0], -2);
});

Deno.test("recovery: a mark of congestion reduces the window once a window, and sends nothing again (RFC 3168 6.1.2)", () => {
  const script = tenOut();
  const { c } = script;
  script.ack(1);
  onEcnEcho(c, script.now);
  assert.equal(script.threshold, 5);
  assert.equal(script.window, 5);
  assert.ok(c.cwrWanted);
  c.cwrWanted = false;
  for (let i = 2; i <= 9; i++) {
    script.ack(i);
    onEcnEcho(c, script.now);
  }
  assert.equal(script.threshold, 5);
  assert.ok(!c.cwrWanted);
  assert.equal(c.flight.lost, 0);
  script.send();
  script.ack(10);
  onEcnEcho(c, script.now);
  assert.ok(script.threshold < 5, "the next window");
  assert.ok(c.cwrWanted);
});

Deno.test("recovery: a loss in a window that was marked is repaired without another reduction (RFC 3168 6.1.2)", () => {
  const script = tenOut();
  script.c.flight.begin();
  onEcnEcho(script.c, script.now);
  script.ack(0, { sack: [[1, 10]] });
  assert.equal(script.c.recovery, Recovery.Fast);
  assert.equal(script.threshold, 5);
  script.send(1);
  script.wait(RTT).ack(10);
  assert.equal(script.window, 5);
});

Deno.test("recovery: after a pause the window starts over (RFC 2861 2)", () => {
  const script = new Script();
  const clock = new Clock();
  const c = { ...script.c, lastSentAt: script.now, tcp: { clock } };
  c.control.cwnd = 64 * MSS;
  script.send();
  script.wait(RTT).ack(64);
  const { cwnd } = c.control;
  const at = (now: number) => {
    clock.set(now);
    onIdleRestart(c);
  };
  at(script.now);
  assert.equal(c.control.cwnd, cwnd, "not within a timeout");
  const later = c.lastSentAt + c.rtt.rto;
  at(later);
  at(later);
  assert.equal(c.control.cwnd, Math.floor(cwnd / 2), "a pause counts once");
  at(c.lastSentAt + seconds(100));
  assert.equal(c.control.cwnd, 10 * MSS);
  c.control.cwnd = 64 * MSS;
  at(c.lastSentAt + seconds(4_295));
  assert.equal(c.control.cwnd, 10 * MSS, "though the clock of segments has come round");
});

Deno.test("recovery: a window that the application does not fill does not grow (RFC 7661 4.2)", () => {
  const script = new Script({ segments: 4 });
  script.send();
  for (let i = 1; i <= 4; i++) script.wait(RTT / 4).ack(i);
  assert.equal(script.window, 10);
  const busy = new Script();
  busy.send();
  // A burst of acknowledgments, before anything is sent again: each counts.
  busy.wait(RTT);
  for (let i = 1; i <= 10; i++) busy.ack(i);
  assert.equal(busy.window, 20);
});

Deno.test("recovery: whatever a peer says, every timeout lets a segment out, and nothing goes below nothing", () => {
  const event = fc.tuple(fc.nat(7), fc.nat(40), fc.nat(40), fc.nat(milliseconds(60)));
  check(
    fc.property(fc.boolean(), fc.array(event, { minLength: 5, maxLength: 150 }), (hasSack, events) => {
      const script = new Script({ hasSack });
      const { c } = script;
      for (const [kind, a, b, wait] of events) {
        script.wait(wait);
        const una = c.flight.una / MSS, count = c.flight.count;
        const at = (value: number) => una + value % (count + 1);
        if (kind === 0) script.ack(at(a), { echoAge: milliseconds(b * 3) });
        else if (kind <= 2) script.ack(una, { sack: [[at(a), at(b)], [at(b), at(a)]] });
        else if (kind === 3) script.ack(una, { dsack: [una - 1, una] });
        else if (kind === 4) script.ack(una);
        else if (kind === 5) onReorderingTimeout(c, script.now);
        else if (kind === 6) onEcnEcho(c, script.now);
        else if (c.flight.count > 0) {
          const { backoff } = c.rtt;
          onRetransmissionTimeout(c, script.now);
          assert.ok(mustHaveTimer(c));
          assert.ok(c.flight.firstLost() >= 0, "something is to be sent again");
          assert.ok(sendAllowance(c) >= MSS, "and may be");
          assert.ok(c.rtt.backoff > backoff || c.rtt.rto === MAX_RTO);
        }
        assert.ok(sendAllowance(c) >= 0);
        assert.ok(c.flight.pipe >= 0 && c.duplicateBytes >= 0);
        assert.ok(Number.isInteger(c.control.cwnd) && c.control.cwnd >= 0);
        assert.equal(mustHaveTimer(c), c.flight.count > 0);
        script.send(30);
        // With nothing known to be in the network, something has just left.
        assert.ok(c.flight.pipe > 0);
      }
    }),
    { runs: 500 },
  );
});
