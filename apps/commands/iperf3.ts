/** `ethox iperf3`: measures how fast data gets to a host and from it, together with iperf3 or with itself. */
import { type Address, type Instant, seconds } from "../../mod.ts";
import type { Appliance } from "../appliance.ts";
import { type Command, Option } from "../cli/commander.ts";
import { CliError, ExitStatus, UsageError } from "../cli/errors.ts";
import * as options from "../cli/options.ts";
import { type Context, Output } from "../cli/output.ts";
import * as parse from "../cli/parse.ts";
import { interruptible } from "../cli/stop.ts";
import { Client } from "../iperf3/client.ts";
import { Display } from "../iperf3/display.ts";
import { Limit, type Parameters } from "../iperf3/parameters.ts";
import { partyOf } from "../iperf3/party.ts";
import { PORT } from "../iperf3/protocol.ts";
import { Server, type ServerCounters } from "../iperf3/server.ts";
import { rate, size } from "../iperf3/units.ts";
import { familyOf, lookup } from "../lookup.ts";
import { faultLines, faultSummary } from "../report.ts";
import { openStation } from "../station.ts";

/** How long a test is where nothing is said. */
const TIME = 10;
/** The rate of UDP where nothing is said: 1 Mbit/s. */
const UDP_RATE = 1e6;
/** The length of a block over TCP: 128 KiB. */
const BLOCK = 1 << 17;
/** How long the peer is waited for in the end, in milliseconds. */
const FAREWELL = 1_000;

const HELP = `
It speaks iperf3's protocol in both roles. What belongs to the test is told by the client; the server
runs one test at a time. Exit status: 0 done, 1 no test or one that failed, 130 Ctrl-C during a test.
${options.nicHelp()}${options.faultHelp()}
Examples:
  ethox iperf3 -s --addr 10.0.0.1/24                     then, from the kernel's side: iperf3 -c 10.0.0.1
  ethox iperf3 -c 10.0.0.2 --addr 10.0.0.1/24            to an iperf3 -s there, for ten seconds
  ethox iperf3 -c 10.0.0.2 --addr 10.0.0.1/24 -R -P 4 -t 5            from it, over four connections
  ethox iperf3 -c 10.0.0.2 --addr 10.0.0.1/24 -u -b 100M -l 1200      datagrams at 100 Mbit/s
  ethox iperf3 -c 10.0.0.2 --nic link: -n 100M --json                 with itself, in memory
`;

/** The options that only a client has, as they are given and as they are called. */
const CLIENT_ONLY = {
  udp: "--udp",
  time: "--time",
  bytes: "--bytes",
  blockcount: "--blockcount",
  length: "--length",
  parallel: "--parallel",
  reverse: "--reverse",
  bidir: "--bidir",
  bitrate: "--bitrate",
  omit: "--omit",
  delay: "--no-delay",
} as const;

/** What the options say of a test. */
interface TestOptions {
  readonly udp?: true | undefined;
  readonly time?: number | undefined;
  readonly bytes?: number | undefined;
  readonly blockcount?: number | undefined;
  readonly length?: number | undefined;
  readonly parallel?: number | undefined;
  readonly reverse?: true | undefined;
  readonly bidir?: true | undefined;
  readonly bitrate?: number | undefined;
  readonly omit?: number | undefined;
  /** False: there is to be none. */
  readonly delay?: boolean | undefined;
}

/** Adds the command. */
export function addIperf3(program: Command, context: Context): void {
  program.command("iperf3")
    .description("measure throughput with iperf3, as its server or its client")
    .addOption(new Option("-s, --server", "be the server").conflicts("client"))
    .addOption(
      new Option("-c, --client <host>", "be a client of the server at this address or name")
        .argParser((text) => parse.host("--client", text)),
    )
    .addOption(
      new Option("-p, --port <n>", "the server's port").argParser(parse.count("--port", 1, 65_535)).default(
        PORT,
      ),
    )
    .addOption(new Option("-1, --one-off", "server: end behind the first test"))
    .addOption(
      new Option("-i, --interval <time>", "how often rows are shown: seconds, or such as 500ms; 0: never")
        .argParser(time("--interval")).default(seconds(1), "1"),
    )
    .addOption(new Option("-u, --udp", "client: UDP instead of TCP"))
    .addOption(
      new Option("-t, --time <time>", `client: how long: seconds, or such as 500ms (default: ${TIME})`)
        .argParser(testTime).conflicts(["bytes", "blockcount"]),
    )
    .addOption(
      new Option("-n, --bytes <size>", "client: how many bytes, instead of how long")
        .argParser(size("--bytes", 1, 2 ** 50)).conflicts("blockcount"),
    )
    .addOption(
      new Option("-k, --blockcount <n>", "client: how many blocks or datagrams, instead of how long")
        .argParser(size("--blockcount", 1, 2 ** 40)),
    )
    .addOption(
      new Option(
        "-l, --length <size>",
        "client: the length of a block (default: TCP 128K, UDP what a packet takes)",
      )
        .argParser(size("--length", 1, Limit.Block)),
    )
    .addOption(
      new Option("-P, --parallel <n>", "client: streams at once").argParser(
        parse.count("--parallel", 1, Limit.Streams),
      ),
    )
    .addOption(new Option("-R, --reverse", "client: the server sends").conflicts("bidir"))
    .addOption(new Option("--bidir", "client: both send"))
    .addOption(
      new Option(
        "-b, --bitrate <rate>",
        "client: bits a second and stream (default: TCP no limit, UDP 1M; 0: no limit)",
      )
        .argParser(rate("--bitrate")),
    )
    .addOption(
      new Option("-O, --omit <n>", "client: seconds at the start that do not count")
        .argParser(parse.count("--omit", 0, Limit.Omit)),
    )
    .addOption(new Option("-N, --no-delay", "client: send at once what fills no segment"))
    .addOption(options.nic)
    .addOption(options.addr)
    .addOption(options.gateway)
    .addOption(options.mac)
    .addOption(options.vlan)
    .addOption(options.dns)
    .addOption(options.ipv4)
    .addOption(options.ipv6)
    .addOption(options.congestion)
    .addOption(options.fault)
    .addOption(options.pcap)
    .addOption(new Option("-J, --json", "write one JSON object a line; the first is the ready event"))
    .addOption(new Option("-q, --quiet", "show only the results"))
    .addHelpText("after", HELP)
    .action(async (given) => {
      const output = new Output(context.io, given);
      const host = given.client;
      if (host === undefined && given.server !== true) {
        throw new UsageError("iperf3: write -s to be the server, or -c HOST to be a client of one");
      }
      // What cannot be is told before the wire is used.
      if (host === undefined) refuse(given, CLIENT_ONLY, "a client's; the server is told by its client");
      else if (given.oneOff === true) refuse(given, { oneOff: "--one-off" }, "the server's");
      const parameters = testOf(given);
      const family = host === undefined
        ? given.ipv4 === true ? 4 : given.ipv6 === true ? 6 : undefined
        : familyOf("--client", host, given);
      const isName = typeof host === "string";
      const station = openStation(
        { ...given, dns: isName ? given.dns ?? [] : undefined },
        output,
        isName ? undefined : host,
      );
      const { appliance } = station;
      const display = new Display(output, host === undefined, given.interval > 0);
      const party = partyOf(appliance);
      const { port, interval } = given;
      const end = new AbortController();
      const run = new Run(end);
      const isInterrupted = await interruptible(context.io, undefined, async (stop) => {
        const halt = () => run.stop(String(stop.signal.reason));
        stop.signal.addEventListener("abort", halt);
        if (stop.signal.aborted) halt();
        const begin = (address?: Address) => {
          output.event("ready", {
            ...station.describe(),
            port,
            ...(address !== undefined && { host: String(host), address: String(address) }),
          });
          if (address === undefined) {
            output.line(`Server listening on ${port}`);
            const serving = { port, family, oneOff: given.oneOff === true, interval };
            return run.work(appliance, new Server(party, serving, display));
          }
          const who = isName ? `${host} (${address})` : `${address}`;
          output.line(`Connecting to host ${who}, port ${port}`);
          const local = appliance.ip.path.source(address, appliance.nic.now());
          if (local === undefined) {
            throw new CliError(
              ExitStatus.Failed,
              `--client: there is no way to ${address}; name a --gateway`,
            );
          }
          return run.work(
            appliance,
            new Client(party, { address, port, local, parameters, interval }, display),
          );
        };
        const work = () =>
          host === undefined ? begin() : isName ? lookup(appliance, host, family).then(begin) : begin(host);
        try {
          await station.run(end.signal, output, work);
        } finally {
          run.over();
          stop.signal.removeEventListener("abort", halt);
        }
        return stop.signal.aborted;
      });
      const { counters } = run;
      output.event("summary", {
        ...(counters !== undefined && { tests: { ...counters } }),
        ...faultSummary(station.wire.faults),
      });
      if (counters !== undefined) {
        const { answered, failed, busy, strangers } = counters;
        output.line(`tests ${answered}, failed ${failed}, busy ${busy}, strangers ${strangers}`);
      }
      for (const line of faultLines(station.wire.faults)) output.line(line);
      if (host !== undefined && isInterrupted && !display.isFinished) {
        throw new CliError(ExitStatus.Interrupted, "interrupted");
      }
      const isFailure = host !== undefined || given.oneOff === true;
      if (isFailure && display.failure !== undefined) {
        // A server has told it already.
        if (host === undefined) context.status = ExitStatus.Failed;
        else throw new CliError(ExitStatus.Failed, display.failure);
      }
    });
}

/** A server or a client that is driven by the poll cycle, until it is done or told to stop. */
class Run {
  readonly #end: AbortController;
  #running: Server | Client | undefined;
  #appliance: Appliance | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(end: AbortController) {
    this.#end = end;
  }

  /** What became of a server's clients; undefined: there is no server. */
  get counters(): ServerCounters | undefined {
    return this.#running instanceof Server ? this.#running.counters : undefined;
  }

  /** What the station is to do. */
  work(appliance: Appliance, running: Server | Client) {
    this.#appliance = appliance;
    this.#running = running;
    appliance.tasks.push(running);
    const cycle = () => {
      running.tick(appliance.nic.now());
      if (running.isDone) this.#end.abort("done");
      // Whoever has not said goodbye by then does not hear it.
      else if (running instanceof Client && running.success !== undefined) this.#hurry();
    };
    return { tree: appliance.answering(), cycle };
  }

  /** The user wants an end: the peer is told. */
  stop(reason: string): void {
    if (this.#running === undefined) return this.#end.abort(reason);
    this.#running.stop();
    this.#appliance?.nic.wake();
    this.#hurry();
  }

  /** It has ended. */
  over(): void {
    clearTimeout(this.#timer);
  }

  #hurry(): void {
    this.#timer ??= setTimeout(() => this.#end.abort("done"), FAREWELL);
  }
}

/** The test that the options ask for. */
function testOf(given: TestOptions): Parameters {
  const { bytes = 0, blockcount: blocks = 0, length = 0 } = given;
  const isUdp = given.udp === true;
  if (isUdp && length > 0 && (length < Limit.LeastDatagram || length > Limit.Datagram)) {
    throw new UsageError(
      `--length: no datagram has ${length} bytes; allowed is ${Limit.LeastDatagram} to ${Limit.Datagram}`,
    );
  }
  return {
    protocol: isUdp ? "udp" : "tcp",
    omit: given.omit ?? 0,
    time: bytes > 0 || blocks > 0 ? 0 : given.time ?? TIME,
    bytes,
    blocks,
    streams: given.parallel ?? 1,
    reverse: given.reverse === true,
    bidirectional: given.bidir === true,
    length: length > 0 || isUdp ? length : BLOCK,
    rate: given.bitrate ?? (isUdp ? UDP_RATE : 0),
    noDelay: given.delay === false,
    counters64: true,
  };
}

/** Refuses options that are somebody else's. */
function refuse(given: object, names: Readonly<Record<string, string>>, whose: string): void {
  const found = Object.entries(given).find(([name, value]) => {
    return name in names && value !== undefined && (name !== "delay" || value === false);
  });
  if (found === undefined) return;
  throw new UsageError(`${names[found[0]]}: this option is ${whose}; leave it out`);
}

/** Seconds, as iperf3 takes them, or a time with its unit. */
function time(option: string): (text: string) => Instant {
  const withUnit = parse.duration(option);
  return (text) => withUnit(/^\d+(\.\d+)?$/.test(text) ? `${text}s` : text);
}

function testTime(text: string): number {
  const length = time("--time")(text) / 1e6;
  if (length > 0 && length <= Limit.Time) return length;
  throw new UsageError(`--time: "${text}" is out of range; allowed is more than 0 and up to ${Limit.Time} s`);
}
