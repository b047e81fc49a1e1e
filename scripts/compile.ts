/**
 * Makes one executable file of ethox that needs nothing installed: `dist/ethox`.
 *
 * ```sh
 * deno task compile [--method auto|deno|pack] [--entry FILE] [--output FILE]
 * ```
 *
 * With `deno compile` where its runtime can be had (DENORT_BIN, Deno's cache, its download host), or else as a
 * self-extracting file (`pack/header.sh`). Both hold the same bundle and have the same permissions
 * (`pack/permissions.ts`). The file appears whole or not at all, and nothing else is left behind.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { basename, dirname, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { pack } from "./pack/archive.ts";
import { bundle } from "./pack/bundle.ts";
import { compile, findDenort, surroundings } from "./pack/denort.ts";
import { BuildError, ROOT } from "./pack/run.ts";

/** The one version of Deno that ethox is made and tested with. */
const DENO_VERSION = "2.9.6";
const METHODS = ["auto", "deno", "pack"] as const;

const ENTRY = `${ROOT}/apps/main.ts`;
const OUTPUT = `${ROOT}/dist/ethox`;

interface Options {
  readonly method: (typeof METHODS)[number];
  readonly entry: string;
  readonly output: string;
}

/** @throws {BuildError} when an argument is wrong. */
function options(args: string[]): Options {
  const string = { type: "string" } as const;
  let values;
  try {
    ({ values } = parseArgs({ args, options: { method: string, entry: string, output: string } }));
  } catch (error) {
    throw new BuildError(`${(error as Error).message.split(". ")[0]}; allowed: --method, --entry, --output`);
  }
  const method = METHODS.find((name) => name === (values.method ?? "auto"));
  if (method === undefined) {
    throw new BuildError(`--method ${values.method}: allowed are ${METHODS.join(", ")}`);
  }
  return { method, entry: resolve(values.entry ?? ENTRY), output: resolve(values.output ?? OUTPUT) };
}

/** An executable file, and how it was made. */
interface Made {
  readonly path: string;
  readonly how: string;
}

/** Makes the executable of the bundle `code` in the directory `work`. */
async function make(method: Options["method"], code: string, work: string, stop: AbortSignal): Promise<Made> {
  if (method !== "pack") {
    const denort = await findDenort(await surroundings(stop));
    try {
      if (denort === undefined) {
        throw new BuildError("no denort for deno compile (no DENORT_BIN, none cached, no download host)");
      }
      const path = `${work}/compiled`;
      await compile(code, path, stop);
      return { path, how: `deno compile, its denort from ${denort.from}` };
    } catch (error) {
      // What the user asked for by name is not replaced by something else.
      const mayPack = method === "auto" && denort?.from !== "DENORT_BIN" && !stop.aborted;
      if (!mayPack || !(error instanceof BuildError)) throw error;
      console.error(`compile: ${error.message}; making a self-extracting file instead`);
    }
  }
  const path = `${work}/packed`;
  await pack(code, path, stop);
  return { path, how: `self-extracting, with Deno ${Deno.version.deno}` };
}

async function build({ method, entry, output }: Options, stop: AbortSignal): Promise<void> {
  if (Deno.version.deno !== DENO_VERSION) {
    throw new BuildError(
      `this is Deno ${Deno.version.deno}, not ${DENO_VERSION}: npx -y deno@${DENO_VERSION} task compile`,
    );
  }
  const isFile = await Deno.stat(entry).then((info) => info.isFile, () => false);
  if (!isFile) throw new BuildError(`the entry point ${entry} is no file`);
  await Deno.mkdir(dirname(output), { recursive: true });
  // Beside the output, so that the last step is a rename within one file system.
  const work = await Deno.makeTempDir({ dir: dirname(output), prefix: ".compile-" });
  try {
    const code = `${work}/ethox.js`;
    await bundle(entry, code, stop);
    const { path, how } = await make(method, code, work, stop);
    const bytes = await Deno.readFile(path);
    const digest = createHash("sha256").update(bytes).digest("hex");
    stop.throwIfAborted();
    await Deno.rename(path, output);
    console.log(`${relative(Deno.cwd(), output) || basename(output)}: ${bytes.length} bytes, ${how}`);
    console.log(`sha256 ${digest}`);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** Builds, and returns the exit status: 0, 1 failed, or 128 and the signal that ended it. */
async function main(): Promise<number> {
  const stop = new AbortController();
  let status = 1;
  const signals = [["SIGHUP", 129], ["SIGINT", 130], ["SIGTERM", 143]] as const;
  for (const [signal, code] of signals) {
    Deno.addSignalListener(signal, () => {
      status = code;
      stop.abort(new BuildError(`stopped by ${signal}`));
    });
  }
  try {
    await build(options(Deno.args), stop.signal);
    return 0;
  } catch (error) {
    console.error(`compile: ${(error as Error).message.split("\n")[0]}`);
    return status;
  }
}

if (import.meta.main) Deno.exit(await main());
