/**
 * A TCP socket over the stack's own handlers: what the socket interface adds is a queue of accepted connections, a
 * pending error, and what becomes of a connection whose descriptor is closed.
 *
 * @module
 */
import { milliseconds } from "../../../stack/store/time.ts";
import { StreamReceive, StreamSend } from "../../../stack/tcp/buffers.ts";
import { CloseReason, type Connection, type ConnectionHandler } from "../../../stack/tcp/connection.ts";
import type { Tcp } from "../../../stack/tcp/endpoint.ts";
import type { Listener } from "../../../stack/tcp/listener.ts";
import { Address } from "../../../stack/wire/address.ts";
import {
  blocked,
  done,
  doneWith,
  failed,
  type OptionValue,
  type Outcome,
  type Received,
  type SocketAddress,
  unsupported,
} from "./host.ts";
import { HostSocket } from "./host-socket.ts";

/** What a TCP socket needs of the host that it is on. */
export interface TcpSocketHost {
  readonly tcp: Tcp;
  /** Whether an address is one of the host's own, or none in particular. */
  owns(address: Address): boolean;
  /** The own address that a packet to there leaves from; undefined: there is no way. */
  sourceFor(destination: Address): Address | undefined;
}

/** What the socket interface calls the end of a connection; a regular one has no name. */
const ERRNO: Readonly<Record<CloseReason, string | undefined>> = {
  [CloseReason.Finished]: undefined,
  [CloseReason.Reset]: "ECONNRESET",
  [CloseReason.Refused]: "ECONNREFUSED",
  [CloseReason.TimedOut]: "ETIMEDOUT",
  [CloseReason.Unreachable]: "EHOSTUNREACH",
  [CloseReason.Aborted]: "ECONNABORTED",
};

/** What `setsockopt` has set; an accepted socket begins with its listener's. */
class Settings {
  noDelay = false;
  cork = false;
  keepAlive = false;
  /** In milliseconds; 0: the stack's own. */
  userTimeout = 0;
  linger: { readonly on: number; readonly seconds: number } = { on: 0, seconds: 0 };
  receiveBuffer = 1 << 20;
  sendBuffer = 1 << 20;
}

/** A stream socket. */
export class TcpSocket extends HostSocket implements ConnectionHandler {
  readonly #host: TcpSocketHost;
  readonly #any: Address;
  readonly #settings: Settings;
  #address: Address | undefined;
  #port = 0;
  #listener: Listener | undefined;
  readonly #accepted: TcpSocket[] = [];
  #connection: Connection | undefined;
  #send = new StreamSend();
  #receive = new StreamReceive();
  #isOpen = false;
  #isAsked = false;
  #hasPeerClosed = false;
  #isShut = false;
  #isOver = false;
  #error: string | undefined;

  /** A socket without a name. `any` is its family's unspecified address. */
  constructor(host: TcpSocketHost, any: Address, settings: Settings = new Settings()) {
    super();
    this.#host = host;
    this.#any = any;
    this.#settings = settings;
  }

  readonly opened = (): void => {
    this.#isOpen = true;
  };

  readonly peerClosed = (): void => {
    this.#hasPeerClosed = true;
  };

  readonly closed = (_: Connection, reason: CloseReason): void => {
    const isBroken = reason === CloseReason.Reset && this.#hasPeerClosed;
    this.#error = isBroken ? "EPIPE" : ERRNO[reason];
    this.#isOver = true;
  };

  bind({ address, port }: SocketAddress): Outcome {
    if (this.#port !== 0 || this.#connection !== undefined) return failed("EINVAL");
    if (address.isV4 !== this.#any.isV4) return failed("EAFNOSUPPORT");
    if (!this.#host.owns(address)) return failed("EADDRNOTAVAIL");
    this.#address = address.isUnspecified ? undefined : address;
    this.#port = port;
    return done();
  }

  override listen(backlog: number): Outcome {
    if (this.#connection !== undefined || this.#port === 0) return failed("EINVAL");
    const address = this.#address;
    this.#listener = this.#host.tcp.listen(
      { port: this.#port, backlog: Math.max(1, backlog), ...(address === undefined ? {} : { address }) },
      (connection) => {
        const socket = new TcpSocket(this.#host, this.#any, Object.assign(new Settings(), this.#settings));
        socket.#join(connection);
        connection.sendBuffer = socket.#send;
        connection.receiveBuffer = socket.#receive;
        this.#accepted.push(socket);
        return socket;
      },
    );
    return this.#listener === undefined ? failed("EADDRINUSE") : done();
  }

  override accept(): Outcome<{ readonly socket: HostSocket; readonly peer: SocketAddress }> {
    if (this.#listener === undefined) return failed("EINVAL");
    const socket = this.#accepted.shift();
    if (socket === undefined) return blocked();
    const { remote, remotePort } = socket.#connection!;
    return doneWith(0, { socket, peer: { address: remote, port: remotePort } });
  }

  connect(to: SocketAddress | undefined): Outcome {
    if (to === undefined) return unsupported("dissolving a TCP connection");
    if (this.#connection !== undefined) return this.#connecting();
    const localAddress = this.#address ?? this.#host.sourceFor(to.address);
    if (localAddress === undefined) return failed("ENETUNREACH");
    this.#makeBuffers();
    const connection = this.#host.tcp.connect({
      address: to.address,
      port: to.port,
      localAddress,
      ...(this.#port === 0 ? {} : { localPort: this.#port }),
      sendBuffer: this.#send,
      receiveBuffer: this.#receive,
      handler: this,
    });
    if (connection === undefined) return failed("EADDRNOTAVAIL");
    this.#join(connection);
    return blocked("EINPROGRESS");
  }

  send(data: Uint8Array, _to: SocketAddress | undefined, flags: readonly string[]): Outcome {
    if (flags.includes("MSG_OOB")) return unsupported("urgent data");
    const error = this.#takeError();
    if (error !== undefined) return failed(error);
    const c = this.#connection;
    if (c === undefined || this.#isOver || c.finWanted) return failed("EPIPE");
    if (!this.#isOpen || this.#send.free === 0) return blocked();
    const count = this.#send.write(data);
    c.cork = this.#settings.cork || flags.includes("MSG_MORE");
    c.flush();
    return done(count);
  }

  receive(length: number, flags: readonly string[]): Outcome<Received> {
    if (flags.includes("MSG_PEEK") || flags.includes("MSG_OOB")) return unsupported("peeking at a stream");
    const count = Math.min(length, this.#receive.length);
    if (count === 0) {
      const error = this.#takeError();
      if (error !== undefined && error !== "EPIPE") return failed(error);
      if (this.#connection === undefined) return failed("ENOTCONN");
      if (!this.#hasPeerClosed && !this.#isOver && !this.#isShut) return blocked();
    }
    const data = new Uint8Array(count);
    this.#receive.read(data);
    if (count > 0) this.#connection?.flush();
    return doneWith(count, { data, from: undefined, flags: [] });
  }

  override shutdown(how: string): Outcome {
    const c = this.#connection;
    if (c === undefined || this.#isOver) return failed("ENOTCONN");
    if (how !== "SHUT_WR") this.#isShut = true;
    if (how !== "SHUT_RD") c.close();
    return done();
  }

  localAddress(): Outcome<SocketAddress> {
    const c = this.#connection;
    if (c !== undefined) return doneWith(0, { address: c.local, port: c.localPort });
    return doneWith(0, { address: this.#address ?? this.#any, port: this.#port });
  }

  remoteAddress(): Outcome<SocketAddress> {
    const c = this.#connection;
    if (c === undefined || !this.#isOpen || this.#isOver) return failed("ENOTCONN");
    return doneWith(0, { address: c.remote, port: c.remotePort });
  }

  override setOption(level: string, name: string, value: OptionValue): Outcome {
    const settings = this.#settings;
    if (name === "SO_LINGER") {
      if (typeof value !== "object") return failed("EINVAL");
      settings.linger = value;
      return done();
    }
    if (typeof value !== "number") return super.setOption(level, name, value);
    switch (name) {
      case "TCP_NODELAY":
        settings.noDelay = value !== 0;
        break;
      case "TCP_CORK":
        settings.cork = value !== 0;
        break;
      case "SO_KEEPALIVE":
        settings.keepAlive = value !== 0;
        break;
      case "TCP_USER_TIMEOUT":
        settings.userTimeout = value;
        break;
      case "SO_RCVBUF":
        settings.receiveBuffer = bufferOf(value);
        break;
      case "SO_SNDBUF":
        settings.sendBuffer = bufferOf(value);
        break;
      case "SO_REUSEADDR":
        break;
      default:
        return super.setOption(level, name, value);
    }
    this.#apply();
    return done();
  }

  override getOption(level: string, name: string): Outcome<OptionValue> {
    const { noDelay, cork, keepAlive, userTimeout, linger } = this.#settings;
    const values: Readonly<Record<string, OptionValue>> = {
      TCP_NODELAY: Number(noDelay),
      TCP_CORK: Number(cork),
      SO_KEEPALIVE: Number(keepAlive),
      TCP_USER_TIMEOUT: userTimeout,
      TCP_MAXSEG: this.#connection?.sndMss ?? 536,
      SO_LINGER: linger,
    };
    if (name === "SO_ERROR") return doneWith(0, this.#takeError() ?? 0);
    const value = values[name];
    return value === undefined ? super.getOption(level, name) : doneWith(0, value);
  }

  override query(request: string): Outcome<number> {
    if (request === "SIOCOUTQ") return doneWith(0, this.#send.length);
    if (request !== "FIONREAD" && request !== "SIOCINQ") return super.query(request);
    return doneWith(0, this.#receive.length);
  }

  events(): readonly string[] {
    if (this.#listener !== undefined) return this.#accepted.length > 0 ? ["POLLIN"] : [];
    const c = this.#connection;
    if (c === undefined) return ["POLLOUT", "POLLHUP"];
    const events: string[] = [];
    const isEnd = this.#hasPeerClosed || this.#isOver || this.#isShut;
    if (isEnd) events.push("POLLRDHUP");
    if (isEnd || this.#receive.length > 0) events.push("POLLIN");
    if (this.#isOver || (this.#isOpen && this.#send.free > 0)) events.push("POLLOUT");
    if (this.#isOver || (isEnd && c.finWanted)) events.push("POLLHUP");
    if (this.#error !== undefined) events.push("POLLERR");
    return events;
  }

  close(): Outcome {
    this.#listener?.close();
    for (const socket of this.#accepted) socket.#connection!.abort();
    const c = this.#connection;
    if (c === undefined) return done();
    const { linger } = this.#settings;
    // RFC 2525 2.17: unread data is lost, and the peer hears of it.
    const isLoss = this.#receive.length > 0 || !this.#isOpen;
    if (isLoss || (linger.on !== 0 && linger.seconds === 0)) c.abort();
    else {
      c.close();
      c.tcp.orphan(c);
    }
    return done();
  }

  #join(connection: Connection): void {
    this.#connection = connection;
    this.#makeBuffers();
    this.#apply();
  }

  #makeBuffers(): void {
    if (this.#connection !== undefined && this.#connection.isActive) return;
    this.#send = new StreamSend(this.#settings.sendBuffer);
    this.#receive = new StreamReceive(this.#settings.receiveBuffer);
  }

  #apply(): void {
    const c = this.#connection;
    if (c === undefined) return;
    const { noDelay, cork, keepAlive, userTimeout } = this.#settings;
    c.noDelay = noDelay;
    c.cork = cork;
    c.setKeepAlive(keepAlive);
    if (userTimeout > 0) c.userTimeout = milliseconds(userTimeout);
    c.flush();
  }

  #connecting(): Outcome {
    if (!this.#isOpen) {
      const error = this.#takeError();
      if (error !== undefined) return failed(error);
      return this.#isOver ? failed("ECONNABORTED") : blocked("EALREADY");
    }
    if (this.#isAsked) return failed("EISCONN");
    this.#isAsked = true;
    return done();
  }

  #takeError(): string | undefined {
    const error = this.#error;
    this.#error = undefined;
    return error;
  }
}

/** The power of two that holds so many bytes. */
function bufferOf(bytes: number): number {
  return 2 ** Math.ceil(Math.log2(Math.min(Math.max(bytes, 4_096), 1 << 20)));
}
