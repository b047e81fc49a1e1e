/**
 * A TCP connection in the shape of node:net's Socket.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { nextTick } from "node:process";
import { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import { checkPort, tryHostname } from "./address.ts";
import { connect } from "./connect.ts";
import { closedBefore, codeError, connectError, EndReason, nodeError } from "./errors.ts";
import { milliseconds } from "../stack/store/time.ts";
import type { Host } from "./host.ts";
import { connectArguments, familyOf } from "./net-options.ts";
import type { NetAddress, NetConnectOptions, NetSocketOptions } from "./net-options.ts";
import type { StreamUser, TcpStream } from "./stream.ts";

export type { NetAddress, NetConnectOptions, NetSocketOptions };

/** The longest chunk that is handed to the readable side. */
const CHUNK = 1 << 16;

type Done = (error?: Error | null) => void;

/**
 * A connection as a `Duplex`, with what node:net's Socket has beside: made by `stack.net`. Errors have the codes of
 * Node.js: ECONNREFUSED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, EPIPE.
 */
export class NetSocket extends Duplex {
  /** Whether it is on its way to be open. */
  connecting: boolean = false;
  /** The milliseconds of {@linkcode NetSocket.setTimeout}. */
  timeout: number | undefined;
  readonly #host: Host;
  #stream: TcpStream | undefined;
  /** What to do when the connection is open: a write that waits for it, and options. */
  #onceOpen: (() => void)[] = [];
  #unwritten: (() => void) | undefined;
  /** Tells node:stream of the write that is under way. */
  #writing: Done | undefined;
  /** Bytes of that write that the connection has taken. */
  #taken = 0;
  #wantsData = false;
  #hasEnded = false;
  #isRef = true;
  /** What node:net itself begins anew with; @types/node does not know it. */
  declare private readonly _undestroy: () => void;
  #abort = new AbortController();
  #idle: ReturnType<typeof setTimeout> | undefined;

  /** A socket that is not connected. */
  constructor(host: Host, options: NetSocketOptions = {}) {
    const { allowHalfOpen = false, signal } = options;
    super({
      allowHalfOpen,
      autoDestroy: true,
      emitClose: false,
      ...(signal === undefined ? {} : { signal }),
    });
    this.#host = host;
  }

  /** The socket of a connection that a peer has opened. */
  static accepted(host: Host, stream: TcpStream, options: NetSocketOptions): NetSocket {
    const socket = new NetSocket(host, options);
    stream.life.begin();
    socket.#stream = stream;
    stream.accepted(socket.#user());
    return socket;
  }

  /** Connects, again if it was closed: `(port, host?, listener?)` or `({ port, host }, listener?)`. */
  connect(target: NetConnectOptions | number | string, second?: unknown, third?: unknown): this {
    const { options, listener } = connectArguments(target, second, third);
    if (listener !== undefined) this.once("connect", () => listener.call(this));
    const port = checkPort(Number(options.port), 1);
    const host = options.host ?? "127.0.0.1";
    if (this.destroyed) this.#renew();
    if (options.noDelay) this.setNoDelay(true);
    if (options.keepAlive) this.setKeepAlive(true, options.keepAliveInitialDelay);
    if (options.timeout !== undefined) this.setTimeout(options.timeout);
    this.connecting = true;
    if (tryHostname(host) === undefined) {
      this.#connectByName(host, port, options.family);
      return this;
    }
    try {
      this.#stream = this.#host.dial(host, port, this.#user());
      if (!this.#isRef) this.#stream.life.unref();
    } catch (error) {
      // node:net never throws for what the network says.
      this.destroy(connectError(error, host, port));
    }
    return this;
  }

  /** What was closed becomes as it was at first. */
  #renew(): void {
    this.#stream = undefined;
    this.#abort = new AbortController();
    this.#hasEnded = false;
    this.#wantsData = false;
    this._undestroy();
    // One that flows does not ask anew by itself.
    if (this.readableFlowing) this.read(0);
  }

  #connectByName(host: string, port: number, wanted: number | undefined): void {
    const { signal } = this.#abort;
    const family = wanted === 4 ? "v4" : wanted === 6 ? "v6" : undefined;
    connect(this.#host, host, port, signal, family).then((stream) => {
      if (this.destroyed) return void stream.reset();
      this.#stream = stream;
      stream.user = this.#user();
      stream.life.begin();
      if (!this.#isRef) stream.life.unref();
      this.#opened();
      // It may have gone before anybody listened.
      if (stream.reason !== undefined) this.#closed();
    }, (error) => {
      if (!signal.aborted) this.destroy(connectError(error, host, port));
    });
  }

  /** The peer's address; undefined: there is none yet. */
  get remoteAddress(): string | undefined {
    return this.#stream?.remoteAddress;
  }

  /** The peer's port. */
  get remotePort(): number | undefined {
    return this.#stream?.remotePort;
  }

  /** "IPv4" or "IPv6". */
  get remoteFamily(): string | undefined {
    const address = this.remoteAddress;
    return address === undefined ? undefined : familyOf(address);
  }

  /** The own address. */
  get localAddress(): string | undefined {
    return this.#stream?.localAddress;
  }

  /** The own port. */
  get localPort(): number | undefined {
    return this.#stream?.localPort;
  }

  /** "IPv4" or "IPv6". */
  get localFamily(): string | undefined {
    const address = this.localAddress;
    return address === undefined ? undefined : familyOf(address);
  }

  /** The own end; empty: there is none yet. */
  address(): NetAddress | Record<string, never> {
    const { localAddress: address, localPort: port } = this;
    if (address === undefined || port === undefined) return {};
    return { address, port, family: familyOf(address) };
  }

  /** Whether it is not connected. */
  get pending(): boolean {
    return this.#stream === undefined || this.connecting;
  }

  /** "opening", "open", "readOnly", "writeOnly" or "closed". */
  get readyState(): "opening" | "open" | "readOnly" | "writeOnly" | "closed" {
    if (this.connecting) return "opening";
    if (this.readable) return this.writable ? "open" : "readOnly";
    return this.writable ? "writeOnly" : "closed";
  }

  /** Bytes received. */
  get bytesRead(): number {
    return this.#stream?.bytesRead ?? 0;
  }

  /** Bytes written. */
  get bytesWritten(): number {
    return (this.#stream?.bytesWritten ?? 0) + this.writableLength - this.#taken;
  }

  /** Bytes written that wait for the connection or for room. */
  get bufferSize(): number {
    return this.writableLength;
  }

  /** Sends short segments at once, or lets them wait for company (RFC 896), as at first. */
  setNoDelay(noDelay: boolean = true): this {
    return this.#whenOpen((stream) => stream.setNoDelay(noDelay));
  }

  /**
   * Probes a peer that was silent for `initialDelay` milliseconds (RFC 1122 4.2.3.6), or does not, as at first. Absent or
   * 0: the delay stays as it is, at first two hours.
   */
  setKeepAlive(enable: boolean = false, initialDelay: number = 0): this {
    const idle = initialDelay > 0 ? milliseconds(initialDelay) : undefined;
    return this.#whenOpen((stream) => stream.setKeepAlive(enable, idle));
  }

  /** Emits "timeout" when nothing was sent or received for so many milliseconds; 0: never, as at first. */
  setTimeout(milliseconds: number, listener?: () => void): this {
    this.timeout = milliseconds;
    if (listener !== undefined) {
      if (milliseconds === 0) this.removeListener("timeout", listener);
      else this.once("timeout", listener);
    }
    this.#touch();
    return this;
  }

  /** Destroys the socket when everything written has left it. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  /** Ends the connection by a reset. */
  resetAndDestroy(): this {
    this.#stream?.reset();
    return this.destroy();
  }

  /** Keeps the program running, as at first. */
  ref(): this {
    this.#isRef = true;
    this.#stream?.life.ref();
    return this;
  }

  /** Lets the program end though the socket is open. */
  unref(): this {
    this.#isRef = false;
    this.#stream?.life.unref();
    return this;
  }

  /** The readable side wants more: node:stream calls it. */
  override _read(): void {
    this.#wantsData = true;
    this.#pump();
    // What was handed on just now is to be seen before the error.
    if (this.#stream?.reason !== undefined) setImmediate(() => this.#failWhenRead());
  }

  /** The writable side has something: node:stream calls it. */
  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#writeAll(chunk, 0, this.#noted(done));
  }

  /** The writable side has several chunks: node:stream calls it. */
  override _writev(
    chunks: { chunk: Buffer; encoding: string }[],
    done: (error?: Error | null) => void,
  ): void {
    const all = this.#noted(done);
    const next = (index: number, error?: Error | null): void => {
      if (error || index === chunks.length) all(error);
      else this.#writeAll(chunks[index]!.chunk, 0, (failure) => next(index + 1, failure));
    };
    next(0);
  }

  /** The writable side has ended: node:stream calls it. */
  override _final(done: (error?: Error | null) => void): void {
    if (this.connecting) {
      this.#onceOpen.push(() => this._final(done));
      return;
    }
    this.#stream?.finish();
    done();
  }

  /** The socket is destroyed: node:stream calls it. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#idle);
    this.#abort.abort();
    const canceled = this.connecting ? closedBefore() : codeError("ECANCELED", "write");
    this.connecting = false;
    this.#onceOpen = [];
    this.#unwritten = undefined;
    this.#stream?.release();
    // A write that waits for room is told, and with it those behind it.
    this.#writing?.(error ?? canceled);
    done(error);
    // As node:net's, the event says whether there was an error, which comes before it.
    nextTick(() => this.emit("close", error !== null));
  }

  /** `done` of the write that begins now. */
  #noted(done: Done): Done {
    return this.#writing = (error) => {
      if (this.#writing === undefined) return;
      this.#writing = undefined;
      this.#taken = 0;
      done(error);
    };
  }

  #user(): StreamUser {
    return {
      opened: () => this.#opened(),
      readable: () => this.#pump(),
      writable: () => this.#unwritten?.(),
      closed: () => this.#closed(),
    };
  }

  #opened(): void {
    this.connecting = false;
    this.#touch();
    const waiting = this.#onceOpen;
    this.#onceOpen = [];
    for (const action of waiting) action();
    this.emit("connect");
    this.emit("ready");
    this.#pump();
  }

  #closed(): void {
    const { reason, remoteAddress, remotePort } = this.#stream!;
    // The stack was closed: that is the program's own doing, and no error.
    if (reason === EndReason.Aborted) return void this.destroy();
    if (this.connecting) {
      this.destroy(nodeError(reason ?? EndReason.Stopped, "connect", remoteAddress, remotePort));
    } else {
      // What has arrived before is still read.
      this.#pump();
      this.#failWhenRead();
      // What waits for room will find none: a reader that waits for that write would wait for ever.
      this.#unwritten?.();
    }
  }

  /** Tells why the connection is gone, if that is an error and there is nothing left to read. */
  #failWhenRead(): void {
    const { reason, available } = this.#stream!;
    if (reason === undefined || reason === EndReason.Finished || available > 0) return;
    this.destroy(nodeError(reason, "read"));
  }

  /** Hands on what has arrived, as long as the readable side wants it. */
  #pump(): void {
    const stream = this.#stream;
    if (stream === undefined || this.destroyed || this.#hasEnded) return;
    while (this.#wantsData && stream.available > 0) {
      const chunk = Buffer.allocUnsafeSlow(Math.min(stream.available, CHUNK));
      stream.read(chunk);
      this.#touch();
      try {
        this.#wantsData = this.push(chunk);
      } catch (error) {
        // A listener's: what comes behind this chunk is handed on all the same.
        this.#host.notices.add({ notify: () => this.#pump() });
        throw error;
      }
      if (this.destroyed) return;
    }
    if (!stream.isAtEnd) return;
    this.#hasEnded = true;
    this.push(null);
    // A paused stream would not notice its end.
    if (this.readableFlowing === null) this.read(0);
  }

  #writeAll(chunk: Buffer, at: number, done: Done): void {
    this.#unwritten = undefined;
    const stream = this.#stream;
    if (stream === undefined || this.connecting) {
      this.#onceOpen.push(() => this.#writeAll(chunk, at, done));
      return;
    }
    if (stream.reason !== undefined) return done(codeError("EPIPE", "write"));
    this.#touch();
    const count = stream.write(chunk, at), next = at + count;
    this.#taken += count;
    if (next === chunk.length) done();
    else this.#unwritten = () => this.#writeAll(chunk, next, done);
  }

  #whenOpen(action: (stream: TcpStream) => void): this {
    const stream = this.#stream;
    if (stream?.isOpen) action(stream);
    else this.#onceOpen.push(() => action(this.#stream!));
    return this;
  }

  #touch(): void {
    clearTimeout(this.#idle);
    if (!this.timeout || this.destroyed) return;
    this.#idle = setTimeout(() => this.emit("timeout"), this.timeout);
    Deno.unrefTimer(this.#idle);
  }
}
