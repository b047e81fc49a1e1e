/** `ethox dump`: shows what a NIC receives. */
import { Address, BURST, Cidr, formatNicSpec, openNic } from "../../mod.ts";
import { type Command, Option } from "../cli/commander.ts";
import { CliError, ExitStatus } from "../cli/errors.ts";
import * as options from "../cli/options.ts";
import { type Context, Output } from "../cli/output.ts";
import * as parse from "../cli/parse.ts";
import { interruptible } from "../cli/stop.ts";
import { Neighbour } from "../neighbour.ts";
import { trace } from "../trace.ts";

/** What the built-in neighbour of a wire in memory is and looks for. */
const NEIGHBOUR = "10.0.0.2/24", WANTED = "10.0.0.1";

const HELP = `
It takes the NIC for itself and answers nothing: on a TAP it sees what the kernel sends into it. On
link: the neighbour looks for ${WANTED}, so that something happens. To watch a host that answers, use
serve --verbose.

Examples:
  ethox dump                                everything the kernel sends into tap0, until Ctrl-C
  ethox dump --nic tap:tap1 -c 10 --verbose
  ethox dump --nic link: -d 2s --json
`;

/** Adds the command. */
export function addDump(program: Command, context: Context): void {
  program.command("dump")
    .description("show the frames that a NIC receives, and answer nothing")
    .addOption(options.nic)
    .addOption(new Option("-c, --count <n>", "stop after this many frames").argParser(parse.count("--count")))
    .addOption(options.duration)
    .addOption(options.json)
    .addOption(new Option("-v, --verbose", "show every field of every header"))
    .addHelpText("after", HELP)
    .action(async (given) => {
      const output = new Output(context.io, given);
      const opened = openNic(given.nic);
      const name = formatNicSpec(given.nic);
      let frames = 0;
      await interruptible(context.io, given.duration, async (stop) => {
        const end = new AbortController();
        const neighbour = opened.peer === undefined
          ? undefined
          : new Neighbour(opened.peer, [Cidr.parse(NEIGHBOUR)], Address.parse(WANTED)).run(end.signal);
        const nic = trace(opened.nic, output, { details: given.verbose, shown: () => frames++ });
        const wake = () => nic.wake();
        stop.signal.addEventListener("abort", wake);
        output.event("ready", { nic: name });
        output.line(`listening on ${name}; Ctrl-C stops`);
        try {
          while (!stop.signal.aborted && frames < (given.count ?? Infinity)) {
            if (nic.failure !== undefined) throw new CliError(ExitStatus.Failed, nic.failure);
            nic.rx(Math.min(BURST, (given.count ?? Infinity) - frames), { receive: () => {} });
            if (frames !== given.count) await nic.ready();
          }
        } finally {
          stop.signal.removeEventListener("abort", wake);
          end.abort();
          await neighbour;
          nic.close();
        }
      });
      output.event("summary", { frames });
      output.line(`${frames} ${frames === 1 ? "frame" : "frames"}`);
    });
}
