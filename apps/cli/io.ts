/** The process as the commands see it, so that tests can stand in for it. */
import { OutputClosed } from "./errors.ts";

/** Where text goes and where an interruption comes from. */
export interface Io {
  /** Writes to stdout. Throws {@linkcode OutputClosed} when nobody reads it. */
  out(text: string): void;
  /** Writes to stderr. */
  err(text: string): void;
  /** Writes to stdout as it is. Throws {@linkcode OutputClosed} when nobody reads it. Absent: it goes there as text. */
  bytes?(bytes: Uint8Array): void;
  /** Whether the whole process is the program's, so that it may give its rights up. Default false. */
  readonly ownsProcess?: boolean;
  /** The module that the program's further threads are started from. Absent: there can be none. */
  readonly program?: string;
  /** Whether stdout takes colours. */
  readonly colors: boolean;
  /** Aborts when the user wants an end, besides SIGINT and SIGTERM. */
  readonly interrupt?: AbortSignal;
}

/** The process' own stdout and stderr. `program`: the module that it was started from. */
export function processIo(program: string): Io {
  return {
    program,
    out: (text) => {
      if (!write(Deno.stdout, encoder.encode(text))) throw new OutputClosed();
    },
    err: (text) => {
      try {
        write(Deno.stderr, encoder.encode(text));
      } catch {
        // What cannot be told is no reason to end: a full disk that a log is on, say.
      }
    },
    bytes: (bytes) => {
      if (!write(Deno.stdout, bytes)) throw new OutputClosed();
    },
    ownsProcess: true,
    colors: Deno.stdout.isTerminal() && !Deno.noColor,
  };
}

const encoder = new TextEncoder();

function write(stream: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): boolean {
  try {
    for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return false;
    throw error;
  }
}
