import assert from "node:assert/strict";
import { kernelCongestion } from "../../../nic/linux/congestion.ts";
import { kernelTest } from "../../support/netns.ts";

kernelTest("congestion: the kernel's own choice is asked of a socket", () => {
  const path = "/proc/sys/net/ipv4/tcp_congestion_control";
  assert.equal(kernelCongestion(), Deno.readTextFileSync(path).trim());
  Deno.writeTextFileSync(path, "reno");
  assert.equal(kernelCongestion(), "reno");
  return Promise.resolve();
});
