import assert from "node:assert/strict";
import { ethox as within } from "../support/command.ts";
import { ethox, source } from "../support/ethox.ts";
import { lose, LOSS_PROGRAMS } from "../support/loss.ts";
import { sysctl } from "../support/netns.ts";
import { APPLIANCE, assertAnswered, KERNEL, peer, peerTest, pingHost, serve, TAP } from "../support/peer.ts";

/** Runs `body` with the path of a socket that goes with its directory. */
async function withSocket(body: (path: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "ethox-ctl-" });
  try {
    await body(`${directory}/ctl.sock`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function ctl(path: string, ...words: string[]): Promise<void> {
  const { code, stderr } = await ethox(source, "ctl", "--ctl", path, ...words);
  assert.equal(stderr, "");
  assert.equal(code, 0);
}

peerTest(
  "ctl: an address added to a running appliance answers at once, and not once it is removed",
  ["ping"],
  source,
  async () => {
    await withSocket(async (path) => {
      await using server = await serve(source, "--ctl", path);
      assert.equal((await pingHost("10.0.0.9", "-c", "1", "-W", "0.3")).received, 0);
      await ctl(path, "addr", "add", "10.0.0.9/24");
      assert.equal((await pingHost("10.0.0.9", "-c", "2", "-W", "10")).received, 2);
      await ctl(path, "addr", "del", "10.0.0.9");
      assert.equal((await pingHost("10.0.0.9", "-c", "1", "-W", "0.3")).received, 0);
      await assertAnswered(1);
      await server.stop();
    });
  },
);

peerTest("ctl: connections on a removed address are reset, all others go on", [], source, async () => {
  await withSocket(async (path) => {
    await using server = await serve(source, "tcp-echo", "--ctl", path);
    await ctl(path, "addr", "add", "10.0.0.9/24");
    using kept = await Deno.connect({ hostname: APPLIANCE, port: 7 });
    using lost = await Deno.connect({ hostname: "10.0.0.9", port: 7 });
    const echo = async (connection: Deno.Conn) => {
      await connection.write(new TextEncoder().encode("ethox"));
      const into = new Uint8Array(5);
      assert.equal(await connection.read(into), 5);
    };
    await echo(kept);
    await echo(lost);
    await ctl(path, "addr", "del", "10.0.0.9");
    await assert.rejects(lost.read(new Uint8Array(1)), Deno.errors.ConnectionReset);
    await echo(kept);
    await server.stop();
  });
});

peerTest(
  "ctl: a route and a neighbour by hand take effect: answers go where they say",
  ["ping", "ip"],
  source,
  async () => {
    await withSocket(async (path) => {
      await using server = await serve(source, "--ctl", path);
      // The kernel asks from the address on the link, and not from the one that it pings from.
      sysctl("net/ipv4/conf/all/arp_announce", "2");
      await peer("ip", ["addr", "add", "192.0.2.7/32", "dev", "lo"]);
      const from = ["-I", "192.0.2.7", "-c", "1"];
      assert.equal((await pingHost(APPLIANCE, ...from, "-W", "0.5")).received, 0, "no way back");
      await ctl(path, "route", "add", "192.0.2.0/24", "via", KERNEL);
      // Its first answer may wait for ARP in vain.
      assert.ok(
        (await pingHost(APPLIANCE, "-I", "192.0.2.7", "-c", "3", "-i", "0.2", "-W", "5")).received >= 2,
      );
      await ctl(path, "neigh", "add", KERNEL, "lladdr", "02:00:00:00:00:07");
      assert.equal(
        (await pingHost(APPLIANCE, ...from, "-W", "0.5")).received,
        0,
        `${TAP} is not that station`,
      );
      await ctl(path, "neigh", "del", KERNEL);
      assert.ok(
        (await pingHost(APPLIANCE, "-I", "192.0.2.7", "-c", "3", "-i", "0.2", "-W", "5")).received >= 2,
      );
      await ctl(path, "stop");
      const { code, summary } = await server.ended();
      assert.equal(code, 0);
      assert.ok(summary !== undefined);
    });
  },
);

peerTest(
  "ctl: connections shows what was sent again, and how often a connection had to wait for that",
  LOSS_PROGRAMS,
  source,
  async () => {
    await withSocket(async (path) => {
      await using server = await serve(source, "chargen", "--ctl", path);
      using connection = await Deno.connect({ hostname: APPLIANCE, port: 19 });
      const look = async () => {
        const { out, err } = await within(["ctl", "--ctl", path, "--json", "connections"]);
        assert.equal(err, "");
        return JSON.parse(out);
      };
      await connection.read(new Uint8Array(9));
      const { retransmitted, timeouts } = await look();
      assert.deepEqual([retransmitted, timeouts], [0, 0]);
      await lose(99);
      // What the kernel has room for is in flight, and next to none of it arrives.
      const reading = (async () => {
        const chunk = new Uint8Array(1 << 16);
        for (let left = 4 << 20; left > 0;) left -= await connection.read(chunk) ?? left;
      })();
      let last = await look();
      while (last.timeouts === 0) last = await look();
      assert.ok(last.retransmitted >= last.timeouts, JSON.stringify(last));
      const { out } = await within(["ctl", "--ctl", path, "connections"]);
      assert.match(out, /RETRANS +TIMEOUTS\n.* [1-9]\d* +[1-9]\d*\n/);
      await lose(1);
      await reading;
      await server.stop();
    });
  },
);
