/** The demonstration itself: a host, somebody who asks it, and a teller. */
import {
  Address,
  Cidr,
  formatNicSpec,
  NicError,
  type OpenedNic,
  openNic,
  setInterfaceAddress,
  setInterfaceUp,
} from "../../mod.ts";
import { Appliance } from "../appliance.ts";
import { ExitStatus } from "../cli/errors.ts";
import { lengthOfTime, milliseconds, table } from "../cli/format.ts";
import type { Output } from "../cli/output.ts";
import { macFor } from "../mac-for.ts";
import { layers, summary, summaryLines } from "../report.ts";
import { untilRunning } from "../station.ts";
import { kernelProbes } from "./kernel-probes.ts";
import { linkProbes } from "./link-probes.ts";
import type { Probe, ProbeResult } from "./probe.ts";
import { Story } from "./story.ts";

const DEVICE = "ethox0";
const OURS = ["10.0.0.1/24", "fd00::1/64"], THEIRS = ["10.0.0.2/24", "fd00::2/64"];

interface Stage {
  readonly opened: OpenedNic;
  readonly appliance: Appliance;
  readonly probes: readonly Probe[];
  /** Who is on the other side. */
  readonly peer: string;
  /** Why there is no IPv6 on the other side, in one line. */
  readonly withoutIpv6?: string | undefined;
  readonly close: () => void;
}

/** A TAP whose kernel side has an address and is up. Throws a NicError. */
function kernelStage(): Stage {
  const opened = openNic({ kind: "tap", name: DEVICE }, { create: true });
  try {
    setInterfaceAddress(DEVICE, THEIRS[0]!);
    setInterfaceUp(DEVICE);
    const withoutIpv6 = problemOf(() => setInterfaceAddress(DEVICE, THEIRS[1]!));
    const ours = withoutIpv6 === undefined ? OURS : OURS.slice(0, 1);
    const appliance = newAppliance(opened, ours);
    const probes = kernelProbes(appliance, DEVICE, addressesOf(ours));
    return { opened, appliance, probes, peer: "kernel", withoutIpv6, close: () => opened.nic.close() };
  } catch (error) {
    opened.nic.close();
    throw error;
  }
}

/** A kernel may have been built, or started, without IPv6. */
function problemOf(setUp: () => void): string | undefined {
  try {
    setUp();
    return undefined;
  } catch (error) {
    if (!(error instanceof NicError)) throw error;
    return error.message;
  }
}

function addressesOf(cidrs: readonly string[]): Address[] {
  return cidrs.map((cidr) => new Address().copy(Cidr.parse(cidr).address));
}

function linkStage(): Stage {
  const opened = openNic({ kind: "link" });
  const peer = new Appliance({
    nic: opened.peer!,
    mac: macFor("the neighbour"),
    addresses: THEIRS.map((cidr) => Cidr.parse(cidr)),
  });
  const close = () => {
    opened.nic.close();
    peer.nic.close();
  };
  const probes = linkProbes(peer, addressesOf(OURS));
  return { opened, appliance: newAppliance(opened, OURS), probes, peer: "neighbour", close };
}

function newAppliance({ nic }: OpenedNic, addresses: readonly string[]): Appliance {
  return new Appliance({
    nic,
    mac: macFor("ethox demo"),
    addresses: addresses.map((cidr) => Cidr.parse(cidr)),
  });
}

/** Why there is no TAP, in one line; then the same is shown in memory. */
export function excuse(output: Output, reason: string): void {
  output.event("fallback", { reason });
  output.line(output.paint("yellow", `no TAP to be had (${reason}): showing the same in memory`));
}

/** Runs the demonstration and answers with the exit status: 0 only if everything was answered. */
export async function runDemo(output: Output, signal: AbortSignal, inMemory: boolean): Promise<ExitStatus> {
  const stage = inMemory ? linkStage() : stageWithFallback(output);
  const { appliance, peer, opened } = stage;
  const { nic } = opened;
  const end = new AbortController();
  const began = nic.now();
  const story = new Story(appliance, output, peer);
  const whole = AbortSignal.any([signal, end.signal]);
  let running: Promise<void> | undefined;
  const results: ProbeResult[] = [];
  try {
    await untilRunning(opened, signal);
    output.event("ready", {
      nic: formatNicSpec(opened.spec),
      mac: String(appliance.eth.mac),
      addresses: ownAddresses(appliance),
      peer,
    });
    introduce(output, stage);
    running = appliance.run(whole, story.tell(appliance.answering()));
    // A failure of the host ends the probes; it is reported below, where it is awaited.
    running.catch(() => end.abort());
    for (const probe of stage.probes) {
      if (whole.aborted) break;
      output.line();
      output.line(output.paint("bold", `$ ${probe.title}`));
      if (results.length === 0) story.head();
      const result = await probe.run(whole, (title) => {
        output.line(output.paint("yellow", `  that is not possible here; instead: ${title}`));
      });
      if (signal.aborted) break;
      results.push(result);
      conclude(output, result);
    }
  } finally {
    end.abort();
    await running;
    stage.close();
  }
  story.end();
  if (signal.aborted) {
    output.line("interrupted");
    return ExitStatus.Interrupted;
  }
  return finish(output, appliance, results, nic.now() - began);
}

function stageWithFallback(output: Output): Stage {
  try {
    return kernelStage();
  } catch (error) {
    if (!(error instanceof NicError)) throw error;
    excuse(output, error.message);
    return linkStage();
  }
}

/** Those that it was given; a link-local one of IPv6 comes by itself. */
function ownAddresses({ ip }: Appliance): string[] {
  return [...ip.addresses].filter(({ address }) => !address.isLinkLocal).map(String);
}

function introduce(output: Output, { opened, appliance, peer, withoutIpv6 }: Stage): void {
  const ours = ownAddresses(appliance);
  const theirs = THEIRS.slice(0, ours.length).join(" and ");
  const where = peer === "kernel"
    ? `the Linux kernel (${theirs}) on the TAP interface ${DEVICE}, in a network namespace of its own`
    : `a second host of ours (${theirs}) on a wire in memory`;
  output.line(
    `ethox is ${ours.join(" and ")}, ${appliance.eth.mac}, on ${formatNicSpec(opened.spec)}; ` +
      `it answers ${where}.`,
  );
  if (withoutIpv6 === undefined) return;
  output.event("withoutIpv6", { reason: withoutIpv6 });
  output.line(output.paint("yellow", `the kernel has no IPv6 here (${withoutIpv6}): IPv4 alone is shown`));
}

function conclude(output: Output, { title, sent, answered, trips }: ProbeResult): void {
  const { min, avg, max } = trips.milliseconds() ?? {};
  output.event("probe", {
    probe: title,
    sent,
    answered,
    rttMs: trips.count === 0 ? null : { min, avg, max },
  });
  const verdict = `${answered} of ${sent} answered`;
  output.line(`  ${output.paint(answered === sent ? "green" : "red", verdict)}`);
}

function finish(
  output: Output,
  appliance: Appliance,
  results: readonly ProbeResult[],
  elapsed: number,
): ExitStatus {
  const good = results.filter(({ sent, answered }) => answered === sent).length;
  const isGood = good === results.length;
  output.event("summary", { answered: isGood, seconds: elapsed / 1e6, ...summary(layers(appliance)) });
  const rows = results.map(({ title, sent, answered, trips }) => {
    const times = trips.count === 0 ? [] : [trips.min, trips.average, trips.max].map(milliseconds);
    return [title, `${sent}`, `${answered}`, times.length === 0 ? "-" : times.join(" / ")];
  });
  output.line();
  const [head = "", ...body] = table([["probe", "sent", "answered", "min / avg / max ms"], ...rows], [1, 2]);
  output.line(output.paint("bold", head));
  for (const line of body) output.line(line);
  output.line();
  for (const line of summaryLines(layers(appliance), elapsed)) output.line(line);
  output.line();
  const verdict = isGood
    ? `all ${good} probes were answered, in ${lengthOfTime(elapsed)}`
    : `only ${good} of ${results.length} probes were answered`;
  output.line(output.paint(isGood ? "green" : "red", verdict));
  if (!isGood && output.json) output.io.err(`ethox: ${verdict}\n`);
  return isGood ? ExitStatus.Done : ExitStatus.Failed;
}
