import assert from "node:assert/strict";
import { Server, source } from "../support/ethox.ts";
import { run } from "../support/netns.ts";
import { KERNEL, makeTap, peer, peerTest, pingHost, TAP } from "../support/peer.ts";

const OUTER = "10.0.0.1", INNER = "10.9.0.1", KERNEL_INNER = "10.9.0.2";

/**
 * The other end of a tunnel where the kernel has no module for it: its packets leave a TUN interface, this program puts
 * the tunnel's header before them, and a raw socket of the kernel's the outer IP header. The same the other way round.
 */
const RELAY = `
import fcntl, os, select, socket, struct, sys
kind, local, remote = sys.argv[1:]
number = {"ipip": 4, "gre": 47, "sit": 41}[kind]
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH22x", b"t0", 0x1001))
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, number)
raw.bind((local, 0))
os.write(1, b"ready")
while True:
  for ready in select.select([tun, raw], [], [])[0]:
    if ready is tun:
      packet = os.read(tun, 65535)
      header = struct.pack(">HH", 0, 0x86dd if packet[0] >> 4 == 6 else 0x800) if kind == "gre" else b""
      if kind == "gre" or packet[0] >> 4 == (6 if kind == "sit" else 4): raw.sendto(header + packet, (remote, 0))
    else:
      packet, (source, _) = raw.recvfrom(65535)
      if source == remote: os.write(tun, packet[(packet[0] & 15) * 4 + (4 if kind == "gre" else 0):])
`;

/** Makes the kernel's end, `t0`, and answers with what ends it. */
async function makeEnd(type: string): Promise<AsyncDisposable> {
  const link = `link add t0 type ${type} local ${KERNEL} remote ${OUTER} ttl 64`;
  const made = await peer("ip", link.split(" "));
  if (made.code === 0) return { [Symbol.asyncDispose]: () => Promise.resolve() };
  assert.match(made.stderr, /Unknown device type/);
  const args = ["--pdeathsig", "KILL", "/usr/bin/python3", "-c", RELAY, type, KERNEL, OUTER];
  const relay = new Deno.Command("setpriv", { args, stdin: "null", stdout: "piped" }).spawn();
  const reader = relay.stdout.getReader();
  assert.match(new TextDecoder().decode((await reader.read()).value), /^ready/);
  await reader.cancel();
  await run("ip", "link", "set", "t0", "mtu", type === "gre" ? "1476" : "1480");
  return {
    [Symbol.asyncDispose]: async () => {
      relay.kill("SIGKILL");
      await relay.status;
    },
  };
}

/** Runs `body` with an appliance inside a tunnel, whose other end is the kernel's. */
async function withTunnel(
  type: string,
  spec: string,
  kernelAddress: string,
  body: (server: Server) => Promise<void>,
): Promise<void> {
  makeTap();
  const ip = (line: string) => run("ip", ...line.split(" "));
  await using _end = await makeEnd(type);
  if (kernelAddress.includes(":")) await run("sysctl", "-qw", "net.ipv6.conf.t0.disable_ipv6=0");
  await ip(`addr add ${kernelAddress} dev t0${kernelAddress.includes(":") ? " nodad" : ""}`);
  await ip("link set t0 up");
  const nic = ["--nic", `tap:${TAP}`, "--addr", `${OUTER}/24`, "--tunnel", spec];
  const services = ["tcp-echo", "udp-echo", "http"];
  await using server = await Server.spawn(
    source,
    "serve",
    ...services,
    ...nic,
    "--json",
    "--duration",
    "600s",
  );
  await body(server);
  server.signal("SIGTERM");
  const { code, stderr, summary } = await server.ended();
  assert.equal(stderr, "");
  assert.equal(code, 0);
  const { tunnel, "inner ip": inner } = summary!.packets;
  assert.ok(tunnel!["received"]! > 0 && tunnel!["sent"]! > 0);
  assert.ok(inner!["received"]! > 0);
  assert.equal(summary!.drops["tunnel"], undefined);
}

async function echoed(hostname: string, length: number): Promise<void> {
  using connection = await Deno.connect({ hostname, port: 7 });
  const sent = new Uint8Array(length).map((_, index) => index * 7);
  const received = new Uint8Array(length);
  const reading = (async () => {
    for (let at = 0; at < length;) {
      at += await connection.read(received.subarray(at)) ?? assert.fail("it ended");
    }
  })();
  for (let at = 0; at < length;) at += await connection.write(sent.subarray(at));
  await reading;
  assert.deepEqual(received, sent);
}

for (const [type, kind] of [["ipip", "ipip"], ["gre", "gre"]] as const) {
  peerTest(
    `tunnel: the kernel's ${type} tunnel ends in ours: ping of every size, TCP and UDP`,
    ["ip", "ping"],
    source,
    async () => {
      await withTunnel(type, `${kind}:${KERNEL},${INNER}/30`, `${KERNEL_INNER}/30`, async () => {
        const overhead = kind === "gre" ? 24 : 20;
        for (const size of [0, 56, 1_472 - overhead]) {
          const { received } = await pingHost(INNER, "-c", "3", "-M", "do", "-s", String(size));
          assert.equal(received, 3, `${size} bytes`);
        }
        // What does not fit the tunnel comes in fragments of the inner packet.
        assert.equal((await pingHost(INNER, "-c", "2", "-s", "4000")).received, 2);
        await echoed(INNER, 300_000);
        // The outer address is a host, too, but has no services.
        assert.equal((await pingHost(OUTER, "-c", "1")).received, 1);
        await assert.rejects(Deno.connect({ hostname: OUTER, port: 7 }));
      });
    },
  );
}

peerTest(
  "tunnel: the kernel's sit tunnel ends in ours: IPv6 in IPv4 (RFC 4213)",
  ["ip", "ping"],
  source,
  async () => {
    await withTunnel("sit", `ipip:${KERNEL},2001:db8:9::1/64`, "2001:db8:9::2/64", async () => {
      const { received } = await pingHost("2001:db8:9::1", "-c", "3", "-s", "1400");
      assert.equal(received, 3);
      await echoed("2001:db8:9::1", 100_000);
    });
  },
);
