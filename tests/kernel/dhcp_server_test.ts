/** `serve dhcp` with the clients that everybody has, and our own. */
import assert from "node:assert/strict";
import { Server, source } from "../support/ethox.ts";
import { run, sysctl } from "../support/netns.ts";
import { APPLIANCE, makeCable, peer, peerTest, pingHost, PREFIX, serve, TAP } from "../support/peer.ts";
import { withDirectory } from "../support/tcp-peers.ts";

const RANGE = "dhcp:10.0.0.100-10.0.0.109";

/** What the appliance has leased, as a client's script sees it: environment variables as lines. */
const SCRIPT = `#!/bin/sh
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
echo "$1 ip=$ip subnet=$subnet dns=$dns router=$router lease=$lease serverid=$serverid" >> "$LOG"
ip addr add "$ip/24" dev "$interface"
`;

peerTest(
  "serve dhcp: udhcpc gets an address, and can use it",
  ["udhcpc", "ip", "ping"],
  source,
  async () => {
    await using server = await serve(source, RANGE, "--dns", "10.0.0.2");
    await run("ip", "addr", "flush", "dev", TAP);
    await withDirectory(async (directory) => {
      const script = `${directory}/script`, log = `${directory}/log`;
      await Deno.writeTextFile(script, SCRIPT, { mode: 0o755 });
      const output = await peer("env", [
        `LOG=${log}`,
        "udhcpc",
        "-i",
        TAP,
        "-s",
        script,
        "-f",
        "-q",
        "-n",

        "-t",
        "3",
      ]);
      assert.equal(output.code, 0, output.stderr);
      assert.equal(
        await Deno.readTextFile(log),
        "bound ip=10.0.0.100 subnet=255.255.255.0 dns=10.0.0.2 router= lease=3600 serverid=10.0.0.1\n",
      );
    });
    assert.equal((await pingHost(APPLIANCE, "-c", "2", "-I", "10.0.0.100")).received, 2);
    const { packets } = await server.stop();
    assert.equal(packets["dhcp"]?.["answered"], 2, "an offer and an acknowledgment");
  },
);

peerTest(
  "serve dhcp: dhclient gets an address, and the same one again",
  ["dhclient", "ip"],
  source,
  async () => {
    await using server = await serve(source, RANGE);
    await run("ip", "addr", "flush", "dev", TAP);
    await withDirectory(async (directory) => {
      for (const leases of ["first", "second"]) {
        const pid = `${directory}/${leases}.pid`;
        const files = ["-sf", "/bin/true", "-cf", "/dev/null", "-pf", pid, "-lf", `${directory}/${leases}`];
        const { code, stderr } = await peer("dhclient", ["-1", "-v", ...files, TAP]);
        assert.equal(code, 0, stderr);
        assert.match(stderr, /DHCPACK of 10\.0\.0\.100 from 10\.0\.0\.1/);
        assert.match(await Deno.readTextFile(`${directory}/${leases}`), /fixed-address 10\.0\.0\.100;/);
        await kill(pid);
      }
    });
    await server.stop();
  },
);

/** Ends the daemon that writes its number into this file, which it does a little after the command has ended. */
async function kill(file: string): Promise<void> {
  for (const end = performance.now() + 30_000;;) {
    const pid = Number(await Deno.readTextFile(file).catch(() => ""));
    if (pid > 0) return Deno.kill(pid, "SIGTERM");
    assert.ok(performance.now() < end, "dhclient has no process of its own");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

peerTest(
  "serve dhcp: an address that somebody uses is not offered, and leases last over a restart with --leases",
  ["udhcpc", "ip"],
  source,
  async () => {
    await withDirectory(async (directory) => {
      const nic = await makeCable();
      // The kernel has an address of the pool without a lease; who asks is another station.
      await run("ip", "addr", "add", "10.0.0.100/24", "dev", TAP);
      await run("ip", "link", "add", "link", TAP, "name", "other", "type", "macvlan", "mode", "private");
      await run("ip", "link", "set", "other", "up");
      // Else it would answer for the other interface's address, too.
      sysctl("net/ipv4/conf/other/arp_ignore", "1");
      const start = () =>
        Server.start(source, nic, `${APPLIANCE}${PREFIX}`, RANGE, "--leases", `${directory}/leases`);
      const lease = async (id: string) => {
        const options = ["-i", "other", "-s", "/bin/true", "-f", "-q", "-n", "-t", "3", "-x", `0x3d:${id}`];
        const { stderr, code } = await peer("udhcpc", options);
        assert.equal(code, 0, stderr);
        return /lease of (\S+) obtained/.exec(stderr)?.[1];
      };
      {
        await using server = await start();
        assert.equal(await lease("0101"), "10.0.0.101");
        assert.equal(await lease("0102"), "10.0.0.102");
        assert.equal((await server.stop()).packets["dhcp"]?.["avoided"], 1);
      }
      await using server = await start();
      assert.equal(await lease("0103"), "10.0.0.103");
      assert.equal(await lease("0101"), "10.0.0.101");
      await server.stop();
    });
  },
);
