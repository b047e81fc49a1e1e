/**
 * A listening port in the shape of `Deno.listen`.
 *
 * @module
 */
import type { Listener } from "../stack/tcp/listener.ts";
import type { TcpAddr } from "./address.ts";
import { TcpConn } from "./conn.ts";
import { badResource } from "./errors.ts";
import type { Host } from "./host.ts";
import type { Hold } from "./lifetime.ts";
import type { TcpStream } from "./stream.ts";

/** What a listener is bound to. */
export interface TcpListenOptions {
  /** The own port; absent or 0: one that is free. */
  readonly port?: number;
  /** An own address; absent or "0.0.0.0": every one. */
  readonly hostname?: string;
  /** Only for the shape: TCP is all there is. */
  readonly transport?: "tcp";
  /** How many handshakes may be under way, and how many connections wait for `accept`. Default 511. */
  readonly tcpBacklog?: number;
}

/** As many connections may wait for their user, unless it says otherwise: Deno's default. */
export const BACKLOG = 511;

/** A listening port, assignable to `Deno.TcpListener`. */
export class TcpListener implements Deno.Listener<TcpConn, Deno.NetAddr> {
  /** The own address and port. */
  readonly addr: TcpAddr;
  readonly #host: Host;
  readonly #listener: Listener;
  readonly #life: Hold;
  readonly #arrived: TcpStream[] = [];
  readonly #waiting: PromiseWithResolvers<TcpConn>[] = [];
  readonly #notice = { notify: () => this.#handOut() };
  #isClosed = false;

  /** Made by `stack.listen`. */
  constructor(host: Host, options: TcpListenOptions) {
    const { port = 0, hostname = "0.0.0.0", tcpBacklog = BACKLOG } = options;
    this.#host = host;
    const hasRoom = () => this.#arrived.length < tcpBacklog;
    this.#listener = host.listen(hostname, port, tcpBacklog, hasRoom, (stream) => this.#take(stream));
    this.#life = host.hold(0);
    this.addr = { transport: "tcp", hostname, port: this.#listener.port };
    host.sockets.add(this);
  }

  /** The next connection. Rejects with a BadResource when the listener is closed. */
  accept(): Promise<TcpConn> {
    if (this.#isClosed) return Promise.reject(closed());
    const stream = this.#arrived.shift();
    if (stream !== undefined) return Promise.resolve(new TcpConn(stream));
    const waiting = Promise.withResolvers<TcpConn>();
    this.#waiting.push(waiting);
    this.#life.begin();
    return waiting.promise;
  }

  /** Takes no more connections; those accepted live on, those that wait are reset. */
  close(): void {
    if (this.#isClosed) throw badResource();
    this[Symbol.dispose]();
  }

  /** Keeps the program running while somebody waits for a connection, as at first. */
  ref(): void {
    this.#life.ref();
  }

  /** Lets the program end all the same. */
  unref(): void {
    this.#life.unref();
  }

  /** Connection after connection, until the listener is closed. Leaving the loop closes it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<TcpConn> {
    const iterator: AsyncIterableIterator<TcpConn> = {
      next: async () => {
        try {
          return { value: await this.accept(), done: false };
        } catch (error) {
          if (error instanceof Deno.errors.BadResource) return { value: undefined, done: true };
          throw error;
        }
      },
      return: (value?: unknown) => {
        this[Symbol.dispose]();
        return Promise.resolve({ value, done: true });
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /** Closes it; a second call does nothing. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener.close();
    this.#life.end();
    this.#host.sockets.delete(this);
    for (const stream of this.#arrived.splice(0)) stream.reset();
    for (const waiting of this.#waiting.splice(0)) waiting.reject(closed());
    this.#host.wake();
  }

  #handOut(): void {
    while (this.#waiting.length > 0 && this.#arrived.length > 0) {
      this.#life.done();
      this.#waiting.shift()!.resolve(new TcpConn(this.#arrived.shift()!));
    }
  }

  #take(stream: TcpStream): boolean {
    this.#arrived.push(stream);
    this.#host.notices.add(this.#notice);
    return true;
  }
}

function closed(): Error {
  return badResource("Listener has been closed");
}
