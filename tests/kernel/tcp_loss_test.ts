/** TCP between the kernel and us over a wire that loses packets at random, and what Wireshark thinks of it. */
import assert from "node:assert/strict";
import { source } from "../support/ethox.ts";
import { APPLIANCE, peer, peerTest, serveOn, TAP } from "../support/peer.ts";
import { run } from "../support/netns.ts";
import { assertEchoed, shell, withDirectory } from "../support/tcp-peers.ts";
import { findProgram } from "../../scripts/setup/programs.ts";

/** Loses so many of a hundred TCP packets in each direction, of which we leave none to be cut. Both chains are below IP, so that nobody is told. */
async function lose(percent: number): Promise<void> {
  // Without offloads, so that segments are lost and not whole bursts.
  await run(findProgram("ethtool") ?? "ethtool", "-K", TAP, "tso", "off", "gso", "off");
  const chain = (name: string) =>
    `chain ${name} {
      type filter hook ${name} device "${TAP}" priority 0; policy accept;
      ip protocol tcp numgen random mod 100 < ${percent} counter drop
    }`;
  await run(findProgram("nft") ?? "nft", `table netdev loss {\n${chain("ingress")}\n${chain("egress")}\n}`);
}

/** How many packets were lost on their way from us, and to us. */
async function lost(): Promise<number[]> {
  const text = await run(findProgram("nft") ?? "nft", "list", "table", "netdev", "loss");
  return [...text.matchAll(/counter packets (\d+)/g)].map(([, count]) => Number(count));
}

const PROGRAMS = ["socat", "nft", "ethtool"];

for (const [percent, length] of [[1, 16 << 20], [10, 1 << 20]] as const) {
  peerTest(
    `tcp: with ${percent} % of all packets lost in both directions, every byte arrives`,
    PROGRAMS,
    source,
    async () => {
      await using server = await serveOn("offload=off", source, "tcp-echo");
      await lose(percent);
      await withDirectory((directory) =>
        assertEchoed(directory, length, `socat -t 50 - TCP4:${APPLIANCE}:7`)
      );
      for (const count of await lost()) assert.ok(count > 0, "packets were lost");
      const { packets } = await server.stop();
      assert.ok(packets["tcp"]!["retransmitted"]! > 0);
    },
  );
}

/** Wireshark's groups of what is wrong with a packet itself, in contrast to what befell it on the way. */
const CHECKSUM = "16777216", PROTOCOL = "150994944", MALFORMED = "117440512";

peerTest(
  "tcp: Wireshark finds nothing wrong with our segments, with and without loss",
  [...PROGRAMS, "tcpdump", "tshark", "curl"],
  source,
  async () => {
    // Without offloads, so that segments are whole and single where tcpdump sees them.
    await using server = await serveOn("offload=off", source, "tcp-echo", "discard", "chargen", "http");
    await withDirectory(async (directory) => {
      const capture = `${directory}/capture.pcap`;
      const tcpdump = new Deno.Command(findProgram("tcpdump") ?? "tcpdump", {
        args: ["--immediate-mode", "-B", "65536", "-U", "-i", TAP, "-w", capture, "-Z", "root"],
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }).spawn();
      const reader = tcpdump.stderr.getReader();
      await reader.read();
      await assertEchoed(directory, 300_000, `socat -t 20 - TCP4:${APPLIANCE}:7`);
      await shell(`head -c 300000 /dev/zero | socat -t 5 - TCP4:${APPLIANCE}:9`);
      await shell(`socat -u TCP4:${APPLIANCE}:19 - | head -c 300000 > /dev/null`);
      await shell(
        `curl -s http://${APPLIANCE}/ http://${APPLIANCE}/nothing; curl -s http://${APPLIANCE}:81/`,
      );
      await lose(10);
      await assertEchoed(directory, 300_000, `socat -t 50 - TCP4:${APPLIANCE}:7`);
      tcpdump.kill("SIGINT");
      await tcpdump.status;
      await reader.cancel();
      const { stdout, stderr } = await peer("tshark", [
        "-r",
        capture,
        ...["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"],
        ...["-Y", `ip.src == ${APPLIANCE}`, "-T", "fields"],
        ...["-e", "frame.number", "-e", "_ws.expert.group", "-e", "_ws.expert.message"],
      ]);
      const frames = stdout.trim().split("\n");
      assert.ok(frames.length > 300, stderr);
      const wrong = frames.filter((line) =>
        [CHECKSUM, PROTOCOL, MALFORMED].some((group) => line.split("\t")[1]?.split(",").includes(group))
      );
      assert.deepEqual(wrong, []);
    });
    await server.stop();
  },
);
