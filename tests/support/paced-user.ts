/** A user that writes and reads in pieces, with pauses in between. */
import { type Network, seconds } from "../../mod.ts";
import { StreamReceive, StreamSend } from "../../stack/tcp/buffers.ts";
import type { CloseReason, Connection, ConnectionHandler } from "../../stack/tcp/connection.ts";
import { stateName } from "../../stack/tcp/state.ts";
import { patternAt, type User } from "./tcp.ts";

/** How a user paces itself. A chunk of 0 means without pauses. */
export interface Pace {
  readonly writeChunk: number;
  readonly writePause: number;
  readonly readChunk: number;
  readonly readPause: number;
}

/** What else a {@linkcode PacedUser} does. */
export interface PacedOptions extends Pace {
  readonly bytes: number;
  readonly sendBuffer: number;
  readonly receiveBuffer: number;
  readonly closesLast: boolean;
}

/** What a user wants of its connection. */
export interface Manner {
  readonly noDelay: boolean;
  /** Whether a peer that is silent for a second is probed. */
  readonly keepAlive: boolean;
  /** How often the user changes its mind about delay and cork, in microseconds. 0: not at all. */
  readonly toggle: number;
}

/** Sends bytes of the pattern, checks what comes, and closes. */
export class PacedUser implements ConnectionHandler, User {
  readonly send: StreamSend;
  readonly receive: StreamReceive;
  received = 0;
  wrong = 0;
  peerHasClosed = false;
  reason: CloseReason | undefined;
  connection: Connection | undefined;
  readonly #network: Network;
  readonly #options: PacedOptions;
  readonly #manner: Manner;
  #written = 0;
  #writePaused = false;
  #readPaused = false;
  readonly #chunk = new Uint8Array(4_096);

  constructor(network: Network, options: PacedOptions, manner: Manner) {
    this.#network = network;
    this.#options = options;
    this.#manner = manner;
    this.send = new StreamSend(options.sendBuffer);
    // 64 KiB are what a buffer begins with for which nothing is said: so it may grow.
    this.receive = options.receiveBuffer === 1 << 16
      ? new StreamReceive()
      : new StreamReceive(options.receiveBuffer);
  }

  readonly opened = (c: Connection): void => {
    this.connection = c;
    c.noDelay = this.#manner.noDelay;
    if (this.#manner.keepAlive) c.setKeepAlive(true, seconds(1));
    this.#toggle(c);
    this.#write(c);
  };

  readonly readable = (c: Connection): void => this.#read(c);

  readonly writable = (c: Connection): void => this.#write(c);

  readonly peerClosed = (c: Connection): void => {
    this.#read(c);
    this.peerHasClosed = true;
    this.#write(c);
  };

  readonly closed = (c: Connection, reason: CloseReason): void => {
    // What is still in the buffer can be read after the end as well.
    while (this.#take(Infinity) > 0);
    this.connection = c;
    this.reason = reason;
  };

  /** Where the user is, for messages. */
  describe(): string {
    const state = this.connection === undefined ? "unopened" : stateName(this.connection.state);
    return `${state}: ${this.#written} of ${this.#options.bytes} written, ${this.send.length} buffered, ` +
      `${this.received} received`;
  }

  #write(c: Connection): void {
    const { bytes, writeChunk, writePause, closesLast } = this.#options;
    let left = writeChunk === 0 ? Infinity : writeChunk;
    while (!this.#writePaused && this.#written < bytes && this.send.free > 0) {
      const count = Math.min(bytes - this.#written, this.send.free, this.#chunk.length, left);
      for (let index = 0; index < count; index++) this.#chunk[index] = patternAt(this.#written + index);
      this.send.write(this.#chunk, 0, count);
      this.#written += count;
      left -= count;
      if (left > 0 || this.#written === bytes) continue;
      this.#writePaused = true;
      this.#network.at(this.#network.now + writePause, () => {
        this.#writePaused = false;
        this.#write(c);
      });
    }
    c.flush();
    if (this.#written === bytes && (!closesLast || this.peerHasClosed)) c.close();
  }

  /** Corked, uncorked, without delay, with it, and so on, until the connection is over. */
  #toggle(c: Connection): void {
    const { toggle } = this.#manner;
    if (toggle === 0) return;
    this.#network.at(this.#network.now + toggle, () => {
      if (this.reason !== undefined) return;
      if (c.cork) c.noDelay = !c.noDelay;
      c.cork = !c.cork;
      c.flush();
      this.#toggle(c);
    });
  }

  #read(c: Connection): void {
    if (this.#readPaused) return;
    const { readChunk, readPause } = this.#options;
    const count = this.#take(readChunk === 0 ? Infinity : readChunk);
    if (count > 0) c.flush();
    if (readChunk === 0 || count === 0) return;
    this.#readPaused = true;
    this.#network.at(this.#network.now + readPause, () => {
      this.#readPaused = false;
      this.#read(c);
    });
  }

  #take(most: number): number {
    let taken = 0;
    while (taken < most) {
      const count = this.receive.read(this.#chunk, 0, Math.min(this.#chunk.length, most - taken));
      if (count === 0) break;
      for (let index = 0; index < count; index++) {
        if (this.#chunk[index] !== patternAt(this.received + index)) this.wrong++;
      }
      this.received += count;
      taken += count;
    }
    return taken;
  }
}
