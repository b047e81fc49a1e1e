/**
 * What the path takes, where that is less than the link and the peer do: as ICMP tells (RFC 1191 6.4, RFC 8201 5.4), or
 * as silence does (RFC 4821 7.7, RFC 8899 4.3).
 *
 * @module
 */
import type { Ip } from "../ip/endpoint.ts";
import * as ipv4 from "../wire/ipv4.ts";
import * as ipv6 from "../wire/ipv6.ts";
import { TIMESTAMPS_LENGTH } from "../wire/tcp-options.ts";
import * as wire from "../wire/tcp.ts";
import { initialWindow } from "./congestion/control.ts";
import type { Connection } from "./connection.ts";
import { MIN_MSS } from "./options.ts";
import { onTooLong } from "./recovery.ts";
import { add, distance } from "./sequence.ts";

/** The headers of IP and TCP, without options. */
const HEADERS_V4 = ipv4.HEADER_LENGTH + wire.HEADER_LENGTH,
  HEADERS_V6 = ipv6.HEADER_LENGTH + wire.HEADER_LENGTH;

/** Timeouts in a row that are taken for a sign of a path that swallows long segments without a word. */
const SILENT_TIMEOUTS = 3;
/** The MTU that is tried then: every path of IPv6 takes it (RFC 8200 5), and nearly every one of IPv4, too. */
const FALLBACK = ipv6.MTU_MIN;

/** The largest segment of a connection, options included, that a path of this MTU takes. */
export function mssOfPath({ local }: Pick<Connection, "local">, mtu: number): number {
  return Math.max(MIN_MSS, mtu - (local.isV4 ? HEADERS_V4 : HEADERS_V6));
}

/** The largest segment that the path to a connection's peer takes, as far as is known. */
export function knownMss(c: Connection, ip: Ip): number {
  return mssOfPath(c, ip.pathMtus.get(c.remote, c.tcp.clock.now));
}

/** The path takes packets of `mtu` bytes: segments are no longer from now on, and those that were are sent again. */
export function onPathMtu(c: Connection, mtu: number): void {
  const mss = mssOfPath(c, mtu);
  if (mss < c.sndMss) {
    c.sndMss = mss;
    c.control.setMss(mss);
    // RFC 5681 3.1: of the first window, that no more segments leave than would have.
    if (c.sndUna === add(c.iss, 1)) c.control.cwnd = Math.min(c.control.cwnd, initialWindow(mss));
  }
  // RFC 1191 6.5: what was too big is sent again at once, and is no sign of congestion.
  const { flight } = c;
  const room = mss - (c.hasTimestamps ? TIMESTAMPS_LENGTH : 0);
  for (let index = 0; index < flight.count; index++) {
    if (distance(flight.start(index), flight.endOf(index)) > room) flight.markLost(index, false);
  }
  if (flight.lost > 0) onTooLong(c);
  c.tcp.wants(c);
}

/**
 * A retransmission timer has run out once more: where what is lost each time is a full segment, and no router says why,
 * the path may be a black hole for its length.
 */
export function onSilence(c: Connection): void {
  if (c.rtt.backoff < SILENT_TIMEOUTS || c.flight.count === 0) return;
  const length = distance(c.flight.start(0), c.flight.endOf(0));
  if (length <= mssOfPath(c, FALLBACK)) return;
  c.tcp.counters.blackHoles++;
  onPathMtu(c, FALLBACK);
}
