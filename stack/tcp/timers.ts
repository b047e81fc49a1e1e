/**
 * The timers of a connection: what each waits for, and what its end means.
 *
 * @module
 */
import { type Instant, milliseconds, NEVER, seconds } from "../store/time.ts";
import { CloseReason, type Connection, TransmitTimer } from "./connection.ts";
import { onProbeTimeout, onReorderingTimeout, onRetransmissionTimeout, probeTimeout } from "./recovery.ts";
import { MAX_RTO } from "./rtt.ts";
import { ConnectionState } from "./state.ts";

/** The wheel entries that a connection has. */
export const TimerKind = { Transmit: 0, DelayedAck: 1, Life: 2 } as const;

/** How many those are. */
export const TIMERS = 3;

/** RFC 9293 3.8.6.3: an acknowledgment is delayed by less than half a second; this long, as on Linux. */
export const DELAYED_ACK: Instant = milliseconds(40);
/** How long an orphan in FIN-WAIT-2 waits for the peer's FIN. */
export const FIN_WAIT_2: Instant = seconds(60);
/** How often keepalive probes are sent once one is unanswered, and how many before the peer is given up. */
export const KEEPALIVE_INTERVAL: Instant = seconds(75);
/** RFC 1122 4.2.3.6: the default idle time is two hours at least. */
export const KEEPALIVE_IDLE: Instant = seconds(7_200);
const KEEPALIVE_PROBES = 9;
/** Timeouts of a SYN before the attempt is given up. */
const SYN_RETRIES = 6;
const SYN_ACK_RETRIES = 5;

/** Sees to it that something happens if what was just sent is never answered. */
export function armAfterSend(c: Connection, now: Instant): void {
  if (c.flight.count > 0) {
    if (c.stalledSince < 0) c.stalledSince = now;
    // RFC 6298 5.1: a timer that runs is left alone; RFC 8985 7.2 has new data put the probe off.
    const what = c.transmitTimer;
    if (what === TransmitTimer.None || what === TransmitTimer.Probe || what === TransmitTimer.Persist) {
      armRetransmission(c, now);
    }
  } else if (c.transmitTimer === TransmitTimer.Retransmission || c.transmitTimer === TransmitTimer.Probe) {
    setTransmit(c, TransmitTimer.None, NEVER);
  }
  if (!c.ackDelayed) c.tcp.arm(c, TimerKind.DelayedAck, NEVER);
}

/** Arms what is due first for what is in flight: RACK's timer, the tail loss probe (RFC 8985 7.2), or the timeout. */
export function armRetransmission(c: Connection, now: Instant): void {
  const probe = probeTimeout(c, now);
  if (c.reorderAt < now + c.rtt.rto) setTransmit(c, TransmitTimer.Reordering, c.reorderAt);
  else if (probe <= c.rtt.rto) setTransmit(c, TransmitTimer.Probe, now + probe);
  else setTransmit(c, TransmitTimer.Retransmission, now + c.rtt.rto);
}

/** Arms the one transmit timer for something. */
export function setTransmit(c: Connection, what: TransmitTimer, at: Instant): void {
  c.transmitTimer = what;
  c.tcp.arm(c, TimerKind.Transmit, at);
}

/** Data waits for a window that is closed: asks for it from time to time (RFC 9293 3.8.6.1). */
export function armPersist(c: Connection, now: Instant): void {
  if (c.transmitTimer === TransmitTimer.Persist || c.flight.count > 0) return;
  const wait = Math.min(MAX_RTO, c.rtt.rto * 2 ** c.persistBackoff);
  setTransmit(c, TransmitTimer.Persist, now + wait);
}

/** An acknowledgment may wait for company. */
export function delayAck(c: Connection, now: Instant): void {
  if (c.ackDelayed) return;
  c.ackDelayed = true;
  c.tcp.arm(c, TimerKind.DelayedAck, now + DELAYED_ACK);
}

/** A timer has run out. */
export function onTimer(c: Connection, kind: number, now: Instant): void {
  if (kind === TimerKind.Transmit) onTransmitTimer(c, now);
  else if (kind === TimerKind.DelayedAck) {
    if (c.ackDelayed) c.ackNow = true;
    c.tcp.wants(c);
  } else onLifeTimer(c, now);
}

function onTransmitTimer(c: Connection, now: Instant): void {
  const what = c.transmitTimer;
  c.transmitTimer = TransmitTimer.None;
  if (what === TransmitTimer.Persist) onPersist(c, now);
  else if (c.flight.count === 0) return;
  else if (what === TransmitTimer.Reordering) {
    onReorderingTimeout(c, now);
    armRetransmission(c, now);
  } else if (what === TransmitTimer.Probe) {
    onProbeTimeout(c);
    setTransmit(c, TransmitTimer.Retransmission, now + c.rtt.rto);
  } else onRetransmission(c, now);
  c.tcp.wants(c);
}

function onRetransmission(c: Connection, now: Instant): void {
  if (hasStalled(c, now)) return;
  if (c.state === ConnectionState.SynSent || c.state === ConnectionState.SynReceived) {
    const retries = c.state === ConnectionState.SynSent ? SYN_RETRIES : SYN_ACK_RETRIES;
    if (c.rtt.backoff >= retries) {
      c.tcp.end(c, c.softError ? CloseReason.Unreachable : CloseReason.TimedOut);
      return;
    }
    c.rtt.backOff();
    c.synWanted = true;
    c.synLost = true;
  } else onRetransmissionTimeout(c, now);
  setTransmit(c, TransmitTimer.Retransmission, now + c.rtt.rto);
}

function onPersist(c: Connection, now: Instant): void {
  // RFC 9293 3.8.6.1: a connection stays as long as its probes are answered, however long the window is closed.
  if (c.lastHeardAt < c.persistSince && hasStalledFor(c, now, c.persistSince)) return;
  c.persistBackoff++;
  c.windowProbeWanted = true;
  armPersist(c, now);
}

/** RFC 9293 3.8.3: what was sent stays unanswered too long, so the connection is gone. */
function hasStalled(c: Connection, now: Instant): boolean {
  return c.stalledSince >= 0 && hasStalledFor(c, now, c.stalledSince);
}

function hasStalledFor(c: Connection, now: Instant, since: Instant): boolean {
  if (now - since < c.userTimeout) return false;
  c.tcp.end(c, c.softError ? CloseReason.Unreachable : CloseReason.TimedOut);
  return true;
}

function onLifeTimer(c: Connection, now: Instant): void {
  if (c.state === ConnectionState.FinWait2 && c.isOrphan) {
    c.tcp.end(c, CloseReason.Finished);
    return;
  }
  if (!c.keepAlive || c.state < ConnectionState.Established) return;
  const idle = now - c.lastHeardAt;
  if (idle < KEEPALIVE_IDLE && c.keepAliveProbes === 0) {
    c.tcp.arm(c, TimerKind.Life, c.lastHeardAt + KEEPALIVE_IDLE);
    return;
  }
  if (c.keepAliveProbes >= KEEPALIVE_PROBES) {
    c.tcp.end(c, CloseReason.TimedOut);
    return;
  }
  c.keepAliveProbes++;
  c.windowProbeWanted = true;
  c.tcp.arm(c, TimerKind.Life, now + KEEPALIVE_INTERVAL);
  c.tcp.wants(c);
}
