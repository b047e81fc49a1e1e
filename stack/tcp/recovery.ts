/**
 * What an acknowledgment, or its absence, says about losses, and how much may be sent then. The one entrance to
 * `rack.ts`, `prr.ts`, `probe.ts` and `undo.ts`.
 *
 * @module
 */
import { type Clock, later, type Micros } from "./clock.ts";
import { type Connection, Recovery } from "./connection.ts";
import { flightSize, type Losses, noteReduced, pipeOf } from "./loss.ts";
import { onProbeAcked } from "./probe.ts";
import { prrStart, prrUpdate } from "./prr.ts";
import { rackDetect, rackForget, rackMarkOnTimeout, rackOnRecovered, rackUpdate } from "./rack.ts";
import type { RateSampler } from "./rate.ts";
import { after, before, distance } from "./sequence.ts";
import { acquit, convict, endSparing, reconsider, spare } from "./spare.ts";
import { Frto, frtoOnAck, onDuplicateReported, undoIfSpurious, undoStart } from "./undo.ts";

export { onProbeSent, onProbeTimeout, probeTimeout } from "./probe.ts";

/** RFC 5681 3.2: so many duplicate acknowledgments mean a loss. */
const DUPLICATE_THRESHOLD = 3;

/**
 * An acknowledgment has come: `flight` has taken it and its SACK blocks, between `flight.begin()` and now, and the
 * round trip is measured.
 *
 * `ackedNew`: SND.UNA has moved, by `ackedBytes`. `sackChanged`: more is SACKed than before. `hasDsack`: a duplicate
 * is reported, [dsackLeft, dsackRight) if they differ. `isBare`: it says nothing but the same number again; while
 * something is out it is a duplicate acknowledgment by RFC 5681 2. `echoAge`: how long ago at least the segment left whose timestamp is echoed; negative: unknown.
 *
 * Afterwards `reorderWaits` and `reorderAt` say whether and when RACK takes more for lost unless that arrives: the
 * transmit timer is to stand for it (RFC 8985 6.2, step 5).
 */
export function onAckReceived(
  c: Losses,
  now: Micros,
  ackedNew: boolean,
  ackedBytes: number,
  sackChanged: boolean,
  hasDsack: boolean,
  isBare: boolean,
  dsackLeft: number = 0,
  dsackRight: number = 0,
  echoAge: number = -1,
): void {
  const { flight } = c;
  const isDuplicateAck = isBare && flight.count > 0;
  const isNews = ackedNew || (c.hasSack ? sackChanged : isDuplicateAck);
  const delivered = c.hasSack ? flight.delivered : countDuplicates(c, ackedNew, ackedBytes, isDuplicateAck);
  const wasIn = c.recovery;
  const isEchoed = c.ecnEchoed;
  c.ecnEchoed = false;
  if (c.ecnReduced && !before(flight.una, c.ecnPoint)) c.ecnReduced = false;
  if (c.recoverHeld && after(flight.una, c.recoverPoint)) c.recoverHeld = false;
  if (c.hasSack) rackUpdate(c, now, echoAge);
  if (hasDsack) onDuplicateReported(c, dsackLeft, dsackRight);
  onProbeAcked(c, now, isBare && !isNews, hasDsack, dsackLeft, dsackRight);
  let undone = undoIfSpurious(c, now, ackedNew, echoAge);
  if (c.frtoStep !== Frto.Off) undone = frtoOnAck(c, ackedNew, isNews);
  if (c.recovery !== Recovery.None && !before(flight.una, c.recoverPoint)) leave(c);
  const lost = flight.lost;
  c.reorderWaits = false;
  if (c.frtoStep === Frto.Off) {
    if (c.hasSack) detectByTime(c, now);
    else detectByDuplicates(c, ackedNew);
  }
  if (c.recovery === Recovery.None && flight.lost > 0) enter(c, now, flight.acked, delivered);
  else if (c.judge?.isSparing === true) reconsider(c, c.judge, delivered, flight.lost - lost, now);
  if (flight.rates !== undefined) follow(c, flight.rates, now);
  else if (c.recovery === Recovery.Fast) {
    if (delivered > 0 || flight.lost > lost) prrUpdate(c, delivered);
  } else if (ackedNew && !undone && !isEchoed && c.frtoStep === Frto.Off && wasIn !== Recovery.Fast) {
    const isLimited = c.recovery === Recovery.Timeout || isWindowLimited(c);
    // RFC 3465 2.3: L is 1 while slow start repairs what was out at a timeout, for much of that had arrived before.
    const isRepair = wasIn === Recovery.Timeout && c.control.cwnd < c.control.ssthresh;
    c.control.onAck(isRepair ? Math.min(ackedBytes, c.sndMss) : ackedBytes, c.rtt.srtt, now, isLimited);
  }
}

function detectByTime(c: Losses, now: Micros): void {
  const wait = rackDetect(c, now);
  c.reorderWaits = wait > 0;
  c.reorderAt = later(now, wait);
}

/** RACK has waited long enough (RFC 8985 6.2, step 5). Whatever comes of it, a timer is to be armed again. */
export function onReorderingTimeout(c: Losses, now: Micros): void {
  const lost = c.flight.lost;
  c.reorderWaits = false;
  if (c.frtoStep !== Frto.Off || !c.hasSack) return;
  detectByTime(c, now);
  if (c.flight.lost === lost) return;
  if (c.recovery === Recovery.None) enter(c, now, 0, 0);
  else if (c.judge?.isSparing === true) reconsider(c, c.judge, 0, c.flight.lost - lost, now);
  if (c.recovery === Recovery.Fast && c.flight.rates === undefined) prrUpdate(c, 0);
}

/** A congestion control with a model of the path rules the window itself. */
function follow(c: Losses, rates: RateSampler, now: Micros): void {
  c.control.onDelivery?.(rates.finish(c, now));
  if (c.control.isHoldingBack === true) rates.onAppLimited(pipeOf(c));
}

/** The retransmission timer has run out (RFC 6298 5.4 to 5.6, RFC 5681 3.1, RFC 8985 6.3). */
export function onRetransmissionTimeout(c: Losses, now: Micros): void {
  const { flight, control } = c;
  if (flight.count === 0) return;
  c.tcp.counters.timeouts++;
  c.timeouts++;
  // RFC 2018 8: the peer has taken back what it had reported.
  if (flight.isReceived(0)) flight.clearSacked();
  c.duplicateAcks = c.duplicateBytes = 0;
  c.reorderWaits = false;
  rackForget(c, now);
  c.probeOut = c.probeWanted = false;
  const isFirst = c.recovery === Recovery.None;
  if (isFirst) undoStart(c);
  reduceOnTimeout(c, now);
  c.resentAtTimeout = flight.resent;
  control.cwnd = c.sndMss;
  c.recovery = Recovery.Timeout;
  c.recoverPoint = flight.end;
  // RFC 5682 3.1, step 1: a first timeout sends one segment again, and may turn out to be wrong.
  c.frtoStep = isFirst ? Frto.Resent : Frto.Off;
  if (isFirst) flight.markLost(0);
  else if (c.hasSack) rackMarkOnTimeout(c, now);
  else flight.markAllLost();
  c.rtt.backOff();
}

/** Some of what is in flight was too long for its path. It is repaired as after a timeout, and nothing is reduced for it. */
export function onTooLong(c: Losses): void {
  if (c.recovery !== Recovery.None) return;
  c.recovery = Recovery.Timeout;
  c.recoverPoint = c.flight.end;
  // No timer has run out for which a segment is to leave whatever the window allows, nor is there anything to undo.
  c.resentAtTimeout = -1;
  c.canUndo = c.probeOut = c.probeWanted = false;
}

/** RFC 5681 3.1, equation 4: a timeout lowers the threshold. */
function reduceOnTimeout(c: Losses, now: Micros): void {
  const { una } = c.flight;
  // RFC 5681 3.1: it stays for what the timer has sent again before.
  const isHeld = c.recovery === Recovery.Timeout && c.timeoutPoint === una;
  c.timeoutPoint = una;
  if (isHeld) return;
  const { control, judge } = c;
  let inFlight = flightSize(c, 0);
  if (judge?.isSparing === true) {
    endSparing(c, judge);
    inFlight = judge.flight;
  } else if (c.recovery === Recovery.Fast) {
    // RFC 5681 4.3: what was sent again is lost as well, so what the first reduction has left is reduced once more.
    control.onRecovered();
    inFlight = flightSize(c, 0);
  }
  control.onTimeout(inFlight, now);
  noteReduced(c);
}

/** RFC 6298 5.4: what the timer ran out for is sent whatever the window, or a rate, allows. */
export function isResendDue(c: Losses): boolean {
  return c.recovery === Recovery.Timeout && c.flight.resent === c.resentAtTimeout && c.flight.lost > 0;
}

/**
 * Bytes that may leave now as far as the network is concerned. Limited transmit (RFC 3042) is in it: what duplicates
 * and SACK blocks stand for has left the network.
 */
export function sendAllowance(c: Losses): number {
  const pipe = pipeOf(c);
  const allowance = c.control.cwnd - pipe;
  if (allowance >= c.sndMss) return allowance;
  // An empty network always takes a segment.
  if (pipe === 0 || isResendDue(c)) return c.sndMss;
  // RFC 6675 5, step C: what is sent again fits in, too.
  return allowance > 0 && allowance >= firstLostLength(c) ? allowance : 0;
}

/** How long the segment is that is sent again next; 0: there is none. */
function firstLostLength({ flight }: Losses): number {
  const index = flight.firstLost();
  return index < 0 ? 0 : distance(flight.start(index), flight.endOf(index));
}

/** A segment with `length` bytes of data has left, and `flight` has noted it. */
export function noteSent(c: Losses, length: number): void {
  if (length === 0) return;
  if (c.recovery === Recovery.Fast) c.prrOut += length;
  // RFC 7661 4.2: whether the window is used is judged over a flight, at its fullest.
  const inFlight = pipeOf(c);
  const isLimited = c.control.cwnd - inFlight < c.sndMss;
  const isOver = !before(c.flight.una, c.usagePoint);
  if (isLimited || isOver || (!c.windowLimited && inFlight > c.mostInFlight)) {
    c.windowLimited = isLimited;
    c.mostInFlight = inFlight;
    c.usagePoint = c.flight.end;
  }
}

/** A mark of congestion came back (RFC 3168 6.1.2): as a loss, but nothing is sent again; once a window of data. */
export function onEcnEcho(c: Losses, now: Micros): void {
  const { flight } = c;
  c.ecnEchoed = true;
  if (c.ecnReduced && before(flight.una, c.ecnPoint)) return;
  c.canUndo = false;
  if (c.recovery !== Recovery.None) {
    // The losses that are being repaired are of the same window.
    if (c.judge?.isSparing === true) convict(c, c.judge, flight.delivered, now);
    return;
  }
  const size = flightSize(c, flight.acked);
  if (c.control.onMark !== undefined) c.control.onMark(size, now);
  else {
    c.control.onLoss(size, now);
    c.control.onRecovered();
  }
  c.ecnReduced = true;
  c.ecnPoint = flight.end;
  noteReduced(c);
}

/** What a pause needs to be known by. */
export type Idle =
  & Pick<Connection, "flight" | "rtt" | "control" | "hasRack" | "rackSentAt" | "lastSentAt">
  & {
    readonly tcp: { readonly clock: Pick<Clock, "now" | "micros"> };
  };

/**
 * New data is about to leave: if none did for a timeout, the window is no longer known to fit (RFC 2861 2). Counts a
 * pause once, whether or not anything leaves then.
 */
export function onIdleRestart(c: Idle): void {
  if (c.flight.count > 0) return;
  if (c.flight.rates?.isAppLimited === true) c.control.onRestart?.(c.tcp.clock.micros);
  const timeouts = Math.floor((c.tcp.clock.now - c.lastSentAt) / c.rtt.rto);
  if (timeouts < 1) return;
  c.control.onIdle(timeouts, c.tcp.clock.micros);
  rackForget(c, c.tcp.clock.micros);
  c.lastSentAt = c.tcp.clock.now;
}

/** The invariant that keeps a connection alive: with anything in flight the transmit timer must be armed. */
export function mustHaveTimer(c: Losses): boolean {
  return c.flight.count > 0;
}

/** RFC 9438 5.8: in slow start a window is used as long as its half is. */
function isWindowLimited(c: Losses): boolean {
  if (c.windowLimited) return true;
  return c.control.cwnd < c.control.ssthresh && c.control.cwnd < 2 * c.mostInFlight;
}

/**
 * Losses were found: fast recovery begins (RFC 5681 3.2, RFC 6675 5). The acknowledgment that shows them has moved
 * SND.UNA by `acked` bytes, and delivered so many.
 */
function enter(c: Losses, now: Micros, acked: number, delivered: number): void {
  undoStart(c);
  c.recovery = Recovery.Fast;
  c.recoverPoint = c.flight.end;
  c.probeOut = c.probeWanted = false;
  // RFC 3168 6.1.2: one reduction a window, whatever the sign.
  if (c.ecnReduced || spare(c, acked)) c.canUndo = false;
  else {
    c.control.onLoss(flightSize(c, acked), now);
    noteReduced(c);
  }
  prrStart(c, delivered);
  c.tcp.counters.recoveries++;
}

/** All that was in flight when recovery began has arrived. */
function leave(c: Losses): void {
  // RFC 9937 6.4: the window is the threshold. After a timeout slow start goes on, unless a model knows the window.
  if (c.judge?.isSparing === true) acquit(c, c.judge);
  else if (c.recovery === Recovery.Fast || c.control.onDelivery !== undefined) c.control.onRecovered();
  c.recovery = Recovery.None;
  c.frtoStep = Frto.Off;
  c.undoEnd = c.flight.end;
  c.duplicateAcks = c.duplicateBytes = 0;
  c.recoverHeld = true;
  rackOnRecovered(c);
}

/** Without SACK: what a duplicate or a partial acknowledgment stands for. Answers the bytes that are newly delivered. */
function countDuplicates(c: Losses, ackedNew: boolean, ackedBytes: number, isDuplicateAck: boolean): number {
  const known = c.duplicateBytes;
  if (ackedNew) {
    // One segment filled the hole; what came with it had been counted as duplicates.
    c.duplicateBytes = c.recovery === Recovery.None
      ? 0
      : Math.max(0, known - Math.max(0, ackedBytes - c.sndMss));
    if (c.recovery === Recovery.None) c.duplicateAcks = 0;
    return Math.max(0, ackedBytes - (known - c.duplicateBytes));
  }
  if (!isDuplicateAck) return 0;
  c.duplicateAcks++;
  // RFC 5681 3.2, step 4: no more than there was when recovery began, or a peer could have us send for ever.
  const most = c.recovery === Recovery.Fast
    ? c.prrFlight - c.prrDelivered - c.sndMss
    : DUPLICATE_THRESHOLD * c.sndMss - known;
  const counted = Math.max(0, Math.min(c.sndMss, most, c.flight.pipe - known - c.sndMss));
  c.duplicateBytes += counted;
  return counted;
}

/** RFC 6582 3.2: three duplicates are a loss, and a partial acknowledgment is the next one. */
function detectByDuplicates(c: Losses, ackedNew: boolean): void {
  const { flight } = c;
  if (flight.count === 0) return;
  const isPartial = c.recovery === Recovery.Fast && ackedNew;
  const isThird = c.recovery === Recovery.None && c.duplicateAcks >= DUPLICATE_THRESHOLD && !c.recoverHeld;
  if (isPartial || isThird) flight.markLost(0);
}
