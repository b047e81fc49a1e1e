/**
 * An appliance on a network that configures it: everything at once, as its user meets it. dnsmasq leases the address,
 * advertises the prefix and answers for names; the kernel pings and fetches; another host claims the address; scapy sends
 * garbage; tshark judges all that was said. ETHOX_FUZZ_SECONDS says how long the garbage lasts (default 5).
 */
import assert from "node:assert/strict";
import { ethox } from "../support/command.ts";
import { Dnsmasq } from "../support/dnsmasq.ts";
import { Server, source } from "../support/ethox.ts";
import { run, sysctl } from "../support/netns.ts";
import { KERNEL, makeTap, peer, peerTest, pingHost, scapy, TAP } from "../support/peer.ts";
import { withDirectory } from "../support/tcp-peers.ts";

const KERNEL6 = "2001:db8::2";
const FUZZ_SECONDS = Number(Deno.env.get("ETHOX_FUZZ_SECONDS") ?? 5);

peerTest(
  "appliance: it comes up by DHCP and router advertisements, is reached by everybody, and says nothing wrong",
  ["dnsmasq", "ping", "curl", "scapy", "tshark", "ip"],
  source,
  async () => {
    makeTap();
    sysctl(`net/ipv6/conf/${TAP}/disable_ipv6`, "0");
    await run("ip", "addr", "add", `${KERNEL6}/64`, "dev", TAP, "nodad");
    await using _dnsmasq = await Dnsmasq.start(
      "--dhcp-range=10.0.0.50,10.0.0.60,255.255.255.0,10m",
      "--enable-ra",
      "--dhcp-range=2001:db8::,ra-only,64",
      "--ra-param=tap0,4,60",
      "--dhcp-option=option:router,10.0.0.2",
      `--dhcp-option=option6:dns-server,[${KERNEL6}]`,
      "--domain=example",
      `--host-record=kernel.example,${KERNEL},${KERNEL6}`,
    );
    await withDirectory(async (directory) => {
      const file = `${directory}/all.pcapng`;
      await using server = await Server.spawn(
        source,
        ...[
          "serve",
          "ping",
          "http",
          "udp-echo",
          "tcp-echo",
          "--nic",
          `tap:${TAP}`,
          "--addr",
          "dhcp",
          "--addr",
          "slaac",
        ],
        ...["--pcap", file, "--json"],
      );
      const addresses = (server.events[0]?.addresses ?? []).map((cidr) => cidr.replace(/\/\d+$/, ""));
      const v4 = addresses.find((address) => address.startsWith("10.0.0.")) ?? "";
      const v6 = addresses.find((address) => address.startsWith("2001:db8::")) ?? "";
      const local = addresses.find((address) => address.startsWith("fe80::")) ?? "";
      assert.ok(v4 !== "" && v6 !== "" && local !== "", JSON.stringify(server.events));

      for (const address of [v4, v6, `${local}%${TAP}`]) {
        for (const size of ["56", "8000", "60000"]) {
          const { received, stdout } = await pingHost(
            address,
            "-c",
            "3",
            "-i",
            "0.1",
            "-W",
            "10",
            "-s",
            size,
          );
          assert.equal(received, 3, stdout);
        }
      }
      for (const host of [v4, `[${v6}]`]) {
        const page = await peer("curl", ["-sS", "-g", "-m", "20", `http://${host}/`]);
        assert.match(page.stdout, /<h1>ethox<\/h1>/, page.stderr);
      }
      await isDefended(server, v4);
      await fuzz(server, v4, v6);
      for (const address of [v4, v6]) {
        assert.equal((await pingHost(address, "-c", "3", "-i", "0.1", "-W", "10", "-s", "8000")).received, 3);
      }
      await server.stop("SIGTERM", /claims an address of ours|^$/);
      // An error quotes the garbage that it is about, and a reset is what a stranger's segment is answered with.
      const answers = "(icmp.type in {3, 11, 12} || icmpv6.type < 128 || tcp.flags.reset == 1)";
      const filter =
        `eth.src == ${server.mac} && (_ws.malformed || _ws.expert.severity >= 6291456) && !${answers}`;
      const { code, stdout, stderr } = await peer("tshark", ["-n", "-r", file, "-Y", filter]);
      assert.deepEqual([code, stdout.split("\n").slice(0, 5).join("\n")], [0, ""], stderr);
    });
    await using _web = Deno.serve(
      { hostname: "::", port: 8_000, onListen: () => {} },
      () => new Response("by name\n"),
    );
    for (const addr of ["dhcp", "slaac"]) {
      const page = await ethox(["curl", "http://kernel.example:8000/", "--addr", addr]);
      assert.deepEqual([page.status, page.out], [0, "by name\n"], page.err);
    }
  },
);

/** Another host claims the address; it is told of, and defended (RFC 5227 2.4). */
async function isDefended(server: Server, address: string): Promise<void> {
  await scapy(
    server,
    `
sendp(Ether(src="02:00:00:00:00:77", dst="ff:ff:ff:ff:ff:ff")/ARP(op=1, hwsrc="02:00:00:00:00:77", psrc="${address}", pdst="${address}"), iface=tap)
print("null")
`,
  );
  await server.told("a conflict", ({ event }) => event === "conflict");
}

/** Every header of both families, fuzzed, for a while. */
async function fuzz(server: Server, v4: string, v6: string): Promise<void> {
  const sent = await scapy(
    server,
    `
import time
random.seed(793)
base4, base6 = IP(src="${KERNEL}", dst="${v4}"), IPv6(src="${KERNEL6}", dst="${v6}")
heads = [lambda: IPv6ExtHdrHopByHop(), lambda: IPv6ExtHdrDestOpt(), lambda: IPv6ExtHdrRouting(), lambda: IPv6ExtHdrFragment()]
ends = [lambda: UDP(dport=random.choice([7, 9, 68, 546, 5353])), lambda: TCP(dport=random.choice([7, 80, 81]))]
ends4 = ends + [lambda: ICMP(), lambda: ICMP(type=3)/base4/UDP(), lambda: ICMP(type=11)/base4/TCP(), lambda: Raw(random.randbytes(20))]
ends6 = ends + [lambda: ICMPv6EchoRequest(), lambda: ICMPv6PacketTooBig()/base6, lambda: ICMPv6ND_NS(), lambda: ICMPv6ND_NA(),
                lambda: ICMPv6MLQuery(), lambda: ICMPv6DestUnreach()/base6/UDP()]
def packet():
  kind = random.randrange(8)
  if kind == 0: return fuzz(ARP(pdst="${v4}", psrc="10.0.0.%d" % random.randrange(100, 200)))
  if kind == 1: return fuzz(IP(dst="${v4}", src="10.0.0.%d" % random.randrange(100, 200)))/fuzz(random.choice(ends4)())
  if kind < 4: return IP(src="${KERNEL}", dst="${v4}")/fuzz(random.choice(ends4)())/random.randbytes(random.randrange(64))
  p = IPv6(src="${KERNEL6}", dst=random.choice(["${v6}", "ff02::1"]))
  for _ in range(random.randrange(4)): p = p/fuzz(random.choice(heads)())
  return p/fuzz(random.choice(ends6)())/random.randbytes(random.randrange(64))
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind((tap, 0))
count, end = 0, time.monotonic() + ${FUZZ_SECONDS}
while time.monotonic() < end:
  raw = bytearray(bytes(Ether(src=get_if_hwaddr(tap), dst=mac)/packet()))
  if random.random() < 0.3:
    for _ in range(random.randrange(4)): raw[random.randrange(14, len(raw))] = random.randrange(256)
  wire.send(bytes(raw[:1514]))
  count += 1
print(json.dumps(count))
`,
  );
  assert.ok(Number(sent) > 100);
}
