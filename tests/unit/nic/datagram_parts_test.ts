/** Datagrams that came in one, taken apart. */
import { deepEqual, equal, throws } from "node:assert/strict";
import { DatagramParts } from "../../../nic/datagram-parts.ts";
import { DeviceInfo, type DeviceSlot, NicCounters, SlotPool } from "../../../nic/device.ts";
import { ALL_MANUAL, Medium, type Slot } from "../../../stack/slot.ts";
import { udpSuper } from "../../support/super-frames.ts";

const HEADERS = 14 + 20 + 8;

class Bench {
  readonly counters = new NicCounters();
  readonly pool = new SlotPool(4, 1_518, new DeviceInfo(ALL_MANUAL, 1_500));
  isOpen = true;
  readonly parts = new DatagramParts(this.pool, 3, this.counters, () => this.isOpen);
  readonly lengths: number[] = [];
  readonly sent: number[][] = [];

  receive(frame = udpSuper(1_050, 100), handler: (slot: Slot) => void = (slot) => void slot.queue()): void {
    const receive = (slot: Slot): void => {
      this.lengths.push(slot.frame.length - HEADERS);
      handler(slot);
    };
    this.parts.receive(frame, Medium.Ethernet, { receive }, (slots: readonly DeviceSlot[], count: number) => {
      this.sent.push([count, slots.filter(({ leaves }) => leaves).length]);
    });
  }
}

Deno.test("datagram parts: each is handed on by itself, and answers leave a few at a time", () => {
  const bench = new Bench();
  bench.receive();
  deepEqual(bench.lengths, [...Array.from({ length: 10 }, () => 100), 50]);
  deepEqual(bench.sent, [[3, 3], [3, 3], [3, 3], [2, 2]]);
  deepEqual([bench.counters.received, bench.counters.receivedBytes], [11, 1_050 + 11 * HEADERS]);
  equal(bench.pool.available, 4);
});

Deno.test("datagram parts: what is none is dropped and counted", () => {
  const bench = new Bench();
  const frame = udpSuper(1_050, 100);
  frame.bytes[frame.start + 14 + 9] = 1;
  bench.receive(frame);
  deepEqual([bench.lengths, bench.counters.badOffload], [[], 1]);
});

Deno.test("datagram parts: without a slot the rest is missed, with fewer it goes on", () => {
  const bench = new Bench();
  const taken = [bench.pool.take()!, bench.pool.take()!, bench.pool.take()!];
  bench.receive(udpSuper(300, 100));
  deepEqual(bench.sent, [[1, 1], [1, 1], [1, 1]]);
  taken.push(bench.pool.take()!);
  bench.receive(udpSuper(300, 100));
  deepEqual([bench.lengths.length, bench.counters.missed], [3, 1]);
});

Deno.test("datagram parts: a handler may close the NIC, or throw, and no slot is lost", () => {
  const bench = new Bench();
  bench.receive(udpSuper(1_000, 100), () => {
    bench.isOpen = false;
  });
  deepEqual(bench.sent, [[1, 0]]);
  bench.isOpen = true;
  const fault = new Error("fault");
  throws(() =>
    bench.receive(udpSuper(1_000, 100), () => {
      throw fault;
    }), fault);
  deepEqual(bench.sent, [[1, 0], [1, 0]]);
  equal(bench.pool.available, 4);
});
