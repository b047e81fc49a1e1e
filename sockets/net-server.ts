/**
 * A listening port in the shape of node:net's Server.
 *
 * @module
 */
import { EventEmitter } from "node:events";
import type { Listener } from "../stack/tcp/listener.ts";
import { codeError, codeOf } from "./errors.ts";
import type { Host } from "./host.ts";
import type { Hold } from "./lifetime.ts";
import { BACKLOG } from "./listener.ts";
import { familyOf } from "./net-options.ts";
import { type NetAddress, NetSocket, type NetSocketOptions } from "./net-socket.ts";
import type { TcpStream } from "./stream.ts";

/** How a {@linkcode NetServer} makes its sockets. */
export interface NetServerOptions extends NetSocketOptions {
  /** Sends short segments at once. */
  readonly noDelay?: boolean | undefined;
  /** Probes silent peers. */
  readonly keepAlive?: boolean | undefined;
  /** Milliseconds of silence before they are probed; absent or 0: two hours. */
  readonly keepAliveInitialDelay?: number | undefined;
}

/** Where a {@linkcode NetServer} listens. */
export interface NetListenOptions {
  /** The own port; absent or 0: one that is free. */
  readonly port?: number | undefined;
  /** An own address; absent or "0.0.0.0": every one. */
  readonly host?: string | undefined;
  /** How many handshakes may be under way. Default 511. */
  readonly backlog?: number | undefined;
  /** Closes the server. */
  readonly signal?: AbortSignal | undefined;
}

/** A server: made by `stack.net`. Emits "listening", "connection", "error", "drop" and "close". */
export class NetServer extends EventEmitter implements Disposable {
  /** More connections than these are refused; absent: as many as the stack has. */
  maxConnections: number | undefined;
  readonly #host: Host;
  readonly #options: NetServerOptions;
  readonly #arrived: TcpStream[] = [];
  readonly #sockets = new Set<NetSocket>();
  readonly #notice = { notify: () => this.#handOut() };
  #listener: Listener | undefined;
  #hostname = "0.0.0.0";
  #life: Hold | undefined;
  #isRef = true;
  #isClosing = false;

  /** A server that does not listen yet. */
  constructor(
    host: Host,
    options: NetServerOptions | ((socket: NetSocket) => void) = {},
    onConnection?: (socket: NetSocket) => void,
  ) {
    super();
    this.#host = host;
    this.#options = typeof options === "function" ? {} : options;
    const listener = typeof options === "function" ? options : onConnection;
    if (listener !== undefined) this.on("connection", listener);
  }

  /** Whether it listens. */
  get listening(): boolean {
    return this.#listener !== undefined;
  }

  /** Listens: `(port?, host?, backlog?, listener?)` or `({ port, host, backlog }, listener?)`. */
  listen(...args: readonly unknown[]): this {
    const last = args.at(-1);
    if (typeof last === "function") this.once("listening", () => last.call(this));
    const options = listenOptions(args);
    const { port = 0, host = "0.0.0.0", backlog = BACKLOG, signal } = options;
    if (this.listening) {
      throw Object.assign(new Error("the server listens already"), { code: "ERR_SERVER_ALREADY_LISTEN" });
    }
    try {
      this.bind(host, Number(port), backlog);
    } catch (error) {
      if (error instanceof RangeError) throw error;
      const failure = codeError(codeOf(error, "EADDRNOTAVAIL"), "listen", host, Number(port));
      queueMicrotask(() => this.emit("error", failure));
      return this;
    }
    const listener = this.#listener;
    queueMicrotask(() => {
      if (this.#listener === listener) this.emit("listening");
    });
    const abort = () => this[Symbol.dispose]();
    if (signal?.aborted) queueMicrotask(abort);
    signal?.addEventListener("abort", abort);
    this.once("close", () => signal?.removeEventListener("abort", abort));
    return this;
  }

  /** Listens at once and answers with the port, or throws as `stack.listen` does. Emits no "listening". */
  bind(host: string, port: number, backlog: number): number {
    const hasRoom = () => this.#arrived.length < backlog;
    this.#listener = this.#host.listen(host, port, backlog, hasRoom, (stream) => this.#take(stream));
    this.#hostname = host;
    // Connections from before it was closed may live on: "close" comes when it is closed again, and they have ended.
    this.#isClosing = false;
    this.#life?.end();
    this.#life = this.#host.hold();
    if (!this.#isRef) this.#life.unref();
    this.#host.sockets.add(this);
    return this.#listener.port;
  }

  /** The own address and port; null: it does not listen. */
  address(): NetAddress | null {
    if (this.#listener === undefined) return null;
    return { address: this.#hostname, family: familyOf(this.#hostname), port: this.#listener.port };
  }

  /** Takes no more connections; "close" comes when those there are have ended. */
  close(done?: (error?: Error) => void): this {
    if (this.#listener === undefined) {
      const failure = Object.assign(new Error("the server does not listen"), {
        code: "ERR_SERVER_NOT_RUNNING",
      });
      queueMicrotask(() => done?.(failure));
      return this;
    }
    if (done !== undefined) this.once("close", () => done());
    this.#listener.close();
    this.#listener = undefined;
    this.#isClosing = true;
    this.#host.sockets.delete(this);
    for (const stream of this.#arrived.splice(0)) stream.reset();
    this.#host.wake();
    this.#closeIfEmpty();
    return this;
  }

  /** Tells how many connections there are. */
  getConnections(done: (error: Error | null, count: number) => void): this {
    const { size } = this.#sockets;
    queueMicrotask(() => done(null, size));
    return this;
  }

  /** Keeps the program running, as at first. */
  ref(): this {
    this.#isRef = true;
    this.#life?.ref();
    return this;
  }

  /** Lets the program end though the server listens. */
  unref(): this {
    this.#isRef = false;
    this.#life?.unref();
    return this;
  }

  /** Closes it; a second call does nothing. */
  [Symbol.dispose](): void {
    if (this.#listener !== undefined) this.close();
  }

  /** Closes it, and waits until its connections have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#listener === undefined) return;
    await new Promise<void>((resolve) => void this.close(() => resolve()));
  }

  /** One connection at a time: what a listener throws keeps nobody else from being told. */
  #handOut(): void {
    const stream = this.#arrived.shift();
    if (stream === undefined) return;
    const socket = NetSocket.accepted(this.#host, stream, this.#options);
    if (this.#options.noDelay) socket.setNoDelay(true);
    if (this.#options.keepAlive) socket.setKeepAlive(true, this.#options.keepAliveInitialDelay);
    this.#sockets.add(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#closeIfEmpty();
    });
    this.emit("connection", socket);
  }

  #take(stream: TcpStream): boolean {
    const { maxConnections } = this;
    if (maxConnections !== undefined && this.#sockets.size + this.#arrived.length >= maxConnections) {
      const { localAddress, localPort, remoteAddress, remotePort } = stream;
      const drop = { localAddress, localPort, remoteAddress, remotePort };
      this.#host.notices.add({ notify: () => void this.emit("drop", drop) });
      return false;
    }
    this.#arrived.push(stream);
    this.#host.notices.add(this.#notice);
    return true;
  }

  #closeIfEmpty(): void {
    if (!this.#isClosing || this.#sockets.size > 0) return;
    this.#isClosing = false;
    this.#life?.end();
    queueMicrotask(() => this.emit("close"));
  }
}

/**
 * Hands the connections of `net` to a server of node:http, node:https or node:tls, which takes itself for listening
 * meanwhile: one that does not listen keeps no connection for the next request.
 */
export function attach(net: NetServer, server: EventEmitter): NetServer {
  Object.defineProperty(server, "listening", { configurable: true, get: () => net.listening });
  return net.on("connection", (socket) => void server.emit("connection", socket));
}

function listenOptions(args: readonly unknown[]): NetListenOptions {
  const [first, ...rest] = args;
  if (typeof first === "object" && first !== null) return first;
  const host = rest.find((argument) => typeof argument === "string");
  const backlog = rest.find((argument) => typeof argument === "number");
  const port = typeof first === "number" || typeof first === "string" ? Number(first) : 0;
  return { port, host, backlog };
}
