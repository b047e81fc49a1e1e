/** `serve --hostname` and names of the link, with dig and avahi. */
import assert from "node:assert/strict";
import { findProgram } from "../../scripts/setup/programs.ts";
import { ethox } from "../support/command.ts";
import { source } from "../support/ethox.ts";
import { SHARED, tap } from "../support/cables.ts";
import { APPLIANCE, KERNEL, makeTap, nicTest, peer, peerTest, serve, TAP } from "../support/peer.ts";
import { withDirectory } from "../support/tcp-peers.ts";

/** Asks the group for the address of box.local from a port of chance, and prints what comes back. */
const ASK = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("${KERNEL}"))
s.settimeout(30)
s.sendto(b"\\x12\\x34\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\3box\\5local\\0\\0\\1\\0\\1", ("224.0.0.251", 5353))
data, sender = s.recvfrom(2000)
print(socket.inet_ntoa(data[-4:]))
`;

nicTest(
  "mdns: dig finds the appliance by its name on the link, and its name by its address",
  ["dig"],
  source,
  async () => {
    await using server = await serve(source, "--hostname", "Box");
    const { name } = await server.told("a name", ({ event }) => event === "name");
    assert.equal(name, "box.local");
    const dig = async (...args: string[]) => {
      const { stdout } = await peer("dig", ["+short", "+time=20", "-p", "5353", `@${APPLIANCE}`, ...args]);
      return stdout.trim();
    };
    assert.equal(await dig("box.local"), APPLIANCE);
    assert.equal(await dig("-x", APPLIANCE), "box.local.");
    // dig hears only whom it asks, so the group is asked by hand.
    const { stdout, stderr } = await peer("python3", ["-c", ASK]);
    assert.equal(stdout.trim(), APPLIANCE, stderr);
    const { packets } = await server.stop();
    assert.equal(packets["mdns"]?.["answered"], 3);
    assert.ok(
      packets["mdns"]?.["sent"]! >= 8,
      "three probes, an announcement or two, three answers, a goodbye",
    );
  },
  [tap, ...SHARED],
);

/** Runs avahi-daemon as a host of the link while `body` does its work. */
async function withAvahi(name: string, body: () => Promise<void>): Promise<void> {
  await withDirectory(async (directory) => {
    const file = `${directory}/avahi.conf`;
    await Deno.writeTextFile(
      file,
      `[server]\nhost-name=${name}\nallow-interfaces=${TAP}\nuse-ipv6=no\nenable-dbus=no\n[publish]\npublish-hinfo=no\n`,
    );
    const args = ["--file", file, "--no-drop-root", "--no-chroot", "--no-rlimits", "--no-proc-title"];
    const [program = "", ...rest] = [
      "setpriv",
      "--pdeathsig",
      "KILL",
      findProgram("avahi-daemon") ?? "",
      ...args,
    ];
    const child = new Deno.Command(program, { args: rest, stdin: "null", stdout: "null", stderr: "piped" })
      .spawn();
    let log = "";
    const reading = (async () => {
      for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) log += text;
    })();
    try {
      const end = performance.now() + 60_000;
      while (!/startup complete/.test(log)) {
        assert.ok(performance.now() < end, log);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      await body();
    } finally {
      child.kill("SIGTERM");
      await child.status;
      await reading;
    }
  });
}

peerTest(
  "mdns: names of avahi's are resolved, and its name is not taken",
  ["avahi-daemon"],
  source,
  async () => {
    makeTap();
    await withAvahi("neighbour", async () => {
      const found = await ethox([
        "ping",
        "neighbour.local",
        "--addr",
        `${APPLIANCE}/24`,
        "--dns",
        KERNEL,
        "-c",
        "1",
      ]);
      assert.deepEqual([found.status, found.err], [0, ""]);
      assert.match(found.out, /^PING neighbour\.local \(10\.0\.0\.2\)/);
      await using server = await serve(source, "--hostname", "neighbour");
      const { name } = await server.told("a name", ({ event }) => event === "name");
      assert.equal(name, "neighbour-2.local");
      await server.stop();
    });
  },
);
