/**
 * What a connection looks like from outside, as `ss -ti` shows it.
 *
 * @module
 */
import type { Instant } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import type { Connection } from "./connection.ts";
import { UNMEASURED } from "./rtt.ts";
import { ConnectionState } from "./state.ts";
import { receiveWindow } from "./window.ts";

/** A connection at one moment. Sizes are in bytes, times in microseconds. */
export interface ConnectionInfo {
  /** The own address. */
  readonly local: Address;
  /** The own port. */
  readonly localPort: number;
  /** The peer's address. */
  readonly remote: Address;
  /** The peer's port. */
  readonly remotePort: number;
  /** Where in its life it is; `stateName` has its name. */
  readonly state: ConnectionState;
  /** Whether we opened it. */
  readonly isActive: boolean;
  /** The smoothed round trip; undefined: none was measured. */
  readonly srtt: Instant | undefined;
  /** Its variation. */
  readonly rttvar: Instant;
  /** The least round trip lately. */
  readonly minRtt: Instant | undefined;
  /** The retransmission timeout. */
  readonly rto: Instant;
  /** The congestion control: "cubic". */
  readonly congestion: string;
  /** The congestion window. */
  readonly cwnd: number;
  /** Segments that were sent again. */
  readonly retransmitted: number;
  /** How often the retransmission timer has run out on data. */
  readonly timeouts: number;
  /** The largest segment that is sent. */
  readonly mss: number;
  /** What the peer takes beyond what it has acknowledged. */
  readonly sendWindow: number;
  /** What we take. */
  readonly receiveWindow: number;
  /** Data sent and not acknowledged. */
  readonly inFlight: number;
  /** Data not yet sent. */
  readonly unsent: number;
}

/** A copy of what is known of a connection. */
export function infoOf(c: Connection): ConnectionInfo {
  const { srtt, rttvar, minRtt, rto } = c.rtt;
  return {
    local: new Address().copy(c.local),
    localPort: c.localPort,
    remote: new Address().copy(c.remote),
    remotePort: c.remotePort,
    state: c.state,
    isActive: c.isActive,
    srtt: srtt > 0 ? srtt : undefined,
    rttvar,
    minRtt: minRtt === UNMEASURED ? undefined : minRtt,
    rto,
    congestion: c.control.name,
    cwnd: c.control.cwnd,
    retransmitted: c.retransmitted,
    timeouts: c.timeouts,
    mss: c.sndMss,
    sendWindow: c.sndWnd,
    receiveWindow: receiveWindow(c),
    // Until the handshake is complete the number in flight is our SYN's.
    inFlight: c.state < ConnectionState.Established ? 0 : c.sentData,
    unsent: c.state < ConnectionState.Established ? c.sendBuffer.length : c.unsent,
  };
}
