import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Poller } from "../../../nic/linux/poller.ts";
import { kernelTest } from "../../support/netns.ts";

/** Has everything collected that nobody holds. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  for (let turn = 0; turn < 5; turn++) {
    // What a WeakRef was made of is held until the turn is over.
    await new Promise((resolve) => setTimeout(resolve, 5));
    collect();
  }
}

kernelTest(
  "poller: what poll(2) uses on the other thread is kept, also by a function that V8 has compiled",
  async () => {
    const Plain = Int32Array;
    let lent: WeakRef<Int32Array>[] = [];
    // In place from the beginning: what it is compiled for must not change.
    globalThis.Int32Array = class extends Plain {
      constructor(buffer: ArrayBuffer) {
        super(buffer);
        lent.push(new WeakRef(this));
      }
    } as typeof Int32Array;
    const poller = new Poller("test");
    try {
      for (let wait = 0; wait < 6_000; wait++) {
        lent = [];
        poller.wake();
        await poller.wait([], 10_000);
      }
      lent = [];
      const waiting = poller.wait([], 60_000);
      await collectGarbage();
      assert.deepEqual(lent.map((one) => one.deref() !== undefined), [true, true]);
      poller.wake();
      await waiting;
    } finally {
      globalThis.Int32Array = Plain;
      await poller.close();
    }
  },
);
