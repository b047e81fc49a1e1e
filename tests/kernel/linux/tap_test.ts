import assert from "node:assert/strict";
import { NicError, type NicErrorKind } from "../../../nic/error.ts";
import { KernelPing } from "../../../nic/linux/icmp-socket.ts";
import {
  interfaceIndex,
  setInterfaceAddress,
  setInterfaceMtu,
  setInterfaceUp,
} from "../../../nic/linux/netif.ts";
import { openTap, type Tap, type TapOptions } from "../../../nic/linux/tap.ts";
import { createTap, removeTap } from "../../../nic/linux/tun.ts";
import type { Slot } from "../../../stack/slot.ts";
import { findProgram } from "../../../scripts/setup/programs.ts";
import { kernelTest, run } from "../../support/netns.ts";
import { peerTest } from "../../support/peer.ts";
import { KERNEL, reflect, REFLECTOR, reflector } from "../../support/reflector.ts";

function openUp(options?: TapOptions): Tap {
  const tap = openTap("tap0", options);
  setInterfaceUp("tap0");
  setInterfaceAddress("tap0", KERNEL);
  return tap;
}

/** How many of the kernel's pings of `size` bytes are answered. */
async function pings(count: number, size: number, timeoutMs = 20_000): Promise<number> {
  using ping = new KernelPing();
  let answered = 0;
  for await (const { rttMicroseconds } of ping.ping(REFLECTOR, { count, intervalMs: 0, size, timeoutMs })) {
    if (rttMicroseconds !== undefined) answered++;
  }
  return answered;
}

function refuses(open: () => unknown, kind: NicErrorKind, message: RegExp): void {
  assert.throws(open, (error) => {
    assert.ok(error instanceof NicError, String(error));
    assert.equal(error.kind, kind);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  });
}

kernelTest("tap: the kernel's pings are answered through slots, and all frames are counted", async () => {
  const tap = openUp();
  const reflecting = reflect(tap);
  assert.equal(await pings(20, 56), 20);
  const { received, sent, sentBytes } = tap.counters;
  assert.ok(received >= sent && sent >= 21, "20 echoes and an ARP or, from a busy machine, more");
  assert.equal(sentBytes, (sent - 20) * 42 + 20 * 98);
  assert.equal(tap.info.mtu, 1_500);
  assert.equal(tap.mac?.length, 6);
  tap.close();
  await reflecting;
});

kernelTest("tap: a frame whose start has moved is sent from its new start", async () => {
  const tap = openUp();
  const starts = [-10, 14, 14, -128];
  const reflecting = reflect(tap, {
    receive(slot: Slot): void {
      reflector.receive(slot);
      const { frame } = slot, shift = starts[tap.counters.received & 3]!;
      frame.bytes.copyWithin(frame.start + shift, frame.start, frame.end);
      frame.start += shift;
      frame.end += shift;
    },
  });
  assert.equal(await pings(20, 56), 20);
  tap.close();
  await reflecting;
});

kernelTest(
  "tap: a frame of the frame length passes, and one that is longer is dropped and counted",
  async () => {
    const tap = openUp({ frameLength: 600 });
    assert.equal(tap.info.mtu, 582);
    const reflecting = reflect(tap);
    assert.equal(await pings(1, 600 - 42), 1);
    assert.equal(tap.counters.tooLong, 0);
    assert.equal(await pings(2, 601 - 42, 20), 0);
    assert.equal(tap.counters.tooLong, 2);
    tap.close();
    await reflecting;
  },
);

kernelTest("tap: the MTU of the interface is the NIC's", () => {
  createTap("tap0");
  setInterfaceMtu("tap0", 9_000);
  const tap = openTap("tap0");
  assert.equal(tap.info.mtu, 9_000);
  assert.equal(tap.created, false);
  tap.close();
});

peerTest("tap: the MTU is followed when the interface has been renamed, too", ["ip"], undefined, async () => {
  const tap = openUp();
  const reflecting = reflect(tap);
  // Down, as Linux before 6.2 wants it.
  setInterfaceUp("tap0", false);
  await run(findProgram("ip") ?? "ip", "link", "set", "dev", "tap0", "name", "tap9");
  setInterfaceUp("tap9");
  setInterfaceMtu("tap9", 9_000);
  setInterfaceAddress("tap9", KERNEL);
  assert.equal(await pings(1, 5_000), 1);
  assert.deepEqual([tap.info.mtu, tap.counters.tooLong], [9_000, 0]);
  tap.close();
  await reflecting;
});

kernelTest("tap: tx stops at the first frame that is not queued, or at its limit", () => {
  const tap = openUp();
  let asked = 0;
  const send = (slot: Slot) => {
    if (++asked > 5) return;
    assert.ok(slot.frame.resize(60));
    slot.queue();
  };
  assert.equal(tap.tx(3, { send }), 3);
  assert.equal(tap.tx(10, { send }), 2);
  assert.equal(tap.counters.sent, 5);
  tap.close();
});

kernelTest("tap: a frame that a loss model takes counts as asked for, and does not leave", () => {
  const tap = openUp();
  let asked = 0;
  const send = (slot: Slot) => {
    const lost = asked++ % 2 === 0;
    slot.loseIf({ lost: () => lost });
    assert.ok(slot.frame.resize(60));
    slot.queue();
  };
  assert.equal(tap.tx(4, { send }), 4);
  assert.equal(tap.counters.sent, 2);
  tap.close();
});

kernelTest("tap: an exception in a handler leaves the NIC usable", () => {
  const tap = openUp();
  const fault = new Error("fault");
  for (let i = 0; i < 5; i++) {
    assert.throws(() =>
      tap.tx(1, {
        send: () => {
          throw fault;
        },
      }), fault);
  }
  assert.equal(tap.tx(1, { send: (slot) => void (slot.frame.resize(60) && slot.queue()) }), 1);
  tap.close();
});

kernelTest("tap: while the interface is down nothing can be sent, and it goes on when it is up again", () => {
  const tap = openTap("tap0");
  const sender = { send: (slot: Slot) => void (slot.frame.resize(60) && slot.queue()) };
  tap.tx(2, sender);
  assert.equal(tap.counters.sendFailed, 2);
  assert.equal(tap.failure, undefined);
  setInterfaceUp("tap0");
  tap.tx(2, sender);
  assert.equal(tap.counters.sent, 2);
  tap.close();
});

peerTest(
  "tap: when its interface is removed the NIC has failed, and nobody waits any longer",
  ["ip"],
  undefined,
  async () => {
    createTap("tap0");
    const tap = openUp();
    const reflecting = reflect(tap);
    assert.equal(await pings(1, 56), 1);
    await run("ip", "link", "delete", "tap0");
    await reflecting;
    assert.match(tap.failure ?? "", /^tap0 has been removed/);
    await tap.ready();
    assert.equal(tap.rx(64, reflector), 0);
    tap.close();
  },
);

kernelTest("tap: an interface made for the NIC goes with it, a lasting one stays until removed", async () => {
  const tap = openTap("tap0");
  assert.equal(tap.created, true);
  const waiting = tap.ready();
  tap.close();
  tap.close();
  await waiting;
  await tap.ready();
  assert.equal(interfaceIndex("tap0"), 0);

  createTap("tap0", { owner: Deno.uid() ?? 0 });
  assert.notEqual(interfaceIndex("tap0"), 0);
  removeTap("tap0");
  assert.equal(interfaceIndex("tap0"), 0);
});

kernelTest("tap: close ends a wait that sleeps already", async () => {
  const tap = openUp();
  const reflecting = reflect(tap);
  await new Promise((resolve) => setTimeout(resolve, 20));
  tap.close();
  await reflecting;
  assert.equal(interfaceIndex("tap0"), 0);
});

kernelTest("tap: one that is attached is busy, unless it was made for several queues", () => {
  const tap = openTap("tap0");
  refuses(() => openTap("tap0"), "busy", /^tap0: another process is attached to it; .*multi_queue/);
  tap.close();
  createTap("tap1", { multiQueue: true });
  const queues = [openTap("tap1"), openTap("tap1")];
  for (const queue of queues) queue.close();
});

kernelTest("tap: what cannot be opened says why and how to mend it", () => {
  refuses(() => openTap("tap0", { create: false }), "not-found", /^tap0: no such interface; .*ip tuntap add/);
  refuses(() => removeTap("tap0"), "not-found", /^tap0: no such interface/);
  refuses(() => openTap("lo"), "invalid", /^lo: the interface is no TAP/);
  for (const name of ["", "a/b", "a b", "x".repeat(16), "tap%d", "..", "a:1"]) {
    refuses(() => openTap(name), "invalid", /is no name for an interface; use 1 to 15 bytes/);
  }
});
