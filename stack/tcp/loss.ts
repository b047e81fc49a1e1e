/**
 * What finding and repairing losses needs of a connection, and the few sums that all of it shares.
 *
 * @module
 */
import type { Connection } from "./connection.ts";
import type { TcpCounters } from "./counters.ts";
import { distance } from "./sequence.ts";

/** A connection, as far as losses go. */
export type Losses =
  & Pick<
    Connection,
    | "state"
    | "sendBuffer"
    | "sndWnd"
    | "sndMss"
    | "hasSack"
    | "hasEcn"
    | "flight"
    | "rtt"
    | "control"
    | "judge"
    | "recovery"
    | "recoverPoint"
    | "recoverHeld"
    | "duplicateAcks"
    | "duplicateBytes"
    | "prrDelivered"
    | "prrOut"
    | "prrFlight"
    | "hasRack"
    | "rackSentAt"
    | "rackEnd"
    | "rackRtt"
    | "rackForwardAck"
    | "reorderAt"
    | "reorderWaits"
    | "reorderSeen"
    | "reorderWindows"
    | "reorderPersist"
    | "reorderRound"
    | "inReorderRound"
    | "pushWanted"
    | "probeWanted"
    | "probeEnd"
    | "probeOut"
    | "probeResent"
    | "frtoStep"
    | "resentAtTimeout"
    | "timeoutPoint"
    | "canUndo"
    | "undoPoint"
    | "undoEnd"
    | "duplicatesReported"
    | "ecnPoint"
    | "ecnReduced"
    | "ecnEchoed"
    | "cwrWanted"
    | "windowLimited"
    | "mostInFlight"
    | "timeouts"
    | "usagePoint"
  >
  & {
    readonly tcp: { readonly counters: Pick<TcpCounters, "timeouts" | "recoveries" | "undone" | "probes"> };
  };

/** Bytes that are taken to be in the network: RFC 6675's pipe, or RFC 5681's inflation turned round. */
export function pipeOf(c: Losses): number {
  return Math.max(0, c.flight.pipe - c.duplicateBytes);
}

/** The window was reduced: the first new data from now on says so, whatever the reason (RFC 3168 6.1.2). */
export function noteReduced(c: Losses): void {
  if (c.hasEcn) c.cwrWanted = true;
}

/** Bytes from SND.UNA to SND.NXT. */
export function outstanding(c: Losses): number {
  return distance(c.flight.una, c.flight.end);
}

/**
 * FlightSize of RFC 5681 2 for a reduction: what is not acknowledged cumulatively, `acked` bytes of which just were.
 * What limited transmit let out beyond the window does not count (RFC 5681 3.2, step 2).
 */
export function flightSize(c: Losses, acked: number): number {
  return Math.min(c.control.cwnd, outstanding(c) + acked);
}
