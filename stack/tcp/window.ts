/**
 * The receive window: what the peer is told that it may send.
 *
 * @module
 */
import type { Connection } from "./connection.ts";
import { add, after, distance } from "./sequence.ts";

/** The largest value of the header's field. */
const FIELD_MAX = 0xffff;

/** The shift that lets the field tell a window of `bytes` (RFC 7323 2.2). */
export function scaleFor(bytes: number): number {
  let scale = 0;
  while (scale < 14 && (FIELD_MAX << scale) < bytes) scale++;
  return scale;
}

/**
 * Moves the right edge of the window as far as there is room, and answers with the header's field. The edge never
 * moves back (RFC 9293 3.8.6: shrinking is strongly discouraged), and not forward by crumbs (3.8.6.2.2).
 */
export function advertise(connection: Connection): number {
  const { rcvNxt, rcvScale, receiveBuffer } = connection;
  const told = Math.max(0, distance(rcvNxt, connection.rcvEdge));
  const room = Math.min(receiveBuffer.window, FIELD_MAX << rcvScale);
  const growth = room - told;
  const step = Math.min(connection.rcvMss, (told + room) >> 1);
  const window = growth >= Math.max(step, 1) ? room : told;
  let field = window >> rcvScale;
  // A field rounded down would take back what was told before.
  if ((field << rcvScale) < told) field++;
  connection.rcvEdge = add(rcvNxt, field << rcvScale);
  return Math.min(field, FIELD_MAX);
}

/** The window field of a SYN, which is never scaled (RFC 7323 2.2). */
export function advertiseUnscaled(connection: Connection): number {
  const field = Math.min(connection.receiveBuffer.window, FIELD_MAX);
  connection.rcvEdge = add(connection.rcvNxt, field);
  return field;
}

/** Whether the user has read so much that the peer should hear of it: two segments, or half of the buffer. */
export function shouldUpdate(connection: Connection): boolean {
  const { rcvNxt, rcvMss, receiveBuffer, rcvScale } = connection;
  const told = Math.max(0, distance(rcvNxt, connection.rcvEdge));
  const room = Math.min(receiveBuffer.window, FIELD_MAX << rcvScale);
  return room - told >= Math.min(2 * rcvMss, Math.max(1, room >> 1));
}

/** RCV.WND: how much from RCV.NXT on is acceptable. */
export function receiveWindow(connection: Connection): number {
  const { rcvNxt, rcvEdge } = connection;
  return after(rcvEdge, rcvNxt) ? distance(rcvNxt, rcvEdge) : 0;
}
