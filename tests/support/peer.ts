/**
 * The Linux kernel as the peer of an appliance: a cable between them, and the programs that send from its side.
 *
 * @module
 */
import assert from "node:assert/strict";
import { findProgram } from "../../scripts/setup/programs.ts";
import {
  APPLIANCE,
  type Cable,
  CABLES,
  KERNEL,
  OWN6,
  PREFIX,
  PREFIX6,
  raw,
  speakIpv6,
  TAP,
  tap,
  tun,
} from "./cables.ts";
import { type Program, Server } from "./ethox.ts";
import { kernelTest } from "./netns.ts";

export { APPLIANCE, KERNEL, PREFIX, TAP } from "./cables.ts";

/**
 * A kernel test that needs programs, by the names in `scripts/setup/programs.ts`. Where one is missing it is ignored,
 * and its name says why. `program` is prepared before the test enters its namespace.
 */
export function peerTest(
  name: string,
  needs: readonly string[],
  program: Program | undefined,
  body: () => Promise<void>,
): void {
  const missing = needs.filter((need) => findProgram(need) === undefined);
  if (missing.length > 0) {
    Deno.test.ignore(`${name} [skipped: ${missing.join(", ")} not installed; deno task setup]`, () => {});
    return;
  }
  if (program !== undefined) programs.add(program);
  kernelTest(name, body);
}

const programs = new Set<Program>();

Deno.test.beforeAll(async () => {
  for (const program of programs) await program.command();
});

/** Makes a TAP, with the kernel's address on it, switched on. Nothing is sent into it without being asked. */
export function makeTap(): void {
  void tap.make();
}

let cable: Cable = tap;

/**
 * A test on every kind of NIC, or on these. `serve` and `makeCable` in its body are about the one whose turn it is.
 * Otherwise as {@linkcode peerTest}.
 */
export function nicTest(
  name: string,
  needs: readonly string[],
  program: Program | undefined,
  body: (cable: Cable) => Promise<void>,
  cables: readonly Cable[] = CABLES,
): void {
  for (const one of cables) {
    peerTest(`${name} [${one.name}]`, [...needs, ...one.needs], program, async () => {
      cable = one;
      try {
        await body(one);
      } finally {
        cable = tap;
      }
    });
  }
}

let v6 = false;

/**
 * A test over both families: over IPv4 on every kind of NIC, over IPv6 on one of Ethernet, one of bare packets, and one
 * beside the host. `serve`, {@linkcode appliance} and {@linkcode applianceHost} in its body are about the one whose turn it is.
 */
export function familyNicTest(
  name: string,
  needs: readonly string[],
  program: Program | undefined,
  body: () => Promise<void>,
): void {
  nicTest(`${name} [IPv4]`, needs, program, body);
  nicTest(
    `${name} [IPv6]`,
    [...needs, "ip"],
    program,
    async () => {
      v6 = true;
      try {
        await body();
      } finally {
        v6 = false;
      }
    },
    [tap, tun, raw],
  );
}

/** Whether it is IPv6's turn. */
export function isV6(): boolean {
  return v6;
}

/** The appliance's address, of the family whose turn it is. */
export function appliance(): string {
  return v6 ? OWN6 : APPLIANCE;
}

/** The same as it stands in URLs, and in socat's addresses. */
export function applianceHost(): string {
  return v6 ? `[${OWN6}]` : APPLIANCE;
}

/** Makes the cable of the test and answers with what `--nic` is to be. */
export async function makeCable(): Promise<string> {
  return await cable.make();
}

/** Makes the cable and starts an appliance on it, with more services and options if there are any. */
export async function serve(program: Program, ...more: string[]): Promise<Server> {
  const nic = await cable.make();
  if (v6) await speakIpv6();
  return await Server.start(program, nic, v6 ? `${OWN6}${PREFIX6}` : `${APPLIANCE}${PREFIX}`, ...more);
}

/** The same, with options of the TAP behind its name: "offload=off". */
export async function serveOn(options: string, program: Program, ...more: string[]): Promise<Server> {
  makeTap();
  return await Server.start(program, `tap:${TAP},${options}`, `${APPLIANCE}${PREFIX}`, ...more);
}

/** What a program wrote and how it ended. */
export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program from where it is installed, for at most `limit` milliseconds. */
export async function peer(name: string, args: readonly string[], limit = 120_000): Promise<Output> {
  const path = findProgram(name) ?? name;
  const signal = AbortSignal.timeout(limit);
  const command = new Deno.Command(path, {
    args: [...args],
    env: { LC_ALL: "C" },
    signal,
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  assert.ok(!signal.aborted, `${name} ${args.join(" ")} took longer than ${limit / 1_000} s`);
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** How many of how many echo requests `ping` says were answered. */
export interface Pinged extends Output {
  readonly sent: number;
  readonly received: number;
}

/** Runs `ping -n ARGS` against the appliance. */
export async function ping(...args: string[]): Promise<Pinged> {
  return await pingHost(APPLIANCE, ...args);
}

/**
 * Runs `ping -n ARGS HOST`, COUNT times for one request each where ARGS have "-c COUNT" and nothing on the pace: ping waits
 * for its last answer only twice as long as for any before, or for its interval, and so loses it on a busy machine.
 */
export async function pingHost(host: string, ...args: string[]): Promise<Pinged> {
  const at = args.indexOf("-c") + 1, count = Number(args[at] ?? 1);
  if (at === 0 || args.some((arg) => PACES.has(arg))) return await pingOnce(host, args);
  const runs: Pinged[] = [];
  for (let run = 0; run < count; run++) runs.push(await pingOnce(host, args.toSpliced(at, 1, "1")));
  const sum = (of: (run: Pinged) => number) => runs.reduce((all, run) => all + of(run), 0);
  return {
    code: Math.max(...runs.map(({ code }) => code)),
    stdout: runs.map(({ stdout }) => stdout).join(""),
    stderr: runs.map(({ stderr }) => stderr).join(""),
    sent: sum(({ sent }) => sent),
    received: sum(({ received }) => received),
  };
}

const PACES: ReadonlySet<string> = new Set(["-f", "-i", "-l", "-w"]);

async function pingOnce(host: string, args: readonly string[]): Promise<Pinged> {
  const output = await peer("ping", ["-n", ...args, host]);
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(output.stdout) ?? [];
  assert.ok(sent !== undefined, `ping ${args.join(" ")} ${host}: ${output.stdout}${output.stderr}`);
  return { ...output, sent: Number(sent), received: Number(received) };
}

/** Asserts that each of the echo requests was answered. */
export async function assertAnswered(count: number, ...args: string[]): Promise<Pinged> {
  const pinged = await ping("-q", "-c", String(count), "-W", "10", ...args);
  assert.deepEqual({ sent: pinged.sent, received: pinged.received }, { sent: count, received: count });
  assert.equal(pinged.code, 0, pinged.stdout);
  return pinged;
}

/** What the scripts start with; MAC stands for the appliance's hardware address. */
const SCAPY = `
import json, random, socket, threading
from scapy.all import *
conf.verb = 0
mac, own, kernel, tap = "MAC", "${APPLIANCE}", "${KERNEL}", "${TAP}"

def echo(id=77, seq=1, **fields):
  return Ether(src=get_if_hwaddr(tap), dst=mac)/IP(src=kernel, dst=own, **fields)/ICMP(id=id, seq=seq)/b"ethox-ethox"

def exchange(*packets):
  """Sends frames, then an echo request; answers with all that came back before that request's reply."""
  ready = threading.Event()
  is_last = lambda frame: ICMP in frame and frame[ICMP].type == 0 and frame[ICMP].id == 78
  sniffer = AsyncSniffer(iface=tap, lfilter=lambda frame: frame.src == mac, stop_filter=is_last,
    started_callback=ready.set)
  sniffer.start()
  assert ready.wait(30)
  sendp([*packets, echo(id=78)], iface=tap)
  sniffer.join(40)
  assert not sniffer.running, "the last echo request was not answered"
  return list(sniffer.results)[:-1]
`;

/** Runs a Python script with scapy against the appliance, and answers with the JSON that it prints. */
export async function scapy(server: Server, script: string): Promise<unknown> {
  const preamble = SCAPY.replace("MAC", server.mac);
  // Debian's scapy is a module of Debian's Python, not of another one on the PATH.
  const { code, stdout, stderr } = await peer("/usr/bin/python3", ["-c", `${preamble}\n${script}`]);
  assert.equal(code, 0, stderr);
  return stdout.trim() === "" ? undefined : JSON.parse(stdout);
}
