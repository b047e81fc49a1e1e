/** `ethox completion`: a script that teaches a shell to complete this command's words. */
import { Argument, type Command } from "../cli/commander.ts";
import { completionScript, SHELLS } from "../cli/completion.ts";
import type { Context } from "../cli/output.ts";
import { UsageError } from "../cli/errors.ts";

const HELP = `
Examples:
  source <(ethox completion bash)
  ethox completion zsh > ~/.zfunc/_ethox
  ethox completion fish > ~/.config/fish/completions/ethox.fish
`;

/** Adds the command. */
export function addCompletion(program: Command, context: Context): void {
  program.command("completion")
    .description("print a completion script for a shell")
    .addArgument(new Argument("<shell>", "which shell").choices(SHELLS).argParser(shell))
    .addHelpText("after", HELP)
    .action((name) => context.io.out(completionScript(program, name)));
}

function shell(text: string): (typeof SHELLS)[number] {
  const known = SHELLS.find((name) => name === text);
  if (known === undefined) {
    throw new UsageError(`completion: there is none for "${text}"; allowed is ${SHELLS.join(", ")}`);
  }
  return known;
}
