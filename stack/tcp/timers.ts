/**
 * The timers of a connection: what each waits for, and what its end means.
 *
 * @module
 */
import { type Instant, milliseconds, seconds } from "../store/time.ts";
import { elapsed, type Micros } from "./clock.ts";
import { CloseReason, type Connection, TransmitTimer } from "./connection.ts";
import { onSilence } from "./path-mss.ts";
import { onProbeTimeout, onReorderingTimeout, onRetransmissionTimeout, probeTimeout } from "./recovery.ts";
import { KEEPALIVE_INTERVAL, KEEPALIVE_PROBES } from "./keepalive.ts";
import { MAX_RTO } from "./rtt.ts";
import { distance } from "./sequence.ts";
import { ConnectionState } from "./state.ts";

/** The wheel entries that a connection has. */
export const TimerKind = { Transmit: 0, DelayedAck: 1, Life: 2, Pacing: 3 } as const;

/** How many those are. */
export const TIMERS = 4;

/** RFC 9293 3.8.6.3: an acknowledgment is delayed by less than half a second; this long, as on Linux. */
export const DELAYED_ACK: Instant = milliseconds(40);
/** How long an orphan in FIN-WAIT-2 waits for the peer's FIN. */
const FIN_WAIT_2: Instant = seconds(60);
/** Timeouts of a SYN before the attempt is given up. */
const SYN_RETRIES = 6;
const SYN_ACK_RETRIES = 5;
/** The longest interval is reached long before. */
const MAX_BACKOFF = 30;

/** Sees to it that something happens if what was just sent is never answered. `isNumbered`: it is data, SYN or FIN. */
export function armAfterSend(c: Connection, now: Micros, isNumbered: boolean): void {
  const what = c.transmitTimer;
  if (what === TransmitTimer.Refused) c.stalledSince = -1;
  if (c.flight.count > 0) {
    if (c.stalledSince < 0) c.stalledSince = c.tcp.clock.now;
    // RFC 6298 5.1: a timer that runs is left alone. RFC 8985 7.2 has new data put the probe off, up to the timeout, and
    // nothing else: a peer that has us acknowledge something now and then would put it off for ever.
    const runs = what === TransmitTimer.Retransmission || what === TransmitTimer.Reordering;
    if (!runs && (isNumbered || what !== TransmitTimer.Probe)) armRetransmission(c, now);
  } else if (what !== TransmitTimer.None && what !== TransmitTimer.Persist) {
    stopTransmit(c);
  }
  if (!c.ackDelayed) c.tcp.connections.disarm(c, TimerKind.DelayedAck);
}

/** Arms what is due first for what is in flight: RACK's timer, the tail loss probe (RFC 8985 7.2), or the timeout. */
export function armRetransmission(c: Connection, now: Micros): void {
  const probe = probeTimeout(c);
  const { rto } = c.rtt;
  const left = leftOf(c, now, rto);
  const wait = elapsed(now, c.reorderAt);
  if (c.reorderWaits && wait < left) setTransmitIn(c, TransmitTimer.Reordering, wait);
  else if (probe >= 0 && probe <= rto) setTransmitIn(c, TransmitTimer.Probe, Math.min(probe, left));
  else setTransmitIn(c, TransmitTimer.Retransmission, left);
}

/**
 * What is left of a timeout that began with the first segment in flight, as it last left, or with the last progress
 * (RFC 6298 5.1, 5.3).
 */
function leftOf(c: Connection, now: Micros, rto: number): number {
  const began = Math.min(c.tcp.clock.now - c.stalledSince, Math.max(0, elapsed(c.flight.sentAt(0), now)));
  return Math.max(0, rto - began) | 0;
}

/** Disarms the one transmit timer. */
export function stopTransmit(c: Connection): void {
  c.transmitTimer = TransmitTimer.None;
  c.tcp.connections.disarm(c, TimerKind.Transmit);
}

/** Arms the one transmit timer for something `delay` from now on. */
export function setTransmitIn(c: Connection, what: TransmitTimer, delay: number): void {
  c.transmitTimer = what;
  c.tcp.connections.armIn(c, TimerKind.Transmit, delay);
}

/** Data or a FIN waits for a window that is closed, or too small: asks from time to time (RFC 9293 3.8.6.1). */
export function armPersist(c: Connection): void {
  if (c.transmitTimer === TransmitTimer.Persist || c.flight.count > 0) return;
  if (c.persistBackoff === 0) c.persistSince = c.tcp.clock.now;
  const wait = Math.min(MAX_RTO, c.rtt.rto * 2 ** c.persistBackoff) | 0;
  setTransmitIn(c, TransmitTimer.Persist, wait);
}

/** An acknowledgment may wait for company. */
export function delayAck(c: Connection): void {
  if (c.ackDelayed) return;
  c.ackDelayed = true;
  c.tcp.connections.armIn(c, TimerKind.DelayedAck, DELAYED_ACK);
}

/** A timer has run out. */
export function onTimer(c: Connection, kind: number): void {
  if (kind === TimerKind.Transmit) onTransmitTimer(c, c.tcp.clock.micros);
  else if (kind === TimerKind.DelayedAck) {
    if (c.ackDelayed) c.ackNow = true;
    c.tcp.wants(c);
  } else if (kind === TimerKind.Pacing) c.tcp.wants(c);
  else onLifeTimer(c);
}

function onTransmitTimer(c: Connection, now: Micros): void {
  const what = c.transmitTimer;
  c.transmitTimer = TransmitTimer.None;
  if (what === TransmitTimer.Persist) onPersist(c);
  else if (what === TransmitTimer.Refused) onRefused(c);
  else if (c.flight.count === 0 && c.state >= ConnectionState.Established) return;
  else if (what === TransmitTimer.Reordering) {
    onReorderingTimeout(c, now);
    armRetransmission(c, now);
  } else if (what === TransmitTimer.Probe) {
    onProbeTimeout(c);
    setTransmitIn(c, TransmitTimer.Retransmission, c.rtt.rto);
  } else onRetransmission(c);
  c.tcp.wants(c);
}

function onRetransmission(c: Connection): void {
  if (c.state < ConnectionState.Established) return onSynTimeout(c);
  if (hasStalled(c)) return;
  onRetransmissionTimeout(c, c.tcp.clock.micros);
  onSilence(c);
  setTransmitIn(c, TransmitTimer.Retransmission, c.rtt.rto);
}

function onSynTimeout(c: Connection): void {
  if (hasStalled(c)) return;
  const retries = c.state === ConnectionState.SynSent ? SYN_RETRIES : SYN_ACK_RETRIES;
  if (c.rtt.backoff >= retries) {
    c.tcp.end(c, c.softError ? CloseReason.Unreachable : CloseReason.TimedOut);
    return;
  }
  c.rtt.backOff();
  c.synWanted = true;
  c.synLost = c.flight.count > 0;
  // RFC 3168 6.1.1.1: some paths swallow a SYN that asks for ECN.
  if (c.state === ConnectionState.SynSent && c.synLost) c.hasEcn = false;
  setTransmitIn(c, TransmitTimer.Retransmission, c.rtt.rto);
}

function onPersist(c: Connection): void {
  // RFC 9293 3.8.6.1: a connection stays as long as its probes are answered, however long the window is closed. But
  // when its user is gone nobody waits for that, and a peer could keep us busy for nothing (RFC 6429 3).
  const since = c.isOrphan ? c.persistSince : Math.max(c.persistSince, c.lastHeardAt);
  if (hasStalledFor(c, since)) return;
  if (c.persistBackoff < MAX_BACKOFF) c.persistBackoff++;
  // RFC 9293 3.8.6.2.1: what a small window takes goes in the end; a closed one is asked for.
  if (c.sndWnd > 0) c.pushWanted = true;
  else c.windowProbeWanted = true;
  armPersist(c);
}

/** An orphan in FIN-WAIT-2 waits for the peer's FIN, but not for ever. */
export function awaitFin(c: Connection): void {
  c.finDue = c.tcp.clock.now + FIN_WAIT_2;
  c.tcp.arm(c, TimerKind.Life, c.finDue);
}

/** The layers below take nothing: as if what should have left had been lost. */
function onRefused(c: Connection): void {
  if (c.rstWanted || c.lastWords) c.tcp.forget(c);
  else if (c.state < ConnectionState.Established) onRetransmission(c);
  else if (!hasStalled(c)) armRefused(c);
}

/** Sees to it that a connection of which nothing can leave, though nothing is in flight, comes to an end. */
export function armRefused(c: Connection): void {
  if (c.transmitTimer !== TransmitTimer.None) return;
  if (c.stalledSince < 0) c.stalledSince = c.tcp.clock.now;
  if (c.state === ConnectionState.SynSent) c.softError = true;
  setTransmitIn(c, TransmitTimer.Refused, c.rtt.rto);
}

/** RFC 9293 3.8.3: what was sent stays unanswered too long, so the connection is gone. */
function hasStalled(c: Connection): boolean {
  if (c.stalledSince < 0) return false;
  // RFC 9293 3.8.6: not if the peer has shrunk its window, and answers.
  const isShrunk = c.flight.count > 0 && distance(c.sndUna, c.flight.endOf(0)) > c.sndWnd;
  const isAlive = isShrunk && !c.isOrphan && c.state >= ConnectionState.Established;
  return hasStalledFor(c, isAlive ? Math.max(c.stalledSince, c.lastHeardAt) : c.stalledSince);
}

function hasStalledFor(c: Connection, since: Instant): boolean {
  if (c.tcp.clock.now - since < c.userTimeout) return false;
  c.tcp.end(c, c.softError ? CloseReason.Unreachable : CloseReason.TimedOut);
  return true;
}

function onLifeTimer(c: Connection): void {
  const { now } = c.tcp.clock;
  if (c.state === ConnectionState.FinWait2 && c.isOrphan) {
    if (c.finDue < 0) awaitFin(c);
    else c.tcp.end(c, CloseReason.Finished);
    return;
  }
  if (!c.keepAlive || c.state < ConnectionState.Established) return;
  // RFC 9293 3.8.4, MUST-26: what is in flight, or waits for a window, asks by itself.
  const isAsking = c.flight.count > 0 || c.transmitTimer !== TransmitTimer.None;
  const due = isAsking ? now + c.keepAliveIdle : c.lastHeardAt + c.keepAliveIdle;
  if (due > now && c.keepAliveProbes === 0) {
    c.tcp.arm(c, TimerKind.Life, due);
    return;
  }
  if (c.keepAliveProbes >= KEEPALIVE_PROBES) {
    c.tcp.end(c, CloseReason.TimedOut);
    return;
  }
  c.keepAliveProbes++;
  c.windowProbeWanted = true;
  c.tcp.arm(c, TimerKind.Life, now + Math.min(KEEPALIVE_INTERVAL, c.keepAliveIdle));
  c.tcp.wants(c);
}
