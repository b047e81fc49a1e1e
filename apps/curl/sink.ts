/** Where a response's body goes: a file, made when something comes or all has come, or stdout. */
import { messageOf, OutputClosed } from "../cli/errors.ts";
import { fileProblem } from "../cli/files.ts";
import type { Io } from "../cli/io.ts";
import { CurlError, CurlStatus } from "./failure.ts";

/** A place for bytes. */
export class Sink implements Disposable {
  readonly #io: Io;
  readonly #path: string | undefined;
  readonly #decoder = new TextDecoder();
  #file: Deno.FsFile | undefined;

  /** Stdout, if there is no path, or it is "-". */
  constructor(io: Io, path: string | undefined) {
    this.#io = io;
    this.#path = path === "-" ? undefined : path;
  }

  /** Writes all of it. Throws a {@linkcode CurlError}. */
  write(bytes: Uint8Array): void {
    if (this.#path !== undefined) this.#writeFile(this.#path, bytes);
    else this.#writeOut(bytes);
  }

  /** All has come: a file is there, even if that was nothing. Throws a {@linkcode CurlError}. */
  finish(): void {
    if (this.#path !== undefined) this.#writeFile(this.#path, new Uint8Array(0));
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file?.close();
  }

  #writeOut(bytes: Uint8Array): void {
    try {
      if (this.#io.bytes !== undefined) this.#io.bytes(bytes);
      else this.#io.out(this.#decoder.decode(bytes, { stream: true }));
    } catch (error) {
      const problem = error instanceof OutputClosed
        ? "stdout cannot be written: nobody reads it"
        : messageOf(error);
      throw new CurlError(CurlStatus.Write, problem);
    }
  }

  #writeFile(path: string, bytes: Uint8Array): void {
    try {
      this.#file ??= Deno.openSync(path, { write: true, create: true, truncate: true });
      for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
    } catch (error) {
      throw new CurlError(CurlStatus.Write, `--output: ${path} cannot be written: ${fileProblem(error)}`);
    }
  }
}
