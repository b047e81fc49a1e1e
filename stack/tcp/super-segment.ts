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

/** Fewer segments than this never are halved, or a small window would leave one by one. */
const LEAST = 2;

/**
 * How much data may leave at once, a multiple of `mss`, where a segment has `options` bytes of options. No more than
 * half of the congestion window, so that the acknowledgment of one half lets the other go on (RFC 9293 has no such
 * rule; a window that leaves whole waits a round trip for the next).
 */
export function superLimit(c: Connection, info: NicInfo, mss: number, options: number): number {
  const { segmentation } = info.capabilities;
  if (segmentation === undefined) return mss;
  const headers = (c.local.isV4 ? ipv4.HEADER_LENGTH : ipv6.HEADER_LENGTH) + HEADER_LENGTH + options;
  const most = Math.min(segmentation - headers, Math.max(LEAST * mss, c.control.cwnd >> 1));
  return sized(most, mss);
}

/** The multiple of `mss` that is not above `length`, but one at least. */
export function sized(length: number, mss: number): number {
  return Math.max(mss, length - length % mss);
}
