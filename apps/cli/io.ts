/** The process as the commands see it, so that tests can stand in for it. */
import { CliError, ExitStatus, OutputClosed } from "./errors.ts";
import { fileProblem } from "./files.ts";

/** Where text goes and where an interruption comes from. */
export interface Io {
  /** Writes to stdout. Throws {@linkcode OutputClosed} when nobody reads it, a {@linkcode CliError} when it takes nothing. */
  out(text: string): void;
  /** Writes to stderr. */
  err(text: string): void;
  /** The same with bytes as they are. Absent: they go there as text. */
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
    out: (text) => toStdout(encoder.encode(text)),
    err: (text) => {
      try {
        write(Deno.stderr, encoder.encode(text));
      } catch {
        // What cannot be told is no reason to end: a full disk that a log is on, say.
      }
    },
    bytes: toStdout,
    ownsProcess: true,
    colors: Deno.stdout.isTerminal() && !Deno.noColor,
  };
}

const encoder = new TextEncoder();

function toStdout(bytes: Uint8Array): void {
  let isRead: boolean;
  try {
    isRead = write(Deno.stdout, bytes);
  } catch (error) {
    throw new CliError(ExitStatus.Failed, `stdout cannot be written: ${fileProblem(error)}`);
  }
  if (!isRead) throw new OutputClosed();
}

/** How long a stream that takes nothing now is left alone, in milliseconds. */
const PAUSE = 1;
const paused = new Int32Array(new SharedArrayBuffer(4));

/** Writes all of it. False: nobody reads it. */
function write(stream: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length;) {
    try {
      at += stream.writeSync(bytes.subarray(at));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) return false;
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      // Who shares the terminal or the pipe with us has made it non-blocking: what would have blocked is waited for.
      Atomics.wait(paused, 0, 0, PAUSE);
    }
  }
  return true;
}
