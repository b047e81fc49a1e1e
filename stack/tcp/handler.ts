/**
 * What the user of a connection hears of it.
 *
 * @module
 */
import type { Connection } from "./connection.ts";

/** Why a connection ended. */
export const CloseReason = {
  /** Both sides closed it. */
  Finished: 0,
  /** The peer reset it. */
  Reset: 1,
  /** The peer refused it: a reset in answer to our SYN. */
  Refused: 2,
  /** Too long without any sign of the peer. */
  TimedOut: 3,
  /** The network says that the peer cannot be reached. */
  Unreachable: 4,
  /** The user aborted it. */
  Aborted: 5,
} as const;

/** One of {@linkcode CloseReason}'s numbers. */
export type CloseReason = (typeof CloseReason)[keyof typeof CloseReason];

/**
 * What the user hears of a connection, from within a burst. Any of it may be absent. What one of them throws goes
 * through to whoever polls the NIC, and the connection is aborted.
 */
export interface ConnectionHandler {
  /** The handshake is complete. */
  readonly opened?: (connection: Connection) => void;
  /** More data is in the receive buffer. */
  readonly readable?: (connection: Connection) => void;
  /** The peer has acknowledged data, so there is more room in the send buffer. */
  readonly writable?: (connection: Connection) => void;
  /** The peer sends no more: what is in the receive buffer is all. */
  readonly peerClosed?: (connection: Connection) => void;
  /** The connection is gone; its key is stale. */
  readonly closed?: (connection: Connection, reason: CloseReason) => void;
}
