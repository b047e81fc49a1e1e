/** Membership in groups as the kernel's side of the cable sees it: tshark judges, scapy asks. */
import assert from "node:assert/strict";
import { Address, capture, openTap, PcapWriter, Stack } from "../../mod.ts";
import { sysctl } from "../support/netns.ts";
import { makeTap, peer, peerTest, TAP } from "../support/peer.ts";

const MAC = "02:00:00:00:00:01";

const QUERIES = `
from scapy.all import *
from scapy.contrib.igmpv3 import *
conf.verb = 0
igmp = Ether(src="02:00:00:00:00:99", dst="01:00:5e:00:00:01")/IP(src="10.0.0.2", dst="224.0.0.1", ttl=1, options=[IPOption_Router_Alert()])/IGMPv3(type=0x11, mrcode=5)/IGMPv3mq()
mld = Ether(src="02:00:00:00:00:99", dst="33:33:00:00:00:01")/IPv6(src="fe80::99", dst="ff02::1", hlim=1)/IPv6ExtHdrHopByHop(options=[RouterAlert()])/ICMPv6MLQuery2(mrd=500)
sendp([igmp, mld], iface="${TAP}")
`;

/** Waits until it is so, for half a minute at most. */
async function until(isSo: () => boolean, what: string): Promise<void> {
  for (const end = performance.now() + 30_000; !isSo();) {
    assert.ok(performance.now() < end, what);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const pause = (time: number) => new Promise((resolve) => setTimeout(resolve, time));

peerTest(
  "membership: what is joined, asked for and left is told in IGMPv3 and MLDv2, without a protocol error (RFC 3376, RFC 3810)",
  ["tshark", "scapy"],
  undefined,
  async () => {
    makeTap();
    sysctl(`net/ipv6/conf/${TAP}/disable_ipv6`, "0");
    const file = await Deno.makeTempFile({ suffix: ".pcapng" });
    try {
      using output = await Deno.open(file, { write: true });
      const tap = openTap(TAP, { create: false });
      const writer = new PcapWriter((bytes) => {
        for (let at = 0; at < bytes.length;) at += output.writeSync(bytes.subarray(at));
      });
      const nic = capture(tap, writer);
      const stack = await Stack.open({
        nic,
        mac: MAC,
        addresses: ["10.0.0.1/24", "fe80::1/64"],
      });
      const groups = ["239.1.2.3", "ff05::1:3"].map((group) => Address.parse(group));
      for (const group of groups) stack.addresses.join(group);
      const membership = stack.counters.membership;
      await until(() => membership.sent >= 4, "each is told of twice");
      // All of it within a second; what is sent from then on are answers.
      await pause(2_000);
      const told = membership.sent;
      const { code, stderr } = await peer("/usr/bin/python3", ["-c", QUERIES]);
      assert.equal(code, 0, stderr);
      await until(() => membership.queries >= 2, "queries arrive");
      await until(() => membership.sent >= told + 2, "both are answered");
      await pause(1_000);
      const answered = membership.sent;
      for (const group of groups) stack.addresses.leave(group);
      nic.wake();
      await until(() => membership.sent >= answered + 4, "that they are left is told twice, too");
      await pause(1_000);
      await stack.close();
      nic.close();

      const ours = `eth.src == ${MAC} && (igmp || icmpv6.type == 143)`;
      const expert = await peer("tshark", [
        "-r",
        file,
        "-Y",
        `${ours} && (_ws.expert.severity >= 6291456 || _ws.malformed)`,
      ]);
      assert.equal(expert.stdout, "", expert.stderr);
      const fields = ["igmp.record_type", "icmpv6.mldr.mar.record_type"].flatMap((field) => ["-e", field]);
      const { stdout } = await peer("tshark", ["-r", file, "-Y", ours, "-T", "fields", ...fields]);
      const types = stdout.trim().split("\n").map((line) => line.trim());
      // RFC 3376 4.2.12: 4 is TO_EX, 2 IS_EX, 3 TO_IN.
      for (const type of ["4", "2", "3"]) {
        assert.ok(
          types.filter((line) => line.split(/[,\t]/).includes(type)).length >= 2,
          `${type}: ${types}`,
        );
      }
    } finally {
      await Deno.remove(file);
    }
  },
);
