/**
 * How connections begin: what both sides agree on (RFC 9293 3.5), by a slot, or by a cookie.
 *
 * @module
 */
import { Flag } from "../wire/tcp.ts";
import { type ReceiveBuffer, Sink } from "./buffers.ts";
import type { CongestionControl } from "./congestion/control.ts";
import { congestionMaker } from "./congestion/choice.ts";
import { Connection } from "./connection.ts";
import type { Tcp } from "./endpoint.ts";
import { initialSequence, timestampOffset } from "./isn.ts";
import type { Listener } from "./listener.ts";
import { DEFAULT_MSS_V4, DEFAULT_MSS_V6, MIN_MSS, type SegmentOptions } from "./options.ts";
import { Pacer } from "./pacing.ts";
import type { TcpIn } from "./packet.ts";
import { knownMss } from "./path-mss.ts";
import { RateSampler } from "./rate.ts";
import { add, before } from "./sequence.ts";
import { ConnectionState } from "./state.ts";
import { TimerKind } from "./timers.ts";
import { roomOf, scaleFor } from "./window.ts";

/** What a SYN-ACK offers before the listener's user has handed out buffers. */
const UNOPENED: ReceiveBuffer = new Sink(0xffff);

/** The peer's window is opened fast: so many acknowledgments are not delayed. */
const QUICK_ACKS = 16;

/** Gives a connection a slot and its numbers, and has its SYN sent. False: there is no slot. */
export function start(tcp: Tcp, c: Connection, iss: number): boolean {
  if (!tcp.connections.insert(c)) return false;
  setControl(c, congestionMaker(tcp.options.congestion)());
  c.iss =
    c.sndUna =
    c.lastShortEnd =
    c.ecnPoint =
    c.rackForwardAck =
      iss;
  c.flight.reset(iss);
  c.tsOffset = timestampOffset(c, tcp.secret);
  c.userTimeout = tcp.options.userTimeout;
  c.sndMss = c.local.isV4 ? DEFAULT_MSS_V4 : DEFAULT_MSS_V6;
  c.control.reset(c.sndMss);
  c.lastHeardAt = tcp.clock.now;
  c.synWanted = true;
  tcp.connections.ready(c);
  return true;
}

/**
 * Makes the half-open connection that answers a SYN, its numbers from `least` on, if that is given. False: there is no
 * slot.
 */
export function answerSyn(
  tcp: Tcp,
  listener: Listener,
  segment: TcpIn,
  options: SegmentOptions,
  least: number | undefined,
): boolean {
  const c = passive(tcp, listener, segment, segment.sequence);
  let iss = initialSequence(c, tcp.secret, tcp.clock.now);
  // RFC 6191 2: a connection that takes the place of an old one starts behind it.
  if (least !== undefined && before(iss, least)) iss = least;
  if (!start(tcp, c, iss)) return false;
  listener.halfOpen++;
  negotiate(c, segment, options);
  c.sndWnd = c.maxSndWnd = segment.window;
  return true;
}

/** A connection that a peer opens with the SYN of number `irs`, not started yet. */
export function passive(tcp: Tcp, listener: Listener, segment: TcpIn, irs: number): Connection {
  const c = new Connection(tcp);
  c.local.copy(segment.ip.destination);
  c.localPort = segment.destinationPort;
  c.remote.copy(segment.ip.source);
  c.remotePort = segment.sourcePort;
  c.listener = listener;
  c.receiveBuffer = UNOPENED;
  c.irs = irs;
  c.rcvNxt =
    c.rcvEdge =
    c.rcvMaxEdge =
    c.lastAckSent =
      add(irs, 1);
  c.state = ConnectionState.SynReceived;
  offer(tcp, c);
  return c;
}

/** What we would use, if the peer did. */
export function offer(tcp: Tcp, c: Connection): void {
  const { ecn, sack, timestamps, windowScale, receiveWindow } = tcp.options;
  c.hasTimestamps = timestamps;
  c.hasSack = sack;
  c.hasEcn = ecn;
  c.rcvScale = windowScale ? scaleFor(receiveWindow) : -1;
}

/** Agrees on what the peer's SYN offers: an option is used only if both sides sent it. */
export function negotiate(c: Connection, segment: TcpIn, options: SegmentOptions): void {
  const least = c.local.isV4 ? DEFAULT_MSS_V4 : DEFAULT_MSS_V6;
  const theirs = options.mss === 0 ? least : Math.max(MIN_MSS, options.mss);
  c.sndMss = Math.min(theirs, c.tcp.ownMss(c), knownMss(c, segment.ip.ip));
  c.control.reset(c.sndMss);
  c.hasTimestamps = c.hasTimestamps && options.hasTimestamp;
  if (c.hasTimestamps) {
    c.tsRecent = options.tsValue;
    c.tsRecentAt = c.tcp.clock.now;
  }
  c.hasSack = c.hasSack && options.sackPermitted;
  needSack(c);
  // RFC 7323 2.2: both sides scale, or neither.
  if (options.windowScale < 0) c.rcvScale = -1;
  c.sndScale = c.rcvScale < 0 ? 0 : options.windowScale;
  // RFC 3168 6.1.1: a SYN asks with both flags, a SYN-ACK agrees with one.
  const asks = segment.flags & (Flag.Ece | Flag.Cwr);
  const agrees = c.isActive && (segment.flags & Flag.Ack) !== 0 ? Flag.Ece : Flag.Ece | Flag.Cwr;
  c.hasEcn = c.hasEcn && asks === agrees;
  c.sndWl1 = segment.sequence;
  c.sndWl2 = c.iss;
}

/** A model of the path must hear of each delivery; where the peer cannot tell (RFC 2018), CUBIC stands in for it. */
export function needSack(c: Connection): void {
  if (c.hasSack) return;
  c.judge = undefined;
  if (c.control.onDelivery === undefined) return;
  setControl(c, congestionMaker("cubic")());
  c.control.reset(c.sndMss);
}

function setControl(c: Connection, control: CongestionControl): void {
  c.control = control;
  c.judge = control.judge;
  const isModel = control.onDelivery !== undefined;
  c.flight.rates = isModel ? new RateSampler(control) : undefined;
  c.pacer = isModel ? new Pacer() : undefined;
}

/** Whether a half-open connection may become a whole one now: its listener is still there, and has room. */
export function mayOpen(c: Connection): boolean {
  if (c.isActive) return true;
  if (c.listener === undefined) return false;
  const hasRoom = c.listener.hasRoom();
  if (!hasRoom) c.tcp.counters.acceptOverflows++;
  return hasRoom;
}

/** The handshake is complete: the connection is the user's. */
export function open(c: Connection): void {
  const { tcp, listener } = c;
  c.state = ConnectionState.Established;
  if (c.rcvScale < 0) c.rcvScale = 0;
  c.quickAcks = QUICK_ACKS;
  // RFC 6928 2: a lost SYN leaves a window of one segment. RFC 6298 5.7: and a longer timeout.
  if (c.synLost) {
    c.control.cwnd = c.sndMss;
    c.rtt.afterLostSyn();
  }
  if (c.keepAlive) tcp.arm(c, TimerKind.Life, tcp.clock.now + c.keepAliveIdle);
  if (listener === undefined) tcp.counters.connected++;
  else if (!hand(c, listener)) return;
  c.rcvRoom = roomOf(c);
  c.handler.opened?.(c);
  tcp.wants(c);
}

/** Hands a connection to its listener's user. False: nobody wants it. */
function hand(c: Connection, listener: Listener): boolean {
  c.listener = undefined;
  listener.halfOpen--;
  c.tcp.counters.accepted++;
  const handler = listener.accept(c);
  if (handler === undefined) {
    c.abort();
    return false;
  }
  c.handler = handler;
  return true;
}
