/**
 * The self-extracting file: a shell script (header.sh), the bundle, and the Deno binary, each starting at a
 * multiple of {@linkcode BLOCK} bytes, so that `dd` can cut them out.
 *
 * Nothing is compressed. That makes 96 MB of 42, but the first start takes 0.3 s instead of about 0.9, and so
 * does each start where no cache can be kept; and no gzip or zstd need be there.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { ENGINE_FLAGS } from "./engine.ts";
import { PERMISSIONS } from "./permissions.ts";
import { BuildError } from "./run.ts";

/** Bytes in a block of the archive; the header is one block. */
export const BLOCK = 65_536;

/** Flags of `deno run`: only the bundle counts, not what lies around where it is started. */
const RUN_FLAGS: readonly string[] = [
  "--quiet",
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--no-npm",
  "--cached-only",
  "--node-modules-dir=none",
];

/**
 * The first block of the archive of `bundle` and `runtime`: the script that unpacks, checks and starts them.
 *
 * @param template the text of header.sh, with `@NAMES@` for what differs between archives.
 * @throws {BuildError} when the template and the values do not fit each other.
 */
export function header(template: string, bundle: Uint8Array, runtime: Uint8Array): Uint8Array {
  const bundleBlocks = Math.ceil(bundle.length / BLOCK);
  const values: Record<string, string> = {
    BLOCK: `${BLOCK}`,
    BUNDLE_BYTES: `${bundle.length}`,
    BUNDLE_BLOCKS: `${bundleBlocks}`,
    BUNDLE_B2: digest("blake2b512", bundle),
    BUNDLE_SHA: digest("sha256", bundle),
    RUNTIME_BYTES: `${runtime.length}`,
    RUNTIME_SKIP: `${1 + bundleBlocks}`,
    RUNTIME_B2: digest("blake2b512", runtime),
    RUNTIME_SHA: digest("sha256", runtime),
    FLAGS: [...RUN_FLAGS, ...ENGINE_FLAGS, ...PERMISSIONS].join(" "),
  };
  const script = template.replace(/@([A-Z0-9_]+)@/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new BuildError(`header.sh asks for @${name}@, which nobody fills in`);
    if (!/^[\w=,./ -]+$/.test(value)) throw new BuildError(`@${name}@ is not safe in a script: ${value}`);
    return value;
  });
  const bytes = new TextEncoder().encode(script);
  if (bytes.length > BLOCK) throw new BuildError(`header.sh has more than ${BLOCK} bytes`);
  const block = new Uint8Array(BLOCK);
  block.set(bytes);
  return block;
}

/**
 * Writes the archive of the file `bundle` and of this Deno to the file `output`, executable.
 *
 * @throws {BuildError} when this Deno is no Linux executable.
 */
export async function pack(bundle: string, output: string, stop: AbortSignal): Promise<void> {
  const runtime = await Deno.readFile(Deno.execPath(), { signal: stop });
  // The four bytes that an ELF file starts with: a script that starts Deno would not run alone.
  const isElf = [0x7f, 0x45, 0x4c, 0x46].every((byte, index) => runtime[index] === byte);
  if (!isElf) throw new BuildError(`${Deno.execPath()} is no Linux executable; only that can be packed`);
  const code = await Deno.readFile(bundle);
  const template = await Deno.readTextFile(new URL("header.sh", import.meta.url));
  using file = await Deno.open(output, { write: true, createNew: true, mode: 0o755 });
  const gap = new Uint8Array(Math.ceil(code.length / BLOCK) * BLOCK - code.length);
  for (const part of [header(template, code, runtime), code, gap, runtime]) {
    for (let at = 0; at < part.length;) at += await file.write(part.subarray(at));
    stop.throwIfAborted();
  }
  await file.sync();
}

function digest(algorithm: string, bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest("hex");
}
