/** Probes by the Linux kernel on the other side of a TAP: through arping and ping, or through a socket of its own. */
import { type Address, KernelPing } from "../../mod.ts";
import type { Appliance } from "../appliance.ts";
import { RoundTrips } from "../round-trips.ts";
import { fillingSize, type Probe, type ProbeResult } from "./probe.ts";

const PINGS = { interval: 200, timeout: 2_000 };

/** Three ARP requests; five pings, and three that fill the MTU, to each of the targets. */
export function kernelProbes(appliance: Appliance, device: string, targets: readonly Address[]): Probe[] {
  const [first] = targets;
  const asked = String(first);
  return [
    arping(appliance, ["arping", "-c", "3", "-I", device, asked], 3, asked),
    ...targets.flatMap((target) => [ping(target, 5, 56), ping(target, 3, fillingSize(target))]),
  ];
}

function ping(address: Address, count: number, size: number): Probe {
  const target = String(address);
  const family = address.isV4 ? [] : ["-6"];
  const length = size === 56 ? [] : ["-s", `${size}`];
  const argv = ["ping", ...family, "-c", `${count}`, "-i", `${PINGS.interval / 1_000}`, ...length, target];
  const title = argv.join(" ");
  return {
    title,
    run: async (signal, instead) => {
      const result = await runProgram(argv, count, signal);
      if (result !== undefined || signal.aborted) return result ?? nothing(title, count);
      const own = `the kernel's ${address.isV4 ? "ICMP" : "ICMPv6"} socket, ${size} bytes`;
      instead(own);
      return await kernelPing(own, { count, size }, target, signal);
    },
  };
}

/** Without arping, the kernel's own look-up before its first ping shows that ARP is answered. */
function arping(appliance: Appliance, argv: readonly string[], count: number, target: string): Probe {
  const { counters } = appliance.ip.arp;
  const title = argv.join(" ");
  return {
    title,
    run: async (signal, instead) => {
      const result = await runProgram(argv, count, signal);
      if (result !== undefined || signal.aborted) return result ?? nothing(title, count);
      const own = "the kernel's ARP look-up before its first ping";
      instead(own);
      await kernelPing(own, { count: 1, size: 56 }, target, signal);
      return { title: own, sent: 1, answered: Math.min(1, counters.requests), trips: new RoundTrips() };
    },
  };
}

function nothing(title: string, sent: number): ProbeResult {
  return { title, sent, answered: 0, trips: new RoundTrips() };
}

async function kernelPing(
  title: string,
  { count, size }: { count: number; size: number },
  target: string,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const trips = new RoundTrips();
  using socket = new KernelPing(target.includes(":") ? 6 : 4);
  const close = () => socket.close();
  signal.addEventListener("abort", close);
  try {
    const options = { count, size, intervalMs: PINGS.interval, timeoutMs: PINGS.timeout };
    for await (const { rttMicroseconds } of socket.ping(target, options)) {
      if (rttMicroseconds !== undefined) trips.add(rttMicroseconds);
    }
  } finally {
    signal.removeEventListener("abort", close);
  }
  return { title, sent: count, answered: trips.count, trips };
}

/** Runs a program that asks; undefined when it is not there, or cannot do it (no permission, an option it lacks). */
async function runProgram(
  argv: readonly string[],
  sent: number,
  signal: AbortSignal,
): Promise<ProbeResult | undefined> {
  const text = await outputOf(argv, signal);
  if (text === undefined) return undefined;
  const trips = new RoundTrips();
  for (const line of text.split("\n")) {
    // "64 bytes from ...: time=0.045 ms", "... time=45.1 usec", "Unicast reply from ... 0.733ms"
    const time = /\bfrom\b.*?([\d.]+) ?(usec|msec|ms)$/.exec(line.trim());
    if (time !== null) trips.add(Number(time[1]) * (time[2] === "usec" ? 1 : 1_000));
  }
  const total = /(\d+)(?: packets)? received|Received (\d+) response/.exec(text);
  const answered = Number(total?.[1] ?? total?.[2] ?? trips.count);
  return answered === 0
    ? undefined
    : { title: argv.join(" "), sent, answered: Math.min(sent, answered), trips };
}

async function outputOf(
  [program = "", ...args]: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const options = {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
      env: { LC_ALL: "C" },
      signal,
    } as const;
    const { stdout } = await new Deno.Command(program, options).output();
    return new TextDecoder().decode(stdout);
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.NotCapable;
    if (isMissing) return undefined;
    throw error;
  }
}
