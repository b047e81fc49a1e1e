/** Prints a capture file, as far as it can be read. */
import { type BpfProgram, PcapError, type PcapPacket, PcapReader } from "../mod.ts";
import { CliError, ExitStatus } from "./cli/errors.ts";
import { fileProblem } from "./cli/files.ts";
import type { Output } from "./cli/output.ts";
import { printPacket } from "./packet-printer.ts";

/** How a file is printed. */
export interface DumpFileOptions {
  /** Every field of every header. */
  readonly details: boolean;
  /** Stop after so many packets. */
  readonly count: number;
  /** Print only packets that it matches. */
  readonly filter?: BpfProgram | undefined;
}

/** How many packets were printed, of how many that were read. */
export interface Dumped {
  printed: number;
  read: number;
}

/** What stands for standard input. */
const STDIN = "-";

/** A file that is read piece by piece, and its name for messages. */
interface Source {
  readonly name: string;
  readonly stream: ReadableStream<Uint8Array>;
}

/** Opens a file, or standard input. Throws a {@linkcode CliError}. */
export async function openCapture(path: string): Promise<Source> {
  if (path === STDIN) return { name: "stdin", stream: Deno.stdin.readable };
  try {
    return { name: path, stream: (await Deno.open(path)).readable };
  } catch (error) {
    throw unreadable(path, error);
  }
}

/**
 * Prints the packets of a capture until the signal aborts. `dumped` counts on, whatever happens. Throws a
 * {@linkcode CliError} where the file is malformed, cut off or cannot be read on.
 */
export async function dumpFile(
  { name, stream }: Source,
  output: Output,
  options: DumpFileOptions,
  signal: AbortSignal,
  dumped: Dumped,
): Promise<void> {
  const chunks = stream.getReader();
  const stop = () => void chunks.cancel();
  signal.addEventListener("abort", stop);
  const reader = new PcapReader();
  try {
    for (;;) {
      const { done, value } = await chunks.read().catch((error) => {
        throw unreadable(name, error);
      });
      if (signal.aborted) return;
      if (done) break;
      reader.push(value);
      if (!printAll(reader, output, options, dumped)) return;
    }
    reader.finish();
  } catch (error) {
    if (error instanceof PcapError) throw new CliError(ExitStatus.Failed, `${name}: ${error.message}`);
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    // Of a stream that has failed there is nothing left to give back.
    await chunks.cancel().catch(() => {});
  }
}

/** Prints what is there. False: that were enough. */
function printAll(reader: PcapReader, output: Output, options: DumpFileOptions, dumped: Dumped): boolean {
  for (let packet = reader.next(); packet !== undefined; packet = reader.next()) {
    dumped.read++;
    if (options.filter?.run(packet.bytes, 0, packet.bytes.length) === 0) continue;
    print(output, packet, options.details);
    if (++dumped.printed >= options.count) return false;
  }
  return true;
}

function print(output: Output, packet: PcapPacket, details: boolean): void {
  const { timestamp, direction, bytes, linkType, originalLength, comment } = packet;
  const range = { bytes, start: 0, end: bytes.length };
  printPacket(output, { time: timestamp, direction, ...range, linkType, originalLength, comment }, details);
}

function unreadable(path: string, error: unknown): CliError {
  return new CliError(ExitStatus.Failed, `dump: ${path} cannot be read: ${fileProblem(error)}`);
}
