/**
 * A small program, packed into one file as ethox is, and ways to start it in surroundings of any kind.
 *
 * @module
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

/** The script that makes the one-file executable. */
export const COMPILE: string = fileURLToPath(new URL("../../scripts/compile.ts", import.meta.url));

/** The program that is packed: an npm package inside it, and one behaviour a first word. */
const PROGRAM = `
import { Command } from "@commander-js/extra-typings";
const program = new Command("fixture").argument("[word]").argument("[rest...]").allowUnknownOption();
program.action(async (word, rest) => {
  if (word === "cat") await Deno.stdin.readable.pipeTo(Deno.stdout.writable);
  else if (word === "exit") Deno.exit(Number(rest[0]));
  else if (word === "pid") { console.log(Deno.pid); await new Promise(() => setInterval(() => {}, 1e6)); }
  else if (word === "where") console.log(Deno.execPath());
  else if (word === "listen") Deno.listen({ port: 0 });
  else console.log(JSON.stringify(Deno.args));
});
await program.parseAsync(Deno.args, { from: "user" });
`;

/** Whether this is root, who may give files away. */
export const isRoot: boolean = Deno.uid() === 0;

/** Options of `unshare` for a mount namespace of our own. */
export const MOUNT_NAMESPACE = isRoot ? "-m" : "-Urm";

/** Whether a mount namespace can be had here. */
export const mayMount: boolean = await exits0("unshare", [MOUNT_NAMESPACE, "true"]);

/** A directory for all that a test file makes. */
export let temporary = "";
/** The packed program. */
export let packed = "";
/** What the build of {@linkcode packed} printed. */
export let report = "";
let places = 0;

/** Packs the program; to be called once before the tests of a file. */
export async function setUp(): Promise<void> {
  temporary = await Deno.makeTempDir({ prefix: "ethox-compile-test-" });
  await Deno.writeTextFile(`${temporary}/program.ts`, PROGRAM);
  packed = `${temporary}/out/pack ed`;
  const { code, stdout, stderr } = await build(["--method", "pack", "--output", packed]);
  assert.equal(code, 0, stderr);
  report = stdout;
}

/** Removes all that the tests made; to be called once after the tests of a file. */
export async function tearDown(): Promise<void> {
  await Deno.remove(temporary, { recursive: true });
}

/** How a process ended, and what it wrote. */
export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A fresh home for a start: an empty place for the cache, and one for temporary directories. */
export interface Place {
  readonly cache: string;
  readonly tmp: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Makes a fresh {@linkcode Place}. */
export function place(): Place {
  const base = `${temporary}/place${places++}`;
  const cache = `${base}/cache`, tmp = `${base}/tmp`;
  for (const path of [cache, tmp]) Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
  return { cache, tmp, env: { PATH: Deno.env.get("PATH") ?? "", XDG_CACHE_HOME: cache, TMPDIR: tmp } };
}

/** Runs a command with exactly the environment `env` and the given standard input. */
export async function execute(
  command: string,
  args: string[],
  env: Readonly<Record<string, string>>,
  input = "",
): Promise<Result> {
  const child = new Deno.Command(command, {
    args,
    env: { ...env },
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  // A program that ends without reading closes the pipe under the writer.
  const written = writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
  const { code, stdout, stderr } = await child.output();
  await written;
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Starts the packed program at a place. */
export function start(at: Place, args: string[], program = packed): Promise<Result> {
  return execute(program, args, at.env);
}

/** Starts the program in a mount namespace after `script`, which finds the cache in $CACHE and TMPDIR. */
export function startMounted(at: Place, script: string, args: string[]): Promise<Result> {
  const run = [MOUNT_NAMESPACE, "sh", "-ec", `${script}\nexec "$0" "$@"`, packed, ...args];
  return execute("unshare", run, { ...at.env, CACHE: at.cache });
}

/** Runs the script that makes the executable, for the program. */
export function build(args: string[], env: Record<string, string> = {}): Promise<Result> {
  const run = ["run", "-A", COMPILE, "--entry", `${temporary}/program.ts`, ...args];
  return execute(Deno.execPath(), run, { ...Deno.env.toObject(), NO_COLOR: "1", ...env });
}

/** What a start that worked looks like, as far as one can see from outside. */
export function assertRan(result: Result, args: string[], stderr = /^$/): void {
  assert.equal(result.stdout, `${JSON.stringify(args)}\n`, result.stderr);
  assert.match(result.stderr, stderr);
  assert.equal(result.code, 0);
}

/** The files in the cache by the first word of their names: the runtime (ethox), the bundle and its stamp (app). */
export function cached(at: Place, start: string, end = ""): string {
  const names = [...Deno.readDirSync(`${at.cache}/ethox`)].map(({ name }) => name);
  const name = names.find((name) => name.startsWith(start) && name.endsWith(end));
  assert(name !== undefined, `no ${start}*${end} among ${names.join(", ")}`);
  return `${at.cache}/ethox/${name}`;
}

/** Waits until nothing is left in a directory: what is removed at exit is removed just after it. */
export async function emptied(directory: string): Promise<void> {
  const left = (): string[] => [...Deno.readDirSync(directory)].map(({ name }) => name);
  for (const end = performance.now() + 60_000; left().length > 0 && performance.now() < end;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.deepEqual(left(), []);
}

/** Where on the PATH a program is; undefined when it is not there. */
export function onPath(name: string): string | undefined {
  const found = (Deno.env.get("PATH") ?? "").split(":").map((directory) => `${directory}/${name}`);
  return found.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

/** Whether a command can be started and ends with status 0. */
export async function exits0(command: string, args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}
