/** A TUN as the NIC: what differs from a TAP. The rest is the same tests as every NIC's. */
import assert from "node:assert/strict";
import { LinkType, readPcap } from "../../mod.ts";
import { createTap } from "../../nic/linux/tun.ts";
import { tun } from "../support/cables.ts";
import { ethox, Server, source } from "../support/ethox.ts";
import { run, sysctl } from "../support/netns.ts";
import { assertAnswered, nicTest, peer, pingHost, serve, TAP } from "../support/peer.ts";
import { withDirectory } from "../support/tcp-peers.ts";

nicTest(
  "tun: a capture has the link type of bare IP, and tcpdump reads it",
  ["ping", "tcpdump"],
  source,
  () =>
    withDirectory(async (directory) => {
      const path = `${directory}/out.pcapng`;
      await using server = await serve(source, "--pcap", path);
      await assertAnswered(2);
      const { packets } = await server.stop();
      assert.equal(packets["ptp"]?.["received"], 2);
      assert.deepEqual(
        [...readPcap(Deno.readFileSync(path))].map(({ linkType, bytes }) => [linkType, bytes[0]]),
        [
          [LinkType.Raw, 0x45],
          [LinkType.Raw, 0x45],
          [LinkType.Raw, 0x45],
          [LinkType.Raw, 0x45],
        ],
      );
      const { stdout } = await peer("tcpdump", ["-n", "-r", path]);
      assert.match(stdout, /IP 10\.0\.0\.2 > 10\.0\.0\.1: ICMP echo request.*\n.*ICMP echo reply/);
    }),
  [tun],
);

nicTest(
  "tun: a filter that was compiled for bare IP chooses what reaches the stack",
  ["ping", "tcpdump"],
  source,
  () =>
    withDirectory(async (directory) => {
      const program = `${directory}/no-icmp.bpf`;
      const { stdout } = await peer("tcpdump", ["-y", "RAW", "-dd", "icmp and greater 200"]);
      Deno.writeTextFileSync(program, stdout);
      await using server = await serve(source, "--filter", program);
      await assertAnswered(2, "-s", "200");
      const { code } = await peer("ping", ["-c", "1", "-W", "0.3", "10.0.0.1"]);
      assert.equal(code, 1);
      const { packets } = await server.stop();
      assert.equal(packets["icmp"]?.["answered"], 2);
    }),
  [tun],
);

nicTest(
  "tun: a TAP is no TUN, and the other way round: one line and status 3",
  [],
  source,
  async () => {
    createTap(TAP);
    createTap("tun0", { mode: "tun" });
    for (const [nic, mode] of [[`tun:${TAP}`, "TUN"], ["tap:tun0", "TAP"]] as const) {
      const { code, stderr } = await ethox(source, "serve", "--nic", nic, "--addr", "10.0.0.1/24");
      assert.match(stderr, new RegExp(`^ethox: \\w+: the interface is no ${mode}; choose another name\\n$`));
      assert.equal(code, 3);
    }
  },
  [tun],
);

nicTest(
  "tun: IPv6 needs no neighbour: both sides ping each other",
  ["ip", "ping"],
  source,
  async () => {
    const nic = await tun.make();
    sysctl(`net/ipv6/conf/${TAP}/disable_ipv6`, "0");
    await run("ip", "addr", "add", "2001:db8::2/64", "dev", TAP, "nodad");
    await using server = await Server.start(source, nic, "2001:db8::1/64", "--addr", "fe80::1/64");
    assert.equal((await pingHost("2001:db8::1", "-q", "-c", "5", "-W", "5")).received, 5);
    const { packets } = await server.stop();
    assert.equal(packets["icmp"]?.["answered"], 5);
    const args = [
      "ping",
      "2001:db8::2",
      "--nic",
      nic,
      "--addr",
      "2001:db8::1/64",
      "-c",
      "3",
      "-i",
      "20ms",
      "-W",
      "20s",
    ];
    assert.equal((await ethox(source, ...args)).code, 0);
  },
  [tun],
);
