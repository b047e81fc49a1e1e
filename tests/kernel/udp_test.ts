/** `serve udp-echo` with the programs that everybody has for UDP, and the kernel's sockets, as clients. */
import assert from "node:assert/strict";
import { source } from "../support/ethox.ts";
import {
  APPLIANCE,
  appliance,
  applianceHost,
  assertAnswered,
  familyNicTest,
  isV6,
  KERNEL,
  nicTest,
  peer,
  peerTest,
  scapy,
  serve,
} from "../support/peer.ts";

/** Runs a line of shell and answers with what it printed. */
async function shell(line: string): Promise<string> {
  const { code, stdout, stderr } = await peer("sh", ["-c", line]);
  assert.equal(code, 0, stderr);
  return stdout;
}

/** Runs a Python script with a connected UDP socket `s` to port `port`, and answers with the JSON that it prints. */
async function sockets(port: number, script: string): Promise<unknown> {
  const preamble = `
import json, random, socket
s = socket.socket(socket.${isV6() ? "AF_INET6" : "AF_INET"}, socket.SOCK_DGRAM)
s.settimeout(30)
s.connect(("${appliance()}", ${port}))
`;
  const { code, stdout, stderr } = await peer("python3", ["-c", `${preamble}${script}`]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

familyNicTest("udp-echo: nc and socat get back what they send", ["nc", "socat"], source, async () => {
  await using server = await serve(source, "udp-echo");
  assert.equal(await shell(`echo hello | nc -u -W 1 -w 5 ${appliance()} 7`), "hello\n");
  assert.equal(await shell(`echo "from socat" | socat -t 1 - UDP:${applianceHost()}:7`), "from socat\n");
  const { packets, drops } = await server.stop();
  assert.deepEqual([packets["udp"]?.["received"], packets["udp-echo:7"]?.["answered"]], [2, 2]);
  // Over IPv6 the kernel tells routers of its groups.
  const { ip: { notForUs: _ = 0, ...others } = {}, ...rest } = drops;
  assert.deepEqual([others, rest], [{}, {}]);
});

nicTest(
  "udp-echo: hping3 is answered; with wrong checksums it is not, and they are counted (RFC 1122 4.1.3.4)",
  ["hping3"],
  source,
  async () => {
    await using server = await serve(source, "udp-echo");
    const hping = async (...args: string[]) => {
      const common = ["-n", "--udp", "-p", "7", "-c", "5", "-i", "u20000", "-s", "40000", "-d", "100"];
      const { stdout, stderr } = await peer("hping3", [...common, ...args, APPLIANCE]);
      return /(\d+) packets received/.exec(stdout + stderr)?.[1];
    };
    assert.equal(await hping(), "5");
    assert.equal(await hping("--badcksum"), "0");
    const { packets, drops } = await server.stop();
    assert.equal(packets["udp-echo:7"]?.["answered"], 5);
    // hping3 has no socket at its port, and the kernel may say so of our answers.
    const { strayErrors: _, ...others } = drops["udp"]!;
    assert.deepEqual(others, { wrongChecksum: 5 });
  },
);

familyNicTest(
  "udp-echo: every length comes back with its content, from none to what fills the MTU",
  [],
  source,
  async () => {
    await using server = await serve(source, "udp-echo:7", "udp-echo:7007");
    const most = isV6() ? 1_452 : 1_472;
    const lengths = [0, 1, 2, 17, 18, 19, 511, most - 1, most];
    for (const port of [7, 7_007]) {
      const echoed = await sockets(
        port,
        `
rng = random.Random(${port})
same = []
for length in ${JSON.stringify(lengths)}:
  sent = rng.randbytes(length)
  s.send(sent)
  same.append(s.recv(2000) == sent)
print(json.dumps(same))
`,
      );
      assert.deepEqual(echoed, lengths.map(() => true), `port ${port}`);
    }
    const { packets } = await server.stop();
    assert.equal(packets["udp-echo:7"]?.["answered"], lengths.length);
    assert.equal(packets["udp-echo:7007"]?.["answered"], lengths.length);
  },
);

familyNicTest("udp-echo: none of 20,000 datagrams is lost, 32 on the way at a time", [], source, async () => {
  await using server = await serve(source, "udp-echo");
  const result = await sockets(
    7,
    `
waiting, sent, wrong = set(), 0, 0
while sent < 20000 or waiting:
  while sent < 20000 and len(waiting) < 32:
    s.send(b"%08d-datagram" % sent)
    waiting.add(sent)
    sent += 1
  data = s.recv(2000)
  number = int(data[:8])
  if data[8:] != b"-datagram" or number not in waiting: wrong += 1
  waiting.discard(number)
print(json.dumps([sent, wrong]))
`,
  );
  assert.deepEqual(result, [20_000, 0]);
  assert.equal((await server.stop()).packets["udp-echo:7"]?.["answered"], 20_000);
});

familyNicTest(
  "udp: a closed port is told to the sender, whose socket says so (RFC 1122 4.1.3.1)",
  ["nc"],
  source,
  async () => {
    await using server = await serve(source, "udp-echo");
    const refused = await sockets(
      9,
      `
s.send(b"anybody?")
try: answer = s.recv(100).decode()
except ConnectionRefusedError: answer = "refused"
print(json.dumps(answer))
`,
    );
    assert.equal(refused, "refused");
    assert.notEqual((await peer("nc", ["-u", "-z", "-v", "-w", "1", appliance(), "9"])).code, 0);
    assert.equal((await peer("nc", ["-u", "-z", "-v", "-w", "1", appliance(), "7"])).code, 0);
    const { packets, drops } = await server.stop();
    const { closedPort = 0 } = drops["udp"] ?? {};
    assert.ok(closedPort >= 2);
    assert.equal(packets["icmp"]?.["errorsSent"], closedPort);
  },
);

peerTest(
  "udp: datagrams without a checksum are answered without one; lies about length and checksum are counted",
  ["scapy", "ping"],
  source,
  async () => {
    await using server = await serve(source, "udp-echo");
    await assertAnswered(1);
    const answers = await scapy(
      server,
      `
def datagram(data=b"ethox", sport=40000, dport=7, **fields):
  return Ether(src=get_if_hwaddr(tap), dst=mac)/IP(src=kernel, dst=own)/UDP(sport=sport, dport=dport, **fields)/data
wrong = datagram(chksum=0x1234)
frames = exchange(datagram(), datagram(chksum=0), wrong, wrong, datagram(len=7), datagram(len=200), datagram(b"", chksum=0),
  datagram(b"padded", len=11, chksum=0))
print(json.dumps([[frame[UDP].sport, frame[UDP].dport, frame[UDP].chksum == 0, bytes(frame[UDP])[8:frame[UDP].len].decode()]
  for frame in frames if UDP in frame]))
`,
    );
    assert.deepEqual(answers, [
      [7, 40_000, false, "ethox"],
      [7, 40_000, true, "ethox"],
      [7, 40_000, true, ""],
      [7, 40_000, true, "pad"],
    ]);
    // scapy has no socket at its port, and the kernel may say so of our answers.
    const { strayErrors: _, ...drops } = (await server.stop()).drops["udp"]!;
    assert.deepEqual(drops, { wrongChecksum: 2, malformed: 1, truncated: 1 });
  },
);

peerTest(
  "udp-echo: what was sent to all, from port 0, or from a port that answers too is not answered, but counted",
  ["scapy", "ping"],
  source,
  async () => {
    await using server = await serve(source, "udp-echo", "udp-echo:7007");
    await assertAnswered(1);
    const answers = await scapy(
      server,
      `
def datagram(sport, dport=7, dst=own, to=mac):
  return Ether(src=get_if_hwaddr(tap), dst=to)/IP(src=kernel, dst=dst)/UDP(sport=sport, dport=dport)/b"loop"
everybody = "ff:ff:ff:ff:ff:ff"
frames = exchange(datagram(7), datagram(19), datagram(7007, 7007), datagram(0), datagram(7007, 7),
  datagram(4000, 7, "10.0.0.255", everybody), datagram(4000, 7, "255.255.255.255", everybody),
  datagram(4000, 9, "10.0.0.255", everybody))
print(json.dumps([[frame[UDP].sport, frame[UDP].dport] for frame in frames if UDP in frame]))
`,
    );
    assert.deepEqual(answers, [[7, 7_007]]);
    const { drops } = await server.stop();
    assert.deepEqual(drops["udp-echo:7"], { group: 2, noReplyPort: 1, wouldLoop: 2 });
    assert.deepEqual(drops["udp-echo:7007"], { wouldLoop: 1 });
    assert.equal(drops["udp"]?.["closedPort"], 1);
  },
);

peerTest(
  "serve: protocols that it does not speak are said to be unreachable (RFC 1122 3.2.2.1)",
  ["scapy", "ping"],
  source,
  async () => {
    await using server = await serve(source);
    await assertAnswered(1);
    const answers = await scapy(
      server,
      `
def packet(proto, dst=own, to=mac):
  return Ether(src=get_if_hwaddr(tap), dst=to)/IP(src=kernel, dst=dst, proto=proto)/b"what is this"
frames = exchange(packet(47), packet(99), packet(99, "10.0.0.255", "ff:ff:ff:ff:ff:ff"))
print(json.dumps([[frame[ICMP].type, frame[ICMP].code, frame[IPerror].proto, frame[IP].dst] for frame in frames if ICMP in frame]))
`,
    );
    assert.deepEqual(answers, [[3, 2, 47, KERNEL], [3, 2, 99, KERNEL]]);
    const { drops, packets } = await server.stop();
    assert.deepEqual(drops["icmp"], { otherProtocol: 3, forbiddenError: 1 });
    assert.equal(packets["icmp"]?.["errorsSent"], 2);
  },
);
