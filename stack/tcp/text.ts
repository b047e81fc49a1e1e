/**
 * The data and the FIN of an acceptable segment: RFC 9293 3.10.7.4, the seventh and eighth checks, and when they are
 * acknowledged (RFC 5681 4.2).
 *
 * @module
 */
import { Flag } from "../wire/tcp.ts";
import type { Connection } from "./connection.ts";
import { DEFAULT_MSS_V4, MIN_MSS } from "./options.ts";
import type { TcpIn } from "./packet.ts";
import { add, after, distance } from "./sequence.ts";
import { ConnectionState } from "./state.ts";
import { delayAck } from "./timers.ts";

/** RFC 3168 6.1.3: the CE codepoint. */
export const CE: number = 3;

/** Takes what is new of the segment's data, and its FIN. */
export function takeText(c: Connection, segment: TcpIn): void {
  const { flags, length } = segment;
  const hasFin = (flags & Flag.Fin) !== 0;
  if (c.hasEcn) readEcn(c, segment);
  if (length === 0 && !hasFin) return;
  // It was FIN-WAIT-2 until its last acknowledgment leaves, and behind the FIN there is no text.
  if (c.hasRcvFin && c.rcvNxt === add(c.rcvFin, 1)) return;
  if (c.isOrphan && length > 0 && after(add(segment.sequence, length), c.rcvNxt)) {
    // RFC 1122 4.2.2.13: data for a user who is gone is answered with a reset.
    c.tcp.abort(c);
    return;
  }
  const start = c.rcvNxt;
  const hadRanges = c.hasRanges;
  // The end comes first: what has come before it and lies behind is no text.
  const end = add(segment.sequence, length + ((flags & Flag.Syn) !== 0 ? 1 : 0));
  if (hasFin && !c.hasRcvFin && !after(end, c.rcvMaxEdge)) {
    c.hasRcvFin = true;
    c.rcvFin = end;
    if (c.hasRanges) c.ranges.cut(distance(c.rcvNxt, end));
  }
  if (length > 0) takeData(c, segment);
  const isFinished = c.hasRcvFin && c.rcvNxt === c.rcvFin;
  const received = distance(start, c.rcvNxt);
  if (isFinished) c.rcvNxt = add(c.rcvNxt, 1);
  if (length > 0) noteSize(c, segment.segmentSize, (flags & Flag.Psh) !== 0);
  acknowledgeText(c, received, isFinished || hadRanges || c.hasRanges || received === 0);
  if (received > 0) c.handler.readable?.(c);
  // RFC 9293 3.10.5: whoever has aborted it meanwhile hears of no FIN.
  if (isFinished && c.index >= 0 && !c.rstWanted) finish(c);
}

function takeData(c: Connection, segment: TcpIn): void {
  const { bytes } = segment.frame;
  const isSyn = (segment.flags & Flag.Syn) !== 0;
  let at = segment.payloadAt;
  let offset = distance(c.rcvNxt, add(segment.sequence, isSyn ? 1 : 0));
  let length = segment.length;
  if (offset < 0) {
    noteDuplicate(c, add(c.rcvNxt, offset), Math.min(0, offset + length) - offset);
    at -= offset;
    length += offset;
    offset = 0;
  }
  // What lies behind the window is not taken; the peer sends it again.
  length = Math.min(length, c.receiveBuffer.window - offset);
  if (c.hasRcvFin) length = Math.min(length, distance(c.rcvNxt, c.rcvFin) - offset);
  if (length <= 0) return;
  if (offset === 0 && !c.hasRanges) {
    c.receiveBuffer.write(0, bytes, at, length);
    c.receiveBuffer.advance(length);
    c.rcvNxt = add(c.rcvNxt, length);
    return;
  }
  const { ranges } = c;
  if (ranges.has(offset, length)) noteDuplicate(c, add(c.rcvNxt, offset), length);
  if (!ranges.add(offset, length)) {
    c.tcp.counters.tooManyRanges++;
    return;
  }
  c.receiveBuffer.write(offset, bytes, at, length);
  const complete = ranges.takeFront();
  if (complete === 0) return;
  c.receiveBuffer.advance(complete);
  c.rcvNxt = add(c.rcvNxt, complete);
}

/**
 * RFC 5681 4.2: which segments are full is told by their size. One that is smaller than those before is full if the
 * next one is as long, unless they may be messages that happen to be: short, and pushed.
 */
function noteSize(c: Connection, size: number, isPushed: boolean): void {
  if (size >= c.rcvMss) {
    c.rcvMss = Math.min(size, c.tcp.ownMss(c));
    c.rcvShort = 0;
  } else if (size >= DEFAULT_MSS_V4 || (size >= MIN_MSS && !isPushed)) {
    if (size === c.rcvShort) c.rcvMss = size;
    c.rcvShort = size;
  }
}

/** RFC 2883 4: the next acknowledgment reports it. */
function noteDuplicate(c: Connection, left: number, length: number): void {
  if (!c.hasSack || length <= 0) return;
  c.dsackLeft = left;
  c.dsackRight = add(left, length);
}

/** So much text has been received in order, or not (0): when it is to be acknowledged. */
export function acknowledgeText(c: Connection, received: number, atOnce: boolean): void {
  c.unacked += received;
  // RFC 5681 4.2: at once out of order, and at the latest with every second full segment.
  if (atOnce || c.quickAcks > 0 || c.unacked >= 2 * c.rcvMss) c.ackNow = true;
  else delayAck(c);
}

function readEcn(c: Connection, segment: TcpIn): void {
  if ((segment.flags & Flag.Cwr) !== 0) c.ecnEcho = false;
  // RFC 3168 6.1.4: what carries no data carries no ECT either, so a mark on it is none.
  if (segment.length > 0 && (segment.ip.trafficClass & 3) === CE) {
    c.ecnEcho = true;
    c.ackNow = true;
  }
}

/** RFC 9293 3.10.7.4, the eighth check. */
function finish(c: Connection): void {
  c.ackNow = true;
  if (c.state === ConnectionState.Established) c.state = ConnectionState.CloseWait;
  else if (c.state === ConnectionState.FinWait1) c.state = ConnectionState.Closing;
  c.handler.peerClosed?.(c);
  if (c.state === ConnectionState.FinWait2 && !c.rstWanted) c.tcp.timeWait(c);
}
