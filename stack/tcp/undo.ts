/**
 * Finding out that a retransmission was for nothing, and taking back what it has cost: F-RTO (RFC 5682), the Eifel
 * detection (RFC 3522), and duplicates that the peer reports (RFC 3708).
 *
 * @module
 */
import type { Micros } from "./clock.ts";
import { Recovery } from "./connection.ts";
import { type Losses, outstanding, pipeOf } from "./loss.ts";
import { isEchoOlder, rackOnDuplicate } from "./rack.ts";
import { after, before } from "./sequence.ts";

/** How far F-RTO has come (RFC 5682 3.1). */
export const Frto = {
  /** It is not at work. */
  Off: 0,
  /** The first segment was sent again; the next acknowledgment is waited for. */
  Resent: 1,
  /** SND.UNA has moved, so new data was let out; what acknowledges anything sent once proves the timeout wrong. */
  Probing: 2,
} as const;

/** A reduction begins that may turn out to be wrong. */
export function undoStart(c: Losses): void {
  c.canUndo = true;
  c.undoPoint = c.flight.una;
  c.undoEnd = c.flight.end;
  c.duplicatesReported = 0;
  c.flight.resent = 0;
  c.flight.hasFirstResent = false;
}

/** A duplicate was reported: patience grows, unless it is the probe's, and one retransmission more was for nothing. */
export function onDuplicateReported(c: Losses, left: number, right: number): void {
  if (c.probeOut && c.probeResent && right === c.probeEnd) return;
  rackOnDuplicate(c);
  if (!c.canUndo || left === right || before(left, c.undoPoint) || after(right, c.flight.end)) return;
  c.duplicatesReported++;
}

/** Takes back the last reduction if by now it is known to have been wrong. Answers whether it was. */
export function undoIfSpurious(c: Losses, now: Micros, ackedNew: boolean, echoAge: number): boolean {
  const { flight } = c;
  if (!c.canUndo || flight.resent === 0) return false;
  // RFC 3708 2: all that was sent again has been reported as a duplicate.
  if (c.duplicatesReported >= flight.resent) return undo(c);
  if (ackedNew && flight.hasFirstResent) {
    // RFC 3522 3.2: the first acknowledgment after the retransmission echoes a segment sent before it.
    if (echoAge >= 0 && isEchoOlder(now, echoAge, flight.firstResentAt)) return undo(c);
    flight.hasFirstResent = false;
  }
  if (c.recovery === Recovery.None && after(flight.una, c.undoEnd)) c.canUndo = false;
  return false;
}

/** RFC 5682 3.1, steps 2 and 3, after a timeout. Answers whether the timeout was spurious, and is taken back. */
export function frtoOnAck(c: Losses, ackedNew: boolean, isNews: boolean): boolean {
  const { flight } = c;
  if (c.frtoStep === Frto.Resent) {
    if (ackedNew) {
      if (!before(flight.una, c.recoverPoint)) c.frtoStep = Frto.Off;
      else if (canSendNew(c)) {
        c.frtoStep = Frto.Probing;
        c.control.cwnd = pipeOf(c) + 2 * c.sndMss;
        // Step 2b: it is to leave, whatever Nagle's rule says of it, or nothing would until the next timeout.
        c.pushWanted = true;
      } else frtoGivesUp(c, 2);
    } // With SACK, step 2 waits for the acknowledgment of the retransmission.
    else if (isNews && !c.hasSack) frtoGivesUp(c, 2);
    return false;
  }
  if (flight.hasOldest && !after(flight.oldestEnd, c.recoverPoint)) return undo(c);
  if (isNews) frtoGivesUp(c, 3);
  return false;
}

/** Whether there is new data that the peer takes. */
function canSendNew(c: Losses): boolean {
  const out = outstanding(c);
  return c.sendBuffer.length > out && c.sndWnd >= out + c.sndMss;
}

/** The timeout was right: everything of that flight that has not arrived is lost, and slow start goes on. */
export function frtoGivesUp(c: Losses, segments: number): void {
  const { flight } = c;
  c.frtoStep = Frto.Off;
  for (let index = 0; index < flight.count; index++) {
    if (after(flight.endOf(index), c.recoverPoint)) break;
    if (!flight.wasResent(index)) flight.markLost(index);
  }
  c.control.cwnd = Math.min(segments * c.sndMss, Math.max(c.control.ssthresh, c.sndMss));
}

function undo(c: Losses): boolean {
  // What was sent again for nothing was only late: the path reorders (RFC 8985 6.2, step 3, cannot see that).
  if (c.recovery === Recovery.Fast) {
    c.reorderSeen = true;
    rackOnDuplicate(c);
  }
  c.flight.clearLost();
  // A mark of congestion since then keeps the window small (RFC 3168 6.1.2).
  if (c.canUndo) c.control.undo();
  if (!c.ecnReduced) c.cwrWanted = false;
  c.recovery = Recovery.None;
  c.frtoStep = Frto.Off;
  c.canUndo = false;
  c.duplicateAcks = c.duplicateBytes = 0;
  // The answer to an original must not count as one to its retransmission: what was sent before would all be lost.
  c.hasRack = false;
  c.reorderWaits = false;
  c.tcp.counters.undone++;
  return true;
}
