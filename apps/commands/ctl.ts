/** `ethox ctl`, `addr`, `route`, `neigh`: look at a running appliance and change it. */
import { type Command, Option } from "../cli/commander.ts";
import { UsageError } from "../cli/errors.ts";
import { type Context, Output } from "../cli/output.ts";
import { request } from "../control/client.ts";
import { ask, CONTROL_COMMANDS } from "../control/commands.ts";
import { RequestError } from "../control/request.ts";

const SHORT: readonly (readonly [name: string, description: string])[] = [
  ["addr", "list, add or remove the addresses of a running appliance"],
  ["route", "list, add or remove the routes of a running appliance"],
  ["neigh", "list, add or forget the neighbours of a running appliance"],
];

const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  ctl: ["addr add 10.0.0.9/24", "connections", "counters --json"],
  addr: ["show", "add 10.0.0.9/24", "del 10.0.0.9"],
  route: ["show", "add default via 10.0.0.254", "add blackhole 192.0.2.0/24 metric 7"],
  neigh: ["show", "add 10.0.0.2 lladdr 02:00:00:00:00:02", "flush"],
};

/** Adds the commands. */
export function addControl(program: Command, context: Context): void {
  addOne(program, context, "ctl", "look at a running appliance and change it", []);
  for (const [name, description] of SHORT) addOne(program, context, name, description, [name]);
}

function addOne(
  program: Command,
  context: Context,
  name: string,
  description: string,
  prefix: readonly string[],
): void {
  const commands = CONTROL_COMMANDS.filter((command) =>
    prefix.every((word) => command.name.startsWith(`${word} `))
  );
  const listed = commands.map((command) =>
    `  ${command.name} ${command.form}`.trimEnd() + `\n      ${command.meaning}`
  );
  program.command(name)
    .description(description)
    .argument(
      "[words...]",
      prefix.length === 0 ? "a command with its arguments" : "show, or another command below",
    )
    .addOption(
      new Option("--ctl <path>", "the socket: what the appliance was given as --ctl").makeOptionMandatory(),
    )
    .addOption(new Option("--json", "write one JSON object a line"))
    .addHelpText("after", help(name, listed))
    .action(async (words, given) => {
      const output = new Output(context.io, given);
      const { command, line } = asked([...prefix, ...words]);
      const result = await request(given.ctl, line);
      for (const row of result) output.event(command.name, row);
      for (const text of command.lines(result)) output.line(text);
    });
}

function help(name: string, commands: readonly string[]): string {
  return `
Commands:
${commands.join("\n")}

What is changed counts from the appliance's next packet on. The exit status is 0 when it was done, 1 when
the appliance refused or did not answer, 2 for wrong words. Programs may write to the socket themselves:
one JSON object a line, answered by one, as in {"command":"addr add","address":"10.0.0.9/24"}.

Examples:
${EXAMPLES[name]!.map((words) => `  ethox ${name} --ctl /run/ethox.sock ${words}`).join("\n")}
`;
}

function asked(words: readonly string[]): ReturnType<typeof ask> {
  try {
    return ask(words);
  } catch (error) {
    throw error instanceof RequestError ? new UsageError(error.message) : error;
  }
}
