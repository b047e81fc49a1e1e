import assert from "node:assert/strict";
import { source } from "../support/ethox.ts";
import { sysctl } from "../support/netns.ts";
import { makeTap, peer, peerTest, TAP } from "../support/peer.ts";
import { cable, KernelHost } from "../support/routers.ts";

/** What `ethox traceroute --json` prints of a hop. */
interface Hop {
  readonly event: string;
  readonly hop?: number;
  readonly probes?: readonly {
    readonly address: string | null;
    readonly note?: string;
    readonly mtu?: number;
  }[];
  readonly reached?: boolean;
  readonly mtu?: number;
}

const FAR = "10.3.0.2";

/** The appliance, behind it three routers of the kernel's, the second with a link of MTU 1280, and a host. */
async function withPath(body: () => Promise<void>): Promise<void> {
  makeTap();
  sysctl("net/ipv4/ip_forward", "1");
  sysctl("net/ipv4/icmp_ratelimit", "0");
  for (const all of ["all", "default", TAP]) sysctl(`net/ipv6/conf/${all}/disable_ipv6`, "0");
  sysctl("net/ipv6/conf/all/forwarding", "1");
  sysctl("net/ipv6/icmp/ratelimit", "0");
  await peer("ip", ["addr", "add", "2001:db8::2/64", "dev", TAP, "nodad"]);
  await using second = await KernelHost.start("second");
  await using third = await KernelHost.start("third");
  await using far = await KernelHost.start("far");
  await cable("x", { host: undefined, addresses: ["10.1.0.1/24", "2001:db8:1::1/64"] }, {
    host: second,
    addresses: ["10.1.0.2/24", "2001:db8:1::2/64"],
  });
  await cable(
    "y",
    { host: second, addresses: ["10.2.0.1/24", "2001:db8:2::1/64"] },
    { host: third, addresses: ["10.2.0.2/24", "2001:db8:2::2/64"] },
    1_280,
  );
  await cable("z", { host: third, addresses: ["10.3.0.1/24", "2001:db8:3::1/64"] }, {
    host: far,
    addresses: ["10.3.0.2/24", "2001:db8:3::2/64"],
  });
  for (const network of ["10.2.0.0/24", "10.3.0.0/24"]) {
    await peer("ip", ["route", "add", network, "via", "10.1.0.2"]);
  }
  await second.ip("route add 10.0.0.0/24 via 10.1.0.1");
  await second.ip("route add 10.3.0.0/24 via 10.2.0.2");
  await third.ip("route add default via 10.2.0.1");
  await far.ip("route add default via 10.3.0.1");
  await third.ip("route add unreachable 10.3.9.0/24");
  await third.ip("route add prohibit 10.3.8.0/24");
  for (const network of ["10.3.9.0/24", "10.3.8.0/24"]) await second.ip(`route add ${network} via 10.2.0.2`);
  for (const network of ["10.3.9.0/24", "10.3.8.0/24"]) {
    await peer("ip", ["route", "add", network, "via", "10.1.0.2"]);
  }
  for (const network of ["2001:db8:2::/64", "2001:db8:3::/64"]) {
    await peer("ip", ["route", "add", network, "via", "2001:db8:1::2"]);
  }
  await second.ip("route add 2001:db8::/64 via 2001:db8:1::1");
  await second.ip("route add 2001:db8:3::/64 via 2001:db8:2::2");
  await third.ip("-6 route add default via 2001:db8:2::1");
  await far.ip("-6 route add default via 2001:db8:3::1");
  far.spawn("socat", "TCP-LISTEN:7,fork,reuseaddr", "PIPE");
  await far.listens(7);
  await body();
}

async function trace(host: string, ...options: string[]): Promise<{ code: number; hops: Hop[]; end: Hop }> {
  const [program = "", ...command] = await source.command();
  const own = host.includes(":")
    ? ["--addr", "2001:db8::1/64", "--addr", "fe80::1/64", "--gateway", "2001:db8::2"]
    : ["--addr", "10.0.0.1/24", "--gateway", "10.0.0.2"];
  const given = ["traceroute", host, ...own, "--json"];
  const { code, stdout, stderr } = await peer(program, [...command, ...given, ...options]);
  assert.equal(stderr, "");
  const lines: Hop[] = stdout.trim().split("\n").map((line) => JSON.parse(line));
  return { code, hops: lines.filter(({ event }) => event === "hop"), end: lines.at(-1)! };
}

/** Every router by the address that faces us, then the host: three answers of each. */
const WAY = ["10.0.0.2", "10.1.0.2", "10.2.0.2", FAR].map((
  address,
  index,
) => [index + 1, address, address, address]);

const addresses = (hops: readonly Hop[]) =>
  hops.map(({ hop, probes = [] }) => [hop, ...probes.map(({ address }) => address)]);

for (
  const [name, ...options] of [["UDP"], ["ICMP", "-I"], ["TCP", "-T"], [
    "TCP to an open port",
    "-T",
    "-p",
    "7",
  ]]
) {
  peerTest(
    `traceroute: ${name} probes cross three kernel routers, each of which is named`,
    ["ip"],
    source,
    async () => {
      await withPath(async () => {
        const { code, hops, end } = await trace(FAR, ...options);
        assert.deepEqual(addresses(hops), WAY);
        assert.equal(end.reached, true);
        assert.equal(code, 0);
      });
    },
  );
}

peerTest(
  "traceroute: a link of MTU 1280 is found on the way, or shortens the probes",
  ["ip"],
  source,
  async () => {
    await withPath(async () => {
      const plain = await trace(FAR, "-s", "1400");
      assert.deepEqual(plain.hops.at(-1)?.probes?.map(({ address, note }) => [address, note]), [
        ["10.1.0.2", "!F-1280"],
        ["10.1.0.2", "!F-1280"],
        ["10.1.0.2", "!F-1280"],
      ]);
      assert.equal(plain.code, 1);
      const { code, hops, end } = await trace(FAR, "--mtu");
      assert.deepEqual(addresses(hops), WAY);
      assert.ok(hops.some(({ probes }) => probes?.some(({ mtu }) => mtu === 1_280)));
      assert.equal(end.mtu, 1_280);
      assert.equal(code, 0);
    });
  },
);

peerTest(
  "traceroute: what a router refuses is marked as traceroute does: !H, !X",
  ["ip"],
  source,
  async () => {
    await withPath(async () => {
      // Linux says so only a few times in a row (net.ipv4.route.error_burst).
      for (const [host, note] of [["10.3.9.1", "!H"], ["10.3.8.1", "!X"]] as const) {
        const { code, hops } = await trace(host, "-q", "1", "-N", "1");
        assert.deepEqual(
          hops.at(-1)?.probes?.map((probe) => [probe.address, probe.note]),
          [["10.2.0.2", note]],
        );
        assert.equal(code, 1);
      }
    });
  },
);

peerTest(
  "ping: errors of routers are printed and counted as ping does; -t limits the hops",
  ["ip"],
  source,
  async () => {
    await withPath(async () => {
      const [program = "", ...command] = await source.command();
      const ping = (host: string, ...options: string[]) =>
        peer(program, [
          ...command,
          "ping",
          host,
          "--addr",
          "10.0.0.1/24",
          "--gateway",
          "10.0.0.2",
          ...options,
        ]);
      const reached = await ping(FAR, "-c", "2", "-i", "20ms", "-W", "20s", "-t", "4");
      assert.match(reached.stdout, /64 bytes from 10\.3\.0\.2: icmp_seq=2 ttl=61 time=/);
      const exceeded = await ping(FAR, "-c", "2", "-i", "20ms", "-t", "2");
      assert.match(exceeded.stdout, /^From 10\.1\.0\.2 icmp_seq=1 Time to live exceeded$/m);
      assert.match(
        exceeded.stdout,
        /^2 packets transmitted, 0 received, \+2 errors, 100% packet loss, time \d+ms$/m,
      );
      assert.equal(exceeded.code, 1);
      const long = await ping(FAR, "-c", "1", "-s", "1400");
      assert.match(long.stdout, /^From 10\.1\.0\.2 icmp_seq=1 Frag needed and DF set \(mtu = 1280\)$/m);
      const nowhere = await ping("10.3.9.1", "-c", "1");
      assert.match(nowhere.stdout, /^From 10\.2\.0\.2 icmp_seq=1 Destination Host Unreachable$/m);
    });
  },
);

for (const [name, ...options] of [["UDP"], ["ICMP", "-I"], ["TCP", "-T"]]) {
  peerTest(
    `traceroute: ${name} probes over IPv6 cross the same routers, and --mtu finds 1280`,
    ["ip"],
    source,
    async () => {
      await withPath(async () => {
        const { code, hops, end } = await trace("2001:db8:3::2", "--mtu", ...options);
        const way = ["2001:db8::2", "2001:db8:1::2", "2001:db8:2::2", "2001:db8:3::2"];
        assert.deepEqual(
          addresses(hops),
          way.map((address, index) => [index + 1, address, address, address]),
        );
        assert.equal(end.reached, true);
        assert.equal(end.mtu, 1_280);
        assert.equal(code, 0);
      });
    },
  );
}
