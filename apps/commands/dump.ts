/** `ethox dump`: shows what a NIC receives, or what a capture file holds. */
import { Address, BURST, Cidr, formatNicSpec, type Nic, type NicSpec, openNic } from "../../mod.ts";
import { type Command, Option } from "../cli/commander.ts";
import { CliError, ExitStatus, UsageError } from "../cli/errors.ts";
import * as options from "../cli/options.ts";
import { type Context, Output } from "../cli/output.ts";
import * as parse from "../cli/parse.ts";
import { interruptible } from "../cli/stop.ts";
import { dumpFile, openCapture } from "../dump-file.ts";
import { Neighbour } from "../neighbour.ts";
import { Wire, type WireOptions } from "../wire.ts";

/** What the built-in neighbour of a wire in memory is and looks for. */
const NEIGHBOUR = "10.0.0.2/24", WANTED = "10.0.0.1";

const HELP = `
Without FILE it takes the NIC for itself and answers nothing: on a TAP it sees what the kernel sends into
it. On link: the neighbour looks for ${WANTED}, so that something happens. To watch a host that answers,
use serve --verbose, or serve --pcap.

Of a FILE that is cut off or damaged it prints what can be read, and says where the fault is; the exit
status is then 1. A filter sees the bytes as they are in the file: one for a capture that begins with IP
headers is made by tcpdump -y RAW -dd.
${options.nicHelp()}
Examples:
  ethox dump                                everything the kernel sends into tap0, until Ctrl-C
  ethox dump --nic tap:tap1 -c 10 --verbose
  ethox dump --nic link: -d 2s --json
  ethox dump out.pcapng --verbose           a capture, pcap or pcapng; - reads stdin
  ethox dump out.pcapng --filter udp.bpf
`;

/** The options that are about a NIC, by the names that commander gives their values. */
const LIVE_OPTIONS = ["nic", "pcap", "duration"] as const;

interface DumpOptions extends WireOptions {
  readonly nic: NicSpec;
  readonly count?: number | undefined;
  readonly duration?: number | undefined;
  readonly verbose?: true | undefined;
}

/** Adds the command. */
export function addDump(program: Command, context: Context): void {
  const command = program.command("dump")
    .description("show the frames that a NIC receives, or that a capture file holds, and answer nothing")
    .argument("[file]", "a capture to read, pcap or pcapng; -: stdin")
    .addOption(options.nic)
    .addOption(new Option("-c, --count <n>", "stop after this many frames").argParser(parse.count("--count")))
    .addOption(options.duration)
    .addOption(options.pcap)
    .addOption(options.filter)
    .addOption(options.json)
    .addOption(new Option("-v, --verbose", "show every field of every header"))
    .addHelpText("after", HELP);
  command.action(async (file, given) => {
    const output = new Output(context.io, given);
    if (file === undefined) return await dumpNic(context, output, given);
    const live = LIVE_OPTIONS.find((name) => command.getOptionValueSource(name) === "cli");
    if (live !== undefined) {
      throw new UsageError(`dump: --${live} is about a NIC; leave out either it or ${file}`);
    }
    await dumpCapture(context, output, file, given);
  });
}

async function dumpCapture(
  context: Context,
  output: Output,
  path: string,
  given: DumpOptions,
): Promise<void> {
  const source = await openCapture(path);
  output.event("ready", { file: source.name });
  const dumped = { printed: 0, read: 0 };
  const { filter, count = Infinity, verbose } = given;
  await interruptible(context.io, undefined, async ({ signal }) => {
    await dumpFile(source, output, { details: verbose === true, count, filter }, signal, dumped);
  }).finally(() => {
    const { printed, read } = dumped;
    output.event("summary", { frames: printed, ...(filter && { read }) });
    output.line(filter === undefined ? frames(printed) : `${printed} of ${frames(read)} matched`);
  });
}

async function dumpNic(context: Context, output: Output, given: DumpOptions): Promise<void> {
  const name = formatNicSpec(given.nic);
  if (given.nic.kind === "xdp" && given.nic.share !== false) {
    throw new UsageError(
      `--nic: ${name} takes what is for a host of ours, and here is none; write raw:${given.nic.name}`,
    );
  }
  const most = given.count ?? Infinity;
  const opened = openNic(given.nic);
  let shown = 0;
  const wire = open(() => {
    return new Wire(opened.nic, name, given, {
      output,
      trace: { details: given.verbose, shown: () => shown++ },
    });
  }, opened.nic);
  const { nic } = wire;
  await interruptible(context.io, given.duration, async (stop) => {
    const end = new AbortController();
    const neighbour = opened.peer === undefined
      ? undefined
      : new Neighbour(opened.peer, [Cidr.parse(NEIGHBOUR)], Address.parse(WANTED)).run(end.signal);
    const wake = () => nic.wake();
    stop.signal.addEventListener("abort", wake);
    try {
      output.event("ready", { nic: name });
      output.line(`listening on ${name}; Ctrl-C stops`);
      while (!stop.signal.aborted && shown < most) {
        if (nic.failure !== undefined) throw new CliError(ExitStatus.Failed, nic.failure);
        nic.rx(Math.min(BURST, most - shown), { receive: () => {} });
        if (shown < most) await nic.ready();
      }
    } finally {
      stop.signal.removeEventListener("abort", wake);
      end.abort();
      await neighbour;
      nic.close();
    }
  });
  wire.check();
  output.event("summary", { frames: shown });
  output.line(frames(shown));
}

/** What `make` answers; if it throws, the NIC is given back. */
function open<T>(make: () => T, nic: Nic): T {
  try {
    return make();
  } catch (error) {
    nic.close();
    throw error;
  }
}

function frames(count: number): string {
  return `${count} ${count === 1 ? "frame" : "frames"}`;
}
