/** The kernel's own thread for what we write to a TAP or TUN interface: `threaded=on`, and what is done without it. */
import assert from "node:assert/strict";
import { findProgram } from "../../scripts/setup/programs.ts";
import { createTap } from "../../nic/linux/tun.ts";
import { remounted, source } from "../support/ethox.ts";
import { run } from "../support/netns.ts";
import { APPLIANCE, peer, peerTest, serveOn, TAP } from "../support/peer.ts";
import { exchange, hash, noise } from "../support/tcp-peers.ts";

const SCHED_BATCH = 3;

/** The kernel's threads for the interface, and how each is scheduled (proc_pid_stat(5): policy). */
async function threads(): Promise<number[]> {
  const { stdout } = await peer("pgrep", [`^napi/${TAP}-`]);
  return stdout.split("\n").filter((id) => id !== "").map((id) => {
    const text = Deno.readTextFileSync(`/proc/${id}/stat`);
    return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[38]);
  });
}

for (const options of ["offload=off", "threaded=on"]) {
  peerTest(`threaded: 32 MiB there and back are what was sent, with ${options}`, [], remounted, async () => {
    await using server = await serveOn(options, remounted, "tcp-echo");
    assert.deepEqual(await threads(), [SCHED_BATCH]);
    const bytes = noise(32 << 20);
    assert.equal(await exchange(APPLIANCE, 7, bytes), hash(bytes));
    const { drops } = await server.stop();
    assert.deepEqual(drops, {});
    assert.deepEqual(await threads(), [], "it goes with the NIC");
  });
}

peerTest("threaded: the kernel takes in segments of one connection as one", ["nft"], remounted, async () => {
  await using server = await serveOn("offload=off", remounted, "chargen");
  await run(
    findProgram("nft") ?? "nft",
    `table netdev seen {
      chain ingress {
        type filter hook ingress device "${TAP}" priority 0; policy accept;
        counter
      }
    }`,
  );
  await peer("socat", ["-u", "-T1", `TCP4:${APPLIANCE}:19,readbytes=${64 << 20}`, "OPEN:/dev/null"]);
  const seen = Number(
    /packets (\d+)/.exec(await run(findProgram("nft") ?? "nft", "list table netdev seen"))?.[1],
  );
  const { packets } = await server.stop();
  const sent = packets["nic"]!["sent"]!;
  assert.ok(seen * 2 < sent, `${sent} frames came as ${seen}`);
});

peerTest("threaded: off, or with offloads, there is no thread", [], remounted, async () => {
  for (const options of ["offload=off,threaded=off", "offload=on"]) {
    await using server = await serveOn(options, remounted, "tcp-echo");
    assert.deepEqual(await threads(), [], options);
    await server.stop();
  }
});

peerTest("threaded: where /sys shows another network namespace nothing is changed", [], source, async () => {
  await using server = await serveOn("offload=off", source, "tcp-echo");
  assert.deepEqual(await threads(), []);
  await server.stop();
  createTap(TAP);
  const [program = "", ...args] = await source.command();
  const nic = `tap:${TAP},threaded=on`;
  const { code, stderr } = await peer(program, [...args, "serve", "--nic", nic, "--addr", `${APPLIANCE}/24`]);
  assert.equal(code, 3);
  assert.equal(
    stderr,
    `ethox: ${TAP}: its kernel's end gets no thread: /sys/class/net/${TAP}/threaded cannot be switched on; ` +
      "leave threaded=on out, or run as root with this namespace's /sys on Linux 5.12 or later\n",
  );
});
