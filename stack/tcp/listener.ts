/**
 * A port that peers may connect to.
 *
 * @module
 */
import { Address } from "../wire/address.ts";
import type { Connection, ConnectionHandler } from "./connection.ts";

/** What a listener is bound to. */
export interface ListenOptions {
  /** The own port. */
  readonly port: number;
  /** The own address; absent: every one. */
  readonly address?: Address;
  /** How many handshakes may be under way at once; further SYNs are answered with cookies. Default 128. */
  readonly backlog?: number;
  /**
   * Whether the user has room for another connection now. While it has not, SYNs and the ACKs that would complete a
   * handshake are dropped, so that peers try again. Absent: it always has.
   */
  readonly hasRoom?: () => boolean;
}

/**
 * Is handed each new connection when its handshake is complete. It sets `sendBuffer` and `receiveBuffer` and answers
 * with who is to hear of the connection; undefined: it is aborted. So it is if this throws.
 */
export type Accept = (connection: Connection) => ConnectionHandler | undefined;

/** A listening port: RFC 9293's LISTEN. */
export class Listener {
  /** The own port. */
  readonly port: number;
  /** The own address; undefined: every one. */
  readonly address: Address | undefined;
  /** How many handshakes may be under way at once. */
  readonly backlog: number;
  /** Who is handed new connections. */
  readonly accept: Accept;
  /** Whether that has room for another one. */
  readonly hasRoom: () => boolean;
  /** Handshakes under way. */
  halfOpen = 0;
  readonly #close: (listener: Listener) => void;

  /** Made by `tcp.listen`. */
  constructor(options: ListenOptions, accept: Accept, close: (listener: Listener) => void) {
    this.port = options.port;
    this.address = options.address === undefined ? undefined : new Address().copy(options.address);
    this.backlog = options.backlog ?? 128;
    this.accept = accept;
    this.hasRoom = options.hasRoom ?? always;
    this.#close = close;
  }

  /** Takes no more connections; those there are live on. A second call does nothing. */
  close(): void {
    this.#close(this);
  }
}

function always(): boolean {
  return true;
}
