/** Paths that take less than both ends' links, with routers of the kernel's between (RFC 1191, RFC 8201). */
import assert from "node:assert/strict";
import { KERNEL6, makeCable6, OWN6, PREFIX6 } from "../support/cable6.ts";
import { Server, source } from "../support/ethox.ts";
import { sysctl } from "../support/netns.ts";
import { APPLIANCE, KERNEL, peer, peerTest, PREFIX } from "../support/peer.ts";
import { cable, KernelHost } from "../support/routers.ts";

/** An appliance, behind it the kernel and a router with a link of MTU 1280 between them, and a host. */
async function withPath(body: (far: KernelHost, server: Server) => Promise<void>): Promise<void> {
  const nic = await makeCable6();
  for (const name of ["ipv4/ip_forward", "ipv6/conf/all/forwarding"]) sysctl(`net/${name}`, "1");
  for (const name of ["ipv4/icmp_ratelimit", "ipv6/icmp/ratelimit"]) sysctl(`net/${name}`, "0");
  await using middle = await KernelHost.start("middle");
  await using far = await KernelHost.start("far");
  const near = { host: undefined, addresses: ["10.1.0.1/24", "2001:db8:1::1/64"] };
  // Where the test is, IPv6 is off on whatever is made.
  sysctl("net/ipv6/conf/default/disable_ipv6", "0");
  await cable("x", near, { host: middle, addresses: ["10.1.0.2/24", "2001:db8:1::2/64"] }, 1_280);
  await cable(
    "z",
    { host: middle, addresses: ["10.2.0.1/24", "2001:db8:2::1/64"] },
    { host: far, addresses: ["10.2.0.2/24", "2001:db8:2::2/64"] },
  );
  await peer("ip", "route add 10.2.0.0/24 via 10.1.0.2".split(" "));
  await peer("ip", "route add 2001:db8:2::/64 via 2001:db8:1::2".split(" "));
  await middle.ip("route add default via 10.1.0.1");
  await middle.ip("route add default via 2001:db8:1::1");
  await far.ip("route add default via 10.2.0.1");
  await far.ip("route add default via 2001:db8:2::1");
  const addresses = ["--addr", `${APPLIANCE}${PREFIX}`, "--gateway", KERNEL, "--gateway", KERNEL6];
  await using server = await Server.start(
    source,
    nic,
    `${OWN6}${PREFIX6}`,
    ...addresses,
    "udp-echo",
    "tcp-echo",
  );
  await body(far, server);
  await server.stop();
}

peerTest(
  "path MTU: echo replies that are too long for the path are, once a router has said so, sent in fragments",
  ["ping", "ip"],
  source,
  async () => {
    await withPath(async (far) => {
      for (const host of [APPLIANCE, OWN6]) {
        for (const size of ["1400", "8000"]) {
          const args = ["-n", "-c", "5", "-i", "0.1", "-W", "2", "-s", size, host];
          const received = async () => Number(/(\d+) received/.exec(await far.run("ping", ...args))?.[1]);
          // The first request is lost because the far host does not know the path, the first reply because we do not.
          assert.ok(await received() >= 3, `${host}, ${size} bytes`);
          assert.equal(await received(), 5, `${host}, ${size} bytes, once it is known`);
        }
      }
    });
  },
);

peerTest(
  "path MTU: datagrams and connections fit the path, once a router has said what it takes",
  ["ip"],
  source,
  async () => {
    await withPath(async (far, server) => {
      const script = `
import json, os, socket, sys
result = []
for family, host in ((socket.AF_INET, "${APPLIANCE}"), (socket.AF_INET6, "${OWN6}")):
  s = socket.socket(family, socket.SOCK_DGRAM)
  s.settimeout(1)
  same = 0
  for _ in range(5):
    sent = os.urandom(1400)
    s.sendto(sent, (host, 7))
    try: same += s.recv(2000) == sent
    except TimeoutError: pass
  result.append(same >= 3)
  c = socket.create_connection((host, 7), timeout=10)
  sent, got = os.urandom(300000), b""
  import threading
  threading.Thread(target=lambda: c.sendall(sent)).start()
  while len(got) < len(sent): got += c.recv(65536)
  result.append(got == sent)
  c.close()
print(json.dumps(result))
`;
      assert.deepEqual(JSON.parse(await far.run("/usr/bin/python3", "-c", script)), [true, true, true, true]);
      assert.equal(server.events.some(({ event }) => event === "error"), false);
    });
  },
);
