/**
 * A TCP connection as its user sees it, whatever the shape: bytes to read, room to write, two ends.
 *
 * @module
 */
import { StreamReceive, StreamSend } from "../stack/tcp/buffers.ts";
import type { CloseReason, Connection, ConnectionHandler } from "../stack/tcp/connection.ts";
import { EndReason } from "./errors.ts";
import type { Instant } from "../stack/store/time.ts";
import type { Hold } from "./lifetime.ts";
import type { Noticed, Notices } from "./notices.ts";

/** What a stream needs of the stack it belongs to. */
export interface StreamHost {
  /** Where users are told from. */
  readonly notices: Notices;
  /** What was said of the sizes of buffers. */
  readonly buffers: BufferLimits;
  /** Has the stack look at what there is to send. */
  readonly wake: () => void;
  /** Keeps the program running, while so many wait at first. */
  readonly hold: (waits?: number) => Hold;
  /** The stream has a connection from now on. */
  readonly joined: (stream: TcpStream) => void;
  /** The stream's connection is gone. */
  readonly left: (stream: TcpStream) => void;
}

/** The sizes of a connection's buffers in bytes; undefined: they follow the path. They are allocated as far as they are used. */
export interface BufferLimits {
  /** What may have arrived and not been read. */
  readonly receive: number | undefined;
  /** What may be written and not acknowledged. */
  readonly send: number | undefined;
}

/** What a stream's user hears, outside of bursts. */
export interface StreamUser {
  /** The connection is open. */
  readonly opened?: () => void;
  /** There is more to read, or the peer has ended. */
  readonly readable?: () => void;
  /** There is room to write again. */
  readonly writable?: () => void;
  /** The connection is gone: {@linkcode TcpStream.reason} says why. */
  readonly closed?: () => void;
}

/** Bytes that a peer may send before its connection is accepted: what a SYN-ACK without window scale offers at most. */
const UNACCEPTED = 0xffff;

/** Opens its window only when the connection is somebody's. */
class Inbound extends StreamReceive {
  isAccepted = true;

  override get window(): number {
    return this.isAccepted ? super.window : Math.max(0, Math.min(super.window, UNACCEPTED - this.length));
  }
}

const OPENED = 1, READABLE = 2, WRITABLE = 4, CLOSED = 8;

const NOBODY: StreamUser = {};

/** What both shapes stand on. Never blocks: `read` and `write` take what they can, the user is told when there is more. */
export class TcpStream implements ConnectionHandler, Noticed {
  /** Who hears of it. */
  user: StreamUser = NOBODY;
  /** What keeps the program running for it: at first, that it is to be opened. */
  readonly life: Hold;
  /** Whether the handshake is complete. */
  isOpen = false;
  /** Why the connection is gone; undefined: it is not. */
  reason: EndReason | undefined;
  /** The own address. */
  localAddress = "";
  /** The own port. */
  localPort = 0;
  /** The peer's address. */
  remoteAddress = "";
  /** The peer's port. */
  remotePort = 0;
  /** Bytes read so far. */
  bytesRead = 0;
  /** Bytes written so far. */
  bytesWritten = 0;
  readonly #host: StreamHost;
  readonly #inbound: Inbound;
  readonly #outbound: StreamSend;
  #connection: Connection | undefined;
  #hasPeerEnded = false;
  #isFinished = false;
  #isReleased = false;
  #due = 0;

  /** A stream that gets its connection by {@linkcode TcpStream.join}. */
  constructor(host: StreamHost) {
    this.#host = host;
    this.#inbound = new Inbound(host.buffers.receive);
    this.#outbound = new StreamSend(host.buffers.send);
    this.life = host.hold();
  }

  /** Keeps the program running for somebody, whether the stream does or not. */
  hold(): Hold {
    return this.#host.hold();
  }

  /** Where received data goes, for `tcp.connect`. */
  get receiveBuffer(): StreamReceive {
    return this.#inbound;
  }

  /** Where data to be sent comes from, for `tcp.connect`. */
  get sendBuffer(): StreamSend {
    return this.#outbound;
  }

  /** The stream of a connection that a peer has opened, until {@linkcode TcpStream.accepted} of nobody. */
  static accept(host: StreamHost, connection: Connection): TcpStream {
    const stream = new TcpStream(host);
    stream.life.done();
    stream.#inbound.isAccepted = false;
    connection.receiveBuffer = stream.#inbound;
    connection.sendBuffer = stream.#outbound;
    stream.join(connection);
    stream.isOpen = true;
    return stream;
  }

  /** The connection that the stream stands for. */
  join(connection: Connection): void {
    this.#connection = connection;
    this.localAddress = String(connection.local);
    this.localPort = connection.localPort;
    this.remoteAddress = String(connection.remote);
    this.remotePort = connection.remotePort;
    this.#host.joined(this);
  }

  /** Somebody has the stream now, so that the peer may send as much as the buffer holds. */
  accepted(user: StreamUser = NOBODY): void {
    this.user = user;
    this.#inbound.isAccepted = true;
    this.#flush();
  }

  /** Bytes that can be read at once. */
  get available(): number {
    return this.#inbound.length;
  }

  /** Whether the peer has ended and everything was read. */
  get isAtEnd(): boolean {
    return this.#hasPeerEnded && this.available === 0;
  }

  /** Whether the peer has ended, though not everything may have been read. */
  get hasPeerEnded(): boolean {
    return this.#hasPeerEnded;
  }

  /** Whether {@linkcode TcpStream.finish} was called. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** Whether its user has let go of it. */
  get isReleased(): boolean {
    return this.#isReleased;
  }

  /** Bytes that can be written at once. */
  get room(): number {
    return this.#outbound.free;
  }

  /** Bytes written that the peer has not acknowledged. */
  get unacknowledged(): number {
    return this.#outbound.length;
  }

  /** Whether its user has let go while the layer still delivers what was written, or a reset. */
  get isDelivering(): boolean {
    const c = this.#connection;
    if (this.reason !== undefined || c === undefined) return false;
    return c.rstWanted || (this.#isReleased && (this.#outbound.length > 0 || !c.finSent || c.sentData > 0));
  }

  /** Whether its user has let go, and the peer has not acknowledged the end. */
  get isEnding(): boolean {
    const c = this.#connection;
    return this.reason === undefined && c !== undefined && this.#isReleased && c.sndUna !== c.sndNxt;
  }

  /** Moves what there is to `target[at..at + length)`, and answers how much that was. */
  read(target: Uint8Array, at: number = 0, length: number = target.length - at): number {
    const count = this.#inbound.read(target, at, length);
    this.bytesRead += count;
    if (count > 0) this.#flush();
    return count;
  }

  /** Takes as much of `source[at..)` as there is room for, and answers how much that was. */
  write(source: Uint8Array, at: number = 0): number {
    const count = this.#outbound.write(source, at);
    this.bytesWritten += count;
    if (count > 0) this.#flush();
    return count;
  }

  /** Ends what is written; reading goes on. A second call does nothing. */
  finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#connection?.close();
    this.#host.wake();
  }

  /**
   * Lets go. What was written is still delivered, unless something was left unread: then the peer is told by a reset
   * that it was in vain (RFC 2525 2.17). A second call does nothing.
   */
  release(): void {
    if (this.#isReleased) return;
    this.#letGo();
    const c = this.#connection;
    if (c === undefined || this.reason !== undefined) return;
    if (!this.isOpen || this.available > 0) c.abort();
    else {
      this.finish();
      c.tcp.orphan(c);
    }
    this.#host.wake();
  }

  /** Ends everything at once; the peer hears of it by a reset, its user nothing more. */
  reset(): void {
    this.#letGo();
    this.abort();
  }

  /** Ends everything at once; the peer hears of it by a reset, and so does its user. */
  abort(): void {
    if (this.reason !== undefined) return;
    this.#connection?.abort();
    this.#host.wake();
  }

  /** The stack is gone. */
  stop(): void {
    if (this.reason === undefined) this.#end(EndReason.Stopped);
  }

  /** Sends short segments at once (RFC 896 is off), or waits for their acknowledgment. */
  setNoDelay(on: boolean): void {
    if (this.#connection === undefined) return;
    this.#connection.noDelay = on;
    if (on) this.#flush();
  }

  /** Probes a peer that was silent for so many microseconds (RFC 1122 4.2.3.6), or does not. */
  setKeepAlive(on: boolean, idle?: Instant): void {
    this.#connection?.setKeepAlive(on, idle);
  }

  opened(): void {
    this.isOpen = true;
    this.#note(OPENED);
  }

  readable(): void {
    this.#note(READABLE);
  }

  writable(): void {
    this.#note(WRITABLE);
  }

  peerClosed(): void {
    this.#hasPeerEnded = true;
    this.#note(READABLE);
  }

  closed(_connection: Connection, reason: CloseReason): void {
    this.#end(reason);
  }

  /** One thing at a time: what the user throws keeps nothing else from being told. */
  notify(): void {
    const first = this.#due & -this.#due;
    this.#due ^= first;
    if (this.#due !== 0) this.#host.notices.add(this);
    switch (first) {
      case OPENED:
        return this.user.opened?.();
      case READABLE:
        return this.user.readable?.();
      case WRITABLE:
        return this.user.writable?.();
      case CLOSED:
        return this.user.closed?.();
    }
  }

  #end(reason: EndReason): void {
    this.reason = reason;
    this.life.end();
    this.#host.left(this);
    this.#note(CLOSED);
  }

  #letGo(): void {
    this.#isReleased = true;
    this.user = NOBODY;
    this.life.end();
  }

  #note(what: number): void {
    if (this.#due === 0) this.#host.notices.add(this);
    this.#due |= what;
  }

  #flush(): void {
    this.#connection?.flush();
    this.#host.wake();
  }
}
