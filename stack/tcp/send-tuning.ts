/**
 * How a send buffer follows its path: it holds two congestion windows, one in flight, and one that the user writes
 * meanwhile.
 *
 * @module
 */
import type { Connection } from "./connection.ts";

/** More than any congestion window. */
const EVERY = 0x3fff_ffff;

/** The congestion window is more than `roomyCwnd`, so the send buffer may be too small for two. */
export function growSend(c: Connection): void {
  const { growing } = c.sendBuffer;
  if (growing === undefined) {
    c.roomyCwnd = EVERY;
    return;
  }
  // What waits in a queue on the way makes the round trip longer and needs no buffer: without it the path holds less.
  const { srtt, minRtt } = c.rtt;
  const isQueued = srtt > minRtt;
  const wanted = isQueued ? Math.round(2 * c.control.cwnd * (minRtt / srtt)) : 2 * c.control.cwnd;
  if (wanted > growing.limit) c.tcp.growth.grow(c, growing, wanted);
  c.roomyCwnd = growing.limit >> 1;
}
