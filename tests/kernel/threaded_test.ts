/** The kernel's own thread for what we write to a TAP or TUN interface: `threaded=on`, and what is done without it. */
import assert from "node:assert/strict";
import { findProgram } from "../../scripts/setup/programs.ts";
import { setInterfaceAddress, setInterfaceUp } from "../../nic/linux/netif.ts";
import { createTap, type TunMode } from "../../nic/linux/tun.ts";
import { remounted, Server, source } from "../support/ethox.ts";
import { run } from "../support/netns.ts";
import { APPLIANCE, KERNEL, peer, peerTest, PREFIX, serveOn, TAP } from "../support/peer.ts";
import { exchange, hash, noise } from "../support/tcp-peers.ts";

const SCHED_OTHER = 0,
  SCHED_BATCH = 3;

/** How the threads are to be scheduled: they belong to the machine's root, not to a user namespace's. */
const POLICY = /^ *0 +0 /.test(Deno.readTextFileSync("/proc/self/uid_map")) ? SCHED_BATCH : SCHED_OTHER;

/** The kernel's threads for the interface, and how each is scheduled (proc_pid_stat(5): policy). */
function threads(): number[] {
  const policies: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (!Deno.readTextFileSync(`/proc/${name}/comm`).startsWith(`napi/${TAP}-`)) continue;
      const text = Deno.readTextFileSync(`/proc/${name}/stat`);
      policies.push(Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[38]));
    } catch {
      // It has ended meanwhile.
    }
  }
  return policies;
}

/** A way to have a thread: an interface, what is behind its name, more arguments, and how many threads there are then. */
interface Way {
  readonly mode: TunMode;
  readonly options: string;
  readonly more: readonly string[];
  readonly count: number;
}

const WAYS: readonly Way[] = [
  { mode: "tap", options: "offload=off", more: [], count: 1 },
  { mode: "tap", options: "threaded=on", more: [], count: 1 },
  { mode: "tun", options: "offload=off", more: [], count: 1 },
  { mode: "tap", options: "offload=off", more: ["--workers", "2"], count: 2 },
];

for (const { mode, options, more, count } of WAYS) {
  const how = [`${mode}:${TAP},${options}`, ...more].join(" ");
  peerTest(`threaded: 32 MiB there and back are what was sent, with ${how}`, [], remounted, async () => {
    createTap(TAP, { mode, multiQueue: count > 1 });
    setInterfaceAddress(TAP, `${KERNEL}${PREFIX}`);
    setInterfaceUp(TAP);
    const address = `${APPLIANCE}${PREFIX}`;
    await using server = await Server.start(
      remounted,
      `${mode}:${TAP},${options}`,
      address,
      "tcp-echo",
      ...more,
    );
    assert.deepEqual(threads(), Array(count).fill(POLICY));
    const bytes = noise(32 << 20);
    assert.equal(await exchange(APPLIANCE, 7, bytes), hash(bytes));
    const { drops } = await server.stop();
    assert.equal(drops["nic"], undefined);
    assert.equal(drops["tcp"], undefined);
    assert.deepEqual(threads(), [], "they go with the NIC");
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
  assert.ok(seen > 0 && seen * 2 < sent, `${sent} frames came as ${seen}`);
});

peerTest("threaded: off, or with offloads, there is no thread", [], remounted, async () => {
  for (const options of ["offload=off,threaded=off", "offload=on"]) {
    await using server = await serveOn(options, remounted, "tcp-echo");
    assert.deepEqual(threads(), [], options);
    await server.stop();
  }
});

peerTest("threaded: where /sys shows another network namespace nothing is changed", [], source, async () => {
  await using server = await serveOn("offload=off", source, "tcp-echo");
  assert.deepEqual(threads(), []);
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
