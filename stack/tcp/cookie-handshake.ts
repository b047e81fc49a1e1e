/**
 * How a connection begins of which nothing was kept: by the cookie that comes back (RFC 4987 3.6).
 *
 * @module
 */
import type { Tcp } from "./endpoint.ts";
import { needSack, passive, start } from "./handshake.ts";
import type { Listener } from "./listener.ts";
import type { SegmentOptions } from "./options.ts";
import type { TcpIn } from "./packet.ts";
import { knownMss } from "./path-mss.ts";
import { receiveSegment } from "./segment-in.ts";
import { add } from "./sequence.ts";

/** Opens the connection that a cookie in `segment` describes (`synCookies` has read it). False: there is no slot. */
export function openByCookie(tcp: Tcp, listener: Listener, segment: TcpIn, options: SegmentOptions): boolean {
  const iss = add(segment.acknowledgment, -1);
  const irs = add(segment.sequence, -1);
  const c = passive(tcp, listener, segment, irs);
  if (!start(tcp, c, iss)) return false;
  const { mss, windowScale, sackPermitted, hasTimestamps } = tcp.synCookies;
  listener.halfOpen++;
  c.synWanted = false;
  c.sndMss = Math.min(mss, tcp.ownMss(c), knownMss(c, segment.ip.ip));
  c.control.reset(c.sndMss);
  c.hasTimestamps = hasTimestamps;
  c.hasSack = sackPermitted;
  needSack(c);
  c.hasEcn = false;
  c.sndScale = Math.max(0, windowScale);
  // What the SYN-ACK said of it is not remembered, but is what any SYN-ACK of ours says.
  if (windowScale < 0) c.rcvScale = -1;
  c.rcvEdge = c.rcvMaxEdge = add(c.rcvNxt, 0xffff);
  if (hasTimestamps) {
    c.tsRecent = options.tsValue;
    c.tsRecentAt = tcp.clock.now;
  }
  c.flight.push(add(iss, 1), tcp.clock.micros);
  c.sndWl1 = irs;
  receiveSegment(c, segment, options, tcp.clock.micros);
  // When the SYN-ACK had left is not known.
  c.rtt.reset();
  return true;
}
