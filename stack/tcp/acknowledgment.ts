/**
 * What the acknowledgment of an acceptable segment means: RFC 9293 3.10.7.4, the fifth check.
 *
 * @module
 */
import { Flag } from "../wire/tcp.ts";
import * as wire from "../wire/tcp-options.ts";
import { elapsed, type Micros } from "./clock.ts";
import { CloseReason, type Connection, TransmitTimer } from "./connection.ts";
import type { SegmentOptions } from "./options.ts";
import type { TcpIn } from "./packet.ts";
import { onAckReceived, onEcnEcho } from "./recovery.ts";
import { growSend } from "./send-tuning.ts";
import { add, after, before, distance, upTo } from "./sequence.ts";
import { ConnectionState } from "./state.ts";
import { armRetransmission, awaitFin, setTransmitIn, stopTransmit } from "./timers.ts";
import { timestampAge, timestampLeastAge } from "./timestamp.ts";

/** Takes the segment's acknowledgment, its SACK blocks and its window. The connection may be gone afterwards. */
export function readAcknowledgment(
  c: Connection,
  segment: TcpIn,
  options: SegmentOptions,
  now: Micros,
): void {
  const { acknowledgment } = segment;
  const { flight } = c;
  const una = c.sndUna;
  const isNew = after(acknowledgment, una);
  const sacked = flight.sacked;
  const hadFin = c.finSent;
  flight.begin();
  if (isNew) {
    advanceUna(c, acknowledgment);
    // The user may have aborted it when it was told of the room.
    if (c.rstWanted || c.index < 0) return;
  }
  const hasDsack = c.hasSack && readSack(c, segment, options, una);
  if (flight.delivered > 0) sampleRtt(c, options, now, isNew);
  const wasClosed = c.sndWnd === 0;
  const windowChanged = updateWindow(c, segment);
  if (wasClosed && c.sndWnd > 0) onWindowOpened(c);
  const isBare = !isNew && segment.length === 0 && !windowChanged && acknowledgment === una &&
    (segment.flags & (Flag.Syn | Flag.Fin)) === 0;
  // RFC 3168 6.1.1: in a SYN the flag is no mark of congestion.
  if (c.hasEcn && (segment.flags & (Flag.Ece | Flag.Syn)) === Flag.Ece) onEcnEcho(c, now);
  const sackChanged = flight.sacked !== sacked;
  const acked = distance(una, acknowledgment);
  const age = hasEcho(c, options) ? timestampLeastAge(c, options.tsEcho) : -1;
  onAckReceived(
    c,
    now,
    isNew,
    acked,
    sackChanged,
    hasDsack,
    isBare,
    duplicate.left,
    duplicate.right,
    age,
  );
  rearm(c, now, isNew);
  if (isNew) {
    // RFC 4861 7.3.1: forward progress is proof that the neighbour is there.
    segment.ip.ip.path.confirm(segment.ip.source, segment.info);
    afterProgress(c, hadFin);
  }
}

/** SND.UNA moves on: the send buffer forgets what the peer has. */
function advanceUna(c: Connection, acknowledgment: number): void {
  const first = c.state <= ConnectionState.SynReceived ? add(c.sndUna, 1) : c.sndUna;
  const finAcked = c.finSent && acknowledgment === c.sndNxt;
  c.flight.ackTo(acknowledgment);
  c.sndUna = acknowledgment;
  // Left behind by more than 2^31 it would seem to lie ahead.
  if (before(c.lastShortEnd, acknowledgment)) c.lastShortEnd = acknowledgment;
  c.stalledSince = -1;
  c.softError = false;
  const data = distance(first, acknowledgment) - (finAcked ? 1 : 0);
  if (data > 0) {
    c.sendBuffer.ack(data);
    if (c.control.cwnd > c.roomyCwnd) growSend(c);
    c.handler.writable?.(c);
  }
}

/** The duplicate that was reported last. */
const duplicate = { left: 0, right: 0 };

/** Marks what the peer has out of order; answers whether the first block reports a duplicate (RFC 2883 4). */
function readSack(c: Connection, segment: TcpIn, options: SegmentOptions, una: number): boolean {
  const { bytes } = segment.frame;
  let isDuplicate = false;
  for (let block = 0; block < options.sackBlocks; block++) {
    const left = wire.sackLeft(bytes, options.sackAt, block);
    const right = wire.sackRight(bytes, options.sackAt, block);
    if (block === 0 && isDuplicateBlock(segment, options, left, right)) {
      isDuplicate = before(add(una, -c.maxSndWnd), right);
      duplicate.left = left;
      duplicate.right = right;
      continue;
    }
    c.flight.sack(left, right);
  }
  return isDuplicate;
}

/** RFC 2883 5: it lies below the acknowledgment, or inside of the second block. */
function isDuplicateBlock(
  segment: TcpIn,
  options: SegmentOptions,
  left: number,
  right: number,
): boolean {
  if (!before(left, right)) return false;
  if (upTo(right, segment.acknowledgment)) return true;
  if (options.sackBlocks < 2) return false;
  const { bytes } = segment.frame;
  return upTo(wire.sackLeft(bytes, options.sackAt, 1), left) &&
    upTo(right, wire.sackRight(bytes, options.sackAt, 1));
}

/** A round trip: by the echoed timestamp (RFC 7323 4.1), else by a segment that left only once (Karn). */
function sampleRtt(c: Connection, options: SegmentOptions, now: Micros, isNew: boolean): void {
  const { flight, rtt } = c;
  if (flight.hasNewest && !flight.newestResent) {
    const sample = elapsed(flight.newestSentAt, now);
    rtt.measure(sample, now);
    c.control.onRoundTrip?.(sample, flight.una, flight.end);
  } else if (isNew && hasEcho(c, options)) {
    const age = timestampAge(c, options.tsEcho);
    if (age >= 0) rtt.measureUnsure(age, now);
  }
}

/** Whether the segment echoes a timestamp of ours. */
function hasEcho(c: Connection, options: SegmentOptions): boolean {
  return c.hasTimestamps && options.hasTimestamp && options.tsEcho !== 0;
}

/** RFC 9293 3.10.7.4: only a segment newer than the last one that did sets the window. */
function updateWindow(c: Connection, segment: TcpIn): boolean {
  const { sequence, acknowledgment } = segment;
  if (before(acknowledgment, c.sndUna)) return false;
  const isNewer = before(c.sndWl1, sequence) || (c.sndWl1 === sequence && upTo(c.sndWl2, acknowledgment));
  if (!isNewer) return false;
  const shift = (segment.flags & Flag.Syn) !== 0 ? 0 : c.sndScale;
  const window = segment.window << shift;
  const changed = window !== c.sndWnd;
  c.sndWnd = window;
  c.maxSndWnd = Math.max(c.maxSndWnd, window);
  c.sndWl1 = sequence;
  c.sndWl2 = acknowledgment;
  return changed;
}

/** What was in flight when the window was closed behind it has been dropped; no timeout need be waited for. */
function onWindowOpened(c: Connection): void {
  if (c.flight.count === 0 || c.rtt.backoff === 0) return;
  c.rtt.backoff = 0;
  c.flight.markAllLost();
  setTransmitIn(c, TransmitTimer.Retransmission, c.rtt.rto);
}

function rearm(c: Connection, now: Micros, isNew: boolean): void {
  const hasOpened = c.sndWnd > 0 && c.persistBackoff > 0;
  if (hasOpened) c.persistBackoff = 0;
  if (c.flight.count === 0) {
    // What the window does not take yet is seen to when its turn to be sent comes.
    const what = c.transmitTimer;
    const stays = what === TransmitTimer.Persist && !hasOpened || what === TransmitTimer.Refused;
    if (what !== TransmitTimer.None && !stays) stopTransmit(c);
  } // RFC 6298 5.3: new data acknowledged, so the timer starts over.
  else if (isNew || c.transmitTimer === TransmitTimer.Persist || c.transmitTimer === TransmitTimer.None) {
    c.stalledSince = c.tcp.clock.now;
    armRetransmission(c, now);
  } // RFC 8985 6.2, step 5: the reordering timer is armed and taken off by every acknowledgment.
  else if (c.reorderWaits || c.transmitTimer === TransmitTimer.Reordering) armRetransmission(c, now);
}

/** What the acknowledgment of our FIN leads to. */
function afterProgress(c: Connection, hadFin: boolean): void {
  if (!hadFin || c.sndUna !== c.sndNxt) return;
  if (c.state === ConnectionState.FinWait1) {
    c.state = ConnectionState.FinWait2;
    if (c.isOrphan) awaitFin(c);
  } else if (c.state === ConnectionState.Closing) c.tcp.timeWait(c);
  else if (c.state === ConnectionState.LastAck) c.tcp.end(c, CloseReason.Finished);
}
