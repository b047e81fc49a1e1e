/** `ethox ping`: asks a host for echoes. */
import { type Address, Ping, type PingError, type PingResult, seconds } from "../../mod.ts";
import { type Command, Option } from "../cli/commander.ts";
import { ExitStatus } from "../cli/errors.ts";
import { milliseconds } from "../cli/format.ts";
import * as options from "../cli/options.ts";
import { type Context, Output } from "../cli/output.ts";
import * as parse from "../cli/parse.ts";
import { endedEarly, interruptible } from "../cli/stop.ts";
import { familyOf, lookup } from "../lookup.ts";
import { faultLines, faultSummary } from "../report.ts";
import { pingProblem } from "../ping-problem.ts";
import { RoundTrips } from "../round-trips.ts";
import { openStation } from "../station.ts";

/** The headers of ICMP and of each family's IP. */
const ICMP_HEADER = 8, IPV4_HEADER = 20, IPV6_HEADER = 40;

const HELP = `
The exit status is 0 if any reply came, 1 if none did. On link: the neighbour in memory is HOST.
${options.nicHelp()}${options.faultHelp()}
Examples:
  ethox ping 10.0.0.2 --addr 10.0.0.1/24           ping the kernel's side of tap0 until Ctrl-C
  ethox ping 10.0.0.2 --addr 10.0.0.1/24 -c 3 -s 1472
  ethox ping -6 example.com --addr dhcp --addr slaac          by name, over IPv6
  ethox ping 10.0.0.2 --nic link: -c 5 -i 200ms --json
  ethox ping 10.0.0.2 --nic link: -c 20 -i 50ms --fault delay=5ms,jitter=2ms --pcap ping.pcapng
`;

/** Adds the command. */
export function addPing(program: Command, context: Context): void {
  program.command("ping")
    .description("send echo requests to a host and time the replies")
    .argument("<host>", "whom to ask: an address or a name", (text) => parse.host("HOST", text))
    .addOption(options.nic)
    .addOption(options.addr)
    .addOption(options.gateway)
    .addOption(options.mac)
    .addOption(options.vlan)
    .addOption(options.dns)
    .addOption(options.ipv4)
    .addOption(options.ipv6)
    .addOption(
      new Option("-c, --count <n>", "how many requests (default: until Ctrl-C)").argParser(
        parse.count("--count"),
      ),
    )
    .addOption(
      new Option("-i, --interval <time>", "the time between two requests, 1ms or more")
        .argParser(parse.duration("--interval", 1_000)).default(seconds(1), "1s"),
    )
    .addOption(
      new Option("-s, --size <bytes>", "bytes of payload").argParser(parse.count("--size", 0, 65_507))
        .default(56),
    )
    .addOption(
      new Option("-t, --ttl <hops>", "how many hops a request may make").argParser(
        parse.count("--ttl", 1, 255),
      ),
    )
    .addOption(
      new Option("-W, --timeout <time>", "how long a reply is waited for")
        .argParser(parse.duration("--timeout", 1_000)).default(seconds(1), "1s"),
    )
    .addOption(options.duration)
    .addOption(options.fault)
    .addOption(options.pcap)
    .addOption(options.json)
    .addOption(new Option("-q, --quiet", "print only the statistics"))
    .addOption(options.verbose)
    .addHelpText("after", HELP)
    .action(async (host, given) => {
      const output = new Output(context.io, given);
      const isName = typeof host === "string";
      const family = familyOf("HOST", host, given);
      const station = openStation(
        isName ? { ...given, dns: given.dns ?? [] } : given,
        output,
        isName ? undefined : host,
      );
      const { appliance } = station;
      const trips = new RoundTrips();
      const show = (result: PingResult) => {
        const { sequence, rtt, hopLimit, length, isDuplicate } = result;
        if (rtt === undefined) {
          output.event("timeout", { sequence });
          output.line(`no answer from ${host}: icmp_seq=${sequence}`);
          return;
        }
        trips.add(rtt);
        const bytes = length + ICMP_HEADER;
        const duplicate = isDuplicate ? { duplicate: true } : {};
        output.event("reply", { sequence, bytes, ttl: hopLimit ?? null, rttMs: rtt / 1_000, ...duplicate });
        const time = `icmp_seq=${sequence} ttl=${hopLimit} time=${milliseconds(rtt)} ms`;
        output.line(`${bytes} bytes from ${host}: ${time}${isDuplicate ? " (DUP!)" : ""}`);
      };
      const complain = ({ sequence, from, type, code, mtu }: PingError) => {
        const problem = pingProblem(from.isV4, type, code, mtu);
        const told = mtu > 0 ? { mtu } : {};
        output.event("error", { sequence, from: String(from), type, code, ...told, problem });
        output.line(`From ${from} icmp_seq=${sequence} ${problem}`);
      };
      const [random = 0] = crypto.getRandomValues(new Uint16Array(1));
      const make = (destination: Address) =>
        new Ping({
          destination,
          identifier: random,
          interval: given.interval,
          timeout: given.timeout,
          length: given.size,
          ...(given.count === undefined ? {} : { count: given.count }),
          ...(given.ttl === undefined ? {} : { hopLimit: given.ttl }),
          onResult: show,
          onError: complain,
        });
      let ping: Ping | undefined;
      let started = appliance.nic.now();
      await interruptible(context.io, given.duration, async (stop) => {
        const begin = (address: Address) => {
          const who = isName ? `${host} (${address})` : `${host}`;
          const pings = ping = make(address);
          started = appliance.nic.now();
          output.event("ready", {
            ...station.describe(),
            host: String(host),
            ...(isName && { address: String(address) }),
          });
          const length = given.size + ICMP_HEADER + (address.isV4 ? IPV4_HEADER : IPV6_HEADER);
          output.line(`PING ${who} ${given.size}(${length}) bytes of data.`);
          const cycle = () => {
            if (pings.done) stop.abort("done");
          };
          return { tree: appliance.pinging(pings), cycle };
        };
        await station.run(
          stop.signal,
          output,
          () => isName ? lookup(appliance, host, family).then(begin) : begin(host),
        );
        if (ping === undefined) throw endedEarly(stop.signal);
      });
      const time = Math.round((appliance.nic.now() - started) / 1_000);
      const { transmitted = 0, received = 0, duplicates = 0, errors = 0 } = ping ?? {};
      const loss = transmitted === 0 ? 0 : (transmitted - received) * 100 / transmitted;
      const rttMs = trips.milliseconds();
      output.event("statistics", {
        transmitted,
        received,
        ...(duplicates > 0 && { duplicates }),
        ...(errors > 0 && { errors }),
        lossPercent: loss,
        timeMs: time,
        ...(rttMs && { rttMs }),
        ...faultSummary(station.wire.faults),
      });
      if (output.human) output.line();
      output.result(`--- ${host} ping statistics ---`);
      const lost = `${Number(loss.toFixed(1))}% packet loss`;
      const more = `${duplicates > 0 ? `, +${duplicates} duplicates` : ""}${
        errors > 0 ? `, +${errors} errors` : ""
      }`;
      output.result(
        `${transmitted} packets transmitted, ${received} received${more}, ${lost}, time ${time}ms`,
      );
      if (received > 0) output.result(trips.line());
      for (const line of faultLines(station.wire.faults)) output.line(line);
      if (received === 0) context.status = ExitStatus.Failed;
    });
}
