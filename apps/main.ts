/**
 * The program `ethox`.
 *
 * @module
 */
import { newProgram, parserError } from "./cli/commander.ts";
import { ExitStatus, messageOf, OutputClosed, statusOf } from "./cli/errors.ts";
import { type Io, processIo } from "./cli/io.ts";
import type { Context } from "./cli/output.ts";
import { addArp } from "./commands/arp.ts";
import { addCompletion } from "./commands/completion.ts";
import { addControl } from "./commands/ctl.ts";
import { addCurl } from "./commands/curl.ts";
import { addDemo } from "./commands/demo.ts";
import { addDump } from "./commands/dump.ts";
import { addForward } from "./commands/forward.ts";
import { addIperf3 } from "./commands/iperf3.ts";
import { addNics } from "./commands/nics.ts";
import { addPing } from "./commands/ping.ts";
import { addResolve } from "./commands/resolve.ts";
import { addServe } from "./commands/serve.ts";
import { addTraceroute } from "./commands/traceroute.ts";
import { beWorker, isWorker } from "./shard/worker.ts";
import { VERSION } from "./version.ts";

const HELP = `
Exit status: 0 done, 1 failed at run time, 2 wrong usage, 3 the NIC cannot be opened,
130 ended by Ctrl-C before it was done.
Each command explains itself with examples: ethox serve --help
`;

/** Runs the program with these arguments and answers with its exit status. */
export async function main(args: readonly string[], io: Io = processIo(import.meta.url)): Promise<number> {
  const context: Context = { io, status: ExitStatus.Done };
  const program = newProgram("ethox", io);
  program.description("A TCP/IP stack that is a program of its own.")
    .version(VERSION, "-V, --version", "print the version")
    .addHelpText("after", HELP)
    .exitOverride();
  const adders = [
    addServe,
    addPing,
    addTraceroute,
    addArp,
    addCurl,
    addIperf3,
    addResolve,
    addDump,
    addForward,
    addControl,
    addNics,
    addDemo,
    addCompletion,
  ];
  for (const add of adders) add(program, context);
  try {
    await program.parseAsync(args, { from: "user" });
    return context.status;
  } catch (thrown) {
    const error = parserError(thrown, program);
    if (error === undefined) return ExitStatus.Done;
    if (!(error instanceof OutputClosed)) io.err(`ethox: ${messageOf(error)}\n`);
    return statusOf(error);
  }
}

// The program's Workers are started from the same module, so that it can be one file.
if (isWorker()) beWorker();
else if (import.meta.main) Deno.exit(await main(Deno.args));
