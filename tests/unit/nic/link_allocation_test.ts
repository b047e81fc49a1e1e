// Apart from the other tests of a pipe: what the engine has learnt from those would decide what it allocates here.
import { ok } from "node:assert/strict";
import { DeviceInfo, SlotPool } from "../../../nic/device.ts";
import { Pipe } from "../../../nic/link/pipe.ts";
import { ALL_MANUAL } from "../../../stack/slot.ts";

Deno.test("pipe: no fault allocates anything a frame", () => {
  const pool = new SlotPool(256, 1_518, new DeviceInfo(ALL_MANUAL, 1_500));
  const pipe = new Pipe(pool, {
    loss: 0.1,
    duplicate: 0.1,
    reorder: 0.1,
    corrupt: 0.1,
    delay: 500,
    jitter: 300,
    rate: 1e9,
    queue: 100,
    ecn: 50,
    mtu: 1_500,
    burst: { toBad: 0.01, toGood: 0.5 },
    pulse: { threshold: 99, reset: 100 },
  });
  let now = 0;
  const carry = (count: number) => {
    for (let index = 0; index < count; index++) {
      now += 5;
      const slot = pool.take()!;
      slot.frame.resize(100);
      pipe.carry(slot, now);
      for (let arrived = pipe.pop(now); arrived !== undefined; arrived = pipe.pop(now)) pool.give(arrived);
      pipe.deadline();
    }
  };
  carry(200_000);
  const growth = Array.from({ length: 10 }, () => {
    const before = Deno.memoryUsage().heapUsed;
    carry(20_000);
    return Deno.memoryUsage().heapUsed - before;
  }).filter((bytes) => bytes >= 0);
  // Compilers allocate now and then, and a collection hides a sample; an object a frame would be in all of them.
  ok(growth.length === 0 || Math.min(...growth) < 20_000, `${growth} bytes for 20,000 frames each`);
});
