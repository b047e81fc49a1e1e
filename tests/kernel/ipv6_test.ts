/** IPv6 against the Linux kernel: echoes of every size, datagrams, connections, garbage. */
import assert from "node:assert/strict";
import dgram from "node:dgram";
import { once } from "node:events";
import { KERNEL6, makeCable6, OWN6, PREFIX6 } from "../support/cable6.ts";
import { ethox } from "../support/command.ts";
import { Server, source } from "../support/ethox.ts";
import { run } from "../support/netns.ts";
import { APPLIANCE, KERNEL, peer, peerTest, pingHost, PREFIX, scapy, TAP } from "../support/peer.ts";
import { noise } from "../support/tcp-peers.ts";

/** An appliance of both families. */
async function serve6(...more: string[]): Promise<Server> {
  const nic = await makeCable6();
  return await Server.start(source, nic, `${OWN6}${PREFIX6}`, "--addr", `${APPLIANCE}${PREFIX}`, ...more);
}

async function isAnswered(host: string, size: number): Promise<void> {
  const { received, stdout } = await pingHost(
    host,
    "-c",
    "3",
    "-W",
    "20",
    "-s",
    String(size),
    "-p",
    "c3",
  );
  assert.equal(received, 3, `${host}, ${size} bytes: ${stdout}`);
  assert.doesNotMatch(stdout, /wrong data|DUP|truncated/);
}

peerTest(
  "ipv6: echoes of every size come back as they were sent, in fragments if need be",
  ["ping", "ip"],
  source,
  async () => {
    await using server = await serve6();
    for (const size of [0, 1, 56, 1_451, 1_452, 1_453, 8_000, 60_000, 65_000]) await isAnswered(OWN6, size);
    const { packets, drops } = await server.stop();
    assert.equal(packets["ip"]?.["reassembled"], 4 * 3);
    assert.deepEqual(drops["icmp"] ?? {}, {});
  },
);

peerTest(
  "ipv6: echoes over the least MTU, and over a long one, of both families",
  ["ping", "ip"],
  source,
  async () => {
    for (const mtu of [1_280, 9_000]) {
      const nic = await makeCable6();
      await run("ip", "link", "set", TAP, "mtu", String(mtu));
      await using server = await Server.start(
        source,
        nic,
        `${OWN6}${PREFIX6}`,
        "--addr",
        `${APPLIANCE}${PREFIX}`,
      );
      for (const host of [OWN6, APPLIANCE]) {
        for (const size of [1_232, 1_233, 8_000, 60_000]) {
          await isAnswered(host, size);
        }
      }
      await server.stop();
      await run("ip", "link", "del", TAP);
    }
  },
);

peerTest("ipv6: our pings take fragments, too, of both families", ["ip"], source, async () => {
  await makeCable6();
  for (const [host, own] of [[KERNEL6, `${OWN6}${PREFIX6}`], [KERNEL, `${APPLIANCE}${PREFIX}`]] as const) {
    for (const size of ["1453", "8000", "60000"]) {
      const { status, out } = await ethox([
        "ping",
        host,
        "--addr",
        own,
        "-c",
        "3",
        "-i",
        "20ms",
        "-W",
        "20s",
        "-s",
        size,
      ]);
      assert.equal(status, 0, out);
      assert.match(out, /3 packets transmitted, 3 received/);
    }
  }
});

peerTest("ipv6: datagrams of every size are echoed, of both families", [], source, async () => {
  await using server = await serve6("udp-echo");
  for (const [type, host, from] of [["udp6", OWN6, KERNEL6], ["udp4", APPLIANCE, KERNEL]] as const) {
    const socket = dgram.createSocket(type);
    socket.bind(0, from);
    await once(socket, "listening");
    for (const length of [0, 1, 1_452, 1_453, 1_473, 8_000, 60_000, 65_000]) {
      const sent = noise(length);
      const answer = once(socket, "message", { signal: AbortSignal.timeout(30_000) });
      socket.send(sent, 7, host);
      const [received] = await answer as [Uint8Array];
      assert.ok(Uint8Array.from(received).toHex() === sent.toHex(), `${host}, ${length} bytes`);
    }
    socket.close();
  }
  assert.equal((await server.stop()).packets["udp-echo:7"]?.["answered"], 16);
});

peerTest(
  "ipv6: a closed port and an unknown protocol are told to the sender (RFC 4443 3.1, 3.4)",
  ["scapy", "ping", "ip"],
  source,
  async () => {
    await using server = await serve6();
    await isAnswered(OWN6, 56);
    const errors = await scapy(
      server,
      `
ready = threading.Event()
sniffer = AsyncSniffer(iface=tap, lfilter=lambda frame: frame.src == mac and (ICMPv6DestUnreach in frame or ICMPv6ParamProblem in frame),
  count=3, timeout=60, started_callback=ready.set)
sniffer.start()
assert ready.wait(30)
to = Ether(dst=mac)/IPv6(src="${KERNEL6}", dst="${OWN6}")
sendp([to/UDP(sport=9, dport=9)/b"x", Ether(dst=mac)/IPv6(src="${KERNEL6}", dst="${OWN6}", nh=200)/b"xxxxxxxx",
       to/IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=0x9e, optdata=b"ab")])/ICMPv6EchoRequest()], iface=tap)
sniffer.join()
print(json.dumps([[frame[IPv6].payload.type, frame[IPv6].payload.code, getattr(frame[IPv6].payload, "ptr", None)] for frame in sniffer.results]))
`,
    );
    assert.deepEqual(errors, [[1, 4, null], [4, 1, 6], [4, 2, 42]]);
    await server.stop();
  },
);

peerTest(
  "ipv6: curl and the http service speak it, addresses in brackets",
  ["curl", "ip"],
  source,
  async () => {
    await using server = await serve6("http");
    const page = await peer("curl", ["-sS", "-g", `http://[${OWN6}]/`]);
    assert.equal(page.code, 0, page.stderr);
    const both = await peer("curl", ["-sS", `http://${APPLIANCE}/`]);
    assert.equal(both.stdout.length > 0 && page.stdout.length > 0, true);
    await server.stop();
    const file = noise(4 << 20);
    await using _peer = Deno.serve(
      { hostname: KERNEL6, port: 8_000, onListen: () => {} },
      () => new Response(file.toBase64()),
    );
    const got = await ethox(["curl", `http://[${KERNEL6}]:8000/`, "--addr", `${OWN6}${PREFIX6}`]);
    assert.deepEqual([got.status, got.err], [0, ""]);
    assert.ok(got.out === file.toBase64());
  },
);

peerTest(
  "ipv6: every header fuzzed by scapy leaves it answering",
  ["scapy", "ping", "ip"],
  source,
  async () => {
    await using server = await serve6("udp-echo", "tcp-echo");
    await isAnswered(OWN6, 56);
    const sent = await scapy(
      server,
      `
base = IPv6(src="${KERNEL6}", dst="${OWN6}")
heads = [lambda: IPv6ExtHdrHopByHop(), lambda: IPv6ExtHdrDestOpt(), lambda: IPv6ExtHdrRouting(), lambda: IPv6ExtHdrFragment()]
ends = [lambda: ICMPv6EchoRequest(), lambda: UDP(dport=7), lambda: TCP(dport=7), lambda: ICMPv6PacketTooBig()/base, lambda: ICMPv6ND_NS(),
        lambda: ICMPv6ND_NA(), lambda: ICMPv6ND_RA(), lambda: ICMPv6MLQuery(), lambda: ICMPv6DestUnreach()/base/UDP()]
random.seed(793)
frames = []
for _ in range(3000):
  packet = IPv6(src="${KERNEL6}", dst=random.choice(["${OWN6}", "ff02::1"]))
  for _ in range(random.randrange(4)): packet = packet/fuzz(random.choice(heads)())
  packet = packet/fuzz(random.choice(ends)())/random.randbytes(random.randrange(64))
  raw = bytearray(bytes(Ether(dst=mac)/packet))
  if random.random() < 0.5:
    for _ in range(random.randrange(4)): raw[random.randrange(54, len(raw))] = random.randrange(256)
  frames.append(bytes(raw))
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind((tap, 0))
for frame in frames:
  wire.send(frame[:1514])
print(json.dumps(len(frames)))
`,
    );
    assert.equal(sent, 3_000);
    await run("ip", "-6", "neigh", "flush", "dev", TAP);
    await isAnswered(OWN6, 8_000);
    await server.stop();
  },
);

peerTest(
  "ipv6: nothing of ours is a protocol error to tshark, fragments among it",
  ["tshark", "ping", "curl", "ip"],
  source,
  async () => {
    const file = await Deno.makeTempFile({ suffix: ".pcapng" });
    try {
      await using server = await serve6("http", "udp-echo", "--pcap", file);
      for (const host of [OWN6, APPLIANCE]) {
        for (const size of [56, 8_000]) await isAnswered(host, size);
      }
      await peer("curl", ["-sS", "-g", `http://[${OWN6}]/`]);
      await server.stop();
      const filter = `eth.src == ${server.mac} && (_ws.expert.severity >= 6291456 || _ws.malformed)`;
      const { code, stdout, stderr } = await peer("tshark", ["-r", file, "-Y", filter]);
      assert.equal(code, 0, stderr);
      assert.equal(stdout, "");
    } finally {
      await Deno.remove(file);
    }
  },
);
