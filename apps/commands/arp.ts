/** `ethox arp`: asks who has an address. */
import { type Address, formatNicSpec, seconds } from "../../mod.ts";
import { ArpClient } from "../arp-client.ts";
import { type Command, Option } from "../cli/commander.ts";
import { ExitStatus, UsageError } from "../cli/errors.ts";
import { lengthOfTime } from "../cli/format.ts";
import * as options from "../cli/options.ts";
import { type Context, Output } from "../cli/output.ts";
import * as parse from "../cli/parse.ts";
import { endedEarly, interruptible } from "../cli/stop.ts";
import { faultLines, faultSummary } from "../report.ts";
import { openStation } from "../station.ts";

/** Requests until the first answer, where no count is given. */
const ATTEMPTS = 3;

const HELP = `
Without --count it asks up to ${ATTEMPTS} times and is done with the first answer. The exit status is 0 if
any answer came, 1 if none did. On link: the neighbour in memory is HOST.
${options.nicHelp()}${options.faultHelp()}
Examples:
  ethox arp 10.0.0.2 --addr 10.0.0.1/24         who has the kernel's side of tap0?
  ethox arp 10.0.0.2 --addr 10.0.0.1/24 -c 5
  ethox arp 10.0.0.2 --nic link: --json
`;

/** Adds the command. */
export function addArp(program: Command, context: Context): void {
  program.command("arp")
    .description("ask for a host's hardware address")
    .argument("<host>", "whose: an IPv4 address on an own subnet", target)
    .addOption(options.nic)
    .addOption(options.addr)
    .addOption(options.mac)
    .addOption(
      new Option("-c, --count <n>", "send exactly this many requests").argParser(parse.count("--count")),
    )
    .addOption(
      new Option("-i, --interval <time>", "the time between two requests, 1ms or more")
        .argParser(parse.duration("--interval", 1_000)).default(seconds(1), "1s"),
    )
    .addOption(
      new Option("-W, --timeout <time>", "how long the last request's answer is waited for")
        .argParser(parse.duration("--timeout", 1_000)).default(seconds(1), "1s"),
    )
    .addOption(options.duration)
    .addOption(options.fault)
    .addOption(options.pcap)
    .addOption(options.json)
    .addOption(new Option("-q, --quiet", "print only the hardware address"))
    .addOption(options.verbose)
    .addHelpText("after", HELP)
    .action(async (host, given) => {
      const output = new Output(context.io, given);
      if (given.nic.kind === "tun") {
        throw new UsageError(
          `--nic: ${formatNicSpec(given.nic)} has no hardware addresses to ask for; take ping`,
        );
      }
      const station = openStation({ ...given, isDirect: true }, output, host);
      const { appliance } = station;
      const stopAt = given.count ?? 1;
      let sent = 0, answers = 0, hasBegun = false;
      await interruptible(context.io, given.duration, async (stop) => {
        await station.run(stop.signal, output, () => {
          // An address that is leased or chosen is known only now.
          if (appliance.ip.addresses.onLink(host) === undefined) throw offLink(host);
          const client = new ArpClient(appliance, {
            target: host,
            count: given.count ?? ATTEMPTS,
            interval: given.interval,
            timeout: given.timeout,
            onAnswer: ({ mac, rtt }) => {
              output.event("answer", { address: String(host), mac: String(mac), rttMs: rtt / 1_000 });
              output.line(`${host} is at ${mac} (${lengthOfTime(rtt)})`);
              if (given.quiet === true) output.result(String(mac));
            },
          });
          station.wire.watch(() => ({ eth: appliance.eth.counters, arp: client.arp.counters }));
          hasBegun = true;
          output.event("ready", { ...station.describe(), host: String(host) });
          const cycle = () => {
            ({ sent, answers } = client);
            if (answers >= stopAt || client.isDone(appliance.nic.now())) stop.abort("done");
          };
          return { tree: client.asking(), cycle };
        });
        if (!hasBegun) throw endedEarly(stop.signal);
      });
      output.event("statistics", { sent, answers, ...faultSummary(station.wire.faults) });
      output.line(`${sent} ${sent === 1 ? "request" : "requests"} sent, ${answers} answered`);
      for (const line of faultLines(station.wire.faults)) output.line(line);
      if (answers === 0) context.status = ExitStatus.Failed;
    });
}

/** Whom ARP can ask for. */
function target(text: string): Address {
  const address = parse.hostAddress("HOST", text);
  if (address.isV4) return address;
  throw new UsageError(`HOST: ${address} is of IPv6, and ARP asks for IPv4's; write one, as in 10.0.0.2`);
}

function offLink(host: Address): UsageError {
  return new UsageError(`HOST: ${host} is on no subnet of ours, and ARP does not pass routers`);
}
