import assert from "node:assert/strict";
import { createTap } from "../../nic/linux/tun.ts";
import { type Counters, Server, source } from "../support/ethox.ts";
import { run } from "../support/netns.ts";
import { peerTest } from "../support/peer.ts";
import { cable, KernelHost } from "../support/routers.ts";

const LEFT = "10.0.1.2", RIGHT = "10.0.2.2";

/** A TAP for ethox, and a host of the kernel's behind a bridge on it: `NAME` and `NAME`'s other end. */
async function attach(host: KernelHost, name: string, subnet: string, mtu: number): Promise<void> {
  const ip = (line: string) => run("ip", ...line.split(" "));
  createTap(name);
  await ip(`link add ${name}br type bridge`);
  await cable(
    name.slice(0, 1),
    { host: undefined, addresses: [] },
    { host, addresses: [`${subnet}.2/24`, `${subnet6(subnet)}::2/64`] },
    mtu,
  );
  for (const port of [name, `${name.slice(0, 1)}a`]) {
    await ip(`link set ${port} mtu ${mtu} master ${name}br up`);
  }
  await ip(`link set ${name}br up`);
  await host.ip(`route add default via ${subnet}.1`);
  await host.ip(`-6 route add default via ${subnet6(subnet)}::1`);
}

/** 2001:db8:1 for 10.0.1. */
const subnet6 = (subnet: string) => `2001:db8:${subnet.slice(-1)}`;

/** Port 7 answers what it was sent with its sum, port 8 sends 20 MB of zeros. */
async function serveTcp(host: KernelHost): Promise<void> {
  host.spawn("socat", "TCP-LISTEN:7,fork,reuseaddr", "SYSTEM:sha256sum");
  host.spawn("socat", "TCP-LISTEN:8,fork,reuseaddr", "SYSTEM:head -c 20000000 /dev/zero");
  await host.listens(7, 8);
}

/** Two hosts that see each other through `ethox forward` only. */
async function withRouter(
  mtu: number,
  body: (left: KernelHost, right: KernelHost) => Promise<void>,
  ...more: string[]
): Promise<Counters[string]> {
  await using left = await KernelHost.start("left");
  await using right = await KernelHost.start("right");
  await attach(left, "left", "10.0.1", 1_500);
  await attach(right, "right", "10.0.2", mtu);
  const offload = more.length > 0 ? `,${more[0]}` : "";
  const ports = ["left", "right"].flatMap((name, index) => {
    const addresses = [`10.0.${index + 1}.1/24`, `2001:db8:${index + 1}::1/64`, `fe80::${index + 1}/64`];
    return ["--nic", `tap:${name}${offload}`, ...addresses.flatMap((address) => ["--addr", address])];
  });
  await using router = await Server.spawn(source, "forward", ...ports, "--json", "--duration", "600s");
  await body(left, right);
  router.signal("SIGTERM");
  const { code, stderr, last } = await router.ended();
  assert.equal(stderr, "");
  assert.equal(code, 0);
  assert.ok(last?.forward !== undefined);
  return last.forward;
}

peerTest(
  "forward: two hosts ping each other through it, from the first packet on",
  ["ip", "ping"],
  source,
  async () => {
    const counters = await withRouter(1_500, async (left, right) => {
      for (const [host, to] of [[left, RIGHT], [right, LEFT]] as const) {
        for (const size of ["0", "56", "1472"]) {
          for (const out of await host.pings(5, "-s", size, to)) {
            assert.match(out, / 1 received, 0% packet loss/);
            assert.match(out, /ttl=63\b/);
          }
        }
      }
      // It is a host, too, on the addresses of both sides.
      for (const own of ["10.0.1.1", "10.0.2.1"]) {
        for (const out of await left.pings(2, own)) assert.match(out, / 1 received/);
      }
    });
    assert.equal(counters?.["forwarded"]! + counters?.["waited"]!, 60);
  },
);

for (const offload of ["on", "off"]) {
  peerTest(
    `forward: TCP passes whole and fast both ways, offload=${offload}`,
    ["ip", "socat"],
    source,
    async () => {
      const counters = await withRouter(1_500, async (left, right) => {
        await serveTcp(right);
        const file = "head -c 20000000 /dev/zero";
        const sums = await left.run(
          "sh",
          "-c",
          `${file} | sha256sum; ${file} | socat -t 20 - TCP:${RIGHT}:7`,
        );
        const [here, there] = sums.trim().split("\n");
        assert.equal(there, here, "up");
        await left.run("sh", "-c", `socat -u TCP:${RIGHT}:8 - | cmp -n 20000000 - /dev/zero`);
      }, `offload=${offload}`);
      assert.ok(counters!["forwarded"]! > 100);
      assert.equal(counters!["tooBig"], 0);
    },
  );
}

peerTest(
  "forward: traceroute shows it as a hop, and unknown networks are told as unreachable",
  ["ip", "ping"],
  source,
  async () => {
    await withRouter(1_500, async (left) => {
      const out = await left.run("ping", "-n", "-c", "1", "-t", "1", RIGHT).catch(String);
      assert.match(out, /From 10\.0\.1\.1 icmp_seq=1 Time to live exceeded/);
      const nowhere = await left.run("ping", "-n", "-c", "1", "192.0.2.1").catch(String);
      assert.match(nowhere, /From 10\.0\.1\.1 icmp_seq=1 Destination Net Unreachable/);
      const nobody = await left.run("ping", "-n", "-c", "1", "-W", "9", "10.0.2.9").catch(String);
      assert.match(nobody, /From 10\.0\.1\.1 icmp_seq=1 Destination Host Unreachable/);
      const nobody6 = await left.run("ping", "-n", "-c", "1", "-W", "9", "2001:db8:2::9").catch(String);
      assert.match(nobody6, /From 2001:db8:1::1 icmp_seq=1 Destination unreachable: Address unreachable/);
    });
  },
);

peerTest(
  "forward: a narrow link gives Frag Needed, to which TCP and ping adapt; without DF it cuts",
  ["ip", "ping", "socat"],
  source,
  async () => {
    const counters = await withRouter(1_280, async (left, right) => {
      const out = await left.run("ping", "-n", "-c", "1", "-M", "do", "-s", "1400", RIGHT).catch(String);
      assert.match(out, /From 10\.0\.1\.1 icmp_seq=1 Frag needed and DF set \(mtu = 1280\)/);
      await left.ip("route flush cache");
      // A packet that is to be cut does not wait for a link address.
      await left.run("ping", "-n", "-c", "1", RIGHT);
      for (const cut of await left.pings(3, "-M", "dont", "-s", "3000", RIGHT)) {
        assert.match(cut, / 1 received/);
      }
      await serveTcp(right);
      await left.run("sh", "-c", `socat -u TCP:${RIGHT}:8 - | cmp -n 20000000 - /dev/zero`);
      const sum = await left.run("sh", "-c", `head -c 1000000 /dev/zero | socat -t 20 - TCP:${RIGHT}:7`);
      assert.match(sum, /^d29751f2649b32ff572b5e0a9f541ea660a50f94ff0beedfb0b692b924cc8025 /);
    });
    assert.ok(counters!["tooBig"]! >= 1 && counters!["fragments"]! >= 6);
  },
);

peerTest(
  "forward: IPv6 passes, too: ping, TCP, Time Exceeded, No Route, and Packet Too Big at a narrow link",
  ["ip", "ping", "socat"],
  source,
  async () => {
    const counters = await withRouter(1_280, async (left, right) => {
      const far = "2001:db8:2::2";
      const ping = async (...args: string[]) =>
        await left.run("ping", "-n", "-c", "1", ...args).catch(String);
      assert.match(await ping("-W", "10", far), / 1 received/);
      assert.match(await ping("-t", "1", far), /From 2001:db8:1::1 icmp_seq=1 Time exceeded: Hop limit/);
      assert.match(
        await ping("2001:db8:9::1"),
        /From 2001:db8:1::1 icmp_seq=1 Destination unreachable: No route/,
      );
      assert.match(
        await ping("-M", "do", "-s", "1400", far),
        /From 2001:db8:1::1 icmp_seq=1 Packet too big: mtu=1280/,
      );
      right.spawn("socat", "TCP6-LISTEN:8,fork,reuseaddr", "SYSTEM:head -c 20000000 /dev/zero");
      await right.listens(8);
      await left.run("sh", "-c", `socat -u TCP:[${far}]:8 - | cmp -n 20000000 - /dev/zero`);
    });
    assert.ok(counters!["forwarded"]! > 100);
    assert.ok(counters!["tooBig"]! >= 1);
  },
);
