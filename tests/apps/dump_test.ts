/** `ethox dump FILE`. */
import assert from "node:assert/strict";
import { LinkType } from "../../mod.ts";
import { assertComplaint, ethox, events, MAIN, readUntil, spawn } from "../support/command.ts";
import { arpFrame, data, echoRequest, icmp, ipv4 } from "../support/frames.ts";
import { classic, frame, ng, type Written } from "../support/pcap.ts";

/** Writes a capture, and answers with where. */
async function withCapture(bytes: Uint8Array, body: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ prefix: "ethox-dump-", suffix: ".pcap" });
  try {
    await Deno.writeFile(path, bytes);
    await body(path);
  } finally {
    await Deno.remove(path);
  }
}

/** 2023-11-14 22:13:20 UTC. */
const EPOCH = 1_700_000_000_000_000;

const FRAMES: readonly Written[] = [
  frame(arpFrame(), { timestamp: EPOCH + 7, direction: "in" }),
  frame(echoRequest(), { timestamp: EPOCH + 1_000_042, direction: "out" }),
  frame(echoRequest({ data: data(3) }), { timestamp: EPOCH + 2_000_000, comment: "dropped: icmp.silenced" }),
];

Deno.test("dump: a capture is printed like a NIC's frames, with its times, directions and comments", () =>
  withCapture(ng(FRAMES), async (path) => {
    const { status, out, err } = await ethox(["dump", path]);
    assert.deepEqual([status, err], [0, ""]);
    const lines = out.split("\n");
    assert.match(lines[0]!, /^\d\d:\d\d:20\.000007 in {2}ARP who has 10\.0\.0\.1\? tell 10\.0\.0\.2$/);
    assert.match(
      lines[1]!,
      /^\d\d:\d\d:21\.000042 out 10\.0\.0\.2 > 10\.0\.0\.1: ICMP echo request, id 5, seq 1, length 16$/,
    );
    assert.match(lines[2]!, /^\d\d:\d\d:22\.000000 {5}10\.0\.0\.2 > 10\.0\.0\.1: ICMP echo request/);
    assert.deepEqual(lines.slice(3), ["    # dropped: icmp.silenced", "3 frames", ""]);
  }));

Deno.test("dump: --json tells the same of each packet, and --verbose every field", () =>
  withCapture(ng(FRAMES), async (path) => {
    const [{ status }, lines] = await events(["dump", path, "--verbose"]);
    assert.equal(status, 0);
    assert.deepEqual(lines[0], { event: "ready", file: path });
    assert.deepEqual(lines.map(({ time }) => time).slice(1, 4), [
      "2023-11-14T22:13:20.000007Z",
      "2023-11-14T22:13:21.000042Z",
      "2023-11-14T22:13:22.000000Z",
    ]);
    assert.deepEqual(lines.map(({ direction }) => direction), [undefined, "in", "out", undefined, undefined]);
    assert.equal(lines[3]!.comment, "dropped: icmp.silenced");
    for (const { fields } of lines.slice(1, 4)) assert.ok(Array.isArray(fields) && fields.length > 2);
    assert.deepEqual(lines[4], { event: "summary", frames: 3 });
    const { out } = await ethox(["dump", path, "-v"]);
    assert.match(out, /\n {4}Ethernet 02:00:00:00:00:02 > 02:00:00:00:00:01/);
  }));

Deno.test("dump: classic pcap is printed, too, and --count ends it", () =>
  withCapture(classic(FRAMES), async (path) => {
    const { status, out } = await ethox(["dump", path, "--count", "2"]);
    assert.equal(status, 0);
    assert.match(out, /^[^\n]+ARP who has[^\n]+\n[^\n]+ICMP echo[^\n]+\n2 frames\n$/);
  }));

Deno.test("dump: captures that begin with IP are read; those of other links are shown as such", async () => {
  const packet = ipv4(icmp());
  for (const linkType of [LinkType.Raw, LinkType.Ipv4]) {
    await withCapture(ng([frame(packet)], { linkType }), async (path) => {
      const { status, out } = await ethox(["dump", path, "-v"]);
      assert.equal(status, 0);
      assert.match(out, /10\.0\.0\.2 > 10\.0\.0\.1: ICMP echo request/);
      assert.match(out, /\n {4}IPv4 /);
    });
  }
  await withCapture(ng([frame(packet)], { linkType: LinkType.LinuxSll }), async (path) => {
    const { status, out } = await ethox(["dump", path, "-v"]);
    assert.equal(status, 0);
    assert.match(out, /link type 113, which is not read, length 36\n/);
  });
});

Deno.test("dump: a packet that was not captured whole says so", () =>
  withCapture(ng([frame(echoRequest({ data: data(200) }))], { snapLength: 60 }), async (path) => {
    const { out } = await ethox(["dump", path]);
    assert.match(out, / \[60 of 242 bytes captured\]\n/);
    const [, lines] = await events(["dump", path]);
    assert.deepEqual([lines[1]!.length, lines[1]!.captured], [242, 60]);
  }));

Deno.test("dump: --filter prints only what the program matches", () =>
  withCapture(ng(FRAMES), async (path) => {
    const program = await Deno.makeTempFile();
    await Deno.writeTextFile(program, "4\n40 0 0 12\n21 0 1 2054\n6 0 0 262144\n6 0 0 0\n");
    const { status, out } = await ethox(["dump", path, "--filter", program]);
    const [, lines] = await events(["dump", path, "--filter", program]);
    await Deno.remove(program);
    assert.equal(status, 0);
    assert.match(out, /^[^\n]+ARP who has[^\n]+\n1 of 3 frames matched\n$/);
    assert.deepEqual(lines.at(-1), { event: "summary", frames: 1, read: 3 });
  }));

Deno.test("dump: of a file that is cut off anywhere the whole packets are printed, then the place in one line", async () => {
  for (const whole of [ng(FRAMES), classic(FRAMES)]) {
    for (let length = 1; length < whole.length; length += 13) {
      await withCapture(whole.slice(0, length), async (path) => {
        const run = await ethox(["dump", path]);
        const packets = run.out.match(/ARP who|ICMP echo/g)?.length ?? 0;
        assert.match(run.out, new RegExp(`^${packets} frames?$`, "m"));
        // A cut between two records is the end of a file, only that less is in it.
        if (run.status === 0) return;
        assertComplaint(run, new RegExp(`^ethox: ${path}: byte \\d+: the file ends \\d+ bytes into`));
        assert.equal(run.status, 1);
      });
    }
  }
});

Deno.test("dump: an empty file, another kind of file and a damaged one are one line with the byte, and status 1", async () => {
  const damaged = ng(FRAMES);
  damaged.fill(0xff, damaged.length - 60, damaged.length - 50);
  const cases: readonly (readonly [Uint8Array, RegExp])[] = [
    [new Uint8Array(0), /: byte 0: the file is empty/],
    [new TextEncoder().encode("#!/bin/sh\n"), /: byte 0: neither pcap nor pcapng/],
    [Uint8Array.of(0x1f, 0x8b, 8, 0, 0), /: byte 0: the file is compressed; unpack it first/],
    [damaged, /: byte \d+: /],
  ];
  for (const [bytes, complaint] of cases) {
    await withCapture(bytes, async (path) => {
      const run = await ethox(["dump", path]);
      assertComplaint(run, complaint);
      assert.equal(run.status, 1);
      assert.match(run.out, /^\d frames?$/m);
    });
  }
});

Deno.test("dump: a file that cannot be opened or read is one line with status 1", async () => {
  const run = await ethox(["dump", "/nowhere/out.pcap"]);
  assertComplaint(run, /^ethox: dump: \/nowhere\/out\.pcap cannot be read: no such file or directory\n$/);
  assert.deepEqual([run.status, run.out], [1, ""]);
  const directory = await ethox(["dump", "/"]);
  assertComplaint(directory, /^ethox: dump: \/ cannot be read: is a directory\n$/);
  assert.equal(directory.status, 1);
});

Deno.test("dump: a comment cannot give orders to the terminal", () =>
  withCapture(ng([frame(arpFrame(), { comment: "one\ntwo\x1b[2J\u202e\x07" })]), async (path) => {
    const { out } = await ethox(["dump", path]);
    assert.match(out, /\n {4}# one; two\\u\{1b\}\[2J\\u\{202e\}\\u\{7\}\n/);
  }));

Deno.test("dump: options about a NIC make no sense beside a file", async () => {
  for (const args of [["--nic", "link:"], ["--pcap", "x"], ["--duration", "1s"]]) {
    const run = await ethox(["dump", "in.pcap", ...args]);
    assertComplaint(run, new RegExp(`dump: ${args[0]} is about a NIC; leave out either it or in\\.pcap`));
    assert.equal(run.status, 2);
  }
});

Deno.test("dump: - reads stdin as it comes, and a reader that has enough ends it without a word", async () => {
  const flags = ["run", "--quiet", "--no-prompt", "--cached-only", "--allow-ffi", "--allow-read", MAIN];
  const child = new Deno.Command(Deno.execPath(), {
    args: [...flags, "dump", "-", "--json"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const whole = ng(FRAMES);
  const reader = child.stdout.getReader();
  const decoder = new TextDecoder();
  await writer.write(whole.slice(0, whole.length - 150));
  let text = await readUntil(reader, /ARP who has/);
  await writer.write(whole.slice(whole.length - 150));
  await writer.close();
  for (let done = false; !done;) {
    const next = await reader.read();
    done = next.done;
    text += decoder.decode(next.value);
  }
  assert.match(text, /^\{"event":"ready","file":"stdin"\}\n(.*\n){3}\{"event":"summary","frames":3\}\n$/);
  assert.deepEqual([(await child.status).code, await new Response(child.stderr).text()], [0, ""]);

  await withCapture(ng(Array(500).fill(FRAMES[1])), async (path) => {
    const dump = spawn("dump", path, "--verbose");
    const some = dump.stdout.getReader();
    await some.read();
    await some.cancel();
    const [status, err] = await Promise.all([dump.status, new Response(dump.stderr).text()]);
    assert.deepEqual([status.code, err], [0, ""]);
  });
});
