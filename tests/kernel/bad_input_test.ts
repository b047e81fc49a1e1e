import assert from "node:assert/strict";
import { setInterfaceMtu } from "../../nic/linux/netif.ts";
import { source } from "../support/ethox.ts";
import { run } from "../support/netns.ts";
import { APPLIANCE, assertAnswered, peer, peerTest, scapy, serve, TAP } from "../support/peer.ts";

/** Frames that are to be dropped without an answer: as a list of scapy packets, with the counters that they move. */
interface Bad {
  readonly what: string;
  readonly frames: string;
  readonly drops: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const BAD: readonly Bad[] = [
  {
    what: "wrong checksums of IP and ICMP (RFC 1122 3.2.1.2, RFC 792)",
    frames: `
      frames = [echo(chksum=0x1234)] * 3
      for seq in range(4):
        frame = echo(seq=seq)
        frame[ICMP].chksum = 0x4321
        frames.append(frame)`,
    drops: { ip: { wrongChecksum: 3 }, icmp: { wrongChecksum: 4 } },
  },
  {
    what: "fragments that lack others, overlap or lie behind the end of any packet (RFC 5722 4)",
    frames: `
      pieces = lambda id: fragment(IP(src=kernel, dst=own, id=id)/ICMP(id=77)/(b"x" * 2000), fragsize=512)
      lacking, overlapping = pieces(9), pieces(10)
      del lacking[1]
      overlapping[1].frag -= 1
      del overlapping[1].chksum
      frames = [Ether(dst=mac)/part for part in lacking + overlapping] + [echo(frag=8189)]`,
    drops: { ip: { overlappingFragment: 3, badFragment: 1 } },
  },
  {
    what: "source routes, loose and strict (RFC 7126 4.3)",
    frames: `
      frames = [echo(options=IPOption_LSRR(routers=["10.0.0.1", "10.0.0.9"])),
                echo(options=IPOption_SSRR(routers=["10.0.0.1"]))]`,
    drops: { ip: { sourceRoute: 2 } },
  },
  {
    what: "headers that lie about version and lengths",
    frames: `
      frames = [echo(version=5), echo(ihl=4), echo(ihl=15), echo(len=19), echo(len=1400), echo(options=[b"\\x07\\xff\\x04\\x00"])]`,
    drops: { ip: { wrongVersion: 1, malformed: 3, truncated: 1, badOptions: 1 } },
  },
  {
    what: "forged sources (RFC 1122 3.2.1.3)",
    frames: `
      frames = []
      for forged in ["127.0.0.1", "224.0.0.1", "255.255.255.255", "10.0.0.255", "10.0.0.1", "240.0.0.1"]:
        frame = echo()
        frame[IP].src = forged
        frames.append(frame)`,
    drops: { ip: { badSource: 6 } },
  },
  {
    what: "a unicast packet in a broadcast frame (RFC 1122 3.3.6), and frames to others",
    frames: `
      shouted, other = echo(), echo()
      shouted[Ether].dst = "ff:ff:ff:ff:ff:ff"
      other[Ether].dst = "02:aa:bb:cc:dd:ee"
      frames = [shouted, other]`,
    drops: { eth: { notForUs: 1 }, ip: { unicastInGroup: 1 } },
  },
  {
    what: "ARP with wrong lengths, types and senders (RFC 826)",
    frames: `
      ask = lambda **fields: Ether(dst="ff:ff:ff:ff:ff:ff")/ARP(**{"psrc": kernel, "pdst": own, **fields})
      frames = [ask(hwtype=6), ask(ptype=0x86dd), ask(hwlen=8), ask(plen=16),
                ask(psrc="10.0.0.255"), ask(psrc="192.168.7.7"), ask(hwsrc="ff:ff:ff:ff:ff:ff"),
                Ether(dst=mac, type=0x0806)/b"\\x00\\x01\\x08\\x00\\x06\\x04\\x00\\x01"]`,
    drops: { arp: { malformed: 5, badSender: 3 } },
  },
  {
    what: "protocols that it does not speak, and IPv6 to an address that it does not have",
    frames: `
      frames = [Ether(dst=mac)/IPv6(dst="fe80::1")/ICMPv6EchoRequest(), Ether(dst=mac, type=0x88cc)/b"lldp",
                Ether(dst=mac, type=0x0800), Ether(dst=mac, type=46)/(b"802.3" * 10)]`,
    drops: { ip: { notForUs: 1, otherEtherType: 2, truncated: 1 } },
  },
];

for (const { what, frames, drops } of BAD) {
  peerTest(
    `bad input: ${what}: dropped, counted by reason, unanswered`,
    ["ping", "scapy"],
    source,
    async () => {
      await using server = await serve(source);
      await assertAnswered(1);
      const script = `${dedent(frames)}\nprint(json.dumps([frame.summary() for frame in exchange(*frames)]))`;
      assert.deepEqual(await scapy(server, script), []);
      await assertAnswered(1);
      const summary = await server.stop();
      assert.deepEqual(summary.drops, drops);
      assert.equal(summary.packets["icmp"]?.["answered"], 3);
    },
  );
}

peerTest(
  "bad input: hping3's wrong checksums get no answer, and right ones and fragments do",
  ["hping3"],
  source,
  async () => {
    await using server = await serve(source);
    const hping = async (...args: string[]) => {
      const { stdout, stderr } = await peer("hping3", [
        "-n",
        "--icmp",
        "-c",
        "3",
        "-i",
        "u20000",
        ...args,
        APPLIANCE,
      ]);
      return /(\d+) packets received/.exec(stdout + stderr)?.[1];
    };
    assert.equal(await hping(), "3");
    assert.equal(await hping("--badcksum"), "0");
    assert.equal(await hping("--frag", "-d", "200"), "3");
    assert.equal(await hping(), "3");
    const { drops, packets } = await server.stop();
    assert.equal(packets["icmp"]?.["answered"], 9);
    assert.equal(drops["icmp"]?.["wrongChecksum"], 3);
    assert.equal(packets["ip"]?.["reassembled"], 3);
  },
);

/** What the kernel has handed to the TAP's reader, and what its queue had no room for. */
async function handedOver(): Promise<{ packets: number; dropped: number }> {
  const [{ stats64 }] = JSON.parse(await run("ip", "-s", "-j", "link", "show", "dev", TAP));
  return stats64.tx;
}

const FLOOD = 20_000, FLOOD_SECONDS = 20;

peerTest(
  "bad input: a flood of garbage is survived, and every frame is accounted for",
  ["ping", "scapy", "ip"],
  source,
  async () => {
    await using server = await serve(source);
    await assertAnswered(1);
    // Longer than the MTU was when the appliance started, which follows.
    setInterfaceMtu(TAP, 3_000);
    const seed = Number(Deno.env.get("ETHOX_SEED") ?? 793);
    const sent = await scapy(
      server,
      `
rng = random.Random(${seed})
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind((tap, 0))
good = [bytes(echo()), bytes(Ether(dst="ff:ff:ff:ff:ff:ff")/ARP(psrc=kernel, pdst=own)), bytes(echo(flags="MF")),
        bytes(echo(options=IPOption_RR(length=7, routers=["0.0.0.0"])))]
to_us, types = bytes.fromhex(mac.replace(":", "")), [b"\\x08\\x00", b"\\x08\\x06", b"\\x86\\xdd", b"\\x00\\x10"]
def noise(length): return rng.randbytes(length)
def mutant():
  frame = bytearray(rng.choice(good))
  for _ in range(rng.randint(1, 4)): frame[rng.randrange(14, len(frame))] = rng.randrange(256)
  return bytes(frame)
kinds = [
  lambda: noise(rng.randint(14, 200)),
  lambda: to_us + noise(6) + rng.choice(types) + noise(rng.randint(0, 120)),
  lambda: to_us + noise(6) + rng.choice(types) + noise(rng.randint(1487, 2900)),
  lambda: rng.choice(good)[:rng.randint(14, 60)],
  mutant, mutant, mutant,
]
sent, end = {"frames": 0, "long": 0}, time.monotonic() + ${FLOOD_SECONDS}
while sent["frames"] < ${FLOOD} and time.monotonic() < end:
  frame = rng.choice(kinds)()
  wire.send(frame)
  sent["frames"] += 1
  if len(frame) > 1518: sent["long"] += 1
  # The queue between kernel and appliance has a limit; what overflows there is not the appliance's to count.
  if sent["frames"] % 200 == 0: time.sleep(0.005)
print(json.dumps(sent))
`,
    ) as { frames: number; long: number };
    await assertAnswered(10);
    const taken = await handedOver();
    const { packets, drops } = await server.stop();
    console.log(sent, taken, packets, drops);
    const { received = 0 } = packets["nic"] ?? {}, { tooLong = 0 } = drops["nic"] ?? {};
    assert.ok(sent.frames >= 1_000, `only ${sent.frames} frames were sent`);
    assert.ok(received >= 1_000, `${received} of ${sent.frames}`);
    assert.equal(received, taken.packets, "what the kernel has handed over");
    assert.ok(taken.packets + taken.dropped >= sent.frames, "the queue between them has lost the others");
    assert.ok(sent.long > 0);
    assert.equal(tooLong, 0, "the NIC follows the interface's MTU");
    assert.ok(packets["icmp"]!["answered"]! >= 11);
  },
);

function dedent(text: string): string {
  const lines = text.split("\n").slice(1);
  const indent = /^ */.exec(lines[0] ?? "")![0].length;
  return lines.map((line) => line.slice(indent)).join("\n");
}
