/**
 * What every NIC in memory promises, as tests: each NIC's test file runs them on its own.
 *
 * @module
 */
import { equal, match, ok, throws } from "node:assert/strict";
import type { Nic } from "../../nic/device.ts";
import { poll } from "../../nic/poll.ts";
import { LayerError } from "../../stack/error.ts";
import { type Instant, NEVER } from "../../stack/store/time.ts";
import type { Slot } from "../../stack/slot.ts";

/** A NIC for a contract test, on a clock that stands at 0. */
export interface Subject {
  readonly nic: Nic & { setTime(now: Instant): void };
  /** Makes a frame of `length` bytes arrive. */
  arrive(length: number): void;
  /** Puts the NIC's frames that have left away, so that their buffers are free again. */
  clear(): void;
}

const IDLE = { receive: () => {} };
const SILENT = { send: () => {}, deadline: () => NEVER };

/** Whether the promise settles while everything that is due already happens. */
async function settles(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  const watched = promise.then(() => settled = true);
  for (let turn = 0; turn < 5 && !settled; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  void watched;
  return settled;
}

/** Sends frames of these lengths, and answers how many the NIC took. */
function send(nic: Nic, lengths: readonly number[]): number {
  const rest = [...lengths];
  return nic.tx(lengths.length, {
    send: (slot) => {
      slot.frame.resize(rest.shift()!);
      slot.queue();
    },
  });
}

/** Registers the tests. `make` makes a NIC with 8 buffers. */
export function testNic(name: string, make: () => Subject): void {
  Deno.test(`${name}: what arrives is handed over in order, no more than asked for, and counted`, () => {
    const { nic, arrive } = make();
    for (const length of [60, 70, 80]) arrive(length);
    const lengths: number[] = [];
    const receiver = { receive: (slot: Slot) => void lengths.push(slot.frame.length) };
    equal(nic.rx(2, receiver), 2);
    equal(nic.rx(64, receiver), 1);
    equal(nic.rx(64, receiver), 0);
    equal(lengths.join(), "60,70,80");
    equal(nic.counters.received, 3);
    equal(nic.counters.receivedBytes, 210);
  });

  Deno.test(`${name}: tx asks until a slot is left unqueued, and counts what left`, () => {
    const { nic } = make();
    equal(send(nic, [60, 61]), 2);
    let asked = 0;
    equal(nic.tx(64, { send: () => void asked++ }), 0);
    equal(asked, 1);
    equal(nic.counters.sent, 2);
    equal(nic.counters.sentBytes, 121);
  });

  Deno.test(`${name}: a slot to be filled is empty, whatever it held before`, () => {
    const { nic, arrive, clear } = make();
    for (let round = 0; round < 20; round++) {
      arrive(100);
      nic.rx(1, { receive: (slot) => void slot.queue() });
      clear();
      nic.tx(1, { send: (slot) => equal(slot.frame.length, 0) });
    }
  });

  Deno.test(`${name}: no buffer is lost, whether frames are dropped, answered or never filled`, () => {
    const { nic, arrive, clear } = make();
    for (let round = 0; round < 100; round++) {
      arrive(60);
      nic.rx(1, { receive: (slot) => void (round % 2 === 0 && slot.queue()) });
      clear();
      nic.tx(1, { send: () => {} });
    }
    equal(nic.rx(64, IDLE), 0);
    ok(send(nic, Array(4).fill(60)) === 4);
  });

  Deno.test(`${name}: a handler that throws loses no buffer`, () => {
    const { nic, arrive, clear } = make();
    const fail = () => {
      throw new Error("a handler's fault");
    };
    for (let round = 0; round < 20; round++) {
      arrive(60);
      throws(() => nic.rx(1, { receive: fail }), /a handler's fault/);
      throws(() => nic.tx(1, { send: fail }), /a handler's fault/);
      clear();
    }
    equal(send(nic, Array(4).fill(60)), 4);
  });

  Deno.test(`${name}: queue says None, and the slot says that it leaves`, () => {
    const { nic, arrive } = make();
    arrive(60);
    nic.rx(1, {
      receive: (slot) => {
        equal(slot.queued || slot.leaves, false);
        equal(slot.queue(), LayerError.None);
        equal(slot.queued && slot.leaves, true);
      },
    });
  });

  Deno.test(`${name}: a loss model that says so has the frame dropped, though it was queued`, () => {
    const { nic } = make();
    const always = { lost: () => true };
    let turns = 0;
    nic.tx(1, {
      send: (slot) => {
        turns++;
        slot.loseIf(always);
        slot.queue();
        equal(slot.queued, true);
        equal(slot.leaves, false);
      },
    });
    equal(turns, 1);
    equal(nic.counters.sent, 0);
  });

  Deno.test(`${name}: ready resolves when a frame has arrived, before or after`, async () => {
    const { nic, arrive } = make();
    const waiting = nic.ready();
    equal(await settles(waiting), false);
    arrive(60);
    equal(await settles(waiting), true);
    equal(await settles(nic.ready()), true, "it is still there");
  });

  Deno.test(`${name}: ready resolves when its deadline has passed, now or later`, async () => {
    const { nic } = make();
    equal(await settles(nic.ready(0)), true);
    const waiting = nic.ready(1_000);
    equal(await settles(waiting), false);
    nic.setTime(999);
    equal(await settles(waiting), false);
    nic.setTime(1_000);
    equal(await settles(waiting), true);
  });

  Deno.test(`${name}: wake ends a wait, the present one or else the next`, async () => {
    const { nic } = make();
    const waiting = nic.ready();
    nic.wake();
    equal(await settles(waiting), true);
    nic.wake();
    equal(await settles(nic.ready()), true);
    equal(await settles(nic.ready()), false);
  });

  Deno.test(`${name}: all who wait are let through`, async () => {
    const { nic } = make();
    const waiting = [nic.ready(), nic.ready()];
    nic.wake();
    for (const one of waiting) equal(await settles(one), true);
  });

  Deno.test(`${name}: closing ends a wait, says so, and ends a poll cycle for good`, async () => {
    const { nic } = make();
    const waiting = nic.ready();
    const polling = poll(nic, { receive: IDLE, send: SILENT, cycle: limit(1_000) });
    equal(String(nic.failure), "undefined");
    nic.close();
    nic.close();
    equal(await settles(waiting), true);
    await polling;
    match(String(nic.failure), /closed/);
  });

  Deno.test(`${name}: timers run although there is always something to receive`, async () => {
    const { nic, arrive, clear } = make();
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 0);
    const cycle = limit(1_000_000);
    await poll(nic, {
      receive: IDLE,
      send: SILENT,
      signal: stop.signal,
      cycle: () => {
        cycle();
        clear();
        arrive(60);
      },
    });
    equal(nic.failure, undefined);
  });
}

/** Throws when it is called too often: a cycle that spins would otherwise never end. */
function limit(most: number): () => void {
  let cycles = 0;
  return () => {
    if (++cycles > most) throw new Error(`the poll cycle spins: more than ${most} cycles`);
  };
}
