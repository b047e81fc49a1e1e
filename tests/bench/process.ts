/**
 * Processes for benchmarks: this same Deno, with a program of this folder.
 *
 * @module
 */
import { ENGINE_FLAGS } from "../../scripts/pack/engine.ts";

/** The path of a program beside this file. */
export function beside(file: string): string {
  return new URL(file, import.meta.url).pathname;
}

const RUN: readonly string[] = ["run", "--quiet", "--no-prompt", "--cached-only", "-A"];

/** The words that run a program, with the engine as the task `ethox` sets it. */
export function deno(program: string, ...args: readonly string[]): string[] {
  return [Deno.execPath(), ...RUN, ...ENGINE_FLAGS, program, ...args];
}

/** The same with the engine as it is by itself. */
export function plainDeno(program: string, ...args: readonly string[]): string[] {
  return [Deno.execPath(), ...RUN, program, ...args];
}

/** Runs a command to its end and answers what it printed. Throws an Error with its complaint when it fails. */
export async function output(argv: readonly string[]): Promise<string> {
  const [program = "", ...args] = argv;
  const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${argv.join(" ")}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}
