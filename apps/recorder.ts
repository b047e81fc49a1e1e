/** A capture file of what passes a host's NIC, written while the host runs. */
import { capture, linkTypeOf, type Nic, NicWrapper, PcapWriter } from "../mod.ts";
import { CliError, ExitStatus } from "./cli/errors.ts";
import { fileProblem } from "./cli/files.ts";

/** How long a frame may wait for its way to the file, in milliseconds: less than a second, however late a timer is. */
const FLUSH = 500;

/** Why the frame received last was dropped; undefined: it was not. */
export type DropReason = () => string | undefined;

/** A file that takes what it can; what goes wrong is kept, for whoever looks at it. */
class CaptureFile {
  /** What went wrong, in one line. */
  failure: string | undefined;
  readonly #path: string;
  readonly #file: Deno.FsFile;
  #isOpen = true;

  /** Makes the file, or empties it. Throws a {@linkcode CliError}. */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#file = Deno.openSync(path, { write: true, create: true, truncate: true });
    } catch (error) {
      throw new CliError(ExitStatus.Failed, `--pcap: ${path} cannot be made: ${fileProblem(error)}`);
    }
  }

  /** Writes the whole chunk, unless something has gone wrong before. */
  write(chunk: Uint8Array): void {
    if (this.failure !== undefined) return;
    try {
      for (let at = 0; at < chunk.length;) at += this.#file.writeSync(chunk.subarray(at));
    } catch (error) {
      this.failure = `--pcap: ${this.#path} cannot be written: ${fileProblem(error)}`;
    }
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#file.close();
  }
}

/** A NIC whose traffic goes to a file. It fails when the file does; closing it completes the file. */
export class Recorder extends NicWrapper {
  readonly #file: CaptureFile;
  readonly #timer: ReturnType<typeof setInterval>;

  /** Makes the file, with its header in it. Throws a {@linkcode CliError} when that cannot be done. */
  static open(nic: Nic, name: string, path: string, dropReason: DropReason): Recorder {
    const file = new CaptureFile(path);
    const writer = new PcapWriter((chunk) => file.write(chunk), {
      interfaceName: name,
      linkType: linkTypeOf(nic.info.medium),
      wallClock: Date.now() * 1_000 - nic.now(),
    });
    writer.flush();
    if (file.failure !== undefined) {
      file.close();
      throw new CliError(ExitStatus.Failed, file.failure);
    }
    return new Recorder(nic, file, writer, dropReason);
  }

  private constructor(nic: Nic, file: CaptureFile, writer: PcapWriter, dropReason: DropReason) {
    super(capture(nic, writer, { dropReason }));
    this.#file = file;
    this.#timer = setInterval(() => {
      writer.flush();
      // A host that waits for frames learns of it now.
      if (file.failure !== undefined) this.wake();
    }, FLUSH);
  }

  override get failure(): string | undefined {
    return this.#file.failure ?? super.failure;
  }

  /** What went wrong with the file, also after the NIC was closed. */
  get fileFailure(): string | undefined {
    return this.#file.failure;
  }

  override close(): void {
    clearInterval(this.#timer);
    super.close();
    this.#file.close();
  }
}
