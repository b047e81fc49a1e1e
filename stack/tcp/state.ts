/**
 * The states of a connection (RFC 9293 3.3.2). CLOSED is no connection, LISTEN is the listener's, TIME-WAIT the
 * table's in `time-wait.ts`.
 *
 * @module
 */

/** Where in its life a connection is. Ordered: data can be received from `Established` to `FinWait2`. */
export const ConnectionState = {
  /** The connection is gone. */
  Closed: 0,
  /** A SYN was sent. */
  SynSent: 1,
  /** SYNs went both ways; ours is not acknowledged. */
  SynReceived: 2,
  /** Data flows both ways. */
  Established: 3,
  /** Our FIN was sent. */
  FinWait1: 4,
  /** Our FIN is acknowledged; the peer may still send. */
  FinWait2: 5,
  /** The peer's FIN came; we may still send. */
  CloseWait: 6,
  /** Both FINs were sent at once; ours is not acknowledged. */
  Closing: 7,
  /** The peer's FIN came first, then ours was sent. */
  LastAck: 8,
} as const;

/** One of {@linkcode ConnectionState}'s numbers. */
export type ConnectionState = (typeof ConnectionState)[keyof typeof ConnectionState];

const NAMES = [
  "CLOSED",
  "SYN-SENT",
  "SYN-RECEIVED",
  "ESTABLISHED",
  "FIN-WAIT-1",
  "FIN-WAIT-2",
  "CLOSE-WAIT",
  "CLOSING",
  "LAST-ACK",
] as const;

/** The state's name in RFC 9293. */
export function stateName(state: ConnectionState): string {
  return NAMES[state];
}

/** Whether data from the peer is still expected. */
export function canReceive(state: ConnectionState): boolean {
  return state >= ConnectionState.Established && state <= ConnectionState.FinWait2;
}

/** Whether the user may still hand in data: our FIN is not yet decided. */
export function canSend(state: ConnectionState): boolean {
  return state === ConnectionState.Established || state === ConnectionState.CloseWait;
}
