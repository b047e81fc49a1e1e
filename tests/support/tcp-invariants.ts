/** What must hold of every connection at every moment, so that none can ever wait for nothing. */
import { type Connection, TransmitTimer } from "../../stack/tcp/connection.ts";
import type { Tcp } from "../../stack/tcp/endpoint.ts";
import { add, distance } from "../../stack/tcp/sequence.ts";
import { canReceive, ConnectionState, stateName } from "../../stack/tcp/state.ts";
import { TimerKind } from "../../stack/tcp/timers.ts";
import { shouldUpdate } from "../../stack/tcp/window.ts";

/** What is wrong with an endpoint's connections between two turns; undefined: nothing. */
export function broken(tcp: Tcp, now: number): string | undefined {
  if (tcp.connections.size === 0) return undefined;
  for (const c of tcp.connections) {
    const fault = stalled(c) ?? inconsistent(c);
    if (fault !== undefined) {
      return `port ${c.localPort} in ${stateName(c.state)} at ${now} us: ${fault}`;
    }
  }
  return undefined;
}

/** Whatever a connection waits for, a timer must be armed or it must be in line to send. */
function stalled(c: Connection): string | undefined {
  const { connections } = c.tcp;
  if (connections.isInLine(c)) return undefined;
  const isArmed = connections.isArmed(c, TimerKind.Transmit);
  if (isArmed !== (c.transmitTimer !== TransmitTimer.None)) {
    return `timer ${c.transmitTimer} is armed: ${isArmed}`;
  }
  if (c.state <= ConnectionState.SynReceived && !isArmed) return "no timer for its SYN";
  if (c.flight.count > 0 && !isArmed) return `${c.flight.count} segments in flight and no timer`;
  const hasFin = c.finWanted && !c.finSent;
  const isPaced = connections.isArmed(c, TimerKind.Pacing);
  if (
    c.state >= ConnectionState.Established && (c.unsent > 0 && !c.finSent || hasFin) && !isArmed && !isPaced
  ) {
    return `${c.unsent} bytes to send, a window of ${c.sndWnd}, and no timer`;
  }
  if (c.ackNow || c.rstWanted || c.lastWords) return "something to send and not in line";
  if (c.probeWanted && c.flight.count > 0) return "a probe wanted and not in line";
  if (c.ackDelayed && !connections.isArmed(c, TimerKind.DelayedAck)) return "a delayed ACK without timer";
  if (canReceive(c.state) && !c.ackDelayed && shouldUpdate(c)) {
    return "a window update is missed";
  }
  return undefined;
}

function inconsistent(c: Connection): string | undefined {
  const { flight } = c;
  if (flight.una !== c.sndUna) return `SND.UNA ${c.sndUna}, but the flight's ${flight.una}`;
  if (flight.pipe < 0 || flight.sacked < 0 || flight.lost < 0) {
    return `pipe ${flight.pipe}, SACKed ${flight.sacked}, lost ${flight.lost}`;
  }
  const offered = distance(c.rcvNxt, c.rcvEdge);
  // The SYN-ACK offers what the user's buffer may not have.
  const hasTold = c.lastAckSent !== add(c.irs, 1);
  if (c.state >= ConnectionState.Established && hasTold && offered > mostOffered(c)) {
    return `a window of ${offered} offered, with room for ${c.receiveBuffer.window}`;
  }
  if (!(c.control.cwnd >= 0 && c.control.cwnd < 2 ** 40)) return `a congestion window of ${c.control.cwnd}`;
  if (c.state >= ConnectionState.Established && c.unsent < 0) return `${c.unsent} bytes unsent`;
  return undefined;
}

/** What there is room for; less than a unit of the window's field was told as one. */
function mostOffered(c: Connection): number {
  return c.receiveBuffer.window + (1 << Math.max(0, c.rcvScale)) - 1;
}
