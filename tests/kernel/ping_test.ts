import assert from "node:assert/strict";
import { source } from "../support/ethox.ts";
import {
  APPLIANCE,
  assertAnswered,
  nicTest,
  peer,
  peerTest,
  ping,
  pingHost,
  scapy,
  serve,
  TAP,
} from "../support/peer.ts";
import { findProgram } from "../../scripts/setup/programs.ts";

nicTest("ping: every size that fits the MTU comes back as it was sent", ["ping"], source, async () => {
  await using server = await serve(source);
  for (const size of [0, 1, 7, 8, 56, 57, 1_471, 1_472]) {
    const { stdout } = await assertAnswered(3, "-s", String(size), "-p", "c3");
    // ping compares the data itself, and says so.
    assert.doesNotMatch(stdout, /wrong data|DUP|truncated/);
  }
  assert.equal((await server.stop()).packets["icmp"]?.["answered"], 8 * 3);
});

nicTest("ping: what takes fragments comes back as it was sent, too", ["ping"], source, async () => {
  await using server = await serve(source);
  for (const size of [1_473, 8_000, 60_000, 65_507]) {
    const { stdout } = await assertAnswered(3, "-s", String(size), "-p", "c3");
    assert.doesNotMatch(stdout, /wrong data|DUP|truncated/);
  }
  const { packets } = await server.stop();
  assert.equal(packets["ip"]?.["reassembled"], 4 * 3);
});

nicTest("ping: 64 outstanding requests are answered without loss", ["ping"], source, async () => {
  await using server = await serve(source);
  await assertAnswered(6_400, "-f", "-l", "64");
  await assertAnswered(64, "-l", "64", "-i", "10", "-s", "1472");
  await server.stop();
});

peerTest(
  "ping: the reply has the request's type of service (RFC 1122 3.2.2.6)",
  ["ping", "scapy"],
  source,
  async () => {
    await using server = await serve(source);
    const seen = await scapy(
      server,
      `
import subprocess
ready = threading.Event()
sniffer = AsyncSniffer(iface=tap, lfilter=lambda frame: ICMP in frame, count=4, timeout=60, started_callback=ready.set)
sniffer.start()
assert ready.wait(30)
subprocess.run(["${
        findProgram("ping")
      }", "-c", "2", "-l", "2", "-i", "10", "-Q", "0xb8", own], check=True, capture_output=True)
sniffer.join()
print(json.dumps(sorted([frame[ICMP].type, frame[IP].tos] for frame in sniffer.results)))
`,
    );
    assert.deepEqual(seen, [[0, 0xb8], [0, 0xb8], [8, 0xb8], [8, 0xb8]]);
    await server.stop();
  },
);

nicTest(
  "ping: requests with record route and timestamp options are answered (RFC 1122 3.2.1.8)",
  ["ping"],
  source,
  async () => {
    await using server = await serve(source);
    await assertAnswered(2, "-R");
    await assertAnswered(2, "-T", "tsonly");
    await assertAnswered(2, "-T", "tsandaddr");
    assert.deepEqual((await server.stop()).drops, {});
  },
);

peerTest("ping: broadcasts are not answered, and counted (RFC 1122 3.2.2.6)", ["ping"], source, async () => {
  await using server = await serve(source);
  for (const broadcast of ["10.0.0.255", "255.255.255.255"]) {
    const { received } = await pingHost(broadcast, "-b", "-I", TAP, "-c", "3", "-W", "0.3");
    assert.equal(received, 0, broadcast);
  }
  await assertAnswered(1);
  const { packets, drops } = await server.stop();
  assert.equal(packets["icmp"]?.["answered"], 1);
  assert.equal(drops["icmp"]?.["groupEcho"], 6);
});

peerTest("ping: an address that is not its own is not answered", ["ping", "ip"], source, async () => {
  await using server = await serve(source);
  await peer("ip", ["neigh", "add", "10.0.0.9", "lladdr", server.mac, "dev", TAP]);
  assert.equal((await pingHost("10.0.0.9", "-c", "3", "-W", "0.3")).received, 0);
  assert.equal((await ping("-c", "1")).received, 1, `${APPLIANCE} goes on`);
  assert.equal((await server.stop()).drops["ip"]?.["notForUs"], 3);
});
