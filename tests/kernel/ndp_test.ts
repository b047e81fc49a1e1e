/** IPv6's neighbours, addresses and routers with the Linux kernel and dnsmasq on the other side. */
import assert from "node:assert/strict";
import { ethox } from "../support/command.ts";
import { ETHERNET, SHARED, tap } from "../support/cables.ts";
import { Dnsmasq } from "../support/dnsmasq.ts";
import { Server, source } from "../support/ethox.ts";
import { run } from "../support/netns.ts";
import { KERNEL6 as KERNEL, makeCable6, OWN6 as OWN, PREFIX6 as PREFIX } from "../support/cable6.ts";
import { makeTap, nicTest, peer, peerTest, pingHost, TAP } from "../support/peer.ts";

/** What the kernel knows of the appliance: "REACHABLE", or the like. */
async function kernelState(address: string): Promise<string> {
  const line = await run("ip", "-6", "neigh", "show", address, "dev", TAP);
  return /[A-Z]+\s*$/.exec(line)?.[0].trim() ?? "";
}

nicTest(
  "ndp: the kernel finds us, pings us on all our addresses, and confirms us (RFC 4861 7.2, 7.3)",
  [
    "ping",
    "ip",
  ],
  source,
  async () => {
    const nic = await makeCable6();
    await using server = await Server.start(source, nic, `${OWN}${PREFIX}`, "--addr", "fe80::1/64");
    assert.deepEqual(server.events[0]?.addresses, [`${OWN}/64`, "fe80::1/64"], "ready at once");
    for (const address of [OWN, `fe80::1%${TAP}`]) {
      const { received } = await pingHost(address, "-q", "-c", "5", "-W", "5");
      assert.equal(received, 5, address);
    }
    assert.equal(await kernelState(OWN), "REACHABLE");
    // The kernel asks us itself when it has not heard of us for a while, as we ask it.
    await run("ip", "-6", "neigh", "replace", OWN, "lladdr", server.mac, "nud", "probe", "dev", TAP);
    for (const end = performance.now() + 30_000; await kernelState(OWN) !== "REACHABLE";) {
      assert.equal((await pingHost(OWN, "-q", "-c", "1", "-W", "10")).received, 1);
      assert.ok(performance.now() < end, await kernelState(OWN));
    }
    const { packets, drops } = await server.stop();
    assert.ok(packets["ndp"]!["sent"]! >= 3, JSON.stringify(packets["ndp"]));
    assert.deepEqual(drops["ndp"] ?? {}, {});
  },
  ETHERNET,
);

nicTest(
  "ndp: a kernel that knows another station for our address is told when we start (RFC 4861 7.2.6)",
  ["ping", "ip"],
  source,
  async () => {
    const nic = await makeCable6();
    const other = "02:00:00:00:00:99";
    await run("ip", "-6", "neigh", "replace", OWN, "lladdr", other, "nud", "reachable", "dev", TAP);
    await using server = await Server.start(source, nic, `${OWN}${PREFIX}`);
    const { received } = await pingHost(OWN, "-q", "-c", "5", "-i", "0.1", "-W", "2");
    assert.ok(received >= 4, `${received} of 5: without being told it would ask half a minute later`);
    assert.match(await run("ip", "-6", "neigh", "show", OWN, "dev", TAP), new RegExp(server.mac));
    await server.stop();
  },
  // To a TAP it forgets them when the cable is put in.
  SHARED,
);

nicTest("ndp: we find the kernel, and ping it by both of its addresses", ["ip"], source, async () => {
  const nic = ["--nic", await makeCable6(), "--addr", `${OWN}${PREFIX}`];
  const { status, out } = await ethox(["ping", KERNEL, ...nic, "-c", "3", "-i", "50ms", "-W", "20s"]);
  assert.equal(status, 0);
  assert.match(out, /3 packets transmitted, 3 received/);
}, ETHERNET);

nicTest(
  "slaac: dnsmasq advertises a prefix: the address is made, announced by the ready event, and answered (RFC 4862)",
  ["dnsmasq", "ping", "ip"],
  source,
  async () => {
    const nic = await makeCable6();
    await using _dnsmasq = await Dnsmasq.start(
      "--enable-ra",
      `--dhcp-range=2001:db8::,ra-only,64,10m`,
      "--dhcp-option=option6:dns-server,[2001:db8::2]",
    );
    await using server = await Server.start(source, nic, "slaac");
    const addresses = server.events[0]?.addresses ?? [];
    assert.equal(addresses.length, 2, JSON.stringify(addresses));
    assert.match(addresses[0]!, /^fe80::.*\/64$/);
    assert.match(addresses[1]!, /^2001:db8::.*\/64$/);
    for (const cidr of addresses) {
      const address = cidr.split("/")[0]!;
      const host = address.startsWith("fe80") ? `${address}%${TAP}` : address;
      const { received } = await pingHost(host, "-q", "-c", "3", "-W", "5");
      assert.equal(received, 3, host);
    }
    await server.stop();

    await using again = await Server.start(source, nic, "slaac");
    assert.deepEqual(again.events[0]?.addresses, addresses, "stable over a restart (RFC 7217)");
    await again.stop();
  },
  [tap, ...SHARED],
);

peerTest(
  "slaac: temporary addresses come besides, and are sent from (RFC 8981)",
  ["dnsmasq"],
  source,
  async () => {
    const nic = await makeCable6();
    await using _dnsmasq = await Dnsmasq.start("--enable-ra", `--dhcp-range=2001:db8::,ra-only,64,10m`);
    await using server = await Server.start(source, nic, "slaac", "--temporary");
    assert.equal(server.events[0]?.addresses?.length, 3, JSON.stringify(server.events[0]));
    await server.stop();
  },
);

peerTest(
  "slaac: what we send is no longer than the MTU that dnsmasq advertises (RFC 4861 6.3.4)",
  ["dnsmasq", "ping", "ip"],
  source,
  async () => {
    const nic = await makeCable6();
    await using _dnsmasq = await Dnsmasq.start(
      "--enable-ra",
      `--ra-param=${TAP},mtu:1400,4,60`,
      `--dhcp-range=2001:db8::,ra-only,64,10m`,
    );
    await using server = await Server.start(source, nic, "slaac");
    const address = server.events[0]!.addresses![1]!.split("/")[0]!;
    for (const [size, received] of [[1_352, 3], [1_353, 3]] as const) {
      const host = await pingHost(address, "-q", "-c", "3", "-W", "5", "-s", `${size}`);
      assert.equal(host.received, received, `${size} bytes`);
    }
    const { packets } = await server.stop();
    assert.equal(
      packets["ip"]!["fragmentsSent"],
      6,
      "the kernel's requests are whole, the longer replies are not",
    );
  },
);

peerTest(
  "slaac: without a router it says so and is there by its link-local address",
  ["ping"],
  source,
  async () => {
    const nic = await makeCable6();
    await using server = await Server.start(source, nic, "slaac");
    const [address = "", ...more] = server.events[0]?.addresses ?? [];
    assert.deepEqual(more, []);
    const { received } = await pingHost(`${address.split("/")[0]}%${TAP}`, "-q", "-c", "2");
    assert.equal(received, 2);
    await server.stop("SIGTERM", /no router advertises itself/);
  },
);

peerTest(
  "dad: an address that the kernel has is found out before it is used, in both families (RFC 4862 5.4, RFC 5227 2.1)",
  ["ip"],
  source,
  async () => {
    await makeCable6();
    for (const address of [`${KERNEL}${PREFIX}`, "10.0.0.2/24"]) {
      const { status, err } = await ethox([
        "serve",
        "--addr",
        address,
        "--detect-conflicts",
        "--duration",
        "20s",
        "--quiet",
      ]);
      assert.equal(status, 1, err);
      assert.match(err, /is another host's on tap:tap0, so it is not used/);
      assert.match(err, /no address on tap:tap0: another host has/);
    }
  },
);

peerTest(
  "acd: a free address is probed for, announced and used; a later claim by another host is told of and defended against (RFC 5227 2.4)",
  ["scapy", "ping"],
  source,
  async () => {
    makeTap();
    await using server = await Server.start(source, `tap:${TAP}`, "10.0.0.1/24", "--detect-conflicts");
    assert.deepEqual(server.events[0]?.addresses, ["10.0.0.1/24"]);
    assert.equal((await pingHost("10.0.0.1", "-q", "-c", "2")).received, 2);
    const { code, stderr } = await peer("/usr/bin/python3", [
      "-c",
      `
from scapy.all import *
conf.verb = 0
claim = Ether(src="02:00:00:00:00:66", dst="ff:ff:ff:ff:ff:ff")/ARP(op=1, hwsrc="02:00:00:00:00:66", psrc="10.0.0.1", pdst="10.0.0.1")
sendp([claim, claim], iface="${TAP}")
`,
    ]);
    assert.equal(code, 0, stderr);
    await server.told("a conflict", ({ event }) => event === "conflict");
    const { packets } = await server.stop("SIGTERM", /claims an address of ours/);
    assert.equal(
      packets["arp"]?.["sent"]! >= 3 + 2 + 1,
      true,
      "three probes, two announcements, one defence",
    );
  },
);

peerTest(
  "link-local: an address of 169.254.0.0/16 is taken, and answered for (RFC 3927)",
  ["ping", "ip"],
  source,
  async () => {
    makeTap();
    await run("ip", "addr", "add", "169.254.9.9/16", "dev", TAP);
    await using server = await Server.start(source, `tap:${TAP}`, "link-local");
    const [address = ""] = server.events[0]?.addresses ?? [];
    assert.match(address, /^169\.254\.\d+\.\d+\/16$/);
    assert.equal((await pingHost(address.split("/")[0]!, "-q", "-c", "3")).received, 3);
    await server.stop();
  },
);

peerTest(
  "ndp: nothing of ours is a protocol error to tshark",
  ["dnsmasq", "tshark", "ping"],
  source,
  async () => {
    const nic = await makeCable6();
    await using _dnsmasq = await Dnsmasq.start("--enable-ra", `--dhcp-range=2001:db8::,ra-only,64,10m`);
    const file = await Deno.makeTempFile({ suffix: ".pcapng" });
    try {
      await using server = await Server.start(source, nic, "slaac", "--pcap", file);
      const address = server.events[0]!.addresses![1]!.split("/")[0]!;
      assert.equal((await pingHost(address, "-q", "-c", "3")).received, 3);
      await server.stop();
      const expert = ["-Y", `eth.src == ${server.mac} && (_ws.expert.severity >= 6291456 || _ws.malformed)`];
      const { code, stdout, stderr } = await peer("tshark", ["-r", file, ...expert]);
      assert.equal(code, 0, stderr);
      assert.equal(stdout, "");
      const ours = await peer("tshark", [
        "-r",
        file,
        "-Y",
        `eth.src == ${server.mac} && icmpv6`,
        "-T",
        "fields",
        "-e",
        "icmpv6.type",
      ]);
      const types = new Set(ours.stdout.trim().split("\n"));
      for (const type of ["135", "136"]) assert.ok(types.has(type), `type ${type} in ${[...types]}`);
    } finally {
      await Deno.remove(file);
    }
  },
);
