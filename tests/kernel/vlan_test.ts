/** 802.1Q with a VLAN interface of the kernel on the other side. */
import assert from "node:assert/strict";
import { ethox } from "../support/command.ts";
import { Server, source } from "../support/ethox.ts";
import { run } from "../support/netns.ts";
import { makeTap, peer, peerTest, pingHost, TAP } from "../support/peer.ts";

const OWN = "10.10.0.1", KERNEL = "10.10.0.2";

/** Makes the cable, with a VLAN on the kernel's side; false: this kernel has none. */
async function makeVlan(id: number): Promise<boolean> {
  makeTap();
  const made = await peer("ip", [
    "link",
    "add",
    "link",
    TAP,
    "name",
    "vlan0",
    "type",
    "vlan",
    "id",
    String(id),
  ]);
  if (made.code !== 0) return false;
  await run("ip", "addr", "add", `${KERNEL}/24`, "dev", "vlan0");
  await run("ip", "link", "set", "vlan0", "up");
  return true;
}

peerTest(
  "vlan: the kernel pings us through its VLAN, up to the whole MTU, and curls us (IEEE 802.1Q)",
  [
    "ip",
    "ping",
    "curl",
  ],
  source,
  async () => {
    if (!await makeVlan(10)) return await tagged();
    await using server = await Server.start(source, `tap:${TAP}`, `${OWN}/24`, "http", "--vlan", "10");
    for (const size of [0, 56, 1_472, 8_000]) {
      const { received } = await pingHost(OWN, "-q", "-c", "3", "-s", String(size));
      assert.equal(received, 3, `${size} bytes`);
    }
    const { code, stdout } = await peer("curl", ["-s", "-m", "10", `http://${OWN}/`]);
    assert.equal(code, 0);
    assert.match(stdout, /ethox/i);
    assert.equal((await pingHost("10.0.0.1", "-q", "-c", "1", "-W", "0.3")).received, 0, "not without a tag");
    await server.stop();

    const ours = await ethox([
      "ping",
      KERNEL,
      "--addr",
      `${OWN}/24`,
      "--vlan",
      "10",
      "-c",
      "2",
      "-i",
      "50ms",
      "-W",
      "20s",
    ]);
    assert.equal(ours.status, 0, ours.err);
    assert.match(ours.out, /2 packets transmitted, 2 received/);
  },
);

peerTest(
  "vlan: tagged echo requests are answered with the tag; other tags are dropped and counted",
  [
    "scapy",
  ],
  source,
  () => tagged(),
);

/** What a kernel without VLANs can be asked: frames made by hand. */
async function tagged(): Promise<void> {
  makeTap();
  await using server = await Server.start(source, `tap:${TAP}`, `${OWN}/24`, "--vlan", "10");
  const { code, stdout, stderr } = await peer("/usr/bin/python3", [
    "-c",
    `
import threading
from scapy.all import *
conf.verb = 0
ready = threading.Event()
sniffer = AsyncSniffer(iface="${TAP}", lfilter=lambda frame: frame.src == "${server.mac}", count=2, timeout=60, started_callback=ready.set)
sniffer.start()
assert ready.wait(30)
station = Ether(src="02:00:00:00:00:99", dst="${server.mac}")
arp = Ether(src="02:00:00:00:00:99", dst="ff:ff:ff:ff:ff:ff")/Dot1Q(vlan=10)/ARP(op=1, hwsrc="02:00:00:00:00:99", psrc="${KERNEL}", pdst="${OWN}")
echo = lambda vlan: station/Dot1Q(vlan=vlan, prio=3)/IP(src="${KERNEL}", dst="${OWN}")/ICMP(id=7)
sendp([echo(11), arp, echo(10), station/IP(src="${KERNEL}", dst="${OWN}")/ICMP(id=8)], iface="${TAP}")
sniffer.join()
for frame in sniffer.results: print(frame[Dot1Q].vlan, frame.summary())
`,
  ]);
  assert.equal(code, 0, stderr);
  const lines = stdout.trim().split("\n");
  assert.equal(lines.length, 2, stdout);
  assert.match(lines[0]!, /^10 .*ARP is at/);
  assert.match(lines[1]!, /^10 .*echo-reply/);
  const { drops } = await server.stop();
  assert.deepEqual(drops["vlan"], { untagged: 1, otherVlan: 1 });
}
