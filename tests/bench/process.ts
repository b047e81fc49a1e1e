/**
 * Processes for benchmarks: this same Deno, with a program of this folder.
 *
 * @module
 */

/** The path of a program beside this file. */
export function beside(file: string): string {
  return new URL(file, import.meta.url).pathname;
}

/** The words that run a program. */
export function deno(program: string, ...args: readonly string[]): string[] {
  return [Deno.execPath(), "run", "--quiet", "--no-prompt", "--cached-only", "-A", program, ...args];
}

/** Runs a command to its end and answers what it printed. Throws an Error with its complaint when it fails. */
export async function output(argv: readonly string[]): Promise<string> {
  const [program = "", ...args] = argv;
  const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${argv.join(" ")}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}
