/**
 * A connection: the transmission control block of RFC 9293 3.3.1, and what its user may do with it.
 *
 * @module
 */
import { type Instant, NEVER } from "../store/time.ts";
import { Assembler } from "../store/assembler.ts";
import { NO_KEY } from "../store/slot-map.ts";
import { Address } from "../wire/address.ts";
import { EMPTY, type ReceiveBuffer, type SendBuffer, Sink } from "./buffers.ts";
import type { CongestionControl } from "./congestion/control.ts";
import type { Tcp } from "./endpoint.ts";
import { Flight } from "./flight.ts";
import type { Listener } from "./listener.ts";
import { RttEstimator } from "./rtt.ts";
import { distance } from "./sequence.ts";
import { canReceive, ConnectionState } from "./state.ts";
import { shouldUpdate } from "./window.ts";

/** Why a connection ended. */
export const CloseReason = {
  /** Both sides closed it. */
  Finished: 0,
  /** The peer reset it. */
  Reset: 1,
  /** The peer refused it: a reset in answer to our SYN. */
  Refused: 2,
  /** Too long without any sign of the peer. */
  TimedOut: 3,
  /** The network says that the peer cannot be reached. */
  Unreachable: 4,
  /** The user aborted it. */
  Aborted: 5,
} as const;

/** One of {@linkcode CloseReason}'s numbers. */
export type CloseReason = (typeof CloseReason)[keyof typeof CloseReason];

/** What the user hears of a connection, from within a burst. Any of it may be absent. */
export interface ConnectionHandler {
  /** The handshake is complete. */
  readonly opened?: (connection: Connection) => void;
  /** More data is in the receive buffer. */
  readonly readable?: (connection: Connection) => void;
  /** The peer has acknowledged data, so there is more room in the send buffer. */
  readonly writable?: (connection: Connection) => void;
  /** The peer sends no more: what is in the receive buffer is all. */
  readonly peerClosed?: (connection: Connection) => void;
  /** The connection is gone; its key is stale. */
  readonly closed?: (connection: Connection, reason: CloseReason) => void;
}

/** What the transmit timer stands for. */
export const TransmitTimer = {
  None: 0,
  Retransmission: 1,
  Probe: 2,
  Reordering: 3,
  Persist: 4,
  Refused: 5,
} as const;

/** One of {@linkcode TransmitTimer}'s numbers. */
export type TransmitTimer = (typeof TransmitTimer)[keyof typeof TransmitTimer];

/** How losses are being dealt with. */
export const Recovery = { None: 0, Fast: 1, Timeout: 2 } as const;

/** One of {@linkcode Recovery}'s numbers. */
export type Recovery = (typeof Recovery)[keyof typeof Recovery];

/** Out-of-order ranges that a connection keeps. */
const RANGES = 16;

/** Made by {@linkcode Tcp}. The fields are the layer's: a user reads them at most. */
export class Connection {
  /** The endpoint. */
  readonly tcp: Tcp;
  /** Its key in the endpoint; stale once the connection is gone. */
  key: number = NO_KEY;
  /** Its number among the endpoint's slots, while it lives. */
  index = -1;
  /** The own address. */
  readonly local: Address = new Address();
  /** The own port. */
  localPort = 0;
  /** The peer's address. */
  readonly remote: Address = new Address();
  /** The peer's port. */
  remotePort = 0;
  /** Where in its life it is. */
  state: ConnectionState = ConnectionState.Closed;
  /** Whether we opened it. */
  isActive = false;
  /** Whose it is until the handshake is complete. */
  listener: Listener | undefined;
  /** It goes when what it has to send now has left. */
  lastWords = false;
  /** Its user. */
  handler: ConnectionHandler = {};
  /** Where data to be sent comes from. */
  sendBuffer: SendBuffer = EMPTY;
  /** Where received data goes. */
  receiveBuffer: ReceiveBuffer = NO_SINK;

  // RFC 9293 3.3.1, send sequence variables. SND.NXT is `flight.end`: what was lost stays in flight until it is acked.
  iss = 0;
  sndUna = 0;
  sndWnd = 0;
  sndWl1 = 0;
  sndWl2 = 0;
  /** The largest window that the peer has ever offered, for silly window avoidance (RFC 9293 3.8.6.2.1). */
  maxSndWnd = 0;
  /** By how much the peer's windows are shifted. */
  sndScale = 0;
  /** The most data that a segment to the peer may carry, options not deducted. */
  sndMss = 536;

  // RFC 9293 3.3.1, receive sequence variables.
  irs = 0;
  rcvNxt = 0;
  /** The right edge of the window that the peer was last told. */
  rcvEdge = 0;
  /** The furthest edge that the peer was ever told: RCV.NXT + RCV.WND. */
  rcvMaxEdge = 0;
  /** By how much our windows are shifted. */
  rcvScale = 0;
  /** The most room that the receive buffer has had, for silly window avoidance (RFC 9293 3.8.6.2.2). */
  rcvRoom = 0;
  /** The largest segment seen of the peer, for delayed acknowledgments. */
  rcvMss = 536;
  /** The sequence number of the peer's FIN, once it is known. */
  rcvFin = 0;
  hasRcvFin = false;
  /** Data received since the last acknowledgment left. */
  unacked = 0;
  /** Acknowledgments that are to leave at once at the start, so that the peer's window opens fast. */
  quickAcks = 0;
  #ranges: Assembler | undefined;

  /** The end of the last segment sent that was not full: while it is in flight, no other short one leaves. */
  lastShortEnd = 0;

  /** The user wants no more to be sent; our FIN follows the last byte of the send buffer. */
  finWanted = false;
  /** Our FIN has been sent: it is the last number in flight. */
  finSent = false;

  // Options.
  noDelay = false;
  /** Only whole segments leave, until it is taken back, the connection is closed, or a timeout has passed. */
  cork = false;
  hasTimestamps = false;
  tsOffset = 0;
  tsRecent = 0;
  tsRecentAt: Instant = 0;
  /** The last acknowledgment number that was sent: RFC 7323 4.3 has only segments that span it set TS.Recent. */
  lastAckSent = 0;
  hasSack = false;
  /** A duplicate to be reported (RFC 2883). */
  dsackLeft = 0;
  dsackRight = 0;
  hasEcn = false;
  ecnEcho = false;
  cwrWanted = false;
  /** Where the last reduction for a mark of congestion ends: one a window (RFC 3168 6.1.2). */
  ecnPoint = 0;

  // What is to be sent beside data.
  ackNow = false;
  ackDelayed = false;
  synWanted = false;
  probeWanted = false;
  windowProbeWanted = false;
  /** What a small window takes is to be sent, though it is little. */
  pushWanted = false;
  rstWanted = false;
  /** A SYN was lost, so the first window is small (RFC 6928 2). */
  synLost = false;

  // Loss.
  readonly flight: Flight = new Flight();
  readonly rtt: RttEstimator = new RttEstimator();
  control!: CongestionControl;
  recovery: Recovery = Recovery.None;
  /** Where SND.NXT was when recovery began: it ends when that is acknowledged. */
  recoverPoint = 0;
  duplicateAcks = 0;
  prrDelivered = 0;
  prrOut = 0;
  prrFlight = 0;
  rackSentAt: Instant = -1;
  rackEnd = 0;
  rackRtt: Instant = 0;
  rackForwardAck = 0;
  reorderSeen = false;
  reorderWindows = 1;
  reorderPersist = 0;
  /** A tail loss probe is out, up to this number. */
  probeEnd = 0;
  probeOut = false;
  probeResent = false;
  /** RFC 5682: how far F-RTO has come after a timeout; 0: it is not at work. */
  frtoStep = 0;
  /** What `flight.resent` was when the retransmission timer last ran out. */
  resentAtTimeout = 0;
  /** Bytes that duplicate acknowledgments stand for, where there is no SACK to tell. */
  duplicateBytes = 0;
  /** The last recovery has ended just at SND.UNA: duplicates may still be echoes of it (RFC 6582 3.2, step 1). */
  recoverHeld = false;
  /** When RACK would take more for lost; NEVER: it waits for nothing. */
  reorderAt: Instant = NEVER;
  /** RFC 8985 6.2, step 4: duplicates reported up to this number have widened the reordering window once. */
  reorderRound = 0;
  inReorderRound = false;
  /** The last reduction may turn out to have been wrong: where it began, where that ends to matter, what proves it. */
  canUndo = false;
  undoPoint = 0;
  undoEnd = 0;
  duplicatesReported = 0;
  /** The window was reduced for a mark of congestion, and `ecnPoint` is not acknowledged yet. */
  ecnReduced = false;
  /** Whether the congestion window is what holds us back, and how much was in flight, up to this number. */
  windowLimited = false;
  mostInFlight = 0;
  usagePoint = 0;
  /** When the oldest segment in flight was first sent without anything being acknowledged since: the user timeout. */
  stalledSince: Instant = -1;
  lastSentAt: Instant = 0;
  lastHeardAt: Instant = 0;

  // Timers.
  transmitTimer: TransmitTimer = TransmitTimer.None;
  persistBackoff = 0;
  /** Since when the peer's window has been closed. */
  persistSince: Instant = 0;
  /** The user has let go: nobody reads what the peer still sends. */
  isOrphan = false;
  keepAliveProbes = 0;
  keepAlive = false;
  userTimeout: Instant = 0;
  challengeAcks = 0;
  challengeSecond = -1;
  /** An ICMP error that is told when the connection times out (RFC 5461 2). */
  softError = false;

  /** An unused block. */
  constructor(tcp: Tcp) {
    this.tcp = tcp;
  }

  /** SND.NXT. */
  get sndNxt(): number {
    return this.flight.end;
  }

  /** Data of the send buffer that is in flight. */
  get sentData(): number {
    const numbers = distance(this.sndUna, this.sndNxt);
    return numbers - (this.finSent && numbers > 0 ? 1 : 0);
  }

  /** Data of the send buffer that was never sent. */
  get unsent(): number {
    return this.sendBuffer.length - this.sentData;
  }

  /** Ranges received out of order; made when they are first needed. */
  get ranges(): Assembler {
    return this.#ranges ??= new Assembler(RANGES);
  }

  /** Whether anything was received out of order. */
  get hasRanges(): boolean {
    return this.#ranges !== undefined && this.#ranges.ranges > 0;
  }

  /** Sends what is in the send buffer, then no more; receiving goes on. A second call does nothing. */
  close(): void {
    if (this.finWanted || this.state === ConnectionState.Closed) return;
    this.finWanted = true;
    this.tcp.closing(this);
  }

  /** Ends the connection at once and tells the peer so. What was not acknowledged may be lost. */
  abort(): void {
    this.tcp.abort(this);
  }

  /** Tells the layer that the send buffer has more data, or the receive buffer more room. */
  flush(): void {
    if (this.index < 0 || this.state === ConnectionState.Closed) return;
    // RFC 9293 3.8.6.2.2: a window that has opened by more than a crumb is told at once.
    if (canReceive(this.state) && shouldUpdate(this)) this.ackNow = true;
    this.tcp.wants(this);
  }

  /** Probes the peer when it has been silent for two hours (RFC 1122 4.2.3.6), or does not. */
  setKeepAlive(on: boolean): void {
    if (this.keepAlive !== on) this.tcp.keepAlive(this, on);
  }
}

const NO_SINK: ReceiveBuffer = new Sink(0);
