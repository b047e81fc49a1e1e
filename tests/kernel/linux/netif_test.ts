import assert from "node:assert/strict";
import { NicError } from "../../../nic/error.ts";
import { errnoText } from "../../../nic/linux/errno.ts";
import {
  hardwareAddress,
  InterfaceFlag,
  interfaceFlags,
  interfaceIndex,
  interfaceMtu,
  listInterfaces,
  setHardwareAddress,
  setInterfaceAddress,
  setInterfaceMtu,
  setInterfaceUp,
} from "../../../nic/linux/netif.ts";
import { createTap } from "../../../nic/linux/tun.ts";
import { kernelTest } from "../../support/netns.ts";

kernelTest("netif: interfaces are listed, with their indices", () => {
  assert.deepEqual(listInterfaces(), ["lo"]);
  createTap("tap0");
  createTap("tap1");
  assert.deepEqual(listInterfaces(), ["lo", "tap0", "tap1"]);
  assert.equal(interfaceIndex("lo"), 1);
  assert.equal(interfaceIndex("tap7"), 0);
});

kernelTest("netif: an interface is switched on and off, and keeps its other flags", () => {
  assert.equal(interfaceFlags("lo") & InterfaceFlag.Loopback, InterfaceFlag.Loopback);
  createTap("tap0");
  const before = interfaceFlags("tap0");
  assert.equal(before & InterfaceFlag.Up, 0);
  setInterfaceUp("tap0");
  assert.equal(interfaceFlags("tap0") & InterfaceFlag.Up, InterfaceFlag.Up);
  setInterfaceUp("tap0", false);
  assert.equal(interfaceFlags("tap0"), before);
});

kernelTest("netif: MTU and hardware address are set and read", () => {
  createTap("tap0");
  setInterfaceMtu("tap0", 1_280);
  assert.equal(interfaceMtu("tap0"), 1_280);
  const mac = new Uint8Array([2, 1, 2, 3, 4, 5]);
  setHardwareAddress("tap0", mac);
  assert.deepEqual(hardwareAddress("tap0"), mac);
  assert.equal(hardwareAddress("lo"), undefined);
  assert.throws(() => setHardwareAddress("tap0", mac.subarray(1)), RangeError);
});

kernelTest("netif: addresses of both families are set with their prefixes", () => {
  createTap("tap0");
  setInterfaceUp("tap0");
  setInterfaceAddress("tap0", "10.9.0.1/20");
  setInterfaceAddress("tap0", "fd00:9::1/64");
  setInterfaceAddress("tap0", "fd00:9::1/64");
  const found = Deno.networkInterfaces().filter(({ name }) => name === "tap0").map(({ cidr }) => cidr);
  assert.ok(found.includes("10.9.0.1/20"), found.join());
  assert.equal(found.filter((cidr) => cidr === "fd00:9::1/64").length, 1, found.join());
});

kernelTest("netif: what cannot be done is a NicError that says why", () => {
  assert.throws(() => interfaceMtu("tap7"), { name: "NicError", kind: "not-found", nic: "tap7" });
  for (const cidr of ["10.9.0.1", "10.9.0.1/33", "10.9.0/24", "fd00::1/129", "fd00::1/-1", ""]) {
    assert.throws(() => setInterfaceAddress("lo", cidr), {
      kind: "invalid",
      message: /is no address with prefix/,
    });
  }
  createTap("tap0");
  assert.throws(() => setInterfaceMtu("tap0", 1), {
    kind: "invalid",
    message: /^tap0: cannot set its MTU to 1 \(/,
  });
});

Deno.test("netif: a NicError is one line with the problem and the remedy", () => {
  const error = new NicError("tap0", "busy", "somebody has it", "stop him");
  assert.equal(error.message, "tap0: somebody has it; stop him");
  assert.equal(`${error}`, "NicError: tap0: somebody has it; stop him");
  assert.equal(new NicError("tap0", "failed", "no luck").message, "tap0: no luck");
  assert.equal(errnoText(16), "device or resource busy, EBUSY");
  assert.equal(errnoText(4_444), "errno 4444");
});
