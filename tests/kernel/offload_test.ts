/** The TAP with and without offloads: checksums and long segments that the kernel leaves to us, and we to it. */
import assert from "node:assert/strict";
import { NicError } from "../../nic/error.ts";
import { setInterfaceAddress, setInterfaceMtu, setInterfaceUp } from "../../nic/linux/netif.ts";
import { openTap, type Tap } from "../../nic/linux/tap.ts";
import { createTap } from "../../nic/linux/tun.ts";
import { Checksum, Segmentation } from "../../stack/frame.ts";
import type { Slot } from "../../stack/slot.ts";
import { EtherType, etherType } from "../../stack/wire/ethernet.ts";
import * as ipv4 from "../../stack/wire/ipv4.ts";
import { Address } from "../../stack/wire/address.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import * as udp from "../../stack/wire/udp.ts";
import { readPcap } from "../../mod.ts";
import { findProgram } from "../../scripts/setup/programs.ts";
import { source } from "../support/ethox.ts";
import { KernelUdp } from "../support/kernel-udp.ts";
import { kernelTest, run } from "../support/netns.ts";
import { APPLIANCE, peer, peerTest, serveOn, TAP } from "../support/peer.ts";
import { REFLECTOR, reflector } from "../support/reflector.ts";
import { exchange, hash, noise, withDirectory } from "../support/tcp-peers.ts";

const MODES = ["offload=on", "offload=off"] as const;

/** Loses so many of a hundred frames from us, whole segments or many in one. */
async function lose(percent: number): Promise<void> {
  await run(
    findProgram("nft") ?? "nft",
    `table netdev loss {
      chain ingress {
        type filter hook ingress device "${TAP}" priority 0; policy accept;
        ip protocol tcp numgen random mod 100 < ${percent} counter drop
      }
    }`,
  );
}

for (const mode of MODES) {
  peerTest(`tap: 32 MiB there and back are what was sent, with ${mode}`, [], source, async () => {
    await using server = await serveOn(mode, source, "tcp-echo");
    const bytes = noise(32 << 20);
    assert.equal(await exchange(APPLIANCE, 7, bytes), hash(bytes));
    const { packets, drops } = await server.stop();
    const { received = 0, receivedBytes = 0, sent = 0, sentBytes = 0 } = packets["nic"]!;
    if (mode === "offload=on") {
      assert.ok(receivedBytes / received > 3_000, "what arrives is many segments in one");
      assert.ok(sentBytes / sent > 3_000, "what leaves is many segments in one");
    } else assert.ok(receivedBytes / received <= 1_514 && sentBytes / sent <= 1_514);
    assert.equal(drops["nic"], undefined);
    assert.equal(drops["tcp"]?.["wrongChecksum"], undefined);
  });

  peerTest(
    `tap: with every twentieth frame lost all bytes arrive, with ${mode}`,
    ["nft"],
    source,
    async () => {
      await using server = await serveOn(mode, source, "tcp-echo");
      await lose(5);
      const bytes = noise(4 << 20);
      assert.equal(await exchange(APPLIANCE, 7, bytes), hash(bytes));
      const { packets } = await server.stop();
      assert.ok(packets["tcp"]!["retransmitted"]! > 0);
    },
  );

  peerTest(
    `tap: connections to a closed port, large pings and datagrams, with ${mode}`,
    ["ping"],
    source,
    async () => {
      await using server = await serveOn(mode, source, "udp-echo");
      await assert.rejects(Deno.connect({ hostname: APPLIANCE, port: 81 }), Deno.errors.ConnectionRefused);
      const { code } = await peer("ping", [
        "-n",
        "-q",
        "-c",
        "3",
        "-i",
        "0.01",
        "-s",
        "1472",
        "-M",
        "do",
        APPLIANCE,
      ]);
      assert.equal(code, 0);
      using socket = await KernelUdp.open(APPLIANCE, 7);
      for (const length of [0, 1, 2, 3, 100, 999, 1_472]) {
        const sent = noise(length);
        assert.deepEqual(await socket.ask(sent), sent);
      }
      const { drops } = await server.stop();
      assert.equal(drops["udp"], undefined);
    },
  );
}

peerTest(
  "tap: a capture of long segments is read by Wireshark without a complaint about any of ours",
  ["tshark", "socat"],
  source,
  async () => {
    await withDirectory(async (directory) => {
      const capture = `${directory}/capture.pcapng`;
      await using server = await serveOn("offload=on", source, "tcp-echo", "--pcap", capture);
      const bytes = noise(2 << 20);
      assert.equal(await exchange(APPLIANCE, 7, bytes), hash(bytes));
      await server.stop();
      const { stdout, stderr, code } = await peer("tshark", [
        ...["-r", capture, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"],
        ...[
          "-T",
          "fields",
          "-e",
          "frame.len",
          "-e",
          "tcp.checksum.status",
          "-e",
          "_ws.expert.group",
          "-Y",
          "tcp",
        ],
      ]);
      assert.equal(code, 0, stderr);
      const rows = stdout.trim().split("\n").map((line) => line.split("\t"));
      assert.ok(rows.some(([length]) => Number(length) > 10_000), "there are many segments in one");
      // 1: right. The groups are those of wrong checksums, protocol errors, and what is malformed.
      assert.deepEqual(rows.filter(([, status]) => status !== "1"), []);
      const wrong = ["16777216", "150994944", "117440512"];
      assert.deepEqual(
        rows.filter(([, , groups = ""]) => groups.split(",").some((g) => wrong.includes(g))),
        [],
      );
      assert.equal([...readPcap(Deno.readFileSync(capture))].length >= rows.length, true);
    });
  },
);

/** A TAP that lasts, with the kernel's address on it, switched on. */
function openUp(offload?: boolean): Tap {
  createTap(TAP);
  setInterfaceAddress(TAP, "10.9.0.1/24");
  setInterfaceUp(TAP);
  return openTap(TAP, { create: false, ...(offload === undefined ? {} : { offload }) });
}

/** Hands every frame that arrives within `duration` milliseconds to `receive`. */
async function receive(tap: Tap, duration: number, receive: (slot: Slot) => void): Promise<void> {
  const end = tap.now() + duration * 1_000;
  while (tap.now() < end) {
    tap.rx(64, { receive });
    await tap.ready(end);
  }
}

/** Sends a datagram of the kernel's to the reflector, and answers with what is known of its checksum. */
async function checksumSeen(tap: Tap): Promise<{ state: Checksum; isRight: boolean }> {
  using socket = await KernelUdp.open(REFLECTOR, 7);
  let seen: { state: Checksum; isRight: boolean } | undefined;
  const watch = receive(tap, 300, (slot) => {
    const { bytes, start, checksum } = slot.frame;
    reflector.receive(slot);
    const ip = start + 14;
    if (etherType(bytes, start) !== EtherType.Ipv4 || ipv4.protocol(bytes, ip) !== Protocol.Udp) return;
    const [from, to] = [new Address().readV4(bytes, ip + 12), new Address().readV4(bytes, ip + 16)];
    seen ??= { state: checksum, isRight: udp.verifyChecksum(bytes, ip + 20, from, to) };
  });
  await socket.send(noise(100));
  await watch;
  assert.ok(seen !== undefined, "no datagram has come");
  return seen;
}

kernelTest("tap: with offloads the kernel leaves checksums partial, without it fills them", async () => {
  const tap = openUp();
  assert.deepEqual(await checksumSeen(tap), { state: Checksum.Partial, isRight: false });
  assert.ok(tap.info.capabilities.segmentation !== undefined);
  tap.close();
  // What follows finds the interface as it was: offloads end with whoever asked for them.
  const plain = openUp(false);
  assert.deepEqual(await checksumSeen(plain), { state: Checksum.Unverified, isRight: true });
  assert.equal(plain.info.capabilities.segmentation, undefined);
  plain.close();
});

peerTest(
  "tap: a program that knows of no offloads can use the interface after one that did",
  ["ip"],
  undefined,
  async () => {
    const tap = openUp();
    const features = async () =>
      (await run(findProgram("ethtool") ?? "ethtool", "-k", TAP)).match(/tcp-segmentation-offload: \w+/)?.[0];
    assert.equal(await features(), "tcp-segmentation-offload: on");
    tap.close();
    assert.equal(await features(), "tcp-segmentation-offload: off");
  },
);

kernelTest("tap: all queues of an interface have offloads, or none has", () => {
  createTap("tap1", { multiQueue: true });
  const first = openTap("tap1", { offload: false });
  assert.throws(
    () => openTap("tap1", { offload: true }),
    (error) =>
      error instanceof NicError && error.kind === "unsupported" &&
      error.message === "tap1: it is in use without offloads; leave offload=on out",
  );
  const second = openTap("tap1");
  assert.equal(second.info.capabilities.segmentation, undefined, "it takes what there is");
  first.close();
  second.close();
  createTap("tap2", { multiQueue: true });
  const attached = openTap("tap2");
  assert.throws(
    () => openTap("tap2", { offload: false }),
    (error) =>
      error instanceof NicError && error.kind === "busy" &&
      /^tap2: it is in use with offloads; /.test(error.message),
  );
  const other = openTap("tap2", { offload: true });
  assert.ok(other.info.capabilities.segmentation !== undefined);
  attached.close();
  other.close();
});

kernelTest(
  "tap: when the interface's MTU is raised its longer frames are taken, and may be sent",
  async () => {
    for (const offload of [true, false]) {
      const tap = openUp(offload);
      assert.equal(tap.info.mtu, 1_500);
      setInterfaceMtu(TAP, 9_000);
      using socket = await KernelUdp.open(REFLECTOR, 7);
      let longest = 0;
      const watch = receive(tap, 300, (slot) => {
        longest = Math.max(longest, slot.frame.length);
        assert.equal(slot.frame.segmentation, Segmentation.None);
        reflector.receive(slot);
      });
      await socket.send(noise(8_000));
      await watch;
      assert.equal(longest, 8_042);
      assert.equal(tap.info.mtu, 9_000);
      assert.equal(tap.counters.tooLong, 0);
      tap.close();
      setInterfaceMtu(TAP, 1_500);
    }
  },
);

kernelTest(
  "tap: what does not fit the queue is lost by the kernel, and the NIC goes on with what comes next",
  async () => {
    const tap = openUp();
    using socket = await KernelUdp.open(REFLECTOR, 7);
    await socket.send(noise(10));
    await receive(tap, 100, (slot) => reflector.receive(slot));
    for (let sent = 0; sent < 5_000; sent++) await socket.send(noise(10));
    let count = 0;
    while (tap.rx(64, { receive: () => count++ }) > 0);
    assert.ok(count > 100 && count < 5_000, `${count} of 5,000`);
    await socket.send(noise(10));
    let isAlive = false;
    await receive(tap, 200, () => isAlive = true);
    assert.ok(isAlive);
    tap.close();
  },
);
