/** The TAP with and without offloads: checksums and long segments that the kernel leaves to us, and we to it. */
import assert from "node:assert/strict";
import { NicError } from "../../nic/error.ts";
import { setInterfaceAddress, setInterfaceMtu, setInterfaceUp } from "../../nic/linux/netif.ts";
import { openTap, type Tap } from "../../nic/linux/tap.ts";
import { createTap } from "../../nic/linux/tun.ts";
import { Queues } from "../../nic/queues.ts";
import { Checksum, Segmentation } from "../../stack/frame.ts";
import type { Slot } from "../../stack/slot.ts";
import { EtherType, etherType } from "../../stack/wire/ethernet.ts";
import * as ipv4 from "../../stack/wire/ipv4.ts";
import { Address } from "../../stack/wire/address.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import * as udp from "../../stack/wire/udp.ts";
import { readPcap } from "../../mod.ts";
import { findProgram } from "../../scripts/setup/programs.ts";
import { raw } from "../support/cables.ts";
import { type Server, source } from "../support/ethox.ts";
import { KernelUdp } from "../support/kernel-udp.ts";
import { kernelTest, run } from "../support/netns.ts";
import { APPLIANCE, nicTest, peer, peerTest, serve, serveOn, TAP } from "../support/peer.ts";
import { REFLECTOR, reflector } from "../support/reflector.ts";
import { exchange, hash, noise, withDirectory } from "../support/tcp-peers.ts";

const MODES = ["offload=on", "offload=off"] as const;

/** Loses every frame from us of so many, whole segments or many in one. */
async function loseEvery(nth: number): Promise<void> {
  await run(
    findProgram("nft") ?? "nft",
    `table netdev loss {
      chain ingress {
        type filter hook ingress device "${TAP}" priority 0; policy accept;
        ip protocol tcp numgen inc mod ${nth} ${nth - 1} counter drop
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
      await loseEvery(20);
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

/** What a Python program prints, with a socket `s` connected to the appliance's UDP echo. */
async function python(script: string): Promise<unknown> {
  const preamble = `
import json, random, socket
SEGMENT, GRO = 103, 104
def connected():
  s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
  s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
  s.settimeout(30)
  s.connect(("${APPLIANCE}", 7))
  return s
s = connected()
`;
  const { code, stdout, stderr } = await peer("/usr/bin/python3", ["-c", `${preamble}\n${script}`]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/** The kernel sends datagrams of all lengths in one (UDP_SEGMENT); each is echoed. */
async function assertTakenApart(server: Server): Promise<void> {
  const answers = await python(`
rng, answers = random.Random(7), []
for size, length in [(100, 6000), (1000, 44500), (18, 18 * 60 + 1), (1472, 1472 * 40)]:
  s.setsockopt(socket.SOL_UDP, SEGMENT, size)
  sent = rng.randbytes(length)
  s.send(sent)
  count, received = 0, b""
  while len(received) < length:
    received += s.recv(2000)
    count += 1
  answers.append([count, received == sent])
print(json.dumps(answers))
`);
  assert.deepEqual(answers, [[60, true], [45, true], [61, true], [40, true]]);
  const { packets, drops } = await server.stop();
  assert.equal(packets["udp"]!["received"], 206);
  assert.equal(packets["udp"]!["sent"], 206);
  assert.equal(drops["nic"], undefined);
}

nicTest(
  "udp: datagrams that a sender on this machine left in one are taken apart",
  [],
  source,
  async () => {
    await using server = await serve(source, "udp-echo");
    await assertTakenApart(server);
  },
  [raw],
);

for (const mode of MODES) {
  peerTest(
    `tap: bursts of datagrams of all sizes and two flows come back as they were, with ${mode}`,
    [],
    source,
    async () => {
      await using server = await serveOn(mode, source, "udp-echo");
      const lost = await python(`
rng, t, wrong, left = random.Random(5), connected(), 0, 0
for turn in range(60):
  size = rng.choice([1, 18, 18, 100, 700, 1472])
  sent = {s: [], t: []}
  for index in range(rng.randint(1, 70)):
    which = s if turn % 3 or rng.random() < 0.5 else t
    payload = rng.randbytes(size if rng.random() < 0.9 else rng.randint(0, 1472))
    which.send(payload)
    sent[which].append(payload)
  for which, payloads in sent.items():
    for payload in payloads:
      try:
        if which.recv(2000) != payload: wrong += 1
      except TimeoutError: left += 1
print(json.dumps([wrong, left]))
`);
      assert.deepEqual(lost, [0, 0], "wrong ones, lost ones");
      const { packets } = await server.stop();
      assert.equal(packets["udp"]!["received"], packets["udp"]!["sent"]);
    },
  );

  peerTest(
    `tap: datagrams that the kernel hands over in one are taken one by one, with ${mode}`,
    [],
    source,
    async () => {
      await using server = await serveOn(mode, source, "udp-echo");
      await assertTakenApart(server);
    },
  );
}

peerTest(
  "tap: answers to a burst leave in one, which a kernel's socket can take in one, too",
  [],
  source,
  async () => {
    await using server = await serveOn("offload=on", source, "udp-echo");
    const most = await python(`
s.setsockopt(socket.SOL_UDP, GRO, 1)
s.setsockopt(socket.SOL_UDP, SEGMENT, 100)
s.send(bytes(6000))
left, most = 6000, 0
while left > 0:
  data = s.recv(65535)
  left -= len(data)
  most = max(most, len(data))
print(most)
`);
    assert.ok(Number(most) >= 1_000, `${most} bytes at a time at most`);
    await server.stop();
  },
);

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

/** Whether the kernel leaves long segments to whoever reads from an interface, as ethtool says it. */
async function segments(name: string): Promise<string | undefined> {
  const features = await run(findProgram("ethtool") ?? "ethtool", "-k", name);
  return features.match(/tcp-segmentation-offload: \w+/)?.[0];
}

/**
 * Sends a datagram of the kernel's again and again, and hands every frame that arrives to `receive`, until that has seen
 * what it waits for: Linux drops what it sends right after a cable is put in.
 */
async function until(tap: Tap, length: number, receive: (slot: Slot) => boolean): Promise<void> {
  using socket = await KernelUdp.open(REFLECTOR, 7);
  for (let isSeen = false, end = tap.now() + 60e6; !isSeen;) {
    assert.ok(tap.now() < end, "what was waited for has not come");
    await socket.send(noise(length));
    const pause = tap.now() + 50_000;
    while (!isSeen && tap.now() < pause) {
      tap.rx(64, {
        receive: (slot) => {
          if (receive(slot)) isSeen = true;
          reflector.receive(slot);
        },
      });
      if (!isSeen) await tap.ready(pause);
    }
  }
}

/** Sends a datagram of the kernel's to the reflector, and answers with what is known of its checksum. */
async function checksumSeen(tap: Tap): Promise<{ state: Checksum; isRight: boolean }> {
  let seen: { state: Checksum; isRight: boolean } | undefined;
  await until(tap, 100, ({ frame: { bytes, start, checksum } }) => {
    const ip = start + 14;
    if (etherType(bytes, start) !== EtherType.Ipv4 || ipv4.protocol(bytes, ip) !== Protocol.Udp) return false;
    const [from, to] = [new Address().readV4(bytes, ip + 12), new Address().readV4(bytes, ip + 16)];
    seen = { state: checksum, isRight: udp.verifyChecksum(bytes, ip + 20, from, to) };
    return true;
  });
  assert.ok(seen !== undefined);
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
    assert.equal(await segments(TAP), "tcp-segmentation-offload: on");
    tap.close();
    assert.equal(await segments(TAP), "tcp-segmentation-offload: off");
  },
);

for (const mode of ["tap", "tun"] as const) {
  peerTest(
    `${mode}: an interface with several queues is given back without offloads by the last who uses it`,
    ["ethtool"],
    undefined,
    async () => {
      createTap("mq0", { mode, multiQueue: true });
      const queues = Queues.open({ kind: mode, name: "mq0" }, 2), other = openTap("mq0", { mode });
      queues.close();
      assert.equal(await segments("mq0"), "tcp-segmentation-offload: on");
      assert.ok(other.info.capabilities.segmentation !== undefined);
      other.close();
      assert.equal(await segments("mq0"), "tcp-segmentation-offload: off");
      Queues.open({ kind: mode, name: "mq0" }, 2).close();
      assert.equal(await segments("mq0"), "tcp-segmentation-offload: off");
    },
  );
}

peerTest(
  "tap: whoever wants several queues of an interface with one leaves no offloads behind",
  ["ethtool"],
  undefined,
  async () => {
    createTap("sq0");
    assert.throws(() => Queues.open({ kind: "tap", name: "sq0" }, 2), /one queue only/);
    assert.equal(await segments("sq0"), "tcp-segmentation-offload: off");
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
      await until(tap, 8_000, ({ frame }) => {
        assert.equal(frame.segmentation, Segmentation.None);
        return frame.length === 8_042;
      });
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
    await until(tap, 10, ({ frame }) => frame.length === 52);
    using socket = await KernelUdp.open(REFLECTOR, 7);
    for (let sent = 0; sent < 5_000; sent++) await socket.send(noise(10));
    let count = 0;
    while (tap.rx(64, { receive: () => count++ }) > 0);
    assert.ok(count > 100 && count < 5_000, `${count} of 5,000`);
    await until(tap, 20, ({ frame }) => frame.length === 62);
    tap.close();
  },
);
