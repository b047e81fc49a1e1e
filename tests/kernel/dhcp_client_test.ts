/** `--addr dhcp` with dnsmasq as the server. */
import assert from "node:assert/strict";
import { ethox } from "../support/command.ts";
import { Dnsmasq } from "../support/dnsmasq.ts";
import { Server, source } from "../support/ethox.ts";
import { run } from "../support/netns.ts";
import { SHARED, tap } from "../support/cables.ts";
import { KERNEL, makeCable, makeTap, nicTest, peer, peerTest, pingHost, TAP } from "../support/peer.ts";
import { withDirectory } from "../support/tcp-peers.ts";

const RANGE = "--dhcp-range=10.0.0.50,10.0.0.60,255.255.255.0";

nicTest(
  "dhcp: an address is leased before the ready event, with router, DNS and domain, answered for, and given back in the end",
  ["dnsmasq", "ping"],
  source,
  async () => {
    const nic = await makeCable();
    await using dnsmasq = await Dnsmasq.start(
      `${RANGE},10m`,
      "--dhcp-option=option:router,10.0.0.2",
      "--dhcp-option=option:dns-server,10.0.0.3,10.0.0.4",
      "--domain=lan.example",
      "--dhcp-option=option:domain-search,a.example,b.example",
    );
    await using server = await Server.start(source, nic, "dhcp", "--hostname", "box-1");
    const [ready] = server.events;
    const [, address = ""] = /^(10\.0\.0\.5\d|10\.0\.0\.60)\/24$/.exec(ready?.addresses?.[0] ?? "") ?? [];
    assert.notEqual(address, "", JSON.stringify(ready));
    assert.equal(ready?.dhcp?.server, KERNEL);
    assert.deepEqual(ready?.dhcp?.dns, ["10.0.0.3", "10.0.0.4"]);
    assert.deepEqual(ready?.dhcp?.search, ["lan.example", "a.example", "b.example"]);
    assert.match(dnsmasq.log, /client provides name: box-1/);
    assert.equal((await pingHost(address, "-c", "3")).received, 3);
    const { packets } = await server.stop();
    assert.ok(packets["dhcp-client"]!["sent"]! >= 3, "DISCOVER, REQUEST, RELEASE");
    await dnsmasq.logged(/DHCPRELEASE/);
  },
  [tap, ...SHARED],
);

peerTest(
  "dhcp: when the interface has come up again, the lease is confirmed (RFC 2131 3.7)",
  ["dnsmasq", "ip"],
  source,
  async () => {
    makeTap();
    await using dnsmasq = await Dnsmasq.start(`${RANGE},10m`);
    await using server = await Server.start(source, `tap:${TAP}`, "dhcp");
    await run("ip", "link", "set", TAP, "down");
    await server.warned(/is down/);
    await run("ip", "link", "set", TAP, "up");
    await server.told("a renewal", ({ event, change }) => event === "address" && change === "renewed");
    await dnsmasq.logged(/DHCPACK[^]*DHCPACK/);
    await server.stop("SIGTERM", /is down.*\n.*is up\n$/);
  },
);

peerTest(
  "dhcp: where no server is, it goes on asking, says so, and takes the first that comes",
  ["dnsmasq"],
  source,
  async () => {
    makeTap();
    const starting = Server.start(source, `tap:${TAP}`, "dhcp");
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await using _dnsmasq = await Dnsmasq.start(`${RANGE},10m`);
    await using server = await starting;
    assert.equal(server.events[0]?.addresses?.length, 1);
    await server.stop();
  },
);

peerTest(
  "dhcp: with --leases the address is kept over a restart, and asked for at once (RFC 2131 3.2)",
  ["dnsmasq", "ping"],
  source,
  async () => {
    makeTap();
    await using dnsmasq = await Dnsmasq.start(`${RANGE},10m`, "--dhcp-option=option:mtu,1400");
    await withDirectory(async (directory) => {
      const start = () => Server.start(source, `tap:${TAP}`, "dhcp", "--leases", `${directory}/leases`);
      const addresses = [];
      for (let life = 0; life < 2; life++) {
        await using server = await start();
        const [address = ""] = server.events[0]?.addresses ?? [];
        addresses.push(address);
        const host = address.replace(/\/.*/, "");
        // What the server says is the link's MTU.
        const { stdout, received } = await pingHost(host, "-c", "2", "-i", "0.05", "-s", "1400");
        assert.equal(received, 2, stdout);
        const { packets } = await server.stop();
        assert.ok(packets["ip"]!["fragmentsSent"]! >= 4, "replies of 1,428 bytes are cut");
      }
      assert.equal(addresses[0], addresses[1]);
    });
    assert.equal(dnsmasq.log.match(/DHCPDISCOVER/g)?.length, 1);
    assert.equal(dnsmasq.log.match(/DHCPREQUEST\(/g)?.length, 2);
    assert.doesNotMatch(dnsmasq.log, /DHCPRELEASE/);
  },
);

peerTest("dhcp: ping, arp and curl lease an address, too", ["dnsmasq"], source, async () => {
  makeTap();
  await using _dnsmasq = await Dnsmasq.start(`${RANGE},10m`);
  await using _web = Deno.serve(
    { hostname: KERNEL, port: 8_000, onListen: () => {} },
    () => new Response("page\n"),
  );
  const ping = await ethox(["ping", KERNEL, "--addr", "dhcp", "-c", "2", "-i", "50ms", "-W", "20s"]);
  assert.deepEqual([ping.status, ping.err], [0, ""]);
  assert.match(ping.out, /2 packets transmitted, 2 received/);
  const arp = await ethox(["arp", KERNEL, "--addr", "dhcp"]);
  assert.deepEqual([arp.status, arp.err], [0, ""]);
  const curl = await ethox(["curl", `http://${KERNEL}:8000/`, "--addr", "dhcp"]);
  assert.deepEqual([curl.status, curl.out, curl.err], [0, "page\n", ""]);
});

peerTest("dhcp: nothing of ours is a protocol error to tshark", ["dnsmasq", "tshark"], source, async () => {
  makeTap();
  await using _dnsmasq = await Dnsmasq.start(`${RANGE},10m`);
  const file = await Deno.makeTempFile({ suffix: ".pcapng" });
  try {
    await using server = await Server.start(source, `tap:${TAP}`, "dhcp", "--pcap", file);
    await server.stop();
    const filter = "_ws.malformed || _ws.expert.severity >= 6291456";
    const shown = await peer("tshark", ["-r", file, "-Y", filter]);
    assert.deepEqual([shown.code, shown.stdout], [0, ""], shown.stderr);
    const types = await peer("tshark", ["-r", file, "-Y", "dhcp", "-T", "fields", "-e", "dhcp.option.dhcp"]);
    // What is not answered in time is sent again.
    assert.deepEqual([...new Set(types.stdout.trim().split("\n"))], ["1", "2", "3", "5", "7"]);
  } finally {
    await Deno.remove(file);
  }
});
