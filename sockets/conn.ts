/**
 * A TCP connection in the shape of `Deno.TcpConn`.
 *
 * @module
 */
import type { TcpAddr } from "./address.ts";
import { badResource, coded, type CodedError, denoError, EndReason, interrupted } from "./errors.ts";
import type { TcpStream } from "./stream.ts";

/** The longest chunk that {@linkcode TcpConn.readable} hands out. */
const CHUNK = 1 << 16;

/** Somebody waits for a change of the stream. */
type Waiter = () => void;

/**
 * A connection, assignable to `Deno.TcpConn`. The peer is held back by the receive window while nobody reads, and
 * `write` and `writable` by the send buffer while the peer does not take what was written.
 */
export class TcpConn implements Deno.TcpConn {
  /** The own end. */
  readonly localAddr: TcpAddr;
  /** The peer's end. */
  readonly remoteAddr: TcpAddr;
  readonly #stream: TcpStream;
  #readers: Waiter[] = [];
  #writers: Waiter[] = [];
  #isClosed = false;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array<ArrayBufferLike>> | undefined;
  #hasReadAll = false;
  #hasWrittenAll = false;

  /** Made by `stack.connect` and by a listener's `accept`. */
  constructor(stream: TcpStream) {
    this.#stream = stream;
    this.localAddr = { transport: "tcp", hostname: stream.localAddress, port: stream.localPort };
    this.remoteAddr = { transport: "tcp", hostname: stream.remoteAddress, port: stream.remotePort };
    stream.accepted({
      readable: () => this.#wakeReaders(),
      writable: () => this.#wakeWriters(),
      closed: () => this.#wake(),
    });
  }

  /** Reads what has arrived into `bytes`, or waits for it; null: the peer has ended. */
  async read(bytes: Uint8Array): Promise<number | null> {
    checkBytes(bytes);
    if (bytes.length === 0) return 0;
    this.#check();
    const stream = this.#stream;
    for (;;) {
      const count = stream.read(bytes);
      if (count > 0) return count;
      if (stream.isAtEnd) return null;
      if (stream.reason !== undefined) throw denoError(stream.reason);
      await this.#readability();
      if (this.#isClosed) throw interrupted();
    }
  }

  /** Writes as much of `bytes` as the send buffer takes, waits if that is nothing, and answers how much it was. */
  async write(bytes: Uint8Array): Promise<number> {
    checkBytes(bytes);
    this.#check();
    if (bytes.length === 0) return 0;
    const stream = this.#stream;
    for (;;) {
      if (stream.reason !== undefined) throw writeError(stream);
      if (stream.isFinished) throw brokenPipe();
      const count = stream.write(bytes);
      if (count > 0) return count;
      await this.#writability();
      if (this.#isClosed) throw interrupted();
    }
  }

  /** Tells the peer that no more will be written, if that is not done and the connection not gone. Reading goes on. */
  // deno-lint-ignore require-await
  async closeWrite(): Promise<void> {
    this.#check();
    this.#stream.finish();
  }

  /** Lets go of the connection; what was written is still delivered. Throws a BadResource when it is closed. */
  close(): void {
    this.#check();
    this[Symbol.dispose]();
  }

  /** Closes it; a second call does nothing. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stream.release();
    this.#wake();
  }

  /** Ends the connection at once, by a reset. */
  abort(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stream.reset();
    this.#wake();
  }

  /** Keeps the program running while somebody reads, as at first. */
  ref(): void {
    this.#stream.life.ref();
  }

  /** Lets the program end though somebody reads. */
  unref(): void {
    this.#stream.life.unref();
  }

  /** Sends short segments at once, or lets them wait for company (RFC 896), as at first. */
  setNoDelay(noDelay: boolean = true): void {
    this.#check();
    this.#stream.setNoDelay(noDelay);
  }

  /** Probes a peer that has been silent for two hours (RFC 1122 4.2.3.6), or does not, as at first. */
  setKeepAlive(keepAlive: boolean = true): void {
    this.#check();
    this.#stream.setKeepAlive(keepAlive);
  }

  /** What arrives. The connection is closed when this has ended and {@linkcode TcpConn.writable} is closed. */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= new ReadableStream({
      type: "bytes",
      pull: (controller) => this.#pull(controller),
      cancel: () => this[Symbol.dispose](),
    });
  }

  /** What is to be sent. Closing it tells the peer so; aborting it resets the connection. */
  get writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return this.#writable ??= new WritableStream({
      write: async (chunk, controller) => {
        try {
          checkBytes(chunk);
          for (let at = 0; at < chunk.length;) at += await this.write(at === 0 ? chunk : chunk.subarray(at));
        } catch (error) {
          controller.error(error);
          this[Symbol.dispose]();
          throw error;
        }
      },
      close: async () => {
        if (!this.#isClosed) await this.closeWrite();
        this.#hasWrittenAll = true;
        this.#closeIfDone();
      },
      abort: () => this.abort(),
    });
  }

  async #pull(controller: ReadableByteStreamController): Promise<void> {
    const stream = this.#stream;
    this.#check();
    while (stream.available === 0) {
      if (stream.isAtEnd) return this.#endReading(controller);
      if (stream.reason !== undefined) {
        const error = denoError(stream.reason);
        this[Symbol.dispose]();
        throw error;
      }
      await this.#readability();
      if (this.#isClosed) throw interrupted();
    }
    const request = controller.byobRequest;
    const view = request?.view;
    if (request === null || view === null || view === undefined) {
      const chunk = new Uint8Array(Math.min(stream.available, CHUNK));
      stream.read(chunk);
      controller.enqueue(chunk);
    } else request.respond(stream.read(new Uint8Array(view.buffer, view.byteOffset, view.byteLength)));
  }

  #endReading(controller: ReadableByteStreamController): void {
    controller.close();
    controller.byobRequest?.respond(0);
    this.#hasReadAll = true;
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    if (this.#hasReadAll && this.#hasWrittenAll) this[Symbol.dispose]();
  }

  #check(): void {
    if (this.#isClosed) throw badResource();
  }

  async #readability(): Promise<void> {
    const { life } = this.#stream;
    life.begin();
    await new Promise<void>((resolve) => void this.#readers.push(resolve));
    life.done();
  }

  /** As with Deno, a write that waits holds the program in any case. */
  async #writability(): Promise<void> {
    const hold = this.#stream.hold();
    await new Promise<void>((resolve) => void this.#writers.push(resolve));
    hold.end();
  }

  #wake(): void {
    this.#wakeReaders();
    this.#wakeWriters();
  }

  #wakeReaders(): void {
    const waiters = this.#readers;
    this.#readers = [];
    for (const resolve of waiters) resolve();
  }

  #wakeWriters(): void {
    const waiters = this.#writers;
    this.#writers = [];
    for (const resolve of waiters) resolve();
  }
}

function brokenPipe(): CodedError {
  return coded(new Deno.errors.BrokenPipe("Broken pipe"), "EPIPE");
}

/** A peer that has ended before it reset is known to read no more: the pipe is broken, as Linux has it. */
function writeError({ reason = EndReason.Finished, hasPeerEnded }: TcpStream): CodedError {
  const isBroken = reason === EndReason.Finished || (reason === EndReason.Reset && hasPeerEnded);
  return isBroken ? brokenPipe() : denoError(reason);
}

function checkBytes(bytes: unknown): void {
  if (!(bytes instanceof Uint8Array)) throw new TypeError("bytes are read and written by a Uint8Array");
}
