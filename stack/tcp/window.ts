/**
 * The receive window: what the peer is told that it may send.
 *
 * @module
 */
import type { Connection } from "./connection.ts";
import { beginTuning } from "./receive-tuning.ts";
import { add, distance, latest } from "./sequence.ts";

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
  if (connection.tunedBuffer !== connection.receiveBuffer) beginTuning(connection);
  connection.tuning?.onOffer(connection);
  const { rcvNxt } = connection;
  const rcvScale = Math.max(0, connection.rcvScale);
  const told = Math.max(0, distance(rcvNxt, connection.rcvEdge));
  const room = roomOf(connection);
  connection.rcvRoom = Math.max(connection.rcvRoom, room);
  const isWorthIt = room - told >= Math.max(1, Math.min(connection.rcvMss, connection.rcvRoom >> 1)) ||
    // The last of a buffer that nobody reads from is all that will ever be offered.
    (told === 0 && room > 0 && connection.receiveBuffer.fillsOnce === true);
  const window = isWorthIt ? room : Math.min(told, room);
  let field = window >> rcvScale;
  // A field rounded down would take back what was told before; one rounded up must not promise more than there is.
  if ((field << rcvScale) < told && ((field + 1) << rcvScale) <= room) field++;
  // But what is worth to be told and less than a unit would else never come, in a buffer that is as small.
  if (field === 0 && window > 0) field = 1;
  connection.rcvEdge = add(rcvNxt, field << rcvScale);
  // RFC 7323 2.4: where rounding takes back a little, what was told before is still acceptable.
  connection.rcvMaxEdge = latest(connection.rcvMaxEdge, connection.rcvEdge);
  return field;
}

/** The window field of a SYN, which is never scaled (RFC 7323 2.2). */
export function advertiseUnscaled(connection: Connection): number {
  const field = Math.min(connection.receiveBuffer.window, connection.tcp.options.receiveWindow, FIELD_MAX);
  connection.rcvEdge = connection.rcvMaxEdge = add(connection.rcvNxt, field);
  return field;
}

/** Whether the user has read so much that the peer should hear of it: two segments, or half of the buffer. */
export function shouldUpdate(connection: Connection): boolean {
  const room = roomOf(connection);
  return room - Math.max(0, distance(connection.rcvNxt, connection.rcvEdge)) >=
    Math.min(2 * connection.rcvMss, Math.max(1, Math.max(connection.rcvRoom, room) >> 1));
}

/** How much there is room for that a window can tell. */
export function roomOf(connection: Connection): number {
  const { receiveBuffer, rcvScale, tcp } = connection;
  return Math.min(receiveBuffer.window, tcp.options.receiveWindow, FIELD_MAX << Math.max(0, rcvScale));
}

/** RCV.WND: how much from RCV.NXT on is acceptable. */
export function receiveWindow(connection: Connection): number {
  return Math.max(0, distance(connection.rcvNxt, connection.rcvMaxEdge));
}
