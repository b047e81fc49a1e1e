/**
 * What a segment does to its connection: RFC 9293 3.10.7.3 and 3.10.7.4, step by step in the RFC's order.
 *
 * @module
 */
import { type Instant, milliseconds } from "../store/time.ts";
import { Flag } from "../wire/tcp.ts";
import { readAcknowledgment } from "./acknowledgment.ts";
import { mayChallenge } from "./challenge.ts";
import type { Micros } from "./clock.ts";
import { CloseReason, type Connection } from "./connection.ts";
import { mayOpen, negotiate, open } from "./handshake.ts";
import type { SegmentOptions } from "./options.ts";
import type { TcpIn } from "./packet.ts";
import { add, after, before, distance, inWindow, upTo } from "./sequence.ts";
import { canReceive, ConnectionState } from "./state.ts";
import { takeText } from "./text.ts";
import { abandon } from "./thrown.ts";
import { receiveWindow } from "./window.ts";

/** What is to be answered at once, in the segment's own buffer. */
export const Reply = {
  /** Nothing. */
  None: 0,
  /** RST, with the numbers of RFC 9293 3.10.7.1. */
  Reset: 1,
} as const;

/** One of {@linkcode Reply}'s numbers. */
export type Reply = (typeof Reply)[keyof typeof Reply];

/** RFC 7323 5.5: a timestamp that old says nothing any more. */
const PAWS_IDLE: Instant = 24 * 24 * 3_600 * 1_000_000;

/** No host probes more often than its least timeout allows. */
const PROBE_INTERVAL: Instant = milliseconds(100);
/** So many are answered in that time, for the network may delay some and double others. */
const PROBE_ANSWERS = 4;

/** Takes a segment for a connection in any state. */
export function receiveSegment(c: Connection, segment: TcpIn, options: SegmentOptions, now: Micros): Reply {
  // An aborted connection is over, though its reset has not left yet.
  if (c.rstWanted) return Reply.None;
  try {
    return c.state === ConnectionState.SynSent
      ? inSynSent(c, segment, options, now)
      : synchronized(c, segment, options, now);
  } catch (thrown) {
    return abandon(c, thrown);
  }
}

/** RFC 9293 3.10.7.3 */
function inSynSent(c: Connection, segment: TcpIn, options: SegmentOptions, now: Micros): Reply {
  const { flags, acknowledgment, sequence } = segment;
  const hasAck = (flags & Flag.Ack) !== 0;
  // First: the acknowledgment is of our SYN, or of something that we never sent.
  const ackIsFine = hasAck && c.flight.count > 0 && acknowledgment === add(c.iss, 1);
  if (hasAck && !ackIsFine) return (flags & Flag.Rst) !== 0 ? Reply.None : Reply.Reset;
  // Second: a reset counts only if it acknowledges our SYN.
  if ((flags & Flag.Rst) !== 0) {
    if (ackIsFine) c.tcp.end(c, CloseReason.Refused);
    return Reply.None;
  }
  // Fourth: the SYN.
  if ((flags & Flag.Syn) === 0) return Reply.None;
  c.irs = sequence;
  c.rcvNxt = c.rcvEdge = c.rcvMaxEdge = add(sequence, 1);
  c.lastAckSent = c.rcvNxt;
  negotiate(c, segment, options);
  if (ackIsFine) {
    readAcknowledgment(c, segment, options, now);
    open(c);
    if (isOver(c)) return Reply.None;
    c.ackNow = true;
    takeText(c, segment);
  } else {
    // Simultaneous open: our SYN goes out again, with its acknowledgment.
    c.state = ConnectionState.SynReceived;
    c.sndWnd = segment.window;
    c.synWanted = true;
  }
  c.tcp.wants(c);
  return Reply.None;
}

/** RFC 9293 3.10.7.4 */
function synchronized(c: Connection, segment: TcpIn, options: SegmentOptions, now: Micros): Reply {
  const { flags, sequence } = segment;
  // First: is it new, and inside of the window? PAWS comes before (RFC 7323 5.3).
  // RFC 7323 3.2: once agreed on, every segment has a timestamp; one without is dropped in silence.
  if (c.hasTimestamps && !options.hasTimestamp && (flags & (Flag.Syn | Flag.Rst)) === 0) return Reply.None;
  if (isOld(c, segment, options) || !isAcceptable(c, segment)) return refuse(c, segment, options);
  // Second: RST (RFC 5961 3.2: only exactly where the next one is expected).
  if ((flags & Flag.Rst) !== 0) {
    if (sequence === c.rcvNxt) c.tcp.end(c, isRefusal(c) ? CloseReason.Refused : CloseReason.Reset);
    else challenge(c);
    return Reply.None;
  }
  // Fourth: SYN (RFC 5961 4.2), but for the SYN-ACK of a simultaneous open.
  if ((flags & Flag.Syn) !== 0) {
    const isOpening = c.state === ConnectionState.SynReceived && sequence === c.irs;
    if (isOpening) updateTimestamp(c, segment, options);
    if (isOpening && (flags & Flag.Ack) === 0) c.synWanted = true;
    else if (isOpening && c.isActive) return acknowledged(c, segment, options, now);
    else challenge(c);
    c.tcp.wants(c);
    return Reply.None;
  }
  // Fifth: ACK.
  if ((flags & Flag.Ack) === 0) return Reply.None;
  return acknowledged(c, segment, options, now);
}

/** RFC 9293 3.10.7.4, from the fifth check on. */
function acknowledged(c: Connection, segment: TcpIn, options: SegmentOptions, now: Micros): Reply {
  const { acknowledgment } = segment;
  if (c.state === ConnectionState.SynReceived) {
    if (!after(acknowledgment, c.sndUna) || after(acknowledgment, c.sndNxt)) return Reply.Reset;
    if (!mayOpen(c)) return Reply.None;
    noteHeard(c);
    updateTimestamp(c, segment, options);
    readAcknowledgment(c, segment, options, now);
    open(c);
    if (isOver(c)) return Reply.None;
  } else {
    if (isGuess(c, acknowledgment)) {
      challenge(c);
      return Reply.None;
    }
    noteHeard(c);
    updateTimestamp(c, segment, options);
    readAcknowledgment(c, segment, options, now);
    if (isOver(c)) return Reply.None;
  }
  // Sixth, urgent data, is data like any other here. Seventh and eighth: text and FIN, of which there is none any more
  // once the peer's FIN has come.
  if (canReceive(c.state)) {
    if (segment.segmentSize >= c.rcvMss) c.tuning?.onData(c, options);
    takeText(c, segment);
  }
  if (c.index >= 0) c.tcp.wants(c);
  return Reply.None;
}

/** The peer is alive. Only what it alone can know of says so: anybody can send the rest (RFC 5961 1). */
function noteHeard(c: Connection): void {
  c.lastHeardAt = c.tcp.clock.now;
  c.keepAliveProbes = 0;
}

/** RFC 9293 3.10.5: its user has aborted it while it was told of something, or its last number was acknowledged. */
function isOver(c: Connection): boolean {
  return c.index < 0 || c.rstWanted;
}

/** RFC 5961 5.2: what acknowledges data that was never sent, or too long ago, is somebody's guess. */
function isGuess(c: Connection, acknowledgment: number): boolean {
  return after(acknowledgment, c.sndNxt) || before(acknowledgment, add(c.sndUna, -c.maxSndWnd));
}

/** RFC 9293 3.10.7.4, the second check: a reset in SYN-RECEIVED refuses what we had opened. */
function isRefusal(c: Connection): boolean {
  return c.state === ConnectionState.SynReceived && c.isActive;
}

/** RFC 9293 3.10.7.4, table 6: some of the segment's numbers lie in the window. */
function isAcceptable(c: Connection, segment: TcpIn): boolean {
  const { sequence, flags } = segment;
  const window = receiveWindow(c);
  // RFC 5961 3.2: of a reset only its first number counts.
  if ((flags & Flag.Rst) !== 0) return inWindow(sequence, c.rcvNxt, Math.max(1, window));
  const numbers = segment.length + ((flags & Flag.Syn) !== 0 ? 1 : 0) + ((flags & Flag.Fin) !== 0 ? 1 : 0);
  // The SYN that opened the connection, once more, or with the acknowledgment of a simultaneous open.
  if (c.state === ConnectionState.SynReceived && sequence === c.irs && (flags & Flag.Syn) !== 0) return true;
  // Beyond the table: a peer whose data fills the window acknowledges with the number behind it, whatever its length.
  if (numbers === 0) return inWindow(sequence, c.rcvNxt, window + 1);
  // The text of a closed window's probe finds no room; its acknowledgment counts all the same, and an end needs no room.
  if (window === 0) return sequence === c.rcvNxt && (flags & Flag.Syn) === 0;
  return inWindow(sequence, c.rcvNxt, window) || inWindow(add(sequence, numbers - 1), c.rcvNxt, window) ||
    (upTo(sequence, c.rcvNxt) && after(add(sequence, numbers), c.rcvNxt));
}

/** RFC 7323 5.3, R1: an old duplicate, told by its timestamp. A reset is judged by its numbers alone. */
function isOld(c: Connection, segment: TcpIn, options: SegmentOptions): boolean {
  if (!c.hasTimestamps || (segment.flags & Flag.Rst) !== 0) return false;
  if (!options.hasTimestamp) return false;
  return before(options.tsValue, c.tsRecent) && c.tcp.clock.now - c.tsRecentAt < PAWS_IDLE;
}

/** RFC 7323 4.3 (2): the echo comes from the segment that the last acknowledgment spans. */
function updateTimestamp(c: Connection, segment: TcpIn, options: SegmentOptions): void {
  if (!c.hasTimestamps || !options.hasTimestamp || after(segment.sequence, c.lastAckSent)) return;
  if (before(options.tsValue, c.tsRecent) && c.tcp.clock.now - c.tsRecentAt < PAWS_IDLE) return;
  c.tsRecent = options.tsValue;
  c.tsRecentAt = c.tcp.clock.now;
}

/** What is not acceptable is answered with an ACK, unless it carries RST. A window probe is such a segment. */
function refuse(c: Connection, segment: TcpIn, options: SegmentOptions): Reply {
  if ((segment.flags & Flag.Rst) !== 0) return Reply.None;
  c.tcp.counters.unacceptable++;
  const { flags, sequence, length, acknowledgment } = segment;
  const behind = distance(add(sequence, length), c.rcvNxt);
  // RFC 2883 4: what arrives a second time is reported.
  if (c.hasSack && length > 0 && behind >= 0) {
    c.dsackLeft = sequence;
    c.dsackRight = add(sequence, length);
  }
  // What was sent again because our acknowledgment was lost is answered with its own timestamp, and not with that of
  // the first try: the time in between is no round trip.
  const isRecent = behind >= 0 && behind < c.rcvRoom && (flags & (Flag.Syn | Flag.Ack)) === Flag.Ack;
  if (isRecent && !isGuess(c, acknowledgment)) {
    noteHeard(c);
    updateTimestamp(c, segment, options);
  }
  // RFC 9293 3.10.7.4: even then a retransmitted FIN and data before the window are acknowledged; a SYN is a challenge.
  const isEmpty = length === 0 && (flags & Flag.Fin) === 0;
  if ((flags & Flag.Syn) !== 0 || (isEmpty && distance(c.rcvNxt, sequence) !== -1)) {
    challenge(c);
  } else if (!isEmpty || mayAnswerProbe(c)) {
    c.ackNow = true;
    c.tcp.wants(c);
  }
  return Reply.None;
}

/** Two hosts that disagree by one number would take each other's acknowledgments for probes, and never stop. */
function mayAnswerProbe(c: Connection): boolean {
  const { now } = c.tcp.clock;
  if (now - c.probedAt >= PROBE_INTERVAL) {
    c.probedAt = now;
    c.probeAnswers = 0;
  }
  return c.probeAnswers++ < PROBE_ANSWERS;
}

function challenge(c: Connection): void {
  if (!mayChallenge(c, c.tcp.clock.now)) return;
  c.ackNow = true;
  c.tcp.wants(c);
}
