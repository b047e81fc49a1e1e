import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { monotonic } from "../../../nic/clock.ts";
import { External } from "../../../nic/external.ts";
import { Loopback } from "../../../nic/loopback.ts";
import { LayerError } from "../../../stack/error.ts";
import { ALL_IGNORED, ALL_MANUAL, OFFLOADING, type Slot } from "../../../stack/slot.ts";
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

Deno.test("external: sizes that cannot be are refused", () => {
  for (const slots of [0, -1, 1.5, NaN]) throws(() => new External({ slots }), /^RangeError: slots must be/);
  for (const mtu of [0, -1, 1.5, NaN, 1e6]) {
    throws(() => new External({ mtu }), /^RangeError: mtu must be/);
  }
  throws(() => new External({ frameLength: 0 }), /^RangeError: frameLength must be/);
});

Deno.test("external: time, capabilities and MTU are what the caller says", () => {
  const nic = new External({ capabilities: ALL_IGNORED, mtu: 9_000 });
  nic.setTime(42);
  deepEqual([nic.now(), nic.info.timestamp, nic.info.mtu, nic.info.isLoopback], [42, 42, 9_000, false]);
  equal(nic.info.capabilities, ALL_IGNORED);
  equal(new External().info.capabilities, ALL_MANUAL);
});

Deno.test("external: with onSend each frame is handed out as it leaves, and its buffer is free again", () => {
  const sent: Uint8Array[] = [];
  const nic = new External({ slots: 1, onSend: (bytes, start, end) => sent.push(bytes.slice(start, end)) });
  const lengths = [20, 30, 40];
  const send = (slot: Slot) => {
    const length = lengths.shift();
    if (length === undefined) return;
    slot.frame.resize(length);
    slot.frame.bytes.set(data(length), slot.frame.start);
    slot.queue();
  };
  equal(nic.tx(64, { send }), 3, "one slot is enough");
  deepEqual(sent, [data(20), data(30), data(40)]);
  deepEqual([nic.counters.sent, nic.counters.sentBytes, nic.take()], [3, 90, undefined]);
});

Deno.test("external: an onSend that throws loses no buffer", () => {
  const nic = new External({
    slots: 1,
    onSend: () => {
      throw new Error("the pipe is closed");
    },
  });
  for (let round = 0; round < 3; round++) {
    throws(() => nic.tx(1, { send: (slot) => void slot.queue() }), /the pipe is closed/);
  }
});

Deno.test("external: a clock of the caller's is read in each burst, and ends a wait at its deadline", async () => {
  let time = 5;
  const nic = new External({ clock: () => time });
  equal(nic.now(), 5);
  time = 7;
  nic.rx(1, { receive: () => {} });
  equal(nic.info.timestamp, 7);
  time = 9;
  nic.tx(1, { send: (slot) => equal(slot.info.timestamp, 9) });
  await nic.ready(10_000);
  const waiting = nic.ready(3_600e6);
  nic.close();
  await waiting;
});

Deno.test("external, loopback: a NIC that is to cut segments has room for what it is to cut", () => {
  for (const nic of [External, Loopback].map((Kind) => new Kind({ capabilities: OFFLOADING, mtu: 1_500 }))) {
    nic.tx(1, { send: ({ frame }) => ok(frame.resize(0xffff + 14), nic.name) });
  }
});

Deno.test("external: of two who wait with deadlines the earlier one is kept, and a wait that has ended ends no other's", async () => {
  const nic = new External({ clock: monotonic });
  const start = nic.now(), most = start + 2_000_000;
  const early = nic.ready(start + 5_000), late = nic.ready(start + 4_000_000);
  // Whoever was let through first waits again, before the other is.
  const again = early.then(() => nic.ready(nic.now() + 5_000));
  await Promise.all([again, late]);
  ok(nic.now() < most, "nobody waits for the later deadline");
  nic.close();
});
