import assert from "node:assert/strict";
import { KernelPing, type PingOptions, type PingResult } from "../../../nic/linux/icmp-socket.ts";
import { setInterfaceAddress, setInterfaceUp } from "../../../nic/linux/netif.ts";
import { openTap } from "../../../nic/linux/tap.ts";
import { limitDescriptors } from "../../support/descriptors.ts";
import { kernelTest } from "../../support/netns.ts";
import { KERNEL, reflect, REFLECTOR } from "../../support/reflector.ts";

async function results(address: string, options: PingOptions): Promise<PingResult[]> {
  using ping = new KernelPing(address.includes(":") ? 6 : 4);
  return await Array.fromAsync(ping.ping(address, options));
}

kernelTest("icmp socket: the kernel's own echo is numbered and timed", async () => {
  const found = await results("127.0.0.1", { count: 3, intervalMs: 1, size: 0 });
  assert.deepEqual(found.map(({ sequence }) => sequence), [1, 2, 3]);
  for (const { rttMicroseconds } of found) assert.ok(rttMicroseconds! > 0 && rttMicroseconds! < 1_000_000);
});

kernelTest("icmp socket: the same over IPv6, to an address of a link, too", async () => {
  for (const address of ["::1", "::1%lo"]) {
    for (const size of [0, 1, 56, 60_000]) {
      const found = await results(address, { count: 2, intervalMs: 1, size });
      assert.deepEqual(found.map(({ sequence }) => sequence), [1, 2]);
      for (const { rttMicroseconds } of found) assert.ok(rttMicroseconds! > 0, `${address}, ${size} bytes`);
    }
  }
});

kernelTest(
  "icmp socket: a stack in the same event loop answers, sizes odd and even, fragments aside",
  async () => {
    const tap = openTap("tap0");
    setInterfaceUp("tap0");
    setInterfaceAddress("tap0", KERNEL);
    const reflecting = reflect(tap);
    for (const size of [0, 1, 55, 56, 1_471, 1_472]) {
      const [result] = await results(REFLECTOR, { count: 1, size });
      assert.notEqual(result?.rttMicroseconds, undefined, `${size} bytes`);
    }
    tap.close();
    await reflecting;
  },
);

kernelTest(
  "icmp socket: a request without reply is told as such, and the next is sent at its time",
  async () => {
    setInterfaceAddress("lo", "127.0.0.1/8");
    const tap = openTap("tap0");
    setInterfaceUp("tap0");
    setInterfaceAddress("tap0", KERNEL);
    const found = await results("10.9.0.77", { count: 2, intervalMs: 5, timeoutMs: 10 });
    assert.deepEqual(found, [
      { sequence: 1, rttMicroseconds: undefined },
      { sequence: 2, rttMicroseconds: undefined },
    ]);
    tap.close();
  },
);

kernelTest("icmp socket: two pings at once do not take one another's replies", async () => {
  const [a, b] = await Promise.all([
    results("127.0.0.1", { count: 20, intervalMs: 0 }),
    results("127.0.0.2", { count: 20, intervalMs: 0 }),
  ]);
  const [c, d] = await Promise.all([
    results("::1", { count: 20, intervalMs: 0 }),
    results("::1", { count: 20, intervalMs: 0 }),
  ]);
  assert.ok([...a, ...b, ...c, ...d].every(({ rttMicroseconds }) => rttMicroseconds !== undefined));
});

kernelTest("icmp socket: what cannot be sent says why", async () => {
  await assert.rejects(results("10.1.2.3", { count: 1 }), {
    kind: "failed",
    message: /network is unreachable/,
  });
  await assert.rejects(results("2001:db8::1", { count: 1 }), {
    kind: "failed",
    message: /network is unreachable/,
  });
  await assert.rejects(results("ten", { count: 1 }), { kind: "invalid", message: /no IPv4 address/ });
  await assert.rejects(results("a:b", { count: 1 }), { kind: "invalid", message: /no IPv6 address/ });
  await assert.rejects(results("::1", { size: 65_528 }), RangeError);
  await assert.rejects(results("127.0.0.1", { size: 65_508 }), RangeError);
});

kernelTest("icmp socket: close ends a ping that waits", async () => {
  const ping = new KernelPing();
  const found: PingResult[] = [];
  setTimeout(() => ping.close(), 20);
  for await (const result of ping.ping("127.0.0.1", { count: Infinity, intervalMs: 100_000 })) {
    found.push(result);
  }
  assert.equal(found.length, 1);
});

kernelTest("ping: one that finds no second descriptor gives its first back", () => {
  using _limit = limitDescriptors(1);
  for (let turn = 0; turn < 2; turn++) assert.throws(() => new KernelPing(), /no eventfd to be had/);
});
