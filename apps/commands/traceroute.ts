/** `ethox traceroute`: finds the routers on the way to a host. */
import { Address, type HopResult, type ProbeKind, seconds, Traceroute } from "../../mod.ts";
import { type Command, Option } from "../cli/commander.ts";
import { ExitStatus, UsageError } from "../cli/errors.ts";
import * as options from "../cli/options.ts";
import { type Context, Output } from "../cli/output.ts";
import * as parse from "../cli/parse.ts";
import { endedEarly, interruptible } from "../cli/stop.ts";
import { hopLine, hopRow } from "../hops.ts";
import { familyOf, lookup } from "../lookup.ts";
import { faultLines, faultSummary } from "../report.ts";
import { openStation } from "../station.ts";

/** Where the kernel's own connections do not begin, so that a router's translation tells them apart, too. */
const OWN_FIRST = 33_000, OWN_COUNT = 16_000;

/** Stands for a host whose address is not known yet. */
const NOBODY = new Address().setV4(1);

const HELP = `
A line a hop: who answered, and the round trips. A star is a probe without an answer. Behind a time:
!N, !H, !P  the network, the host, the protocol cannot be reached; !X  a filter forbids it
!S  the source route failed; !F-MTU  too long for the router's next link; !<T-C>  another ICMP error
F=MTU  with --mtu: the probes have become as short as that router said
The exit status is 0 if the host answered, 1 if it did not.
${options.faultHelp()}
Examples:
  ethox traceroute 192.0.2.1 --addr 10.0.0.1/24 --gateway 10.0.0.254
  ethox traceroute 192.0.2.1 --addr 10.0.0.1/24 --gateway 10.0.0.254 -T -p 443
  ethox traceroute 192.0.2.1 --addr 10.0.0.1/24 --gateway 10.0.0.254 --mtu --json
  ethox traceroute -6 example.com --addr slaac                  by name, over IPv6
`;

/** Adds the command. */
export function addTraceroute(program: Command, context: Context): void {
  program.command("traceroute")
    .description("find the routers on the way to a host")
    .argument("<host>", "whose way: an address or a name", (text) => parse.host("HOST", text))
    .addOption(options.nic)
    .addOption(options.addr)
    .addOption(options.gateway)
    .addOption(options.mac)
    .addOption(options.dns)
    .addOption(options.ipv4)
    .addOption(options.ipv6)
    .addOption(new Option("-I, --icmp", "send ICMP echo requests instead of UDP datagrams").conflicts("tcp"))
    .addOption(new Option("-T, --tcp", "send TCP SYNs instead of UDP datagrams"))
    .addOption(
      new Option("-p, --port <n>", "the port: UDP's first (default 33434), TCP's (default 80)")
        .argParser(parse.count("--port", 1, 65_535)),
    )
    .addOption(
      new Option("-f, --first <hop>", "the first hop").argParser(parse.count("--first", 1, 255)).default(1),
    )
    .addOption(
      new Option("-m, --max-hops <n>", "the last hop").argParser(parse.count("--max-hops", 1, 255)).default(
        30,
      ),
    )
    .addOption(
      new Option("-q, --queries <n>", "probes a hop").argParser(parse.count("--queries", 1, 10)).default(3),
    )
    .addOption(
      new Option("-N, --parallel <n>", "probes on their way at once")
        .argParser(parse.count("--parallel", 1, 256)).default(16),
    )
    .addOption(
      new Option("-w, --timeout <time>", "how long an answer is waited for")
        .argParser(parse.duration("--timeout", 1_000)).default(seconds(3), "3s"),
    )
    .addOption(
      new Option("-s, --size <bytes>", "the length of a probe with its headers")
        .argParser(parse.count("--size", 28, 65_535)),
    )
    .addOption(new Option("--mtu", "find the path's MTU: probes as long as the NIC takes, shortened as told"))
    .addOption(options.duration)
    .addOption(options.fault)
    .addOption(options.pcap)
    .addOption(options.json)
    .addOption(new Option("-v, --verbose", "show every packet"))
    .addHelpText("after", HELP)
    .action(async (host, given) => {
      const output = new Output(context.io, given);
      if (given.first > given.maxHops) {
        throw new UsageError(
          `--first: ${given.first} is behind the last hop; allowed is 1 to ${given.maxHops}`,
        );
      }
      const isName = typeof host === "string";
      const family = familyOf("HOST", host, given);
      const station = openStation(
        isName ? { ...given, dns: given.dns ?? [] } : { ...given, dns: undefined },
        output,
        isName ? undefined : host,
      );
      const { appliance } = station;
      const { mtu } = appliance.nic.info;
      const length = given.size ?? (given.mtu === true ? mtu : 60);
      const kind: ProbeKind = given.icmp === true ? "icmp" : given.tcp === true ? "tcp" : "udp";
      const hops: HopResult[] = [];
      const show = (result: HopResult) => {
        hops.push(result);
        output.event("hop", hopRow(result));
        output.line(hopLine(result, given.mtu === true));
      };
      const [random = 0] = crypto.getRandomValues(new Uint16Array(1));
      const own = OWN_FIRST + random % OWN_COUNT;
      const check = () => {
        if (length > mtu) {
          throw new UsageError(
            `--size: ${length} is over the MTU of ${station.name}; allowed is 28 to ${mtu}`,
          );
        }
      };
      const make = (destination: Address) =>
        new Traceroute({
          destination,
          kind,
          own,
          ...(given.port === undefined ? {} : { port: given.port }),
          firstHop: given.first,
          maxHops: given.maxHops,
          queries: given.queries,
          parallel: given.parallel,
          timeout: given.timeout,
          length,
          followMtu: given.mtu === true,
          onHop: show,
        });
      // What is wrong with the options is told before the wire is used, whatever a name will turn out to be.
      made(() => {
        check();
        make(isName ? NOBODY : host);
      }, station);
      let traceroute: Traceroute | undefined;
      await interruptible(context.io, given.duration, async (stop) => {
        const begin = (address: Address) => {
          const trace = traceroute = made(() => make(address), station);
          output.event("ready", {
            ...station.describe(),
            host: String(host),
            ...(isName && { address: String(address) }),
          });
          const who = isName ? `${host} (${address})` : `${host}`;
          output.line(`traceroute to ${who}, ${given.maxHops} hops max, ${trace.length} byte packets`);
          const cycle = () => {
            if (trace.done) stop.abort("done");
          };
          return { tree: appliance.tracing(trace), cycle };
        };
        await station.run(
          stop.signal,
          output,
          () => isName ? lookup(appliance, host, family).then(begin) : begin(host),
        );
        if (traceroute === undefined) throw endedEarly(stop.signal);
      });
      const { isReached = false, length: taken = length } = traceroute ?? {};
      output.event("statistics", {
        reached: isReached,
        hops: hops.at(-1)?.hop ?? 0,
        ...(given.mtu === true && { mtu: taken }),
        ...faultSummary(station.wire.faults),
      });
      if (given.mtu === true && isReached) {
        output.line(`the path takes packets of ${taken} bytes`);
      }
      for (const line of faultLines(station.wire.faults)) output.line(line);
      if (!isReached) context.status = ExitStatus.Failed;
    });
}

/** What `make` answers; if it throws, the NIC is given back and the complaint is the user's. */
function made<T>(make: () => T, station: { close(): void }): T {
  try {
    return make();
  } catch (error) {
    station.close();
    throw error instanceof RangeError
      ? new UsageError(`traceroute: ${error.message}; write another --port`)
      : error;
  }
}
