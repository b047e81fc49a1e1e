/**
 * When a silent peer is probed (RFC 9293 3.8.4, RFC 1122 4.2.3.6).
 *
 * @module
 */
import { type Instant, seconds } from "../store/time.ts";

/** RFC 1122 4.2.3.6: the default idle time is two hours at least. */
export const KEEPALIVE_IDLE: Instant = seconds(7_200);
/** How often probes are sent once one is unanswered, unless the idle time is shorter. */
export const KEEPALIVE_INTERVAL: Instant = seconds(75);
/** How many before the peer is given up. */
export const KEEPALIVE_PROBES = 9;
