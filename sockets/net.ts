/**
 * Sockets in the shape of node:net, for packages that were written for it.
 *
 * @module
 */
import type { EventEmitter } from "node:events";
import type { Host } from "./host.ts";
import { attach, NetServer, type NetServerOptions } from "./net-server.ts";
import { type NetConnectOptions, NetSocket, type NetSocketOptions } from "./net-socket.ts";

/** A socket's class that needs no stack to be named: `new stack.net.Socket()`. */
export type NetSocketClass = new (options?: NetSocketOptions) => NetSocket;

/** A server's class that needs no stack to be named: `new stack.net.Server()`. */
export type NetServerClass = new (
  options?: NetServerOptions | ((socket: NetSocket) => void),
  onConnection?: (socket: NetSocket) => void,
) => NetServer;

/**
 * What node:net is to the operating system's stack, this is to ours. A {@linkcode NetSocket} is a `Duplex`:
 *
 * - node:http and node:https serve: `stack.net.attach(server).listen(80)`
 * - node:http asks: `http.request({ createConnection: stack.net.createConnection })`; an `http.Agent` asks its own
 *   method of that name instead, which a subclass sets
 * - node:tls, and node:https by it: `tls.connect({ socket: stack.net.connect(443, "10.0.0.2") })`
 * - ws: `new WebSocket(url, { createConnection: stack.net.createConnection })`
 * - pg: `new Client({ stream: () => new stack.net.Socket() })`
 *
 * The functions may be passed around: they need no `this`.
 */
export class Net {
  /** The class of this stack's sockets. */
  readonly Socket: NetSocketClass;
  /** The class of this stack's servers. */
  readonly Server: NetServerClass;
  readonly #host: Host;

  /** Made by a stack. */
  constructor(host: Host) {
    this.#host = host;
    this.Socket = class extends NetSocket {
      constructor(options?: NetSocketOptions) {
        super(host, options);
      }
    };
    this.Server = class extends NetServer {
      constructor(
        options?: NetServerOptions | ((socket: NetSocket) => void),
        onConnection?: (socket: NetSocket) => void,
      ) {
        super(host, options, onConnection);
      }
    };
  }

  /** A server that does not listen yet. */
  readonly createServer = (
    options?: NetServerOptions | ((socket: NetSocket) => void),
    onConnection?: (socket: NetSocket) => void,
  ): NetServer => new NetServer(this.#host, options, onConnection);

  /**
   * A server, which does not listen yet, whose connections go to a server of node:http, node:https or node:tls. It is
   * closed when that server is.
   */
  readonly attach = (server: EventEmitter): NetServer => {
    const net = attach(new NetServer(this.#host, { noDelay: true, allowHalfOpen: true }), server);
    server.once("close", () => net[Symbol.dispose]());
    return net;
  };

  /** A socket that connects: `(port, host?, listener?)` or `({ port, host }, listener?)`. */
  readonly connect = (
    target: NetConnectOptions | number | string,
    second?: unknown,
    third?: unknown,
  ): NetSocket => {
    const options = typeof target === "object" ? target : {};
    return new NetSocket(this.#host, options).connect(target, second, third);
  };

  /** The same as {@linkcode Net.connect}. */
  readonly createConnection: Net["connect"] = this.connect;
}
