import assert from "node:assert/strict";
import { libc } from "../../../nic/linux/libc.ts";
import { monotonicNow, Waiter } from "../../../nic/linux/waiter.ts";
import { NEVER } from "../../../stack/store/time.ts";

const EFD_NONBLOCK = 0o4000;
const ignore = Deno.build.os !== "linux";

// Opened for good by whoever comes first, which must not look like a test's leak.
if (!ignore) libc();

/** A waiter over an eventfd, which can be read once `signal` was called. */
class Signal implements Disposable {
  readonly #fd: number = libc().eventfd(0, EFD_NONBLOCK);
  readonly waiter: Waiter;
  readonly #value = new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]);
  released = 0;

  constructor(peek?: () => boolean) {
    this.waiter = new Waiter(this.#fd, "test", { peek });
  }

  signal(): void {
    libc().write(this.#fd, this.#value, 8);
  }

  [Symbol.dispose](): void {
    this.waiter.close(() => {
      this.released++;
      libc().close(this.#fd);
    });
  }
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn, sanitizeOps: true, sanitizeResources: true });
}

function later(milliseconds: number, action: () => void): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(() => {
      action();
      resolve();
    }, milliseconds);
  });
}

async function assertSleeps(waiter: Waiter): Promise<void> {
  const deadline = monotonicNow() + 5_000;
  await waiter.wait(deadline);
  assert.ok(monotonicNow() >= deadline, "one wake ends one wait");
}

test("waiter: a descriptor that can be read ends the wait, at once or when it sleeps", async () => {
  using signal = new Signal();
  const sleeping = signal.waiter.wait(NEVER);
  await later(10, () => signal.signal());
  await sleeping;
  await signal.waiter.wait(NEVER);
});

test("waiter: shared memory is looked at in place of the descriptor, which ends the sleep all the same", async () => {
  let looks = 0, hasArrived = true;
  using signal = new Signal(() => {
    looks++;
    return hasArrived;
  });
  await signal.waiter.wait(NEVER);
  assert.ok(looks > 0, "frames that are there end the wait though the descriptor cannot be read");
  hasArrived = false;
  const sleeping = signal.waiter.wait(NEVER);
  await later(10, () => signal.signal());
  await sleeping;
});

test("waiter: wake ends the present wait, and otherwise only the next", async () => {
  using signal = new Signal();
  const sleeping = signal.waiter.wait(NEVER);
  await later(10, () => {
    signal.waiter.wake();
    signal.waiter.wake();
  });
  await sleeping;
  await assertSleeps(signal.waiter);
  signal.waiter.wake();
  await signal.waiter.wait(NEVER);
  await assertSleeps(signal.waiter);
});

test("waiter: many wakes during waits are neither lost nor do they pile up", async () => {
  using signal = new Signal();
  for (let i = 0; i < 600; i++) {
    const wait = signal.waiter.wait(NEVER);
    await new Promise<void>((resolve) => i % 3 !== 0 ? queueMicrotask(resolve) : setTimeout(resolve, 0));
    signal.waiter.wake();
    await wait;
  }
});

test("waiter: a deadline is never early and hardly late, be it a fraction of a millisecond", async () => {
  using signal = new Signal();
  for (const duration of [0, 30, 300, 1_700, 12_345]) {
    // On a busy machine a thread that is due may have to wait for its turn: what counts is the best of some medians.
    let median = Infinity;
    for (let round = 0; round < 30 && median > 1_000; round++) {
      const late: number[] = [];
      for (let i = 0; i < 9; i++) {
        signal.waiter.active();
        const deadline = monotonicNow() + duration;
        // The first may end at once, to have the descriptor read again.
        await signal.waiter.wait(deadline);
        await signal.waiter.wait(deadline);
        late.push(monotonicNow() - deadline);
      }
      late.sort((a, b) => a - b);
      assert.ok(late[0]! >= 0, `${duration} us: ${late[0]} us late`);
      median = Math.min(median, late[4]!);
    }
    assert.ok(median <= 1_000, `${duration} us: the median is ${median} us late`);
  }
});

test("waiter: after frames one wait ends before its deadline, so that there is another read, and no more", async () => {
  using signal = new Signal();
  let early = 0;
  for (let i = 0; i < 50; i++) {
    signal.waiter.active();
    const deadline = monotonicNow() + 5_000;
    await signal.waiter.wait(deadline);
    // Where this very wait was to give the event loop its turn, it is like any other.
    if (monotonicNow() >= deadline) continue;
    early++;
    await signal.waiter.wait(deadline);
    assert.ok(monotonicNow() >= deadline);
  }
  assert.ok(early > 0);
});

test("waiter: timers run though there is always something to read", async () => {
  using signal = new Signal();
  signal.signal();
  let fired = false;
  const timer = later(2, () => fired = true);
  const limit = monotonicNow() + 5_000_000;
  while (!fired && monotonicNow() < limit) await signal.waiter.wait(NEVER);
  assert.ok(fired);
  await timer;
});

test("waiter: a second caller shares the wait, and an earlier deadline of his ends it", async () => {
  using signal = new Signal();
  const first = signal.waiter.wait(NEVER);
  await later(5, () => {});
  assert.equal(signal.waiter.wait(NEVER), first);
  await signal.waiter.wait(monotonicNow());
  await first;
});

test("waiter: close ends a wait that sleeps, and only then the descriptor is given back", async () => {
  const signal = new Signal();
  const sleeping = signal.waiter.wait(NEVER);
  await later(10, () => signal[Symbol.dispose]());
  assert.equal(signal.released, 0);
  await sleeping;
  assert.equal(signal.released, 1);
  signal[Symbol.dispose]();
  await signal.waiter.wait(NEVER);
  assert.equal(signal.released, 1);
});
