/** `ethox demo`: shows the stack at work, without any preparation. */
import { namespaceSupport } from "../../mod.ts";
import { type Command, Option } from "../cli/commander.ts";
import { type Context, Output } from "../cli/output.ts";
import { interruptible } from "../cli/stop.ts";
import { runInNamespace } from "../demo/namespace.ts";
import { excuse, runDemo } from "../demo/run.ts";

const HELP = `
It makes a network namespace and a TAP interface of its own (in a user namespace when you are not root),
answers there, and lets the real arping and ping ask, or the kernel's own ICMP socket where they are not
installed. Where no TAP can be had it shows the same in memory. Nothing is left behind. The exit status
is 0 only if every probe was answered.

Examples:
  ethox demo           the whole show, over both families: about 6 seconds
  ethox demo --link    in memory
  ethox demo --json    for programs to read
`;

/** Adds the command. */
export function addDemo(program: Command, context: Context): void {
  program.command("demo")
    .description("show, packet by packet, how the Linux kernel's ping is answered")
    .option("--link", "stay in memory, without the kernel")
    .option("--json", "write one JSON object a line")
    .addOption(new Option("--inside", "run in this namespace").hideHelp())
    .addHelpText("after", HELP)
    .action(async (given) => {
      const output = new Output(context.io, given);
      await interruptible(context.io, undefined, async ({ signal }) => {
        if (given.inside === true || given.link === true) {
          context.status = await runDemo(output, signal, given.link === true);
          return;
        }
        const { prefix, reason } = await namespaceSupport();
        if (prefix === undefined) {
          excuse(output, reason);
          context.status = await runDemo(output, signal, true);
          return;
        }
        const args = ["demo", "--inside", ...(given.json === true ? ["--json"] : [])];
        context.status = await runInNamespace(prefix, args, signal);
      });
    });
}
