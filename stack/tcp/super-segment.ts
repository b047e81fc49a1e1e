/**
 * Many segments in one: what a connection hands to a NIC that cuts it into segments of the path's size. Everything
 * else about them is theirs, one by one: their place in the flight, what becomes of them, and sending them again.
 *
 * @module
 */
import type { NicInfo } from "../slot.ts";
import * as ipv4 from "../wire/ipv4.ts";
import * as ipv6 from "../wire/ipv6.ts";
import { HEADER_LENGTH } from "../wire/tcp.ts";
import type { Connection } from "./connection.ts";

/** In seconds: what leaves in that time at the pacing rate may leave at once. */
const QUANTUM_TIME = 0.001;

/** Fewer segments than this never are halved, or a small window would leave one by one. */
const LEAST = 2;

/**
 * How much data may leave at once, a multiple of `mss`, where a segment has `options` bytes of options. No more than
 * half of the congestion window, so that the acknowledgment of one half lets the other go on (RFC 9293 has no such
 * rule; a window that leaves whole waits a round trip for the next). Where segments are paced, no more than a
 * millisecond's worth (BBR.send_quantum of draft-ietf-ccwg-bbr 5.6.3).
 */
export function superLimit(c: Connection, info: NicInfo, mss: number, options: number): number {
  const { segmentation } = info.capabilities;
  if (segmentation === undefined) return mss;
  const headers = (c.local.isV4 ? ipv4.HEADER_LENGTH : ipv6.HEADER_LENGTH) + HEADER_LENGTH + options;
  const { cwnd, pacingRate } = c.control;
  const atOnce = pacingRate > 0 ? Math.min(cwnd / 2, pacingRate * QUANTUM_TIME) : cwnd / 2;
  const most = Math.min(segmentation - headers, Math.max(LEAST * mss, Math.floor(atOnce)));
  return sized(most, mss);
}

/** The multiple of `mss` that is not above `length`, but one at least. */
export function sized(length: number, mss: number): number {
  return Math.max(mss, length - length % mss);
}
