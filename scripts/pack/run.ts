/**
 * Running Deno itself as a tool of the build.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

/** The repository's directory, without a slash at its end. */
export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** A reason why the build cannot go on, as one line for the user: no stack trace is shown. */
export class BuildError extends Error {}

/**
 * Runs this very Deno (never another on the PATH) with `args`, in the repository's directory, without input.
 *
 * @returns what it wrote to its standard output.
 * @throws {BuildError} when it fails with its complaint, or takes longer than `timeout` milliseconds.
 */
export async function deno(args: string[], stop: AbortSignal, timeout = 120_000): Promise<string> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(timeout)]);
  const env = { NO_COLOR: "1" };
  const command = new Deno.Command(Deno.execPath(), { args, signal, stdin: "null", env, cwd: ROOT });
  const { success, stdout, stderr } = await command.output();
  stop.throwIfAborted();
  if (signal.aborted) throw new BuildError(`deno ${args[0]} took longer than ${timeout / 1000} s`);
  const decoder = new TextDecoder();
  if (!success) throw new BuildError(`deno ${args[0]} failed: ${complaint(decoder.decode(stderr))}`);
  return decoder.decode(stdout);
}

/** A complaint of Deno's as one line: what went wrong and the causes below it. */
function complaint(text: string): string {
  const lines = (text.split("Stack backtrace:")[0] ?? "").split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "").slice(0, 5).join(" ").replace(/^error: /, "") ||
    "without a word";
}
