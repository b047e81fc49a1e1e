/** The command line parser: the only module that imports it, and its settings. */
import { Argument, Command, CommanderError, Option } from "@commander-js/extra-typings";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { UsageError } from "./errors.ts";
import type { Io } from "./io.ts";

export { Argument, Command, Option };
export type { CommandUnknownOpts };

/** A program that prints help through `io` and throws {@linkcode UsageError} instead of ending the process. */
export function newProgram(name: string, io: Io): Command {
  return new Command(name)
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: () => {},
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      getOutHelpWidth: () => 100,
    })
    .configureHelp({ showGlobalOptions: false });
}

/** What the parser threw as help that was asked for (undefined), or as the error that the user sees. */
export function parserError(error: unknown, program: CommandUnknownOpts): unknown {
  if (!(error instanceof CommanderError)) return error;
  if (error.exitCode === 0) return undefined;
  const commands = program.commands.map((command) => command.name()).join(", ");
  const [word, unknown] = program.args;
  if (error.code === "commander.help" && word === "help" && unknown !== undefined) {
    return new UsageError(`unknown command '${unknown}'; the commands are ${commands}`);
  }
  if (error.code === "commander.help") {
    return new UsageError(`no command given; the commands are ${commands}`);
  }
  const message = error.message.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " ").replace(/[.\s]+$/, "");
  if (error.code === "commander.unknownCommand") {
    return new UsageError(`${message}; the commands are ${commands}`);
  }
  return new UsageError(`${message}; all options and arguments are listed by --help`);
}
