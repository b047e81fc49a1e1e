import assert from "node:assert/strict";
import { Sharded, type ShardedOptions } from "../../../apps/shard/sharded.ts";
import type { StationOptions } from "../../../apps/station.ts";
import { NicError } from "../../../nic/error.ts";
import { setInterfaceAddress, setInterfaceUp } from "../../../nic/linux/netif.ts";
import { createTap, type TunMode } from "../../../nic/linux/tun.ts";
import { DeviceInfo, type Nic } from "../../../nic/device.ts";
import { PacketRing, RingStatus } from "../../../nic/linux/packet-ring.ts";
import { PacketSocket } from "../../../nic/linux/packet-socket.ts";
import { openRaw } from "../../../nic/linux/raw.ts";
import { openQueue, type QueueHandout, Queues } from "../../../nic/queues.ts";
import { ALL_MANUAL } from "../../../stack/slot.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { get16 } from "../../../stack/wire/bytes.ts";
import { limitDescriptors } from "../../support/descriptors.ts";
import { KernelUdp } from "../../support/kernel-udp.ts";
import { NEAR, pair, TAP } from "../../support/cables.ts";
import { kernelTest, run, sysctl } from "../../support/netns.ts";
import { peerTest } from "../../support/peer.ts";
import { collect, frame, OTHER, send } from "../../support/veth.ts";

const FLOWS = 64, FIRST_PORT = 20_000, PORT = 7;

/** Where UDP's ports are in a frame of IPv4 without options. */
const UDP_AT = { tap: 34, tun: 20 } as const;

function make(mode: TunMode): void {
  // Nothing is sent into it of the kernel's own accord.
  sysctl("net/ipv6/conf/all/disable_ipv6", "1");
  createTap("mq0", { mode, multiQueue: true });
  setInterfaceUp("mq0");
  setInterfaceAddress("mq0", "10.9.0.1/24");
}

/** Sends a datagram of each flow from the kernel's side. */
async function sendAll(): Promise<void> {
  for (let flow = 0; flow < FLOWS; flow++) {
    using socket = await KernelUdp.open("10.9.0.2", PORT, FIRST_PORT + flow);
    await socket.send(new Uint8Array(8));
  }
}

/** Resolves when the kernel sends: it drops for a moment after an interface was attached to. */
async function untilCarried(nics: readonly Nic[], at: number): Promise<void> {
  using socket = await KernelUdp.open("10.9.0.2", PORT);
  for (let found = 0; found === 0;) {
    await socket.send(new Uint8Array(8));
    await new Promise((resolve) => setTimeout(resolve, 5));
    for (const nic of nics) found += ports(nic, at).length;
  }
}

/** The source ports of the datagrams that wait in a queue. */
function ports(nic: Nic, at: number): number[] {
  const found: number[] = [];
  const receive = {
    receive: ({ frame }: { frame: { bytes: Uint8Array; start: number; length: number } }) => {
      const { bytes, start, length } = frame;
      if (length >= at + 8 && get16(bytes, start + at + 2) === PORT) found.push(get16(bytes, start + at));
    },
  };
  while (nic.rx(64, receive) > 0);
  return found.sort((one, other) => one - other);
}

for (const mode of ["tap", "tun"] as const) {
  kernelTest(
    `${mode}: a flow's datagrams all come by one queue, and flows are spread over both`,
    async () => {
      make(mode);
      const queues = Queues.open({ kind: mode, name: "mq0" }, 2);
      const nics = queues.handouts.map((handout) => openQueue(handout));
      if (mode === "tap") {
        await run("ip", "neigh", "add", "10.9.0.2", "lladdr", "02:00:00:09:00:02", "dev", "mq0");
      }
      await untilCarried(nics, UDP_AT[mode]);
      await sendAll();
      const [first, second] = nics.map((nic) => ports(nic, UDP_AT[mode]));
      assert.equal(first!.length + second!.length, FLOWS);
      assert.ok(first!.length > 0 && second!.length > 0, `${first!.length} and ${second!.length}`);
      await sendAll();
      assert.deepEqual(
        nics.map((nic) => ports(nic, UDP_AT[mode])),
        [first, second],
      );
      for (const nic of nics) nic.close();
      queues.close();
    },
  );
}

kernelTest(
  "queues: a queue that its user has closed stays attached, and whoever opens it again has its flows",
  async () => {
    make("tun");
    const queues = Queues.open({ kind: "tun", name: "mq0" }, 2);
    const [one, other] = queues.handouts;
    const before = openQueue(one!), rest = openQueue(other!);
    await untilCarried([before, rest], UDP_AT.tun);
    await sendAll();
    const flows = ports(before, UDP_AT.tun);
    before.close();
    assert.notEqual(before.failure, undefined);
    await sendAll();
    const after = openQueue(one!);
    assert.deepEqual(ports(after, UDP_AT.tun), flows, "those that came meanwhile");
    after.close();
    rest.close();
    queues.close();
  },
);

kernelTest("queues: whoever sleeps on one is woken by others, once", async () => {
  make("tun");
  const queues = Queues.open({ kind: "tun", name: "mq0" }, 2);
  const nic = openQueue(queues.handouts[1]!);
  const waiting = nic.ready();
  setTimeout(() => queues.wake(1), 20);
  await waiting;
  queues.wake(1);
  await nic.ready();
  const deadline = nic.now() + 20_000;
  await nic.ready(deadline);
  assert.ok(nic.now() >= deadline, "one wake ends one wait");
  nic.close();
  queues.close();
});

kernelTest("queues: an interface with one queue is refused, saying how to make it anew", () => {
  createTap("sq0");
  assert.throws(() => Queues.open({ kind: "tap", name: "sq0" }, 2), (error) => {
    assert.ok(error instanceof NicError);
    assert.match(error.message, /one queue only.*multi_queue/);
    return true;
  });
  assert.throws(() => Queues.open({ kind: "tap", name: "none0" }, 2), /no such interface.*multi_queue/);
});

/** A veth pair, its far end the kernel's, and a datagram of each flow sent from there. */
async function overVeth(body: (queues: Queues) => Promise<void>): Promise<void> {
  await pair();
  await run("ip", "addr", "add", "10.9.0.1/24", "dev", TAP);
  await run("ip", "neigh", "add", "10.9.0.2", "lladdr", "02:00:00:09:00:02", "dev", TAP);
  const queues = Queues.open({ kind: "raw", name: NEAR }, 2);
  queues.exit.claim?.(Mac.parse("02:00:00:09:00:02"), []);
  try {
    await body(queues);
  } finally {
    queues.close();
  }
}

/** The ring of a queue, as its user has it. */
function ringOf(handout: QueueHandout): PacketRing {
  assert.ok(handout.kind === "raw");
  const { name, socket } = handout;
  return new PacketRing(
    new PacketSocket(name, socket),
    new DeviceInfo(ALL_MANUAL, 1_500),
    undefined,
    socket.place,
  );
}

peerTest("raw: each flow comes by one of several sockets, and once", ["ip"], undefined, async () => {
  await overVeth(async (queues) => {
    const nics = queues.handouts.map((handout) => openQueue(handout));
    await untilCarried(nics, UDP_AT.tap);
    await sendAll();
    const [first, second] = nics.map((nic) => ports(nic, UDP_AT.tap));
    assert.equal(first!.length + second!.length, FLOWS);
    assert.ok(first!.length > 0 && second!.length > 0, `${first!.length} and ${second!.length}`);
    await sendAll();
    assert.deepEqual(nics.map((nic) => ports(nic, UDP_AT.tap)), [first, second]);
    for (const nic of nics) nic.close();
  });
});

peerTest(
  "raw: whoever takes a socket over reads its ring on, and what was being read is lost",
  ["ip"],
  undefined,
  async () => {
    await overVeth(async (queues) => {
      const handout = queues.handouts[0]!;
      assert.equal(handout.kind, "raw");
      const before = openQueue(handout), other = openQueue(queues.handouts[1]!);
      await untilCarried([before, other], UDP_AT.tap);
      await sendAll();
      const flows = ports(before, UDP_AT.tap);
      before.close();
      await sendAll();
      // As if the reader had ended with three frames in its hands.
      const ended = ringOf(handout);
      for (let count = 0; count < 3; count++) ended.take();
      // More than the ring has frames, so that it comes round.
      let after = openQueue(handout);
      assert.equal(ports(after, UDP_AT.tap).length, flows.length - 3);
      for (let turn = 0; turn < 10; turn++) {
        await sendAll();
        assert.deepEqual(ports(after, UDP_AT.tap), flows);
        after.close();
        after = openQueue(handout);
      }
      after.close();
      other.close();
    });
  },
);

peerTest(
  "raw: who ends having given back only some frames of a full ring leaves no gap at which its successor waits",
  ["ip"],
  undefined,
  async () => {
    await pair();
    const queues = Queues.open({ kind: "raw", name: NEAR }, 1), far = openRaw(TAP);
    const handout = queues.handouts[0]!, ended = ringOf(handout);
    const FRAMES = 240, FIRST = 100;
    for (let index = 0; index < FRAMES; index++) send(far, frame(OTHER, FIRST + index));
    while ((ended.status() & RingStatus.User) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const [refused] = [ended.take(), ended.take(), ended.take()];
    ended.give(refused);
    // The kernel fills the first frame again, and goes on to the second.
    send(far, frame(OTHER, FIRST + FRAMES));
    const after = openQueue(handout);
    const lengths = (await collect(after, FRAMES - 2, 500)).map(({ length }) => length - 14);
    assert.deepEqual(lengths, Array.from({ length: FRAMES - 2 }, (_, index) => FIRST + 3 + index));
    send(far, frame(OTHER, 61));
    assert.equal((await collect(after, 1, 500)).length, 1);
    after.close();
    far.close();
    queues.close();
  },
);

kernelTest("queues: a host that finds no descriptor for its own waits gives the queues back", () => {
  make("tap");
  const station = { nic: { kind: "tap", name: "mq0" } } as StationOptions;
  const sharded = { workers: 2 } as ShardedOptions;
  const opened = () => [...Deno.readDirSync("/proc/self/fd")].length;
  const before = opened();
  {
    // Two queues, their two events, and one for itself: it would need another.
    using _limit = limitDescriptors(5);
    assert.throws(() => new Sharded(station, sharded), /tap:mq0: no eventfd to be had/);
  }
  assert.equal(opened(), before);
});
