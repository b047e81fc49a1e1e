/** The demonstration as a process of its own, on machines that have more or less of what it uses. */
import assert from "node:assert/strict";
import { finished, MAIN, type Run, spawn } from "../support/command.ts";
import { kernelTest, sysctl } from "../support/netns.ts";

const FLAGS = ["run", "--quiet", "--no-prompt", "--cached-only", "--allow-ffi", "--allow-run", MAIN, "demo"];

/** Whether this user may put other files into the places of files, which some of these tests do. */
const mayMount: boolean = await new Deno.Command("unshare", {
  args: ["-m", "mount", "--bind", "/dev/null", "/dev/null"],
  stderr: "null",
}).output().then(({ success }) => success, () => false);

/** Runs a shell script in a mount namespace of its own; "$@" starts the demonstration. */
function onMachine(script: string, env: Record<string, string> = {}): Promise<Run> {
  return finished(
    new Deno.Command("unshare", {
      args: ["-m", "sh", "-euc", script, "sh", Deno.execPath(), ...FLAGS],
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn(),
  );
}

function machineTest(name: string, body: () => Promise<void>): void {
  if (mayMount) kernelTest(name, body);
  else Deno.test({ name: `${name} [skipped: this user may not mount]`, ignore: true, fn: body });
}

function assertAnswered({ status, out, err }: Run, peer: string): void {
  assert.equal(status, 0, err + out);
  assert.equal(err, "");
  assert.ok(out.includes(`${peer} → ethox`), out);
  assert.match(out, /all 5 probes were answered/);
}

/** Hides programs from everybody. */
function hide(...programs: string[]): string {
  const places = programs.flatMap((
    program,
  ) => [`/usr/sbin/${program}`, `/usr/bin/${program}`, `/bin/${program}`]);
  return `for f in ${places.join(" ")}; do [ ! -e $f ] || mount --bind /dev/null $f; done`;
}

kernelTest(
  "demo: the kernel on a TAP gets every answer, through the programs that are installed",
  async () => {
    const run = await finished(spawn("demo"));
    assertAnswered(run, "kernel");
    assert.match(run.out, /on tap:ethox0/);
    assert.match(run.out, /length 1480 .*\n/);
    assert.match(run.out, /\n\$ ping -6 -c 5 -i 0\.2 fd00::1\n/);
    assert.match(run.out, /kernel → ethox +ICMPv6 neighbour solicitation, target fd00::1, /);
    // What the kernel says by itself, such as reports of its groups, is counted in one line.
    assert.doesNotMatch(run.out, /ff02::16|multicast listener|router solicitation/);
    assert.match(run.out, /\n\d+ packets in which IPv6 keeps house .* were not shown\n/);
  },
);

kernelTest("demo: SIGINT ends it with its child and its namespace", async () => {
  const child = spawn("demo", "--json");
  const reader = child.stdout.getReader();
  const first = new TextDecoder().decode((await reader.read()).value);
  assert.match(first, /^\{"event":"ready","nic":"tap:ethox0"/);
  child.kill("SIGINT");
  for (let done = false; !done;) ({ done } = await reader.read());
  assert.equal((await child.status).code, 130);
  assert.equal(await new Response(child.stderr).text(), "");
});

machineTest("demo: without ping and arping the kernel's own socket asks", async () => {
  const run = await onMachine(`${hide("ping", "arping")}; exec "$@"`);
  assertAnswered(run, "kernel");
  assert.match(run.out, /the kernel's ICMP socket, 1472 bytes +3 +3 /);
  assert.match(run.out, /the kernel's ICMPv6 socket, 1452 bytes +3 +3 /);
});

kernelTest("demo: where the kernel has no IPv6 it says so and shows IPv4 alone", async () => {
  sysctl("net/ipv6/conf/default/disable_ipv6", "1");
  const run = await finished(spawn("demo", "--inside"));
  assert.equal(run.status, 0, run.err + run.out);
  assert.match(run.out, /\nthe kernel has no IPv6 here \(.+\): IPv4 alone is shown\n/);
  assert.match(run.out, /all 3 probes were answered/);
});

machineTest(
  "demo: where the kernel's variables cannot be set, its own packets are still not shown",
  async () => {
    const run = await onMachine(
      'mount --bind /proc/sys /proc/sys; mount -o remount,ro,bind /proc/sys; exec "$@"',
    );
    assertAnswered(run, "kernel");
    assert.doesNotMatch(run.out, /ff02::16|multicast listener|router solicitation/);
  },
);

machineTest("demo: without unshare it stays in memory and says why", async () => {
  const run = await onMachine(`${hide("unshare")}; exec "$@"`);
  assertAnswered(run, "neighbour");
  assert.match(run.out, /^no TAP to be had \(.*unshare.*\): showing the same in memory\n/);
});

machineTest("demo: without /dev/net/tun it stays in memory and says why", async () => {
  const run = await onMachine('mount -t tmpfs -o ro none /dev/net; exec "$@"');
  assertAnswered(run, "neighbour");
  assert.match(run.out, /^no TAP to be had \(.*\/dev\/net\/tun.*\): showing the same in memory\n/);
});

/** Becomes nobody, who is shown the runtime and its cache in another place and has no home. */
const AS_NOBODY = `
  mount -t tmpfs none /mnt; mkdir /mnt/cache; touch /mnt/deno
  mount --bind "$1" /mnt/deno; mount --bind "$CACHE" /mnt/cache; shift
  exec env HOME=/nonexistent DENO_DIR=/mnt/cache setpriv --reuid=65534 --regid=65534 --clear-groups /mnt/deno "$@"`;

async function cacheDirectory(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}

machineTest("demo: an ordinary user gets a TAP in a user namespace where /dev/net/tun is open", async () => {
  const open = "chmod 666 /dev/net/tun";
  const device = "mount -t tmpfs none /dev/net; mknod /dev/net/tun c 10 200";
  const run = await onMachine(`${device}; ${open}; ${AS_NOBODY}`, { CACHE: await cacheDirectory() });
  assertAnswered(run, "kernel");
});

machineTest("demo: an ordinary user without access to /dev/net/tun sees it in memory", async () => {
  const device = "mount -t tmpfs none /dev/net; mknod -m 600 /dev/net/tun c 10 200";
  const run = await onMachine(`${device}; ${AS_NOBODY}`, { CACHE: await cacheDirectory() });
  assertAnswered(run, "neighbour");
});
