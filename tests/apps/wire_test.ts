/** `--fault`, `--pcap` and `--filter` on the wire in memory. */
import assert from "node:assert/strict";
import { LinkType, PcapReader, readPcap } from "../../mod.ts";
import { assertComplaint, ethox, events, finished, MAIN, readUntil, spawn } from "../support/command.ts";
import { mayMount, MOUNT_NAMESPACE } from "../support/packed.ts";
import { isAnnouncement } from "../support/pcap.ts";

/** Runs a test with a directory that goes afterwards. */
async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "ethox-wire-" });
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** What tcpdump -dd prints for "arp". */
const ARP_ONLY = `{ 0x28, 0, 0, 0x0000000c },
{ 0x15, 0, 1, 0x00000806 },
{ 0x6, 0, 0, 0x00040000 },
{ 0x6, 0, 0, 0x00000000 },
`;

Deno.test("pcap: all frames of a host are in the file, with the time of day, directions and the NIC's name", () =>
  inDirectory(async (directory) => {
    const path = `${directory}/out.pcapng`;
    // The time of day is that of the start plus what has passed since, and may be set meanwhile: so it is true to a second.
    const before = (Date.now() - 1_000) * 1_000;
    const { status } = await ethox(["serve", "--nic", "link:", "-c", "1", "--pcap", path]);
    const after = (Date.now() + 1_000) * 1_000;
    assert.equal(status, 0);
    const reader = new PcapReader();
    reader.push(await Deno.readFile(path));
    const packets = [];
    for (let packet = reader.next(); packet !== undefined; packet = reader.next()) packets.push(packet);
    reader.finish();
    const announcements = packets.filter(({ bytes }) => isAnnouncement(bytes));
    assert.deepEqual(announcements.map(({ direction }) => direction), ["out"]);
    const others = packets.filter((packet) => !announcements.includes(packet));
    assert.deepEqual(others.map(({ direction }) => direction), ["in", "out", "in", "out"]);
    assert.deepEqual(others.map(({ bytes }) => bytes.length), [42, 42, 98, 98]);
    for (const { timestamp } of packets) assert.ok(timestamp >= before && timestamp <= after);
    const [{ name, linkType, received, dropped } = {}] = reader.interfaces;
    assert.deepEqual([name, linkType, received, dropped], ["link:", LinkType.Ethernet, 2, 0]);
  }));

for (
  const command of [["ping", "10.0.0.2", "-c", "2", "-i", "1ms"], ["arp", "10.0.0.2", "-c", "2", "-i", "1ms"]]
) {
  Deno.test(`pcap: ${command[0]} writes what it sends and what comes back`, () =>
    inDirectory(async (directory) => {
      const path = `${directory}/out.pcapng`;
      assert.equal((await ethox([...command, "--nic", "link:", "--pcap", path])).status, 0);
      const { out } = await ethox(["dump", path]);
      assert.match(out, /out ARP who has 10\.0\.0\.2\? tell 10\.0\.0\.1\n.* in {2}ARP 10\.0\.0\.2 is at /);
    }));
}

Deno.test("pcap: dump writes what it shows, and what a filter keeps from it is in neither", () =>
  inDirectory(async (directory) => {
    const path = `${directory}/out.pcapng`, program = `${directory}/icmp.bpf`;
    await Deno.writeTextFile(program, ARP_ONLY.replace("0806", "0800"));
    const args = ["dump", "--nic", "link:"];
    const [, shown] = await events([...args, "-c", "2", "--pcap", path]);
    const written = [...readPcap(await Deno.readFile(path))];
    assert.equal(written.length, shown.filter(({ event }) => event === "packet").length);
    // The neighbour asks by ARP only, as long as nobody answers.
    const [run, none] = await events([...args, "-d", "50ms", "--pcap", path, "--filter", program]);
    assert.equal(run.status, 0);
    assert.deepEqual(none.map(({ event }) => event), ["ready", "summary"]);
    assert.deepEqual([...readPcap(await Deno.readFile(path))], []);
  }));

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`pcap: ${signal} ends the file as it should end`, () =>
    inDirectory(async (directory) => {
      const path = `${directory}/out.pcapng`;
      const child = spawn("serve", "--nic", "link:", "--json", "--verbose", "--pcap", path);
      const reader = child.stdout.getReader();
      await readUntil(reader, /echo reply/);
      reader.releaseLock();
      child.kill(signal);
      assert.equal((await finished(child)).status, 0);
      const capture = new PcapReader();
      capture.push(await Deno.readFile(path));
      let count = 0;
      while (capture.next() !== undefined) count++;
      capture.finish();
      assert.ok(count >= 4);
      assert.ok((capture.interfaces[0]?.received ?? 0) >= 2, "the statistics come last");
    }));
}

Deno.test("pcap: a file that cannot be made is one line with status 1, and nothing has started", () =>
  inDirectory(async (directory) => {
    const cases = [
      [`${directory}/none/out.pcapng`, /--pcap: \S+ cannot be made: no such file or directory\n/],
      [directory, /--pcap: \S+ cannot be made: is a directory\n/],
    ] as const;
    for (const [path, complaint] of cases) {
      for (const command of [["serve"], ["ping", "10.0.0.2"], ["arp", "10.0.0.2"], ["dump"]]) {
        const run = await ethox([...command, "--nic", "link:", "--pcap", path]);
        assertComplaint(run, complaint);
        assert.deepEqual([run.status, run.out], [1, ""]);
      }
    }
    assert.deepEqual([...Deno.readDirSync(directory)], []);
  }));

Deno.test("pcap: a full disk is noticed before anything starts", async () => {
  const run = await ethox(["ping", "10.0.0.2", "--nic", "link:", "--pcap", "/dev/full"]);
  assertComplaint(run, /^ethox: --pcap: \/dev\/full cannot be written: no space left on device\n$/);
  assert.deepEqual([run.status, run.out], [1, ""]);
});

Deno.test({
  name: "pcap: a disk that gets full ends the command with one line and status 1",
  ignore: !mayMount,
}, async () => {
  const script = 'mount -t tmpfs -o size=8k none /mnt && exec "$0" "$@"';
  const flags = [
    "run",
    "--quiet",
    "--no-prompt",
    "--cached-only",
    "--allow-ffi",
    "--allow-write",
    "--allow-read",
    MAIN,
  ];
  const ping = ["ping", "10.0.0.2", "--nic", "link:", "-i", "1ms", "-s", "1000", "-d", "30s", "--quiet"];
  const args = [
    MOUNT_NAMESPACE,
    "sh",
    "-ec",
    script,
    Deno.execPath(),
    ...flags,
    ...ping,
    "--pcap",
    "/mnt/out.pcapng",
  ];
  const { code, stdout, stderr } = await new Deno.Command("unshare", { args, stdin: "null" }).output();
  const run = { status: code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
  assertComplaint(run, /--pcap: \/mnt\/out\.pcapng cannot be written: no space left on device\n$/);
  assert.deepEqual([run.status, run.out], [1, ""]);
});

Deno.test("pcap: without --allow-write the line says which permission is missing", () =>
  inDirectory(async (directory) => {
    const flags = [
      "run",
      "--quiet",
      "--no-prompt",
      "--cached-only",
      MAIN,
      "ping",
      "10.0.0.2",
      "--nic",
      "link:",
    ];
    const path = `${directory}/out.pcapng`;
    const args = [...flags, "--pcap", path];
    const command = new Deno.Command(Deno.execPath(), {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
    const run = await finished(command.spawn());
    assertComplaint(run, /cannot be made: Deno may not use it; run it with --allow-write/);
    assert.equal(run.status, 1);
  }));

Deno.test("fault: all is lost, and the statistics say where; --quiet keeps to the result", async () => {
  const args = ["ping", "10.0.0.2", "--nic", "link:", "-c", "3", "-i", "1ms", "-W", "20ms"];
  const [{ status }, lines] = await events([...args, "--fault", "out.loss=100%"]);
  assert.equal(status, 1);
  const { received, faults } = lines.at(-1)! as {
    received: number;
    faults: Record<string, Record<string, number>>;
  };
  assert.equal(received, 0);
  assert.equal(faults["out"]!["passed"], 0);
  assert.ok(faults["out"]!["lost"]! >= 1);
  assert.deepEqual(faults["in"], { passed: 0 });
  const { out } = await ethox([...args, "--fault", "out.loss=100%"]);
  assert.match(out, /\nfaults on the wire:\n {2}in {3}passed 0\n {2}out {2}passed 0 {2}lost \d+\n$/);
  assert.doesNotMatch((await ethox([...args, "--fault", "down", "--quiet"])).out, /faults/);
});

Deno.test("fault: a delay is waited for, both ways", async () => {
  const args = ["ping", "10.0.0.2", "--nic", "link:", "-c", "3", "-i", "1ms", "--fault", "delay=20ms"];
  const [{ status }, lines] = await events(args);
  assert.equal(status, 0);
  const replies = lines.filter(({ event }) => event === "reply");
  assert.equal(replies.length, 3);
  for (const { rttMs } of replies) assert.ok(Number(rttMs) >= 40, String(rttMs));
});

Deno.test("fault: a doubled request is answered twice, and counted apart from the layers' drops", async () => {
  const args = ["serve", "--nic", "link:", "-c", "2", "--fault", "in.dup=100%"];
  const [{ status }, lines] = await events(args);
  assert.equal(status, 0);
  const { packets, drops, faults } = lines.at(-1)! as Record<string, Record<string, Record<string, number>>>;
  assert.equal(packets!["icmp"]!["answered"], 2);
  assert.deepEqual(drops, {});
  assert.deepEqual(faults!["in"], { passed: 4, duplicated: 2 });
  assert.match(
    (await ethox(args)).out,
    /nothing was dropped\nfaults on the wire:\n {2}in {3}passed 4 {2}duplicated 2\n/,
  );
});

Deno.test("filter: only what the program matches reaches the host, and the summary says how much did not", () =>
  inDirectory(async (directory) => {
    const program = `${directory}/arp.bpf`;
    await Deno.writeTextFile(program, ARP_ONLY);
    const args = ["serve", "udp-echo", "--nic", "link:", "-d", "500ms", "--filter", program];
    const [{ status }, lines] = await events(args);
    assert.equal(status, 0);
    const { packets, filter } = lines.at(-1)! as {
      packets: Record<string, Record<string, number>>;
      filter: Record<string, number>;
    };
    assert.ok(filter["passed"]! >= 1 && filter["filtered"]! >= 1, JSON.stringify(filter));
    assert.equal(packets["arp"]!["requests"], filter["passed"]);
    assert.equal(packets["ip"]!["received"], 0);
    assert.match((await ethox(args)).out, /\nthe filter let \d+ of \d+ frames pass\n$/);
  }));

Deno.test("filter: a file that is missing, endless or no program is one line with status 2, file and place", () =>
  inDirectory(async (directory) => {
    const texts: readonly (readonly [string, RegExp])[] = [
      ["", /: an empty program/],
      ["{ 0x28, 0, 0 },", /: line 1: an instruction is four numbers/],
      [`${ARP_ONLY}{ 0x6, 0, x, 0 },`, /: line 5: "x" is no number/],
      ["2\n6 0 0 1\n", /: the first line announces 2 instructions, but 1 follow/],
      ["1\n40 0 0 12\n", /: instruction 0: the last instruction must be a return/],
      ["2\n5 0 0 4294967295\n6 0 0 0\n", /: instruction 0: jumps backwards/],
      ["\u00ff\u0000binary", /: line 1: /],
      ["tcp port 80", /: line 1: .*tcpdump -y EN10MB -dd EXPRESSION/],
    ];
    const path = `${directory}/program`;
    for (const [text, complaint] of texts) {
      await Deno.writeTextFile(path, text);
      for (const command of ["serve", "dump"]) {
        const run = await ethox([command, "--nic", "link:", "--filter", path]);
        assertComplaint(run, complaint);
        assert.ok(run.err.startsWith(`ethox: --filter: ${path}: `), run.err);
        assert.deepEqual([run.status, run.out], [2, ""]);
      }
    }
    const refused: readonly (readonly [string, RegExp])[] = [
      [`${directory}/none`, /cannot be read: no such file or directory\n/],
      [directory, /cannot be read: is a directory/],
      ["/dev/zero", /more than 1048576 bytes/],
    ];
    for (const [name, complaint] of refused) {
      const run = await ethox(["serve", "--nic", "link:", "--filter", name]);
      assertComplaint(run, complaint);
      assert.equal(run.status, 2);
    }
  }));

/** Arguments, and what the one line on stderr must say; the status is 2. */
const WRONG: readonly (readonly [readonly string[], RegExp])[] = [
  [["serve", "udp-echo:0"], /serve: "udp-echo:0": "0" is no port; write a whole number from 1 to 65535/],
  [["serve", "udp-echo:65536"], /"65536" is no port/],
  [["serve", "udp-echo:"], /"udp-echo:": "" is no port/],
  [["serve", "udp-echo:echo"], /"echo" is no port/],
  [["serve", "udp-echo:7:8"], /"7:8" is no port/],
  [["serve", "udp-echo", "udp-echo"], /udp-echo already has UDP port 7; write another one, as udp-echo:PORT/],
  [["serve", "udp-echo:7007", "udp-echo:7007"], /udp-echo already has UDP port 7007/],
  [["serve", "ping:7"], /ping has no port; write ping/],
  [["serve", "gopher:70"], /no service "gopher" in this version; allowed is ping, udp-echo\[:7\]/],
  [["serve", "UDP-echo"], /no service "UDP-echo"/],
  [["serve", "--fault", "loss=2"], /--fault: fault "loss=2": loss must be a share such as 1%/],
  [["serve", "--fault", "lag=5ms"], /--fault: fault "lag=5ms": there is no fault "lag"; there are loss, /],
  [["ping", "10.0.0.2", "--fault", ""], /--fault: fault ""/],
  [["ping", "10.0.0.2", "--fault", "queue=5"], /--fault: .*queue needs a rate/],
  [["arp", "10.0.0.2", "--fault", "loss=1%,loss=2%"], /--fault: .*loss is given twice/],
  [["serve", "--pcap", ""], /--pcap: "" is no file.*write a file's name/],
  [["serve", "--pcap", "-"], /--pcap: "-" is no file, and stdout is taken/],
  [["ping", "10.0.0.2", "--filter", "x"], /unknown option '--filter'/],
  [["dump", "--fault", "loss=1%"], /unknown option '--fault'/],
];

for (const [args, complaint] of WRONG) {
  Deno.test(`command: "${["ethox", ...args].join(" ")}" is refused in one line with status 2`, async () => {
    const run = await ethox([...args, "--nic", "link:"]);
    assertComplaint(run, complaint);
    assert.deepEqual([run.status, run.out], [2, ""]);
  });
}

Deno.test("serve: the services that were asked for are in the ready event, with their ports", async () => {
  const [{ status }, lines] = await events([
    "serve",
    "ping",
    "udp-echo",
    "udp-echo:7007",
    "--nic",
    "link:",
    "-d",
    "20ms",
  ]);
  assert.equal(status, 0);
  assert.deepEqual(lines[0]!.services, ["ping", "udp-echo:7", "udp-echo:7007"]);
  const { packets } = lines.at(-1)! as Record<string, Record<string, unknown>>;
  assert.deepEqual(packets!["udp-echo:7007"], { answered: 0 });
  assert.ok("udp" in packets!);
});
