import { deepEqual, equal, rejects } from "node:assert/strict";
import { External } from "../../../nic/external.ts";
import { BURST, poll } from "../../../nic/poll.ts";
import type { TimedSender } from "../../../stack/handler.ts";
import type { Slot } from "../../../stack/slot.ts";
import { type Instant, NEVER } from "../../../stack/store/time.ts";
import { data } from "../../support/frames.ts";

const IDLE = { receive: () => {} };
const SILENT = { send: () => {}, deadline: () => NEVER };

/** A sender that fills `left` frames, the next ones once it is due. */
function filling(left: number, deadline: () => Instant = () => NEVER): TimedSender<Slot> {
  return { send: (slot) => void (left-- > 0 && slot.queue()), deadline };
}

/** Lets everything that waits for promises or timers of 0 ms happen. */
async function pause(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("poll: each cycle receives a burst, then sends one, then waits for more", async () => {
  const nic = new External();
  const stop = new AbortController();
  const steps: string[] = [];
  const polling = poll(nic, {
    receive: { receive: () => void steps.push("receive") },
    send: { send: () => void steps.push("send"), deadline: () => NEVER },
    signal: stop.signal,
    cycle: (frames) => steps.push(`cycle ${frames}`),
  });
  nic.inject(data(60));
  nic.inject(data(60));
  await pause();
  deepEqual(steps.slice(0, 6), ["send", "cycle 0", "receive", "receive", "send", "cycle 2"]);
  stop.abort();
  await polling;
});

Deno.test("poll: a full burst is followed by another cycle at once, though nothing else has happened", async () => {
  const nic = new External({ slots: 512 });
  const stop = new AbortController();
  const frames: number[] = [];
  const polling = poll(nic, {
    receive: IDLE,
    send: filling(BURST + 3),
    signal: stop.signal,
    cycle: (moved) => frames.push(moved),
  });
  await pause();
  deepEqual(frames, [BURST, 3]);
  stop.abort();
  await polling;
});

Deno.test("poll: the send tree is asked again at its deadline", async () => {
  const nic = new External();
  const stop = new AbortController();
  let asked = 0;
  const polling = poll(nic, {
    receive: IDLE,
    send: { send: () => void asked++, deadline: () => (asked === 1 ? 500 : NEVER) },
    signal: stop.signal,
  });
  await pause();
  equal(asked, 1);
  nic.setTime(499);
  await pause();
  equal(asked, 1);
  nic.setTime(500);
  await pause();
  equal(asked, 2);
  stop.abort();
  await polling;
});

Deno.test("poll: an abort ends it from within a wait, and one that came before starts nothing", async () => {
  const nic = new External();
  const stop = new AbortController();
  const polling = poll(nic, { receive: IDLE, send: SILENT, signal: stop.signal });
  stop.abort();
  await polling;
  let cycles = 0;
  await poll(nic, { receive: IDLE, send: SILENT, signal: stop.signal, cycle: () => cycles++ });
  equal(cycles, 0);
});

Deno.test("poll: without a signal it runs until the NIC fails", async () => {
  const nic = new External();
  const polling = poll(nic, { receive: IDLE, send: SILENT });
  await pause();
  nic.close();
  await polling;
});

Deno.test("poll: a handler's exception ends it, and is the caller's to see", async () => {
  const nic = new External();
  nic.inject(data(60));
  const fail = () => {
    throw new Error("a handler's fault");
  };
  await rejects(poll(nic, { receive: { receive: fail }, send: SILENT }), /a handler's fault/);
});
