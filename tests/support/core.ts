/**
 * What must hold of ethox however it is started: the tests that run from source and from the one file.
 *
 * @module
 */
import assert from "node:assert/strict";
import { listInterfaces } from "../../nic/linux/netif.ts";
import type { Program } from "./ethox.ts";
import { APPLIANCE, assertAnswered, peer, peerTest, ping, serve, TAP } from "./peer.ts";

/** Registers the tests for a way to start ethox. */
export function coreTests(program: Program): void {
  const name = (rule: string) => `ethox from ${program.name}: ${rule}`;

  peerTest(name("the kernel's ping is answered"), ["ping"], program, async () => {
    await using server = await serve(program);
    await assertAnswered(5);
    const { packets, drops } = await server.stop();
    assert.equal(packets["icmp"]?.["answered"], 5);
    assert.deepEqual(drops, {});
  });

  peerTest(name("none of 5,000 flooding pings is lost"), ["ping"], program, async () => {
    await using server = await serve(program);
    await assertAnswered(5_000, "-f");
    assert.equal((await server.stop()).packets["icmp"]?.["answered"], 5_000);
  });

  peerTest(name("arping gets the address of the ready event"), ["arping"], program, async () => {
    await using server = await serve(program);
    const { code, stdout } = await peer("arping", ["-C", "3", "-W", "0.2", "-w", "30", "-I", TAP, APPLIANCE]);
    assert.equal(code, 0, stdout);
    assert.equal(stdout.toLowerCase().split(server.mac).length - 1, 3, stdout);
    assert.ok((await server.stop()).packets["arp"]?.["requests"]! >= 3);
  });

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    peerTest(name(`${signal} stops it with a summary, and nothing is left`), ["ping"], program, async () => {
      await using server = await serve(program);
      await assertAnswered(1);
      await server.stop(signal);
      assert.deepEqual(listInterfaces(), ["lo", TAP]);
      assert.equal((await ping("-c", "1", "-W", "1")).received, 0);
      // The TAP is free for the next one.
      await using next = await serve(program);
      await assertAnswered(1);
      await next.stop(signal);
    });
  }
}
