import assert from "node:assert/strict";
import { listInterfaces } from "../../../nic/linux/netif.ts";
import { namespaceSupport, spawnInNamespace } from "../../../nic/linux/netns.ts";
import { createTap } from "../../../nic/linux/tun.ts";
import { inNamespace, kernelTest, run } from "../../support/netns.ts";

kernelTest("netns: a program that is run in a namespace sees only its own interfaces", async () => {
  createTap("tap0");
  const { prefix = [] } = await namespaceSupport();
  const [program = "", ...args] = prefix;
  assert.equal(program, "unshare");
  const inside = await run(program, ...args, "cat", "/proc/net/dev");
  assert.match(inside, /lo:/);
  assert.doesNotMatch(inside, /tap0:/);
});

kernelTest("netns: the exit status of a program in a namespace comes back", async () => {
  const child = await spawnInNamespace(["sh", "-c", "exit 7"]);
  assert.equal((await child.status).code, 7);
});

kernelTest("netns: children of a test are in its namespace, and the test leaves it again", async () => {
  createTap("tap0");
  assert.match(await run("cat", "/proc/net/dev"), /tap0:/);
  await inNamespace(async () => {
    assert.deepEqual(listInterfaces(), ["lo"]);
    assert.doesNotMatch(await run("cat", "/proc/net/dev"), /tap0:/);
  });
  await assert.rejects(inNamespace(() => Promise.reject(new Error("fault"))), /fault/);
  assert.deepEqual(listInterfaces(), ["lo", "tap0"]);
});

kernelTest("netns, tap: without the permissions the messages name the flags", async () => {
  const script = new URL("unpermitted.ts", import.meta.url).pathname;
  const told = await run(Deno.execPath(), "run", "--no-prompt", "--deny-ffi", "--deny-run", script);
  assert.equal(
    told,
    "tap0: Deno may not call the C library; run it with --allow-ffi\n" +
      "Deno may not run unshare; run it with --allow-run\n",
  );
});
