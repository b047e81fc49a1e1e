/** `ethox serve`: a host that answers. */
import { becomeUser, confine, type NicSpec, type User } from "../../mod.ts";
import type { Appliance } from "../appliance.ts";
import { Argument, type Command, Option } from "../cli/commander.ts";
import { CliError, ExitStatus, messageOf, UsageError } from "../cli/errors.ts";
import type { Io } from "../cli/io.ts";
import * as options from "../cli/options.ts";
import { type Context, Output } from "../cli/output.ts";
import * as parse from "../cli/parse.ts";
import type { OwnAddress } from "../cli/parse.ts";
import { interruptible } from "../cli/stop.ts";
import { ControlServer } from "../control/server.ts";
import { LeaseFile } from "../lease-file.ts";
import {
  faultLines,
  faultSummary,
  filterLines,
  filterSummary,
  layers,
  summary,
  summaryLines,
} from "../report.ts";
import { dhcp } from "../services/dhcp.ts";
import {
  labelOf,
  parseService,
  PING,
  SERVICE_NAMES,
  servicesHelp,
  startServices,
} from "../services/registry.ts";
import type { ServiceChoice } from "../services/service.ts";
import { refuseForWorkers, Sharded, WORKERS_MAX } from "../shard/sharded.ts";
import { openStation, type Station, type StationOptions } from "../station.ts";
import { parseTunnel } from "../tunnelled.ts";

const HELP = `
Services:
${servicesHelp()}
${options.nicHelp()}${options.faultHelp()}
On link: a built-in neighbour on the other end of the wire pings this host once a second, so that
something happens. A TAP interface must exist, and its kernel side wants an address and to be up:
  ip tuntap add tap0 mode tap; ip addr add 10.0.0.2/24 dev tap0; ip link set tap0 up

With the NIC open it gives up what it needs no more: it can start no programs, load nothing into the kernel,
mount nothing; with --user it is another user, without capabilities.

Examples:
  ethox serve --addr 10.0.0.1/24                          answer on tap0 until Ctrl-C
  ethox serve ping --nic tap:tap1 --addr 10.0.0.1/24 -v   show every packet
  ethox serve tcp-echo http --addr 10.0.0.1/24            then: curl http://10.0.0.1/, nc 10.0.0.1 7
  ethox serve dhcp:10.0.0.50-10.0.0.99 --addr 10.0.0.1/24 --dns 10.0.0.2       lease addresses to others
  ethox serve http --addr dhcp --hostname box             lease an address, as dhclient does
  ethox serve http --addr dhcp --leases box.leases        and ask for the same one after a restart
  ethox serve http --addr slaac --addr 10.0.0.1/24        IPv6 addresses of the routers' prefixes
  ethox serve --nic link: --duration 3s --json            in memory, for programs to read
  ethox serve udp-echo --addr 10.0.0.1/24 --fault loss=10%,dup=5%,seed=7 --pcap out.pcapng
  ethox serve http --addr 10.0.0.1/24 --ctl /run/ethox.sock     to be changed while it runs
  ethox serve http --nic raw:eth0 --addr 192.0.2.9/24 --user nobody       beside the host, without its rights
  ethox serve http --addr 10.0.0.1/24 --workers 2        on two processors; tap0 made with multi_queue
  ethox serve udp-echo:7 udp-echo:7007 --addr 10.0.0.1/24 --filter udp.bpf
`;

/** Adds the command. */
export function addServe(program: Command, context: Context): void {
  program.command("serve")
    .description("be a host on a NIC and answer whoever asks, until Ctrl-C")
    .addArgument(
      new Argument("[service...]", "what to answer, as NAME or NAME:PORT; dhcp as dhcp:FIRST-LAST").choices(
        SERVICE_NAMES,
      )
        .argParser(parseService),
    )
    .addOption(options.nic)
    .addOption(options.addr)
    .addOption(options.gateway)
    .addOption(options.mac)
    .addOption(options.hostname)
    .addOption(
      new Option("--dns <ip>", "a DNS server that dhcp tells clients of; may be repeated").argParser(
        parse.dnsServer,
      ),
    )
    .addOption(
      new Option(
        "--leases <file>",
        "keep leases there over restarts: that of --addr dhcp, and those that dhcp gives",
      ),
    )
    .addOption(options.vlan)
    .addOption(options.detectConflicts)
    .addOption(options.temporary)
    .addOption(
      new Option("-c, --count <n>", "stop after this many answered requests").argParser(
        parse.count("--count"),
      ),
    )
    .addOption(options.duration)
    .addOption(options.congestion)
    .addOption(options.fault)
    .addOption(options.pcap)
    .addOption(options.filter)
    .addOption(
      new Option(
        "--tunnel <spec>",
        "put the services inside a tunnel: ipip:REMOTE,ADDRESS/PREFIX or gre:REMOTE,ADDRESS/PREFIX",
      ).argParser(parseTunnel),
    )
    .addOption(
      new Option(
        "--ctl <path>",
        "take commands at a Unix socket there, which only this user may use: ethox ctl",
      ),
    )
    .addOption(
      new Option(
        "--workers <n>",
        `share the flows out to so many threads, each with a queue of a tap:, tun: or raw: NIC (up to ${WORKERS_MAX})`,
      ).argParser(parse.count("--workers", 1, WORKERS_MAX)),
    )
    .addOption(
      new Option("--user <name>", "become this user once the NIC is open").argParser(parse.user),
    )
    .addOption(options.json)
    .addOption(new Option("-q, --quiet", "print nothing but warnings and errors"))
    .addOption(options.verbose)
    .addHelpText("after", HELP)
    .action(async (services, given) => {
      const output = new Output(context.io, given);
      using leases = leaseFile(given, services, output);
      const wanted = { ...given, leases };
      const sharded = openSharded(context.io, output, wanted, services ?? []);
      const station = sharded?.station ?? openStation(wanted, output);
      const { appliance, wire } = station;
      start(station, sharded?.spokenServices ?? services ?? []);
      const names = [PING, ...services?.map(labelOf) ?? []];
      const counted = () => sharded?.layers() ?? layers(appliance);
      const began = appliance.nic.now();
      await interruptible(context.io, given.duration, async (stop) => {
        const enough = () => stop.abort("done");
        await using _workers = await sharded?.start(given.count, enough);
        const host = { appliance, nic: station.name, stop: enough, workers: sharded?.workers };
        await using _control = given.ctl === undefined
          ? undefined
          : new ControlServer(given.ctl, host, sharded?.answer);
        giveUpRights(context.io, output, given);
        const cycle = () => {
          sharded?.follow();
          if (leases?.failure !== undefined) enough();
          if (given.count !== undefined && answered(appliance) >= given.count) enough();
        };
        const begin = () => {
          // Before any packet that --verbose shows.
          tellReady(output, station, names);
          return { tree: appliance.answering(), cycle };
        };
        await station.run(stop.signal, output, () => sharded?.settle().then(begin) ?? begin(), true);
      });
      if (leases?.failure !== undefined) throw new CliError(ExitStatus.Failed, leases.failure);
      const elapsed = appliance.nic.now() - began;
      output.event("summary", {
        seconds: elapsed / 1e6,
        ...summary(counted()),
        ...faultSummary(wire.faults),
        ...filterSummary(wire.filter),
      });
      for (const line of summaryLines(counted(), elapsed)) output.line(line);
      for (const line of faultLines(wire.faults)) output.line(line);
      for (const line of filterLines(wire.filter)) output.line(line);
    });
}

/** Says that packets are being answered, and by whom. */
function tellReady(output: Output, station: Station, services: readonly string[]): void {
  const { nic, mac, addresses, tunnel, ...dhcp } = station.describe();
  output.event("ready", { nic, mac, addresses, services, tunnel, ...dhcp });
  const inside = station.appliance.tunnelled?.describe().addresses.map((address) => `${address} inside`);
  const who = [...inside ?? [], ...addresses].join(", ") + (mac === undefined ? "" : ` (${mac})`);
  output.line(`answering ${services.join(", ")} on ${nic} as ${who}; Ctrl-C stops`);
}

/** Opens the file of leases, if there is to be one. */
function leaseFile(
  given: { readonly leases?: string | undefined; readonly addr?: readonly OwnAddress[] | undefined },
  services: readonly ServiceChoice[] | undefined,
  output: Output,
): LeaseFile | undefined {
  if (given.leases === undefined) return undefined;
  const isUsed = given.addr?.includes("dhcp") === true || services?.some(({ service }) => service === dhcp);
  if (isUsed !== true) {
    throw new UsageError("--leases: nothing is leased here; add --addr dhcp, or the service dhcp");
  }
  return new LeaseFile(given.leases, (line) => output.warn(line));
}

/** Becomes another user if that is wanted, and gives up what a host with an open NIC has no need of. */
function giveUpRights(io: Io, output: Output, given: { nic: NicSpec; user?: User | undefined }): void {
  if (io.ownsProcess !== true) return;
  if (given.user !== undefined) become(given.user);
  if (given.nic.kind === "link") return;
  const problem = confine();
  if (problem !== undefined) output.warn(`not all rights could be given up: ${problem}`);
}

function become(user: User): void {
  try {
    becomeUser(user);
  } catch (error) {
    // The NIC is open, so it is none of its problems.
    throw new CliError(ExitStatus.Failed, `--user: ${messageOf(error)}`);
  }
}

/** Requests answered, of all kinds. */
function answered({ icmp, services }: Appliance): number {
  return services.reduce((sum, { counters }) => sum + counters.answered, icmp.counters.answered);
}

/** A host with so many Workers; undefined: one thread is enough. Throws a CliError or a NicError. */
function openSharded(
  io: Io,
  output: Output,
  given: StationOptions & { readonly workers?: number | undefined; readonly user?: User | undefined },
  services: readonly ServiceChoice[],
): Sharded | undefined {
  const { workers = 1 } = given;
  if (workers === 1) return undefined;
  refuseForWorkers(given);
  const { program, ownsProcess = false } = io;
  // The C library makes all threads another user at once, or ends the program if one of them may not become it.
  const dropsCapabilities = ownsProcess && given.user === undefined;
  if (program === undefined) {
    throw new UsageError("--workers: this program can start no threads; leave it out");
  }
  return new Sharded(given, { workers, services, output, program, dropsCapabilities });
}

/** Starts services. If one cannot be, the NIC is given back and the complaint is the user's. */
function start(station: Station, services: readonly ServiceChoice[]): void {
  try {
    startServices(station.appliance, services);
  } catch (error) {
    station.close();
    throw error;
  }
}
