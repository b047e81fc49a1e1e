/**
 * The program and everything it imports as one JavaScript module.
 *
 * @module
 */

import { BuildError, deno, ROOT } from "./run.ts";

/**
 * Bundles `entry` into the file `output`. The repository's import map and lock file hold, wherever `entry` is.
 *
 * @throws {BuildError} when it cannot be bundled, or would need anything but Deno when it runs.
 */
export async function bundle(entry: string, output: string, stop: AbortSignal): Promise<void> {
  const config = ["--config", `${ROOT}/deno.json`, "--lock", `${ROOT}/deno.lock`, "--frozen"];
  await deno(["bundle", "--quiet", "--platform", "deno", ...config, "--output", output, entry], stop);
  const code = withoutLocalPaths(await Deno.readTextFile(output));
  const missing = firstOutsideReference(code);
  if (missing !== undefined) throw new BuildError(`the bundle is not self-contained: ${missing}`);
  await Deno.writeTextFile(output, code);
}

/**
 * Names packages in the bundler's comments by name and version instead of by where this machine caches them, so
 * that the same sources give the same bytes anywhere.
 */
export function withoutLocalPaths(code: string): string {
  return code.replace(
    /^\/\/ (?:\S*\/)?npm\/[^/\s]+\/((?:@[^/\s]+\/)?[^/\s]+)\/(\d[^/\s]*)\/(\S+)$/gm,
    "// npm:$1@$2/$3",
  );
}

/** The first line of `code` that reaches for a module or a file that is not in it; undefined when none does. */
export function firstOutsideReference(code: string): string | undefined {
  const staticImport = /^(?:import|export)\s(?:[^"'\n;]*\sfrom\s)?["'](?!node:)[^"'\n]+["']/;
  const dynamicImport = /^[^*/]*\bimport\(\s*["'](?!node:)/;
  const fileBeside = /^[^*/]*\bnew URL\(\s*["'][^"']*["'],\s*import\.meta\.url\s*\)/;
  return code.split("\n").find((line) =>
    [staticImport, dynamicImport, fileBeside].some((is) => is.test(line))
  )
    ?.trim();
}
