import assert from "node:assert/strict";
import { setInterfaceUp } from "../../nic/linux/netif.ts";
import { ethox, source } from "../support/ethox.ts";
import { assertAnswered, nicTest, peer, peerTest, ping, serve, TAP } from "../support/peer.ts";

/** One line on stderr, with the program's name. */
function assertComplaint(stderr: string, pattern: RegExp): void {
  assert.match(stderr, /^ethox: [^\n]+\n$/, "one line");
  assert.match(stderr, pattern);
}

const SERVE = ["serve", "--addr", "10.0.0.1/24", "--nic"];

nicTest(
  "interface: one that goes down and comes up again while running is survived",
  ["ping"],
  source,
  async ({ interface: name }) => {
    await using server = await serve(source);
    await assertAnswered(2);
    for (let round = 0; round < 2; round++) {
      setInterfaceUp(name, false);
      await server.warned(
        new RegExp(`(${name}[^ ]* is down; [^\\n]*ip link set dev ${name} up\\n[^]*){${round + 1}}`),
      );
      setInterfaceUp(name);
      await assertAnswered(2);
      await server.warned(new RegExp(`(${name}[^ ]* is up\\n[^]*){${round + 1}}`));
    }
    await server.stop("SIGTERM", /^(ethox: warning: [^\n]+\n){4}$/);
  },
);

nicTest(
  "interface: when it is removed ethox ends with status 1 and one line",
  ["ping", "ip"],
  source,
  async ({ interface: name }) => {
    await using server = await serve(source);
    await assertAnswered(1);
    await peer("ip", ["link", "delete", name]);
    const { code, stderr } = await server.ended();
    assertComplaint(stderr, new RegExp(`${name} has been removed`));
    assert.equal(code, 1);
  },
);

peerTest(
  "interface: a TAP that another ethox uses is refused with status 3, and that one goes on",
  ["ping"],
  source,
  async () => {
    await using server = await serve(source);
    const { code, stderr } = await ethox(source, ...SERVE, `tap:${TAP}`);
    assertComplaint(stderr, /tap0: another process is attached to it; .*multi_queue/);
    assert.equal(code, 3);
    await assertAnswered(2);
    await server.stop();
  },
);

peerTest(
  "interface: what ip makes is served, in the order that the README gives",
  ["ping", "ip"],
  source,
  async () => {
    for (
      const line of [
        "tuntap add tap0 mode tap",
        "addr add 10.0.0.2/24 dev tap0",
        "link set tap0 up",
      ]
    ) {
      const { code, stderr } = await peer("ip", line.split(" "));
      assert.equal(code, 0, stderr);
    }
    await using server = await serve(source);
    assert.equal((await ping("-c", "3")).received, 3);
    await server.stop();
  },
);

peerTest("interface: while nothing happens, ethox hardly uses the processor", ["ping"], source, async () => {
  await using server = await serve(source);
  await assertAnswered(10);
  // The aim is 2 %; a busy loop would need 100. What has just been run a few times may still be compiled.
  let least = 1;
  for (let second = 0; second < 10 && least >= 0.05; second++) {
    const before = processorTime(server.pid), start = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    least = Math.min(least, (processorTime(server.pid) - before) * 1_000 / (performance.now() - start));
  }
  assert.ok(least < 0.05, `${(least * 100).toFixed(1)} % of a processor`);
  await assertAnswered(1);
  await server.stop();
});

/** Seconds in user and system mode: fields 14 and 15 of proc_pid_stat(5), in hundredths. */
function processorTime(pid: number): number {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
