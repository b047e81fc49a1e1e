import { deepEqual, equal } from "node:assert/strict";
import { DeviceInfo, SlotPool } from "../../../nic/device.ts";
import { SlotQueue } from "../../../nic/slot-queue.ts";
import { ALL_MANUAL } from "../../../stack/slot.ts";

Deno.test("slot queue: slots come out in the order in which they went in, past the ring's end too", () => {
  const { slots } = new SlotPool(3, 100, new DeviceInfo(ALL_MANUAL, 82));
  const queue = new SlotQueue(3);
  equal(queue.shift(), undefined);
  const out: number[] = [];
  for (let round = 0; round < 10; round++) {
    queue.push(slots[round % 3]!);
    queue.push(slots[(round + 1) % 3]!);
    equal(queue.size, 2);
    out.push(queue.shift()!.index, queue.shift()!.index);
    equal(queue.size, 0);
  }
  deepEqual(out, Array.from({ length: 10 }, (_, round) => [round % 3, (round + 1) % 3]).flat());
});

Deno.test("slot queue: it takes as many as there are slots", () => {
  const { slots } = new SlotPool(3, 100, new DeviceInfo(ALL_MANUAL, 82));
  const queue = new SlotQueue(3);
  for (const slot of slots) queue.push(slot);
  deepEqual([queue.size, ...slots.map(() => queue.shift()?.index)], [3, 0, 1, 2]);
  equal(queue.shift(), undefined);
});
