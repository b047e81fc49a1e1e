/** `ethox serve`: a host that answers. */
import { type Command, Option } from "../cli/commander.ts";
import { UsageError } from "../cli/errors.ts";
import * as options from "../cli/options.ts";
import { type Context, Output } from "../cli/output.ts";
import * as parse from "../cli/parse.ts";
import { interruptible } from "../cli/stop.ts";
import { summary, summaryLines } from "../report.ts";
import { openStation, type StationUse } from "../station.ts";
import { trace } from "../trace.ts";

const SERVICES = ["ping"] as const;

const HELP = `
Services:
  ping   ARP and ICMP echo requests; always on

On link: a built-in neighbour on the other end of the wire pings this host once a second, so that
something happens. A TAP interface must exist, and its kernel side wants an address and to be up:
  ip tuntap add tap0 mode tap; ip addr add 10.0.0.2/24 dev tap0; ip link set tap0 up

Examples:
  ethox serve --addr 10.0.0.1/24                          answer on tap0 until Ctrl-C
  ethox serve ping --nic tap:tap1 --addr 10.0.0.1/24 -v   show every packet
  ethox serve --nic link: --duration 3s --json            in memory, for programs to read
`;

/** Adds the command. */
export function addServe(program: Command, context: Context): void {
  program.command("serve")
    .description("be a host on a NIC and answer whoever asks, until Ctrl-C")
    .argument("[service...]", `what to answer: ${SERVICES.join(", ")} (always on)`, service)
    .addOption(options.nic)
    .addOption(options.addr)
    .addOption(options.gateway)
    .addOption(options.mac)
    .addOption(
      new Option("-c, --count <n>", "stop after this many answered pings").argParser(parse.count("--count")),
    )
    .addOption(options.duration)
    .addOption(options.json)
    .addOption(new Option("-q, --quiet", "print nothing but warnings and errors"))
    .addOption(options.verbose)
    .addHelpText("after", HELP)
    .action(async (_services, given) => {
      const output = new Output(context.io, given);
      const use: StationUse = given.verbose === true ? { wrap: (nic) => trace(nic, output) } : {};
      const station = openStation(given, use);
      const { appliance } = station;
      const started = appliance.nic.now();
      await interruptible(context.io, given.duration, async (stop) => {
        let isReady = false;
        await station.run(stop.signal, output, appliance.answering(), () => {
          if (!isReady) {
            isReady = true;
            const { nic, mac, addresses } = station.describe();
            output.event("ready", { nic, mac, addresses, services: [...SERVICES] });
            output.line(`answering ping on ${nic} as ${addresses.join(", ")} (${mac}); Ctrl-C stops`);
          }
          if (given.count !== undefined && appliance.icmp.counters.answered >= given.count) {
            stop.abort("done");
          }
        });
      });
      const elapsed = appliance.nic.now() - started;
      output.event("summary", { seconds: elapsed / 1e6, ...summary(appliance) });
      for (const line of summaryLines(appliance, elapsed)) output.line(line);
    });
}

function service(text: string, previous: readonly string[] | undefined): readonly string[] {
  if (!SERVICES.some((known) => known === text)) {
    throw new UsageError(
      `serve: there is no service "${text}" in this version; allowed is ${SERVICES.join(", ")}`,
    );
  }
  return [...previous ?? [], text];
}
