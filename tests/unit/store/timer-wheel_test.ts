import assert from "node:assert/strict";
import { milliseconds, NEVER, seconds } from "../../../stack/store/time.ts";
import { TimerWheel } from "../../../stack/store/timer-wheel.ts";
import { check, fc } from "../../support/property.ts";

function rung(wheel: TimerWheel, now: number): number[] {
  const timers: number[] = [];
  wheel.advance(now, (timer) => timers.push(timer));
  return timers;
}

Deno.test("timer wheel: a timer rings once, when its time has come and not before", () => {
  const wheel = new TimerWheel(4);
  wheel.arm(2, milliseconds(40));
  assert.equal(wheel.deadline(), milliseconds(40));
  assert.deepEqual(rung(wheel, milliseconds(40) - 1), []);
  assert.ok(wheel.armed(2));
  assert.deepEqual(rung(wheel, milliseconds(40)), [2]);
  assert.ok(!wheel.armed(2));
  assert.deepEqual(rung(wheel, seconds(9)), []);
  assert.equal(wheel.deadline(), NEVER);
});

Deno.test("timer wheel: a time between two ticks is the later tick, which the deadline names", () => {
  const wheel = new TimerWheel(1, milliseconds(10));
  wheel.arm(0, milliseconds(10) + 1);
  assert.equal(wheel.deadline(), milliseconds(20));
  assert.deepEqual(rung(wheel, milliseconds(20) - 1), []);
  assert.deepEqual(rung(wheel, milliseconds(20)), [0]);
});

Deno.test("timer wheel: an armed timer can be moved, earlier and later, and cancelled", () => {
  const wheel = new TimerWheel(1);
  wheel.arm(0, seconds(60));
  wheel.arm(0, seconds(1));
  assert.equal(wheel.deadline(), seconds(1));
  wheel.arm(0, seconds(120));
  assert.equal(wheel.deadline(), seconds(120));
  wheel.cancel(0);
  assert.equal(wheel.deadline(), NEVER);
  wheel.arm(0, seconds(1));
  wheel.arm(0, NEVER);
  assert.ok(!wheel.armed(0));
});

Deno.test("timer wheel: a delay counts from the last advance, and armed for the same tick a timer stays", () => {
  const wheel = new TimerWheel(2);
  assert.deepEqual(rung(wheel, seconds(86_400)), []);
  wheel.arm(0, seconds(86_400) + milliseconds(3));
  wheel.armIn(1, milliseconds(3));
  assert.deepEqual(rung(wheel, seconds(86_400) + milliseconds(3) - 1), []);
  wheel.armIn(0, 1);
  assert.deepEqual(rung(wheel, seconds(86_400) + milliseconds(3)), [0, 1]);
  wheel.armIn(0, -milliseconds(1));
  assert.deepEqual(rung(wheel, seconds(86_401)), [0]);
  wheel.armIn(0, NEVER);
  assert.ok(!wheel.armed(0));
  assert.throws(() => wheel.armIn(2, 0), RangeError);
  assert.throws(() => wheel.armIn(0, NaN), RangeError);
});

Deno.test("timer wheel: a time already past rings at the next advance, without time passing", () => {
  const wheel = new TimerWheel(1);
  rung(wheel, seconds(5));
  wheel.arm(0, seconds(3));
  assert.ok(wheel.deadline() <= seconds(5));
  assert.deepEqual(rung(wheel, seconds(5)), [0]);
});

Deno.test("timer wheel: a clock that went back counts as one that stands", () => {
  const wheel = new TimerWheel(2);
  rung(wheel, seconds(50));
  wheel.arm(0, seconds(60));
  wheel.arm(1, seconds(40));
  assert.deepEqual(rung(wheel, seconds(1)), [1]);
  wheel.arm(1, seconds(45));
  assert.ok(wheel.deadline() <= seconds(50));
  assert.deepEqual(rung(wheel, seconds(60)), [1, 0]);
});

Deno.test("timer wheel: one late call rings everything due in order of time", () => {
  const wheel = new TimerWheel(6);
  const times = [seconds(86_400), milliseconds(33), milliseconds(31), seconds(40), milliseconds(1024), 0];
  for (const [timer, at] of times.entries()) wheel.arm(timer, at);
  assert.deepEqual(rung(wheel, seconds(100_000)), [5, 2, 1, 4, 3, 0]);
});

Deno.test("timer wheel: the callback may arm its own timer again without ringing it twice in one call", () => {
  const wheel = new TimerWheel(1);
  wheel.arm(0, milliseconds(10));
  let count = 0;
  const again = (timer: number): void => {
    count++;
    wheel.arm(timer, milliseconds(10 + count * 10));
  };
  assert.equal(wheel.advance(milliseconds(25), again), 1);
  assert.equal(wheel.advance(milliseconds(25), again), 1, "20 ms was due in the course of the first call");
  assert.equal(wheel.advance(milliseconds(25), again), 0);
  assert.equal(wheel.deadline(), milliseconds(30));
});

Deno.test("timer wheel: the callback may cancel a timer that is due in the same tick", () => {
  const wheel = new TimerWheel(3);
  for (const timer of [0, 1, 2]) wheel.arm(timer, milliseconds(5));
  const timers: number[] = [];
  wheel.advance(milliseconds(5), (timer) => {
    timers.push(timer);
    wheel.cancel(1);
  });
  assert.deepEqual(timers, [0, 2]);
});

Deno.test("timer wheel: a callback that throws loses no other timer", () => {
  const wheel = new TimerWheel(3);
  wheel.arm(0, 0);
  wheel.arm(1, 0);
  wheel.arm(2, milliseconds(5));
  const fail = (): never => {
    throw new Error("no");
  };
  assert.throws(() => wheel.advance(milliseconds(5), fail), /no/);
  assert.ok(wheel.deadline() <= milliseconds(5));
  const later = [...rung(wheel, milliseconds(5)), ...rung(wheel, milliseconds(5))];
  assert.deepEqual(later.sort(), [1, 2]);
});

Deno.test("timer wheel: clocks that start anywhere and run for years work, also at ticks of 1 us", () => {
  for (const tick of [1, milliseconds(1)]) {
    const wheel = new TimerWheel(2, tick);
    const now = 1_750_000_000_000_000;
    assert.deepEqual(rung(wheel, now), []);
    wheel.arm(0, now + seconds(86_400 * 3_650));
    wheel.arm(1, now + milliseconds(1));
    assert.equal(wheel.deadline(), now + milliseconds(1));
    assert.deepEqual(rung(wheel, wheel.deadline()), [1]);
    assert.equal(wheel.deadline(), now + seconds(86_400 * 3_650));
    assert.deepEqual(rung(wheel, wheel.deadline() - 1), []);
    assert.deepEqual(rung(wheel, wheel.deadline()), [0]);
  }
});

Deno.test("timer wheel: whoever waits for each deadline wakes a few times a timer, however far it is", () => {
  const wheel = new TimerWheel(200);
  // The timers of one slot are cancelled earliest first: the case in which a deadline may be too early.
  for (let timer = 0; timer < 200; timer++) wheel.arm(timer, seconds(1_000) + milliseconds(timer * 7));
  for (let timer = 0; timer < 199; timer++) wheel.cancel(timer);
  let calls = 0;
  for (; wheel.armed(199); calls++) {
    assert.ok(wheel.deadline() <= seconds(1_000) + milliseconds(199 * 7));
    rung(wheel, wheel.deadline());
  }
  assert.ok(calls <= 11, `${calls} calls`);
});

Deno.test("timer wheel: timers, times and sizes that cannot be are named", () => {
  const wheel = new TimerWheel(2);
  assert.throws(() => wheel.arm(2, 0), /timer must be 0 to 1, at a time: cannot arm 2 at 0/);
  assert.throws(() => wheel.arm(0, NaN), RangeError);
  assert.throws(() => rung(wheel, NEVER), /time to advance to must be a number: Infinity/);
  assert.ok(!wheel.armed(7));
  wheel.cancel(7);
  assert.throws(() => new TimerWheel(0), /capacity must be/);
  assert.throws(() => new TimerWheel(1, 0.5), /tick must be/);
});

const CAPACITY = 8;
const TICK = 1_000;
const timer = fc.nat(CAPACITY - 1);
/** Times ahead, from a few ticks to beyond the wheel's six lower levels, often at a level's edge; some are past. */
const delay = fc.oneof(
  fc.integer({ min: -3_000, max: 40_000 }),
  fc.tuple(fc.nat(33), fc.integer({ min: -2, max: 2 })).map(([bits, off]) => TICK * (2 ** bits + off)),
);
const change = fc.record({ kind: fc.constantFrom("arm", "arm", "cancel"), timer, delay });
const operation = fc.oneof(
  { weight: 3, arbitrary: fc.record({ change }) },
  // What the callback does, one change for each timer that rings.
  { weight: 1, arbitrary: fc.record({ wait: delay, changes: fc.array(change, { maxLength: 4 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ wait: fc.constant("deadline"), changes: fc.array(change, { maxLength: 4 }) }),
  },
);

Deno.test("timer wheel: any sequence of operations, from callbacks too, rings what a sorted list would", () => {
  const origin = fc.constantFrom(0, TICK * (2 ** 15 - 3), TICK * (2 ** 30 - 2), 1_750_000_000_000_000);
  check(
    fc.property(origin, fc.array(operation, { maxLength: 60 }), (start, operations) => {
      const wheel = new TimerWheel(CAPACITY, TICK);
      const model = new Map<number, { at: number; call: number }>();
      let now = start;
      let call = 0;
      const apply = ({ kind, timer, delay }: { kind: string; timer: number; delay: number }): void => {
        if (kind === "arm") {
          wheel.arm(timer, now + delay);
          model.set(timer, { at: Math.ceil((now + delay) / TICK) * TICK, call });
        } else {
          wheel.cancel(timer);
          model.delete(timer);
        }
      };
      assert.deepEqual(rung(wheel, now), []);
      for (const step of operations) {
        if ("change" in step) {
          apply(step.change);
        } else {
          const before = now;
          if (typeof step.wait === "number") now += Math.max(0, step.wait);
          else if (model.size > 0) now = Math.max(now, wheel.deadline());
          call++;
          const due = (): number[] =>
            [...model.values()].filter((entry) => entry.at <= now && entry.call < call)
              // Those overdue before the call come first, in any order.
              .map((entry) => Math.max(entry.at, before));
          const changes = [...step.changes];
          wheel.advance(now, (timer) => {
            const entry = model.get(timer);
            assert.ok(entry !== undefined && entry.at <= now && entry.call < call, "rang early or twice");
            assert.equal(Math.max(entry.at, before), Math.min(...due()), "rang out of order");
            assert.ok(!wheel.armed(timer));
            model.delete(timer);
            const next = changes.shift();
            if (next !== undefined) apply(next);
          });
          assert.deepEqual(due(), [], "did not ring");
        }
        for (let id = 0; id < CAPACITY; id++) assert.equal(wheel.armed(id), model.has(id));
        const earliest = Math.min(NEVER, ...[...model.values()].map((entry) => entry.at));
        assert.ok(wheel.deadline() <= Math.max(now, earliest), "the deadline is too late");
        assert.equal(wheel.deadline() === NEVER, model.size === 0);
      }
    }),
    { runs: 1_000 },
  );
});

Deno.test("timer wheel: waiting for the deadlines alone rings every timer at its tick, in few calls", () => {
  check(fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
    const wheel = new TimerWheel(CAPACITY, TICK);
    const model = new Map<number, number>();
    for (const { kind, timer, delay } of changes) {
      if (kind === "arm") {
        wheel.arm(timer, delay);
        model.set(timer, Math.max(0, Math.ceil(delay / TICK) * TICK));
      } else {
        wheel.cancel(timer);
        model.delete(timer);
      }
    }
    let calls = 0;
    for (let now = wheel.deadline(); now !== NEVER; now = wheel.deadline()) {
      for (const timer of rung(wheel, now)) {
        assert.equal(model.get(timer), now);
        model.delete(timer);
      }
      calls++;
    }
    assert.equal(model.size, 0);
    assert.ok(calls <= CAPACITY * 12, `${calls} calls`);
  }));
});
