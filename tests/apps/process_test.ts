import assert from "node:assert/strict";
import { findProgram } from "../../scripts/setup/programs.ts";
import { assertComplaint, finished, MAIN, readUntil, spawn } from "../support/command.ts";

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`process: ${signal} ends serve with a summary and status 0`, async () => {
    const child = spawn("serve", "--nic", "link:", "--json");
    const reader = child.stdout.getReader();
    const ready = await readUntil(reader, /\n/);
    assert.match(ready, /^\{"event":"ready","nic":"link:"/);
    child.kill(signal);
    await readUntil(reader, /"event":"summary".*\n/);
    reader.releaseLock();
    const { status, err } = await finished(child);
    assert.equal(status, 0);
    assert.equal(err, "");
  });
}

Deno.test("process: a reader that has enough (EPIPE) ends it without a word", async () => {
  const child = spawn("ping", "10.0.0.2", "--nic", "link:", "-i", "5ms");
  const reader = child.stdout.getReader();
  await readUntil(reader, /icmp_seq=1/);
  await reader.cancel();
  const [status, err] = await Promise.all([child.status, new Response(child.stderr).text()]);
  assert.equal(status.code, 0);
  assert.equal(err, "");
});

/** Runs shell commands in which "ethox" is the program, and "io" its stdout and stderr. */
function inShell(script: string, prefix: readonly string[] = []) {
  const deno = `"${Deno.execPath()}"`;
  const io = new URL("../../apps/cli/io.ts", import.meta.url).href;
  const run = [...prefix, deno, "run --quiet --no-prompt --cached-only --allow-ffi"].join(" ");
  const functions = `ethox() { ${run} "${MAIN}" "$@"; }
io() { ${deno} eval --quiet "import { processIo } from '${io}'; const io = processIo(''); $1"; }`;
  return finished(
    new Deno.Command("sh", {
      args: ["-c", `${functions}\n${script}`],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn(),
  );
}

const hasFull = Deno.build.os === "linux";

Deno.test(
  { name: "process: a warning that nobody can take (ENOSPC) ends nothing", ignore: !hasFull },
  async () => {
    const { status, out } = await inShell(`io "io.err('a warning'); io.out('on')" 2>/dev/full`);
    assert.deepEqual([status, out], [0, "on"]);
  },
);

Deno.test(
  { name: "process: stdout on a full disk is told as such, by curl with 23", ignore: !hasFull },
  async () => {
    const ping = await inShell("ethox ping 10.0.0.2 --nic link: >/dev/full");
    assertComplaint(ping, /stdout cannot be written: no space left on device$/m);
    assert.equal(ping.status, 1);
    const curl = await inShell("ethox curl http://10.0.0.2/ --nic link: >/dev/full");
    assertComplaint(curl, /stdout cannot be written: no space left on device$/m);
    assert.equal(curl.status, 23);
  },
);

Deno.test("process: curl whose reader has enough (EPIPE) ends with 23, as curl does", async () => {
  const { out, err } = await inShell(
    "exec 3>&1; { ethox curl http://10.0.0.2/ --nic link:; echo $? >&3; } | true",
  );
  assert.deepEqual([out, err], ["23\n", "ethox: stdout cannot be written: nobody reads it\n"]);
});

Deno.test("process: a reader that is slow is waited for, whoever has made stdout non-blocking (EAGAIN)", async () => {
  const { status, out, err } = await inShell(
    `io "const { writeSync } = Deno.stdout, bytes = Deno.stdout; let turn = 0;
bytes.writeSync = (chunk) => {
  if (turn++ % 2 === 0) throw new Deno.errors.WouldBlock('os error 11');
  return writeSync.call(bytes, chunk.subarray(0, 2));
};
io.out('all of it');"`,
  );
  assert.deepEqual([status, out, err], [0, "all of it", ""]);
});

Deno.test("process: wrong usage ends it with status 2 and one line", async () => {
  const run = await finished(spawn("serve", "--addr", "10.0.0.300/24"));
  assertComplaint(run, /--addr/);
  assert.equal(run.status, 2);
});

Deno.test("process: without --allow-ffi a TAP is refused with status 3, and the wire in memory works", async () => {
  const start = (...args: string[]) => {
    const flags = ["run", "--quiet", "--no-prompt", "--cached-only", MAIN];
    return finished(new Deno.Command(Deno.execPath(), {
      args: [...flags, ...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn());
  };
  const tap = await start("serve", "--addr", "10.0.0.1/24");
  assertComplaint(tap, /--allow-ffi/);
  assert.equal(tap.status, 3);
  const memory = await start("arp", "10.0.0.2", "--nic", "link:");
  assert.equal(memory.status, 0, memory.err);
  const nics = await start("nics");
  assert.equal(nics.out.match(/^(tap|tun|raw|xdp):\S+ +no +.*--allow-ffi$/gm)?.length, 5, nics.out);
  assert.match(nics.out, /\nlink: +yes .*\n$/);
  assert.equal(nics.status, 0);
  const demo = await start("demo");
  assert.equal(demo.status, 0, demo.err);
  assert.match(demo.out, /^no TAP to be had \(.*--allow-run.*\): showing the same in memory\n/);
});

/** Takes root the right to become somebody else; whoever is not root has none. */
const POWERLESS = Deno.uid() === 0 ? ["setpriv", "--bounding-set=-setuid,-setgid"] : [];
const isPowerless = Deno.uid() !== 0 || findProgram("setpriv") !== undefined;

Deno.test(
  { name: "process: a user that it may not become is no fault of the NIC's: status 1", ignore: !isPowerless },
  async () => {
    const args = "serve --nic link: --duration 20ms --user nobody";
    const run = await inShell(`ethox ${args}`, POWERLESS);
    assertComplaint(
      run,
      /^ethox: --user: nobody: cannot become this user .*run as root, or leave --user out$/m,
    );
    assert.equal(run.status, 1);
  },
);
