import assert from "node:assert/strict";
import { milliseconds } from "../../../stack/store/time.ts";
import { HyStart } from "../../../stack/tcp/congestion/hystart.ts";
import { Cubic } from "../../../stack/tcp/congestion/cubic.ts";
import { NewReno } from "../../../stack/tcp/congestion/newreno.ts";

const MSS = 1_000;
/** Segments of a round. */
const FLIGHT = 10;

/** A slow start that is told of whole rounds. */
class Rounds {
  readonly start = new HyStart();
  una: number;

  constructor(una: number = 0) {
    this.una = una;
  }

  /** The next round: each of its segments takes so long, in milliseconds. The round is over with the next one's first. */
  next(rtt: number, segments: number = FLIGHT): this {
    for (let segment = 0; segment < segments; segment++) {
      this.una = (this.una + MSS) | 0;
      this.start.onRoundTrip(milliseconds(rtt), this.una, (this.una + (FLIGHT - 1) * MSS) | 0);
    }
    this.una = (this.una + (FLIGHT - segments) * MSS) | 0;
    return this;
  }

  /** Whether it is conservative. */
  get isSlow(): boolean {
    return this.start.growth(4 * MSS, MSS) === MSS;
  }
}

Deno.test("hystart: a round whose least round trip is longer by an eighth slows it down to a quarter (RFC 9406 4.2)", () => {
  const rounds = new Rounds().next(80).next(89.999);
  assert.equal(rounds.isSlow, false);
  assert.equal(new Rounds().next(80).next(90).isSlow, true);
});

Deno.test("hystart: but by no less than 4 ms, and 16 ms is enough (RFC 9406 4.3)", () => {
  for (const [rtt, threshold] of [[1, 4], [30, 4], [40, 5], [128, 16], [400, 16]] as const) {
    assert.equal(new Rounds().next(rtt).next(rtt + threshold - 0.001).isSlow, false, `${rtt}`);
    assert.equal(new Rounds().next(rtt).next(rtt + threshold).isSlow, true, `${rtt}`);
  }
});

Deno.test("hystart: a round with fewer than eight round trips says nothing (RFC 9406 4.3)", () => {
  assert.equal(new Rounds().next(50).next(500, 7).isSlow, false);
  assert.equal(new Rounds().next(50).next(500, 8).isSlow, true);
});

Deno.test("hystart: a round is compared with the one before it, not with the least of all (RFC 9406 4.2)", () => {
  const rounds = new Rounds().next(50);
  for (let rtt = 53; rtt < 100; rtt += 3) rounds.next(rtt);
  assert.equal(rounds.isSlow, false);
});

Deno.test("hystart: one short round trip is enough to show that there is no queue (RFC 9406 4.2)", () => {
  const rounds = new Rounds().next(50);
  rounds.next(51, 1);
  rounds.una -= (FLIGHT - 1) * MSS;
  assert.equal(rounds.next(90, FLIGHT - 1).isSlow, false);
});

Deno.test("hystart: five rounds later it is over, the one in which it slowed down included (RFC 9406 4.2)", () => {
  for (const first of [0, 0x7fff_ffff - 35 * MSS]) {
    const rounds = new Rounds(first).next(50).next(60).next(60).next(60).next(60).next(60);
    assert.deepEqual([rounds.isSlow, rounds.start.isOver], [true, false]);
    assert.equal(rounds.next(60, 1).start.isOver, true, "the sixth begins");
  }
});

Deno.test("hystart: round trips below those that slowed it down show that these were jitter (RFC 9406 4.2)", () => {
  const rounds = new Rounds().next(50).next(60).next(60).next(59.999);
  assert.equal(rounds.isSlow, false);
  // It may slow down again, and then lasts five rounds from there.
  rounds.next(70).next(70).next(70).next(70).next(70);
  assert.deepEqual([rounds.isSlow, rounds.start.isOver], [true, false]);
  assert.equal(rounds.next(70).start.isOver, true);
});

Deno.test("hystart: of acknowledgments in crumbs none gains more than its share (RFC 3465 2.1, RFC 9406 4.2)", () => {
  const rounds = new Rounds().next(50).next(60);
  assert.equal(rounds.start.growth(3, MSS), 0);
  assert.equal(rounds.start.growth(50 * MSS, MSS), 2 * MSS, "eight segments, a quarter of them");
});

for (const make of [() => new Cubic(), () => new NewReno()]) {
  const { name } = make();

  /** A control in its first slow start that has slowed down; `una` is what comes next. */
  const slowed = () => {
    const control = make();
    control.reset(MSS);
    let una = 0;
    const round = (rtt: number) => {
      for (let segment = 0; segment < FLIGHT; segment++) {
        una += MSS;
        control.onRoundTrip(milliseconds(rtt), una, una + (FLIGHT - 1) * MSS);
        control.onAck(MSS, milliseconds(rtt), una, true);
      }
    };
    round(50);
    round(60);
    return { control, round };
  };

  Deno.test(`hystart: ${name} goes on from the window that it has reached, without a loss (RFC 9406 4.2)`, () => {
    const { control, round } = slowed();
    // Seven at the full rate, and three at a quarter of it.
    assert.equal(control.cwnd, 27_750);
    for (let more = 0; more < 4; more++) round(60);
    assert.equal(control.ssthresh, Infinity);
    round(60);
    assert.equal(control.ssthresh, 37_750);
    assert.ok(control.cwnd - control.ssthresh < MSS, `${control.cwnd}`);
  });

  Deno.test(`hystart: ${name} knows its threshold after a loss, and slow start is as ever (RFC 9406 4.2)`, () => {
    const { control, round } = slowed();
    control.onTimeout(40 * MSS, 0);
    round(60);
    assert.equal(control.cwnd, 11 * MSS);
  });

  Deno.test(`hystart: ${name} forgets round trips of a window that was not used, and from before a pause`, () => {
    for (const what of ["unused", "idle"]) {
      const { control, round } = slowed();
      if (what === "idle") control.onIdle(1, 0);
      else control.onAck(MSS, 0, 0, false);
      const { cwnd } = control;
      round(90);
      assert.equal(control.cwnd, cwnd + 10 * MSS, what);
    }
  });
}
