import { deepEqual, equal } from "node:assert/strict";
import { External } from "../../../nic/external.ts";
import { LayerError } from "../../../stack/error.ts";
import { ALL_IGNORED, ALL_MANUAL } from "../../../stack/slot.ts";
import { data } from "../../support/frames.ts";
import { testNic } from "../../support/nic_contract.ts";

testNic("external", () => {
  const nic = new External({ slots: 8 });
  return {
    nic,
    arrive: (length) => equal(nic.inject(data(length)), true),
    clear: () => {
      while (nic.take() !== undefined);
    },
  };
});

Deno.test("external: what is put in reaches the tree, and what the tree sends can be taken out, byte for byte", () => {
  const nic = new External();
  nic.inject(data(20));
  nic.rx(1, {
    receive: (slot) => {
      const { bytes, start, end } = slot.frame;
      deepEqual(bytes.slice(start, end), data(20));
      bytes[start] = 99;
      slot.frame.truncate(end - 5);
      slot.queue();
    },
  });
  deepEqual(nic.take(), Uint8Array.of(99, ...data(14, 2)));
  equal(nic.take(), undefined);
});

Deno.test("external: a frame that no slot can take is counted, and one without a free slot is refused", () => {
  const nic = new External({ mtu: 100, slots: 2 });
  equal(nic.inject(new Uint8Array(2_000)), false);
  equal(nic.counters.tooLong, 1);
  deepEqual([1, 2, 3].map((length) => nic.inject(data(length))), [true, true, false]);
  nic.rx(1, { receive: () => {} });
  equal(nic.inject(data(3)), true);
});

Deno.test("external: where received buffers cannot be sent, queueing one is Illegal; filled ones leave", () => {
  const nic = new External({ canAnswer: false, slots: 1 });
  nic.inject(data(1));
  nic.rx(1, { receive: (slot) => equal(slot.queue(), LayerError.Illegal) });
  equal(nic.take(), undefined);
  equal(
    nic.tx(1, { send: (slot) => equal(slot.queue(), LayerError.None) }),
    1,
    "the same slot, to be filled",
  );
});

Deno.test("external: time, capabilities and MTU are what the caller says", () => {
  const nic = new External({ capabilities: ALL_IGNORED, mtu: 9_000 });
  nic.setTime(42);
  deepEqual([nic.now(), nic.info.timestamp, nic.info.mtu, nic.info.isLoopback], [42, 42, 9_000, false]);
  equal(nic.info.capabilities, ALL_IGNORED);
  equal(new External().info.capabilities, ALL_MANUAL);
});
