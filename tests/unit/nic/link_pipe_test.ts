import { deepStrictEqual, equal, notDeepStrictEqual, ok, throws } from "node:assert/strict";
import { DeviceInfo, SlotPool } from "../../../nic/device.ts";
import { Fate } from "../../../nic/link/fate.ts";
import type { Faults } from "../../../nic/link/faults.ts";
import { Pipe, type PipeOptions } from "../../../nic/link/pipe.ts";
import { ALL_MANUAL } from "../../../stack/slot.ts";
import { NEVER } from "../../../stack/store/time.ts";
import { check, fc } from "../../support/property.ts";

const LENGTH = 100;

/** A pipe with a pool of its own, and frames that carry their number. */
class Bench {
  readonly pool: SlotPool;
  readonly pipe: Pipe;
  readonly #frame = new Uint8Array(LENGTH);

  constructor(faults: Faults, options: PipeOptions & { slots?: number } = {}) {
    this.pool = new SlotPool(options.slots ?? 256, 1_518, new DeviceInfo(ALL_MANUAL, 1_500));
    this.pipe = new Pipe(this.pool, faults, options);
  }

  send(number: number, now: number): Fate {
    new DataView(this.#frame.buffer).setUint32(0, number);
    return this.pipe.push(this.#frame, 0, LENGTH, now);
  }

  /** The number of the next frame that has arrived; -1: none has. */
  take(now: number): number {
    const slot = this.pipe.pop(now);
    if (slot === undefined) return -1;
    const { bytes, start, end } = slot.frame;
    equal(end - start, LENGTH);
    const number = new DataView(bytes.buffer, bytes.byteOffset + start).getUint32(0);
    this.pool.give(slot);
    return number;
  }

  /** All that has arrived by now. */
  takeAll(now: number): number[] {
    const numbers: number[] = [];
    for (let number = this.take(now); number >= 0; number = this.take(now)) numbers.push(number);
    return numbers;
  }

  /** Sends `count` frames, one each `gap` microseconds, and answers with those that arrive, and when. */
  stream(count: number, gap: number): { number: number; at: number }[] {
    const arrivals: { number: number; at: number }[] = [];
    const drain = (until: number) => {
      for (let due = this.pipe.deadline(); due <= until && due < NEVER; due = this.pipe.deadline()) {
        for (const number of this.takeAll(due)) arrivals.push({ number, at: due });
      }
    };
    for (let index = 0; index < count; index++) {
      drain(index * gap);
      this.send(index, index * gap);
    }
    drain(NEVER);
    return arrivals;
  }

  expectEmpty(): void {
    equal(this.pipe.size, 0);
    equal(this.pool.available, this.pool.slots.length, "a slot has leaked");
  }
}

function near(actual: number, expected: number, tolerance: number): void {
  ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected} +- ${tolerance}`);
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

Deno.test("pipe: a perfect one passes every frame at once, in order", () => {
  const bench = new Bench({});
  ok(bench.pipe.isPerfect);
  equal(bench.pipe.deadline(), NEVER);
  for (const number of numbers(5)) equal(bench.send(number, 10), Fate.Passed);
  equal(bench.pipe.deadline(), 10);
  deepStrictEqual(bench.takeAll(9), []);
  deepStrictEqual(bench.takeAll(10), numbers(5));
  equal(bench.pipe.counters.passed, 5);
  bench.expectEmpty();
});

Deno.test("pipe: a slot is carried without a copy and comes out as it went in", () => {
  const bench = new Bench({ delay: 5 });
  const slot = bench.pool.take()!;
  slot.frame.resize(60);
  equal(bench.pipe.carry(slot, 100), Fate.Passed);
  equal(bench.pipe.pop(104), undefined);
  equal(bench.pipe.pop(105), slot);
});

Deno.test("pipe: a full pool is an overflow, and a frame longer than a slot is too long", () => {
  const bench = new Bench({}, { slots: 2 });
  deepStrictEqual([0, 1, 2].map((number) => bench.send(number, 0)), [
    Fate.Passed,
    Fate.Passed,
    Fate.Overflow,
  ]);
  bench.takeAll(0);
  equal(bench.pipe.push(new Uint8Array(3_000), 0, 3_000, 0), Fate.TooLong);
  equal(bench.pipe.counters.overflow, 1);
  equal(bench.pipe.counters.tooLong, 1);
  bench.expectEmpty();
});

Deno.test("pipe: frames are lost at the rate that is set", () => {
  for (const seed of [0, 1, 0xffffffff]) {
    const bench = new Bench({ loss: 0.1, seed });
    const arrivals = bench.stream(20_000, 1);
    near(arrivals.length, 18_000, 3 * Math.sqrt(20_000 * 0.1 * 0.9));
    equal(bench.pipe.counters.lost, 20_000 - arrivals.length);
    bench.expectEmpty();
  }
});

Deno.test("pipe: a pulse loses the same places of each period", () => {
  const bench = new Bench({ pulse: { threshold: 7, reset: 10 } });
  deepStrictEqual(
    bench.stream(30, 1).map(({ number }) => number),
    numbers(30).filter((number) => number % 10 < 7),
  );
});

Deno.test("pipe: bursts have the mean length and the share that their states give", () => {
  const bench = new Bench({ burst: { toBad: 0.02, toGood: 0.25 }, seed: 5 });
  const arrived = new Set(bench.stream(50_000, 1).map(({ number }) => number));
  const bursts = numbers(50_000).filter((number) => !arrived.has(number) && arrived.has(number - 1)).length;
  near((50_000 - arrived.size) / bursts, 1 / 0.25, 0.4);
  near(arrived.size / 50_000, 0.25 / 0.27, 0.02);
});

Deno.test("pipe: one fault more does not change which frames another one strikes", () => {
  const arrived = (faults: Faults) =>
    new Set(new Bench({ ...faults, seed: 9 }).stream(2_000, 1).map(({ number }) => number));
  const alone = arrived({ loss: 0.1 });
  deepStrictEqual(arrived({ loss: 0.1, duplicate: 0.2, jitter: 3, delay: 10 }), alone);
});

Deno.test("pipe: a frame that one fault drops or doubles draws for all others nonetheless", () => {
  const struck = (faults: Faults, fate: Fate) => {
    const found = new Set<number>();
    let sent = 0;
    const trace = (what: Fate) => void (what === fate && found.add(sent));
    const bench = new Bench({ ...faults, seed: 9 }, { trace });
    for (; sent < 2_000; sent++) {
      bench.send(sent, sent);
      bench.takeAll(sent);
    }
    return found;
  };
  const others: readonly Faults[] = [{ loss: 0.3 }, { mtu: 68 }, { rate: 1_000_000, queue: 1 }, {
    down: true,
  }];
  const duplicated = struck({ duplicate: 0.2 }, Fate.Duplicated);
  const reordered = struck({ reorder: 0.05 }, Fate.Reordered);
  for (const other of others) {
    ok(struck({ ...other, duplicate: 0.2 }, Fate.Duplicated).isSubsetOf(duplicated), JSON.stringify(other));
    ok(struck({ ...other, reorder: 0.05 }, Fate.Reordered).isSubsetOf(reordered), JSON.stringify(other));
  }
  deepStrictEqual(struck({ duplicate: 0.2, reorder: 0.05 }, Fate.Duplicated), duplicated);
  const corrupted = struck({ corrupt: 0.05 }, Fate.Corrupted);
  const withCopies = struck({ duplicate: 0.2, corrupt: 0.05 }, Fate.Corrupted);
  ok(corrupted.isSubsetOf(withCopies), "copies have a sequence of their own");
});

Deno.test("pipe: a doubled frame arrives twice in a row", () => {
  const bench = new Bench({ duplicate: 0.2, delay: 10 });
  const arrivals = bench.stream(10_000, 1).map(({ number }) => number);
  const { duplicated, passed } = bench.pipe.counters;
  near(duplicated, 2_000, 120);
  equal(arrivals.length, 10_000 + duplicated);
  equal(passed, arrivals.length);
  deepStrictEqual([...new Set(arrivals)], numbers(10_000));
  ok(arrivals.every((number, index) => index === 0 || number - arrivals[index - 1]! <= 1));
  bench.expectEmpty();
});

Deno.test("pipe: corruption flips exactly one bit, anywhere in the frame", () => {
  const bench = new Bench({ corrupt: 1 });
  const original = Uint8Array.from({ length: 64 }, (_, index) => index * 5);
  const flips = new Int32Array(64 * 8);
  for (let round = 0; round < 10_000; round++) {
    bench.pipe.push(original, 0, original.length, round);
    const slot = bench.pipe.pop(round)!;
    const { bytes, start } = slot.frame;
    let flipped = 0;
    for (let bit = 0; bit < flips.length; bit++) {
      if (((bytes[start + (bit >> 3)]! ^ original[bit >> 3]!) >> (bit & 7) & 1) === 0) continue;
      flipped++;
      flips[bit]!++;
    }
    equal(flipped, 1);
    bench.pool.give(slot);
  }
  equal(bench.pipe.counters.corrupted, 10_000);
  ok(flips.every((count) => count > 0), "some bit is never flipped");
  const empty = bench.pipe.push(original, 0, 0, 10_000);
  equal(empty, Fate.Passed, "a frame without a bit passes");
});

Deno.test("pipe: of a doubled frame only one is damaged when one bit is flipped", () => {
  const bench = new Bench({ duplicate: 1, corrupt: 0.5, seed: 2 });
  const frame = new Uint8Array(60);
  let bothDiffer = 0;
  for (let round = 0; round < 400; round++) {
    bench.pipe.push(frame, 0, 60, round);
    const flips = [bench.pipe.pop(round)!, bench.pipe.pop(round)!].map((slot) => {
      const { bytes, start, end } = slot.frame;
      bench.pool.give(slot);
      return bytes.slice(start, end).some((byte) => byte !== 0);
    });
    if (flips[0] !== flips[1]) bothDiffer++;
  }
  near(bothDiffer, 200, 40);
});

Deno.test("pipe: delay is exact, and jitter stays in its bounds without changing the order", () => {
  const bench = new Bench({ delay: 5_000 });
  ok(bench.stream(100, 10).every(({ number, at }) => at === number * 10 + 5_000));
  const jittery = new Bench({ delay: 5_000, jitter: 1_000, seed: 4 });
  const arrivals = jittery.stream(2_000, 5_000);
  const delays = arrivals.map(({ number, at }) => at - number * 5_000);
  ok(delays.every((delay) => delay >= 4_000 && delay <= 6_000));
  near(delays.reduce((sum, delay) => sum + delay) / delays.length, 5_000, 50);
  ok(Math.min(...delays) < 4_010 && Math.max(...delays) > 5_990, "the bounds are reached");
  const dense = new Bench({ delay: 5_000, jitter: 4_000 }).stream(5_000, 50);
  deepStrictEqual(dense.map(({ number }) => number), numbers(5_000));
});

Deno.test("pipe: jitter greater than the delay never delivers before a frame was sent", () => {
  const arrivals = new Bench({ jitter: 100 }).stream(1_000, 1_000);
  ok(arrivals.every(({ number, at }) => at >= number * 1_000 && at <= number * 1_000 + 100));
});

Deno.test("pipe: the rate is exact over any number of frames", () => {
  for (const rate of [1_000_000, 3_000_000, 7_777_777, 1_000_000_000]) {
    const bench = new Bench({ rate });
    for (const number of numbers(200)) bench.send(number, 0);
    const last = numbers(200).map(() => {
      const due = bench.pipe.deadline();
      bench.take(due);
      return due;
    });
    last.forEach((due, index) =>
      equal(due, Math.ceil((index + 1) * LENGTH * 8 * 1e6 / rate), `rate ${rate}`)
    );
    bench.expectEmpty();
  }
});

Deno.test("pipe: the rest of a microsecond at one rate is no longer at the next one", () => {
  const bench = new Bench({ rate: 999_999_999 });
  bench.send(0, 0);
  equal(bench.pipe.deadline(), 1);
  bench.pipe.faults = { rate: 1_000_000 };
  bench.send(1, 0);
  deepStrictEqual(bench.takeAll(1), [0]);
  equal(bench.pipe.deadline(), 1 + LENGTH * 8);
});

Deno.test("pipe: a line that was free sends the next frame at once, without credit", () => {
  const bench = new Bench({ rate: 800_000 });
  bench.send(0, 0);
  bench.send(1, 10_000);
  bench.send(2, 10_000);
  equal(bench.pipe.deadline(), 1_000);
  deepStrictEqual(bench.takeAll(10_999), [0]);
  deepStrictEqual(bench.takeAll(11_000), [1]);
  equal(bench.pipe.deadline(), 12_000);
});

Deno.test("pipe: the queue drops what comes to its full end, beside the frame that is being sent", () => {
  const bench = new Bench({ rate: 800_000, queue: 3, delay: 1_000_000 });
  const fates = numbers(6).map((number) => bench.send(number, 0));
  deepStrictEqual(fates, [0, 0, 0, 0, Fate.Overflow, Fate.Overflow]);
  // 1 ms later the first has left the line, though it still travels, and one more can wait.
  deepStrictEqual([6, 7].map((number) => bench.send(number, 1_000)), [Fate.Passed, Fate.Overflow]);
  equal(bench.pipe.counters.overflow, 3);
  deepStrictEqual(bench.takeAll(10_000_000), [0, 1, 2, 3, 6]);
});

Deno.test("pipe: a copy that finds the queue full is dropped, not its original", () => {
  const bench = new Bench({ rate: 800_000, queue: 1, duplicate: 1 });
  bench.send(0, 0);
  bench.send(1, 0);
  deepStrictEqual(bench.takeAll(1_000_000), [0, 0]);
  equal(bench.pipe.counters.overflow, 1);
  bench.expectEmpty();
});

Deno.test("pipe: a frame held back lets one to three others pass, and no more", () => {
  const bench = new Bench({ reorder: 0.05, delay: 100, seed: 3 });
  const order = bench.stream(20_000, 10).map(({ number }) => number);
  deepStrictEqual([...order].sort((a, b) => a - b), numbers(20_000), "every frame arrives once");
  let highest = -1;
  let late = 0;
  const passedBy = new Map<number, number>();
  order.forEach((number, index) => {
    if (number > highest) highest = number;
    else {
      late++;
      passedBy.set(number, order.slice(0, index).filter((other) => other > number).length);
    }
  });
  near(bench.pipe.counters.reordered, 1_000, 100);
  near(late, bench.pipe.counters.reordered, 60);
  // Those held back meanwhile do not count as passing, so a few more may come between.
  ok([...passedBy.values()].every((count) => count >= 1 && count <= 6), `${Math.max(...passedBy.values())}`);
  ok([...passedBy.values()].filter((count) => count <= 3).length > 0.95 * late);
  bench.expectEmpty();
});

Deno.test("pipe: a frame held back without followers arrives after 10 ms", () => {
  const bench = new Bench({ reorder: 1, delay: 500 });
  bench.send(0, 0);
  equal(bench.pipe.deadline(), 10_500);
  deepStrictEqual(bench.takeAll(10_499), []);
  deepStrictEqual(bench.takeAll(10_500), [0]);
  bench.expectEmpty();
});

Deno.test("pipe: if every frame is to be held back, they arrive all the same", () => {
  const bench = new Bench({ reorder: 1, seed: 1 });
  const order = bench.stream(1_000, 100).map(({ number }) => number);
  deepStrictEqual([...order].sort((a, b) => a - b), numbers(1_000));
  bench.expectEmpty();
});

Deno.test("pipe: a frame longer than the MTU vanishes, its Ethernet header and VLAN tag not counted", () => {
  const bench = new Bench({ mtu: 100 });
  const frame = new Uint8Array(119);
  frame.set([0x08, 0x00], 12);
  equal(bench.pipe.push(frame, 0, 114, 0), Fate.Passed);
  equal(bench.pipe.push(frame, 0, 115, 0), Fate.TooLong);
  frame.set([0x81, 0x00], 12);
  equal(bench.pipe.push(frame, 0, 118, 0), Fate.Passed);
  equal(bench.pipe.push(frame, 0, 119, 0), Fate.TooLong);
  equal(bench.pipe.counters.tooLong, 2);
});

Deno.test("pipe: nothing enters while it is down, and what is under way arrives", () => {
  const bench = new Bench({ delay: 100 });
  bench.send(0, 0);
  bench.pipe.faults = { ...bench.pipe.faults, down: true };
  equal(bench.send(1, 10), Fate.Down);
  bench.pipe.faults = { delay: 100 };
  bench.send(2, 20);
  deepStrictEqual(bench.takeAll(1_000), [0, 2]);
  equal(bench.pipe.counters.down, 1);
});

Deno.test("pipe: a shorter delay does not let frames overtake those under way", () => {
  const bench = new Bench({ delay: 1_000 });
  bench.send(0, 0);
  bench.pipe.faults = {};
  bench.send(1, 10);
  equal(bench.pipe.deadline(), 1_000);
  deepStrictEqual(bench.takeAll(999), []);
  deepStrictEqual(bench.takeAll(1_000), [0, 1]);
});

Deno.test("pipe: a pulse goes on where it was when another fault changes", () => {
  const pulse = { threshold: 1, reset: 2 };
  const bench = new Bench({ pulse });
  const fates = [bench.send(0, 0)];
  bench.pipe.faults = { pulse, delay: 1 };
  fates.push(bench.send(1, 0), bench.send(2, 0));
  deepStrictEqual(fates, [Fate.Passed, Fate.Lost, Fate.Passed]);
  throws(() => bench.pipe.faults = { loss: 2 }, RangeError);
  equal(bench.pipe.faults.delay, 1, "refused faults leave the old ones");
});

Deno.test("pipe: clear gives everything back", () => {
  const bench = new Bench({ delay: 100, reorder: 0.5, rate: 1_000, duplicate: 0.5 });
  for (const number of numbers(50)) bench.send(number, 0);
  ok(bench.pipe.size > 50);
  bench.pipe.clear();
  equal(bench.pipe.deadline(), NEVER);
  bench.expectEmpty();
  bench.send(0, 0);
  equal(bench.pipe.size, 1);
});

const HARD: Faults = {
  loss: 0.1,
  duplicate: 0.1,
  reorder: 0.1,
  corrupt: 0.1,
  delay: 500,
  jitter: 300,
  rate: 1e6,
};

/** Everything that a trace tells, as one text. */
function trace(faults: Faults, options: PipeOptions = {}): string[] {
  const events: string[] = [];
  const bench = new Bench(faults, {
    ...options,
    trace: (fate, bytes, start, end, now) => events.push(`${now} ${fate} ${bytes.slice(start, end)}`),
  });
  bench.stream(500, 300);
  return events;
}

Deno.test("pipe: the same seed gives the same trace, another seed or stream another one", () => {
  for (const seed of [0, 7]) deepStrictEqual(trace({ ...HARD, seed }), trace({ ...HARD, seed }));
  const first = trace({ ...HARD, seed: 0 });
  notDeepStrictEqual(trace({ ...HARD, seed: 1 }), first);
  notDeepStrictEqual(trace({ ...HARD, seed: 0 }, { stream: 1 }), first);
  deepStrictEqual(trace(HARD, { seed: 5 }), trace({ ...HARD, seed: 5 }), "the options' seed is the default");
});

Deno.test("pipe: every frame that enters ends in one fate, in order of time, and no slot leaks", () => {
  const share = fc.constantFrom(0, 0.01, 0.3, 1);
  const faults = fc.record({
    loss: share,
    duplicate: share,
    reorder: share,
    corrupt: share,
    delay: fc.nat(2_000),
    jitter: fc.nat(2_000),
    rate: fc.constantFrom(100_000, 10_000_000),
    queue: fc.integer({ min: 1, max: 50 }),
    seed: fc.integer(),
  });
  check(
    fc.property(faults, fc.array(fc.nat(1_000), { maxLength: 200 }), (faults, gaps) => {
      const bench = new Bench(faults, { slots: 64 });
      let now = 0;
      let last = 0;
      const drain = (until: number) => {
        for (let due = bench.pipe.deadline(); due <= until && due < NEVER; due = bench.pipe.deadline()) {
          ok(due >= last, "time runs backwards");
          last = due;
          ok(bench.takeAll(due).length > 0, "a deadline without a frame");
        }
      };
      gaps.forEach((gap, number) => {
        now += gap;
        drain(now);
        last = Math.max(last, now);
        bench.send(number, now);
      });
      drain(NEVER);
      const { passed, lost, overflow, duplicated } = bench.pipe.counters;
      equal(passed + lost + overflow, gaps.length + duplicated);
      bench.expectEmpty();
    }),
    { runs: 200 },
  );
});
