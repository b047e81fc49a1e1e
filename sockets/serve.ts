/**
 * HTTP/1.1 in the shape of `Deno.serve`, by node:http over our own sockets.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { TcpAddr } from "./address.ts";
import type { Host } from "./host.ts";
import { answer, BadRequest, toRequest } from "./http.ts";
import { BACKLOG } from "./listener.ts";
import { attach, NetServer } from "./net-server.ts";
import type { NetSocket } from "./net-socket.ts";

/** What a handler is told of a request: assignable to `Deno.ServeHandlerInfo<Deno.NetAddr>`. */
export interface ServeInfo {
  /** The client's address and port. */
  readonly remoteAddr: TcpAddr;
  /** Resolves when the response was sent; rejects with an Interrupted when it could not be. */
  readonly completed: Promise<void>;
}

/** Answers a request. */
export type ServeHandler = (request: Request, info: ServeInfo) => Response | Promise<Response>;

/** How HTTP is served. */
export interface ServeOptions {
  /** The own port; 0: one that is free. Default 8000. */
  readonly port?: number;
  /** An own address; absent or "0.0.0.0": every one. */
  readonly hostname?: string;
  /** How many handshakes may be under way. Default 511. */
  readonly tcpBacklog?: number;
  /** Ends the server with all its connections. */
  readonly signal?: AbortSignal;
  /** Answers when the handler throws. Default: "Internal Server Error" with status 500, and the error to the console. */
  readonly onError?: (error: unknown) => Response | Promise<Response>;
  /** Is called when the server listens. Default: says so on the console. */
  readonly onListen?: (localAddr: TcpAddr) => void;
}

/** The answer to CONNECT, which node:http has no response for. */
const NO_TUNNELS = "HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/** A connection, and the responses to the requests that it has under way. */
interface Client {
  readonly socket: NetSocket;
  readonly responses: Set<ServerResponse>;
}

/** A server that runs, assignable to `Deno.HttpServer<Deno.NetAddr>`. */
export class HttpServer implements Deno.HttpServer<Deno.NetAddr>, Disposable {
  /** The own address and port. */
  readonly addr: TcpAddr;
  /** Resolves when the server has ended. */
  readonly finished: Promise<void>;
  readonly #net: NetServer;
  readonly #http: Server;
  readonly #handler: ServeHandler;
  readonly #onError: (error: unknown) => Response | Promise<Response>;
  readonly #clients = new Map<object, Client>();
  #isRef = true;
  #isEnding = false;

  /** Made by `stack.serve`. */
  constructor(host: Host, options: ServeOptions, handler: ServeHandler) {
    const { port = 8_000, hostname = "0.0.0.0", tcpBacklog = BACKLOG, signal } = options;
    this.#handler = handler;
    this.#onError = options.onError ?? internalError;
    this.#http = createServer((request, response) => void this.#serve(request, response));
    this.#http.on("connect", (_, socket) => void socket.end(NO_TUNNELS));
    this.#net = new NetServer(
      host,
      { noDelay: true, allowHalfOpen: true },
      (socket) => this.#connected(socket),
    );
    attach(this.#net, this.#http);
    this.addr = { transport: "tcp", hostname, port: this.#net.bind(hostname, port, tcpBacklog) };
    this.finished = new Promise((resolve) => void this.#net.once("close", resolve));
    host.sockets.add(this);
    const abort = () => this[Symbol.dispose]();
    signal?.addEventListener("abort", abort, { once: true });
    void this.finished.then(() => {
      signal?.removeEventListener("abort", abort);
      host.sockets.delete(this);
      this.#http.close();
    });
    const { onListen = announce } = options;
    if (signal?.aborted) abort();
    else onListen(this.addr);
  }

  /** Takes no more connections, and ends when the requests under way are answered. */
  shutdown(): Promise<void> {
    this.#end();
    for (const { socket, responses } of [...this.#clients.values()]) {
      if (responses.size === 0) socket.destroy();
    }
    return this.finished;
  }

  /** Keeps the program running, as at first. */
  ref(): void {
    this.#isRef = true;
    this.#net.ref();
    for (const { socket } of this.#clients.values()) socket.ref();
  }

  /** Lets the program end though the server runs. */
  unref(): void {
    this.#isRef = false;
    this.#net.unref();
    for (const { socket } of this.#clients.values()) socket.unref();
  }

  /** Ends the server with all its connections. */
  [Symbol.dispose](): void {
    this.#end();
    for (const { socket } of [...this.#clients.values()]) socket.resetAndDestroy();
  }

  /** {@linkcode HttpServer.shutdown} */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  #end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#net.close();
  }

  #connected(socket: NetSocket): void {
    if (!this.#isRef) socket.unref();
    const responses = new Set<ServerResponse>();
    this.#clients.set(socket, { socket, responses });
    socket.once("close", () => {
      this.#clients.delete(socket);
      for (const response of responses) {
        // Behind another one in the pipeline (RFC 9112 9.3.2): node:http does not tell it, for it has no socket yet.
        if (response.socket === null) response.destroy().emit("close");
      }
    });
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const client = this.#clients.get(message.socket);
    client?.responses.add(response);
    await this.#respond(message, response);
    // What nobody reads of a body is in the way of the next request, and of clients that send before they read.
    if (!message.complete && message.listenerCount("readable") === 0) message.resume();
    if (client === undefined) return;
    client.responses.delete(response);
    if (this.#isEnding && client.responses.size === 0) client.socket.destroySoon();
  }

  async #respond(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const abort = new AbortController();
    const { promise: completed, resolve, reject } = Promise.withResolvers<void>();
    completed.catch(() => {});
    response.once("close", () => {
      if (response.writableFinished) return resolve();
      abort.abort(new DOMException("The client has gone", "AbortError"));
      reject(new Deno.errors.Interrupted("the client has gone before the response was sent"));
    });
    const { remoteAddress: hostname = "", remotePort: port = 0 } = message.socket;
    const info: ServeInfo = { remoteAddr: { transport: "tcp", hostname, port }, completed };
    try {
      const request = toRequest(message, this.addr, abort.signal);
      await answer(response, await this.#handle(request, info), message.method === "HEAD", this.#isEnding);
    } catch (error) {
      if (error instanceof BadRequest) return void response.writeHead(error.status).end();
      // The body has failed, when the rest of the response may have left.
      if (!response.destroyed) console.error(error);
      response.destroy();
    }
  }

  async #handle(request: Request, info: ServeInfo): Promise<Response> {
    try {
      return checked(await this.#handler(request, info));
    } catch (error) {
      try {
        return checked(await this.#onError(error));
      } catch (second) {
        return internalError(second);
      }
    }
  }
}

/** Serves HTTP on a host. */
export function serveHttp(host: Host, options: ServeOptions, handler: ServeHandler): HttpServer {
  return new HttpServer(host, options, handler);
}

function checked(response: Response): Response {
  if (!(response instanceof Response)) throw new TypeError("a handler answers with a Response");
  if (response.type === "error") throw new TypeError("a handler answers with something that can be sent");
  if (response.bodyUsed) throw new TypeError("the response's body was read already");
  if (response.body?.locked) throw new TypeError("the response's body is somebody else's, who has locked it");
  return response;
}

function internalError(error: unknown): Response {
  console.error(error);
  return new Response("Internal Server Error", { status: 500 });
}

function announce({ hostname, port }: TcpAddr): void {
  console.log(`Listening on http://${hostname}:${port}/`);
}
