/** Runs the program `ethox` for tests: in this process, or in one of its own. */
import assert from "node:assert/strict";
import { main } from "../../apps/main.ts";

/** The program's entry point. */
export const MAIN: string = new URL("../../apps/main.ts", import.meta.url).pathname;

/** What a run left. */
export interface Run {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** How a run is watched. */
export interface Watch {
  /** Called with everything on stdout so far, after every write. */
  readonly onOut?: (out: string, interrupt: () => void) => void;
  /** Called with everything on stderr so far, after every write. */
  readonly onErr?: (err: string) => void;
  readonly colors?: boolean;
}

/** Runs the program in this process. */
export async function ethox(args: readonly string[], watch: Watch = {}): Promise<Run> {
  const stop = new AbortController();
  let out = "", err = "";
  const status = await main(args, {
    out: (text) => {
      out += text;
      watch.onOut?.(out, () => stop.abort());
    },
    err: (text) => {
      err += text;
      watch.onErr?.(err);
    },
    colors: watch.colors ?? false,
    interrupt: stop.signal,
  });
  return { status, out, err };
}

/** Runs the program and reads each line of its output as JSON. */
export async function events(
  args: readonly string[],
  watch?: Watch,
): Promise<[Run, Record<string, unknown>[]]> {
  const run = await ethox([...args, "--json"], watch);
  const lines = run.out.split("\n").filter((line) => line !== "");
  return [run, lines.map((line): Record<string, unknown> => JSON.parse(line))];
}

const PERMISSIONS = ["--allow-ffi", "--allow-run", "--allow-read", "--allow-write"];

/** Starts the program as a process with the permissions of `deno task ethox`. */
export function spawn(...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--cached-only", ...PERMISSIONS, MAIN, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Everything on a stream up to and with the first text that matches; the reader stays open. */
export async function readUntil(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  pattern: RegExp,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  while (!pattern.test(text)) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`the program ended before ${pattern}: ${text}`);
    text += decoder.decode(value, { stream: true });
  }
  return text;
}

/** Waits for the end of a process whose streams are still unread. */
export async function finished(child: Deno.ChildProcess): Promise<Run> {
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { status: code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** One line on stderr that names the program and matches; nothing that looks like a stack trace. */
export function assertComplaint({ err }: Run, pattern: RegExp): void {
  assert.match(err, /^ethox: [^\n]+\n$/);
  assert.match(err, pattern);
}
