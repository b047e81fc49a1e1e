/**
 * The tail loss probe (RFC 8985 7): when the end of a flight may be lost, something is sent behind it, so that an
 * acknowledgment tells.
 *
 * @module
 */
import { milliseconds, seconds } from "../store/time.ts";
import type { Micros } from "./clock.ts";
import { Recovery } from "./connection.ts";
import { flightSize, type Losses, noteReduced } from "./loss.ts";
import { after, before } from "./sequence.ts";
import { isNoise } from "./spare.ts";
import { ConnectionState } from "./state.ts";

/** TLP.max_ack_delay: how long a peer may hold back the acknowledgment of a single segment (RFC 8985 7.2). */
const MAX_ACK_DELAY = milliseconds(200);
/** What two round trips are added, so that a busy machine on a short path is not taken for a lossy one. */
const MARGIN = milliseconds(2);

/**
 * How long from now on to wait before a probe; negative: no probe is due, so the retransmission timer is to run. It is
 * never longer than the retransmission timeout, and at the same time as that the probe goes first (RFC 8985 7.2).
 */
export function probeTimeout(c: Losses): number {
  const { flight, rtt } = c;
  // RFC 8985 7.2: not in recovery, not with anything SACKed (then RACK's own timer runs), one probe at a time.
  if (!c.hasSack || c.probeOut || c.recovery !== Recovery.None || c.state < ConnectionState.Established) {
    return -1;
  }
  if (flight.count === 0 || flight.sacked > 0) return -1;
  // RFC 8985 7.3, the second condition: the path was measured since the last one.
  if (rtt.probed) return -1;
  if (rtt.srtt === 0) return Math.min(seconds(1), rtt.rto);
  return Math.min(2 * rtt.srtt + (flight.count === 1 ? MAX_ACK_DELAY : MARGIN), rtt.rto);
}

/** The probe timer has run out: a probe is wanted (RFC 8985 7.3). The retransmission timer is to run from now on. */
export function onProbeTimeout(c: Losses): void {
  c.probeWanted = c.probeOut = true;
  c.probeResent = false;
  c.probeEnd = c.flight.end;
  c.tcp.counters.probes++;
}

/** The probe has left: new data up to SND.NXT, or, if `isResend`, the last segment once more (RFC 8985 7.3). */
export function onProbeSent(c: Losses, isResend: boolean): void {
  c.probeWanted = false;
  c.probeOut = true;
  c.probeResent = isResend;
  c.probeEnd = c.flight.end;
  c.rtt.probed = true;
}

/**
 * RFC 8985 7.4: what an acknowledgment says of the probe. A loss that it has repaired is congestion all the same.
 * `isBare`: the acknowledgment says nothing but the same number again.
 */
export function onProbeAcked(
  c: Losses,
  now: Micros,
  isBare: boolean,
  hasDsack: boolean,
  dsackLeft: number,
  dsackRight: number,
): void {
  const { una } = c.flight;
  if (!c.probeOut || before(una, c.probeEnd)) return;
  if (!c.probeResent) c.probeOut = false;
  else if (hasDsack && (dsackLeft === dsackRight || dsackRight === c.probeEnd)) c.probeOut = false;
  else if (after(una, c.probeEnd)) {
    c.probeOut = false;
    if (c.recovery !== Recovery.None || c.ecnReduced || isNoise(c, c.flight.acked, c.sndMss)) return;
    c.control.onLoss(flightSize(c, c.flight.acked), now);
    c.control.onRecovered();
    noteReduced(c);
    c.canUndo = false;
  } // A duplicate acknowledgment answers the probe: the original had arrived. A segment with data says nothing of it.
  else if (isBare) c.probeOut = false;
}
