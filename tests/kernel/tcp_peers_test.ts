/**
 * The programs that people have, against our TCP, over a wire that loses nothing, one packet in a hundred, and one in ten,
 * each way: every byte arrives, nobody sees an error, no flood or scan does harm, nothing stays behind, and Wireshark finds
 * nothing wrong with what we say. Floods and scans without loss are in `tcp_load_test.ts`.
 */
import assert from "node:assert/strict";
import { findProgram } from "../../scripts/setup/programs.ts";
import { Stack } from "../../sockets/stack.ts";
import { ethox } from "../support/command.ts";
import { type Server, source } from "../support/ethox.ts";
import { EXPERT_PROGRAMS, Recording } from "../support/expert.ts";
import { lose, LOSS_PROGRAMS, lost } from "../support/loss.ts";
import { APPLIANCE, KERNEL, peer, peerTest, PREFIX, serveOn, TAP } from "../support/peer.ts";
import { assertEchoed, hash, noise, shell, withDirectory, writeNoise } from "../support/tcp-peers.ts";

const PAGE = `http://${APPLIANCE}/`;
const MIB = 1 << 20;

/** What is sent each way before Wireshark's eyes, and as much of a frame as headers with all options take. */
const WATCHED = 20 * MIB, HEADERS = 96;

/**
 * What is lost, what is sent in one go, and what our sockets send, which begin with CUBIC. At 10 % a sender needs its
 * time, the kernel's too: 64 MiB arrive as well, in half a minute more.
 */
const WIRES = [
  { percent: 0, bulk: 64 * MIB, own: 16 * MIB },
  { percent: 1, bulk: 64 * MIB, own: 16 * MIB },
  { percent: 10, bulk: 8 * MIB, own: 4 * MIB },
];

for (const { percent, bulk, own } of WIRES) {
  peerTest(
    `tcp: curl, socat, nc and wrk, ${
      percent === 0 ? "" : "nmap and hping3, "
    }with ${percent} % of all packets lost each way`,
    ["curl", "socat", "nc", "wrk", "nmap", "hping3", ...LOSS_PROGRAMS, ...EXPERT_PROGRAMS],
    source,
    () =>
      withDirectory(async (directory) => {
        await using server = await serveOn(
          "offload=off,threaded=off",
          source,
          "tcp-echo",
          "discard",
          "chargen",
          "http",
        );
        if (percent > 0) await lose(percent);

        if (percent > 0) await flood(server);
        const recording = await Recording.start(`${directory}/record.pcap`);
        await fetchPages();
        await transfer(directory, MIB);
        if (percent > 0) await scan(percent);
        await recording.assertNothingWrong(2_000);
        if (percent === 1) await watchBulk(directory);

        await transfer(directory, bulk);
        await load();
        if (percent > 0) { for (const count of await lost()) assert.ok(count > 1_000, `${count} were lost`); }
        await assertAllClosed(server, percent > 0);

        await download(directory, bulk);
        await upload(own);
      }),
  );
}

/** curl(1), with connections of its own and with one for several requests. */
async function fetchPages(): Promise<void> {
  for (let round = 0; round < 10; round++) {
    const { code, stdout, stderr } = await curl("--fail", PAGE);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /<h1>ethox<\/h1>/);
  }
  const none = ["-o", "/dev/null", "-w", "%{http_code} "];
  const { stdout } = await curl(
    ...none,
    PAGE,
    ...none.slice(0, 2),
    `${PAGE}nothing`,
    ...none.slice(0, 2),
    PAGE,
  );
  assert.equal(stdout, "200 404 200 ");
  const closed = await curl(`http://${APPLIANCE}:81/`);
  assert.equal(closed.code, 7, "refused");
}

async function curl(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return await peer("curl", ["--silent", "--show-error", "--max-time", "60", ...args]);
}

/** Both ways at once by socat(1) and nc(1), towards us alone, and from us alone. */
async function transfer(directory: string, length: number): Promise<void> {
  await assertEchoed(directory, length, `socat -t 100 - TCP4:${APPLIANCE}:7`);
  await assertEchoed(directory, MIB, `nc -N ${APPLIANCE} 7`);
  await discard(directory, MIB);
  await generate(directory, length);
}

/** socat(1) towards us alone. */
async function discard(directory: string, length: number): Promise<void> {
  writeNoise(`${directory}/sent`, length);
  const { code, stderr } = await shell(`socat -u -t 100 OPEN:${directory}/sent TCP4:${APPLIANCE}:9`);
  assert.equal(code, 0, stderr);
}

/** From us alone. */
async function generate(directory: string, length: number): Promise<void> {
  const { stderr } = await shell(
    `socat -u TCP4:${APPLIANCE}:19 - | head -c ${length} > ${directory}/received`,
  );
  assert.equal(hash(`${directory}/received`), hash(chargen(length)), stderr);
}

/** A long transfer each way, whose headers Wireshark is shown. */
async function watchBulk(directory: string): Promise<void> {
  const recording = await Recording.start(`${directory}/bulk.pcap`, HEADERS);
  await discard(directory, WATCHED);
  await generate(directory, WATCHED);
  const { sent, acknowledged } = await recording.assertNothingWrong(10_000);
  // socat does not wait for the last of it, which is in a buffer of the kernel's.
  assert.ok(
    sent >= WATCHED && acknowledged >= WATCHED - 4 * MIB,
    `${sent} sent, ${acknowledged} acknowledged`,
  );
}

/** What a generator of characters sends (RFC 864): 95 lines of 74 bytes over and over. */
function chargen(length: number): Uint8Array {
  const printing = Array.from({ length: 95 }, (_, code) => String.fromCharCode(0x20 + code)).join("");
  const cycle = Array.from(printing, (_, line) => `${(printing + printing).slice(line, line + 72)}\r\n`).join(
    "",
  );
  const bytes = new TextEncoder().encode(cycle);
  const all = new Uint8Array(length);
  for (let at = 0; at < length; at += bytes.length) all.set(bytes.subarray(0, length - at), at);
  return all;
}

/** nmap(1) tells open ports from closed ones, and what is behind them, as far as its own probes get through. */
async function scan(percent: number): Promise<void> {
  const kinds = ["-sS", "-sV", "--version-light", "-O", "--max-os-tries", "1"];
  const { code, stdout, stderr } = await peer("nmap", [
    "-n",
    "-Pn",
    "-T4",
    ...kinds,
    "-p",
    "7,80,81",
    APPLIANCE,
  ]);
  assert.equal(code, 0, stderr);
  if (percent < 10) {
    assert.match(stdout, /^7\/tcp +open +/m);
    assert.match(stdout, /^80\/tcp +open +http/m);
    assert.match(stdout, /^81\/tcp +closed /m);
  }
  await assertServes();
}

async function assertServes(): Promise<void> {
  const { code, stderr } = await curl("--fail", "-o", "/dev/null", PAGE);
  assert.equal(code, 0, stderr);
}

/** wrk(1): a hundred connections, ten seconds, no error. */
async function load(): Promise<void> {
  const { code, stdout, stderr } = await peer("wrk", [
    ...["-t", "1", "-c", "100", "-d", "10", "--timeout", "60s"],
    PAGE,
  ]);
  assert.equal(code, 0, stderr);
  // wrk has a line on errors only if there were some.
  assert.doesNotMatch(stdout, /Socket errors|Non-2xx/);
  assert.ok(Number(/(\d+) requests in/.exec(stdout)?.[1]) >= 100, stdout);
  await assertServes();
}

/** What hping3(1) floods with: SYNs (RFC 4987), also of peers that there are not, and what belongs to no connection. */
const FLOODS: readonly (readonly string[])[] = [
  ["-S"],
  ["-S", "--rand-source"],
  ["-A"],
  ["-R"],
  ["-F"],
  ["-F", "-P", "-U"],
];

/**
 * Each as fast as it goes, ten seconds in all: pages are fetched meanwhile, and memory stays bounded. What
 * overflows the queue before us is lost, so the last page is there when its sender tries again, at the latest behind the
 * flood.
 */
async function flood(server: Server): Promise<void> {
  await assertServes();
  const before = resident(server.pid);
  for (const flags of FLOODS) {
    const hping = new Deno.Command(findProgram("hping3")!, {
      args: ["-q", ...flags, "--flood", "-p", "80", APPLIANCE],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    let isOver = false;
    const stop = () => {
      if (!isOver) hping.kill("SIGINT");
      isOver = true;
    };
    const timer = setTimeout(stop, 10_000 / FLOODS.length);
    try {
      do await assertServes(); while (!isOver);
    } finally {
      clearTimeout(timer);
      stop();
    }
    const text = new TextDecoder().decode((await hping.output()).stderr);
    assert.ok(Number(/(\d+) packets tr/.exec(text)?.[1]) > 1_000, `hping3 ${flags.join(" ")}: ${text}`);
  }
  await assertServes();
  const after = resident(server.pid);
  // The buffers of V8's young generation alone may grow by some tens of MiB.
  assert.ok(after - before < 150, `${before} MiB before the floods, ${after} MiB after them`);
}

/** What a process has of memory, in MiB. */
function resident(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1_024;
}

/** No slot is held but that of who asks: the ends that were lost are told again, and the rest is given up in bounded time. */
async function assertAllClosed(server: Server, wasFlooded: boolean): Promise<void> {
  const limit = performance.now() + 120_000;
  for (let open = ""; open !== "1";) {
    assert.ok(performance.now() < limit, `${open} connections are left`);
    open = /TCP connections<td>(\d+)/.exec((await curl(PAGE)).stdout)?.[1] ?? "";
  }
  const { packets, drops } = await server.stop();
  const { tcp, "http:80": http } = packets;
  assert.ok(tcp!["received"]! > 10_000, JSON.stringify({ packets, drops }));
  if (wasFlooded) assert.ok(tcp!["cookies"]! > 1_000, JSON.stringify({ packets, drops }));
  assert.ok(http!["answered"]! > 100, JSON.stringify({ packets, drops }));
}

/** Our own curl, from a server on the kernel's side. */
async function download(directory: string, length: number): Promise<void> {
  const file = noise(length);
  await using _server = Deno.serve(
    { hostname: KERNEL, port: 8_000, onListen: () => {} },
    () => new Response(file),
  );
  const output = `${directory}/download`;
  const nic = ["--nic", `tap:${TAP},offload=off,threaded=off`, "--addr", `${APPLIANCE}/24`];
  const { status, err } = await ethox(["curl", `http://${KERNEL}:8000/`, ...nic, "-o", output]);
  assert.deepEqual([status, err], [0, ""]);
  assert.equal(hash(output), hash(file));
}

/** Our own sockets, to one on the kernel's side. */
async function upload(length: number): Promise<void> {
  const file = noise(length), received = new Uint8Array(length + 1);
  using listener = Deno.listen({ hostname: KERNEL, port: 8_001 });
  await using stack = await Stack.open({
    nic: `tap:${TAP},offload=off,threaded=off`,
    addresses: [`${APPLIANCE}${PREFIX}`],
  });
  const [conn, end] = await Promise.all([
    stack.connect({ hostname: KERNEL, port: 8_001 }),
    listener.accept(),
  ]);
  const writing = (async () => {
    for (let at = 0; at < length;) at += await conn.write(file.subarray(at));
    await conn.closeWrite();
  })();
  let at = 0;
  for (let count = await end.read(received); count !== null; count = await end.read(received.subarray(at))) {
    at += count;
  }
  await writing;
  assert.equal(at, length);
  assert.equal(hash(received.subarray(0, length)), hash(file));
  end.close();
  assert.equal(await conn.read(new Uint8Array(1)), null);
  conn.close();
}
