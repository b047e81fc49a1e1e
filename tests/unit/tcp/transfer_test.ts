import assert from "node:assert/strict";
import { type Instant, milliseconds, seconds } from "../../../stack/store/time.ts";
import { Cubic } from "../../../stack/tcp/congestion/cubic.ts";
import { NewReno } from "../../../stack/tcp/congestion/newreno.ts";
import { check, fc } from "../../support/property.ts";
import { MSS, Transfer, type TransferOptions } from "./transfer.ts";

/** Numbers from 0 to 1 that look random and are the same each time. */
function dice(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** A megabyte with CUBIC, over the wrap of the numbers, unless told otherwise. */
function transfer(options: Partial<TransferOptions> = {}): Transfer {
  return new Transfer({ length: 1_000_000, start: 0x7fffffff - 300_000, control: new Cubic(), ...options })
    .run();
}

/** What a run of transfers with differing dice adds up to. */
function many(count: number, options: (random: () => number) => Partial<TransferOptions>): {
  timeouts: number;
  resent: number;
  lost: number;
  undone: number;
  time: Instant;
} {
  const sum = { timeouts: 0, resent: 0, lost: 0, undone: 0, time: 0 };
  for (let seed = 1; seed <= count; seed++) {
    const one = transfer(options(dice(seed)));
    sum.timeouts += one.counters.timeouts;
    sum.resent += one.resent;
    sum.lost += one.lost;
    sum.undone += one.counters.undone;
    sum.time += one.now;
  }
  return sum;
}

Deno.test("transfer: without loss nothing is sent twice", () => {
  for (const hasSack of [true, false]) {
    const one = transfer({ hasSack });
    assert.equal(one.resent, 0);
    assert.deepEqual(one.counters, { timeouts: 0, recoveries: 0, undone: 0, probes: 0 });
  }
});

Deno.test("transfer: with 1 % and 5 % loss exactly what is lost is sent again, without a timeout (RFC 8985)", () => {
  for (const loss of [0.01, 0.05]) {
    const sum = many(20, (random) => ({ drop: () => random() < loss }));
    assert.ok(sum.lost > 100);
    assert.equal(sum.resent, sum.lost);
    assert.equal(sum.timeouts, 0);
  }
});

Deno.test("transfer: with 20 % loss no timeout hits what is on its way", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const random = dice(seed);
    const one = transfer({ drop: () => random() < 0.2 });
    assert.equal(one.spuriousTimeouts, 0);
    assert.equal(one.resent, one.lost);
    assert.ok(one.now < seconds(60), `${one.now}`);
  }
});

Deno.test("transfer: without SACK loss is repaired as well, in more time (RFC 6582)", () => {
  const sum = many(10, (random) => ({ hasSack: false, drop: () => random() < 0.01 }));
  assert.ok(sum.timeouts <= 20, `${sum.timeouts}`);
  assert.ok(sum.resent <= 3 * sum.lost);
  assert.ok(sum.time < 10 * seconds(10));
});

Deno.test("transfer: a burst of losses is repaired in one recovery (RFC 9937)", () => {
  for (const burst of [2, 20, 60]) {
    const one = transfer({ drop: ({ number }) => number >= 150 && number < 150 + burst });
    assert.equal(one.resent, burst);
    assert.equal(one.counters.recoveries, 1);
    assert.equal(one.counters.timeouts, 0);
  }
});

Deno.test("transfer: a retransmission lost four times is found each time (RFC 8985 3.1)", () => {
  let left = 5;
  const one = transfer({ drop: ({ offset }) => offset === 200_000 && left-- > 0 });
  assert.equal(one.resent, 5);
  assert.equal(one.counters.timeouts, 0);
  assert.equal(one.counters.recoveries, 1);
});

Deno.test("transfer: a lost tail is repaired by a probe, not by a timeout (RFC 8985 7)", () => {
  for (const hasTimestamps of [true, false]) {
    for (const tail of [1, 2, 5]) {
      const one = transfer({
        hasTimestamps,
        drop: ({ offset, isResend }) => offset >= 1_000_000 - tail * MSS && !isResend,
      });
      assert.equal(one.counters.probes, 1);
      assert.equal(one.counters.timeouts, 0);
      assert.equal(one.resent, tail);
    }
  }
});

Deno.test("transfer: a tail that is lost with its probe is repaired by a timeout (RFC 6298 5.4)", () => {
  let left = 2;
  const one = transfer({ drop: ({ offset }) => offset === 999_000 && left-- > 0 });
  assert.equal(one.counters.probes, 1);
  assert.equal(one.counters.timeouts, 1);
});

Deno.test("transfer: reordering within the window is learned, and costs nothing then (RFC 8985 6.2)", () => {
  const sum = many(10, (random) => ({
    hasTimestamps: true,
    delay: () => random() < 0.1 ? milliseconds(5) : 0,
  }));
  assert.equal(sum.timeouts, 0);
  assert.ok(sum.resent <= 40, `${sum.resent}`);
  assert.ok(sum.time < 10 * milliseconds(500), "nor does it slow the transfer down");
});

Deno.test("transfer: reordering beyond the window widens it, by D-SACK (RFC 8985 6.2, step 4)", () => {
  const jitter = (hasDsack: boolean) =>
    many(10, (random) => ({ hasDsack, delay: () => Math.floor(random() * milliseconds(30)) }));
  const told = jitter(true), untold = jitter(false);
  assert.ok(told.resent * 4 < untold.resent, `${told.resent} and ${untold.resent}`);
  assert.ok(told.undone > 0 && untold.undone === 0);
  assert.ok(told.time * 4 < untold.time, `${told.time} and ${untold.time}`);
});

Deno.test("transfer: a path that stands still for a second is no congestion (RFC 3522, RFC 3708)", () => {
  for (const told of [{ hasTimestamps: true, hasDsack: false }, { hasTimestamps: false, hasDsack: true }]) {
    let until = 0;
    const one = transfer({
      ...told,
      length: 4_000_000,
      delay: ({ number, now }) => {
        if (number === 300) until = now + seconds(1);
        return Math.max(0, until - now);
      },
    });
    assert.ok(one.counters.timeouts >= 1);
    assert.equal(one.counters.undone, 1);
    assert.equal(one.c.control.ssthresh, Infinity);
  }
});

Deno.test("transfer: lost acknowledgments are made up for by later ones", () => {
  const sum = many(10, (random) => ({ dropAck: () => random() < 0.3 }));
  assert.ok(sum.resent <= 10, `${sum.resent}`);
  assert.ok(sum.time < 10 * milliseconds(500));
});

Deno.test("transfer: a bottleneck with a short queue is filled (RFC 9438)", () => {
  for (const [queue, least] of [[10_000, 0.8], [50_000, 0.95], [500_000, 0.95]] as const) {
    const one = transfer({ length: 10_000_000, rate: 1_250_000, queue });
    assert.ok(one.goodput > least * 1_250_000, `${queue}: ${one.goodput}`);
    assert.equal(one.counters.timeouts, 0);
    assert.equal(one.resent, one.lost);
  }
});

Deno.test("transfer: under any loss up to a fifth, reordering and delay, every byte gets there", () => {
  const options = fc.record({
    seed: fc.integer(),
    start: fc.integer(),
    segments: fc.integer({ min: 1, max: 200 }),
    odd: fc.integer({ min: 0, max: MSS - 1 }),
    rtt: fc.integer({ min: 1, max: 300 }).map(milliseconds),
    loss: fc.double({ min: 0, max: 0.2, noNaN: true }),
    ackLoss: fc.double({ min: 0, max: 0.2, noNaN: true }),
    jitter: fc.nat(milliseconds(100)),
    queue: fc.constantFrom(3_000, 30_000, 1e9),
    hasSack: fc.boolean(),
    hasTimestamps: fc.boolean(),
    hasDsack: fc.boolean(),
    isCubic: fc.boolean(),
    ackEvery: fc.integer({ min: 1, max: 4 }),
  });
  check(
    fc.property(options, ({ seed, segments, odd, loss, ackLoss, jitter, isCubic, ...rest }) => {
      const random = dice(seed);
      new Transfer({
        ...rest,
        length: segments * MSS + odd,
        rate: 1_250_000,
        control: isCubic ? new Cubic() : new NewReno(),
        drop: () => random() < loss,
        dropAck: () => random() < ackLoss,
        delay: () => jitter === 0 ? 0 : Math.floor(random() * jitter),
      }).run(seconds(20_000));
    }),
    { runs: 500 },
  );
});
