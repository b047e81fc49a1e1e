/**
 * `deno compile`, and where the Deno runtime without tools (`denort`) that it needs can be had.
 *
 * @module
 */

import { ENGINE_FLAGS } from "./engine.ts";
import { PERMISSIONS } from "./permissions.ts";
import { BuildError, deno } from "./run.ts";

/** Where `denort` comes from, in the order in which `deno compile` looks. */
export type Denort =
  /** The file that the environment variable DENORT_BIN names. */
  | { readonly from: "DENORT_BIN"; readonly path: string }
  /** The archive that an earlier `deno compile` downloaded. */
  | { readonly from: "cache"; readonly path: string }
  /** Deno's download host, which has answered just now. */
  | { readonly from: "download"; readonly url: string };

/** What {@linkcode findDenort} asks of the world. */
export interface Surroundings {
  /** The value of DENORT_BIN, or undefined when it is unset. */
  readonly denortBin: string | undefined;
  /** Deno's cache directory. */
  readonly denoDir: string;
  /** Whether a file is there. */
  isFile(path: string): Promise<boolean>;
  /** Whether the URL can be fetched; answers within seconds. */
  answers(url: string): Promise<boolean>;
}

/**
 * Finds `denort` for this machine and this version of Deno; undefined when it is nowhere to be had.
 *
 * @throws {BuildError} when DENORT_BIN names no file: `deno compile` would insist on it.
 */
export async function findDenort(around: Surroundings): Promise<Denort | undefined> {
  if (around.denortBin !== undefined) {
    if (await around.isFile(around.denortBin)) return { from: "DENORT_BIN", path: around.denortBin };
    throw new BuildError(`DENORT_BIN names no file: ${around.denortBin}; correct or unset it`);
  }
  const archive = `release/v${Deno.version.deno}/denort-${Deno.build.target}.zip`;
  const path = `${around.denoDir}/dl/${archive}`;
  if (await around.isFile(path)) return { from: "cache", path };
  const url = `https://dl.deno.land/${archive}`;
  if (await around.answers(url)) return { from: "download", url };
  return undefined;
}

/** The real {@linkcode Surroundings}; a download host that does not answer within 3 seconds counts as absent. */
export async function surroundings(stop: AbortSignal): Promise<Surroundings> {
  const info: unknown = JSON.parse(await deno(["info", "--json"], stop));
  const denoDir = (info as { denoDir?: unknown }).denoDir;
  if (typeof denoDir !== "string") throw new BuildError("deno info --json names no denoDir");
  return {
    denortBin: Deno.env.get("DENORT_BIN"),
    denoDir,
    async isFile(path: string): Promise<boolean> {
      try {
        return (await Deno.stat(path)).isFile;
      } catch {
        return false;
      }
    },
    async answers(url: string): Promise<boolean> {
      try {
        const response = await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(3_000) });
        return response.ok;
      } catch {
        return false;
      }
    },
  };
}

/**
 * Makes the executable `output` of a bundle with `deno compile`.
 *
 * @throws {BuildError} when that fails, or the download takes longer than five minutes.
 */
export async function compile(bundle: string, output: string, stop: AbortSignal): Promise<void> {
  const closed = ["--quiet", "--no-check", "--no-config", "--no-lock", "--no-remote", "--no-npm"];
  const args = [
    "compile",
    ...closed,
    ...ENGINE_FLAGS,
    ...PERMISSIONS,
    "--app-name",
    "ethox",
    "--output",
    output,
    bundle,
  ];
  await deno(args, stop, 300_000);
}
