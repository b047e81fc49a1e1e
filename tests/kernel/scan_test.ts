/** Floods of made-up neighbours at 100,000 frames a second: memory is bounded, and a known neighbour is served. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { makeCable6 } from "../support/cable6.ts";
import { Server, source } from "../support/ethox.ts";
import { FLOODED, FLOODED6 } from "../support/flood.ts";
import { peerTest, pingHost, TAP } from "../support/peer.ts";

const PROGRAM = fileURLToPath(new URL("../support/flood.ts", import.meta.url));

/** Frames a second, and how many there are: each of 65,536 neighbours three times. */
const RATE = 100_000, COUNT = 200_000;

/** What a process has of memory, in MiB. */
function resident(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1_024;
}

/** Starts a flood, and answers with how many frames a second there were. */
async function flood(kind: string, mac: string): Promise<number> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      "--cached-only",
      "--quiet",
      PROGRAM,
      TAP,
      mac,
      kind,
      `${RATE}`,
      `${COUNT}`,
    ],
    stdin: "null",
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout)).rate;
}

for (const kind of ["arp", "echo", "ns", "echo6"]) {
  const host = kind === "arp" || kind === "echo" ? FLOODED : FLOODED6;
  peerTest(
    `scan: ${kind} from 65,536 neighbours at 100,000 a second leaves the known one served, and memory bounded`,
    ["ping", "ip"],
    source,
    async () => {
      const nic = await makeCable6();
      await using server = await Server.start(
        source,
        nic,
        `${FLOODED}/8`,
        "--addr",
        `${FLOODED6}/64`,
      );
      assert.equal((await pingHost(host, "-q", "-c", "3", "-i", "0.05", "-W", "5")).received, 3);
      const before = resident(server.pid);
      const flooding = flood(kind, server.mac);
      // What the TAP's queue has no room for is lost before anybody of ours sees it, so that not all need be answered.
      const during = await pingHost(host, "-q", "-c", "100", "-i", "0.02", "-W", "5");
      const rate = await flooding;
      assert.ok(during.received > 0, during.stdout);
      assert.equal((await pingHost(host, "-q", "-c", "3", "-i", "0.05", "-W", "5")).received, 3);
      const after = resident(server.pid);
      // The buffers of V8's young generation alone may grow by some tens of MiB.
      assert.ok(after - before < 150, `${before} MiB before the flood, ${after} MiB after it`);
      const { packets, drops } = await server.stop();
      const { received = 0 } = packets["eth"] ?? {}, lookups = packets["neighbours"]?.["lookups"] ?? 0;
      const { lost = 0 } = drops["neighbours"] ?? {};
      assert.equal(lost, 0, "nobody who was known has been given up");
      console.log(
        `${kind}: ${
          Math.round(rate)
        } frames/s, ${received} received; ${during.received} of 100 pings answered; ` +
          `${lookups} look-ups; ${Math.round(before)} MiB before, ${Math.round(after)} after`,
      );
    },
  );
}
