/**
 * A connection: the transmission control block of RFC 9293 3.3.1, and what its user may do with it.
 *
 * @module
 */
import type { Instant } from "../store/time.ts";
import { Assembler } from "../store/assembler.ts";
import { NO_KEY } from "../store/slot-map.ts";
import { Address } from "../wire/address.ts";
import { EMPTY, type ReceiveBuffer, type SendBuffer, Sink } from "./buffers.ts";
import type { Micros } from "./clock.ts";
import type { CongestionControl } from "./congestion/control.ts";
import type { LossJudge } from "./congestion/loss-judge.ts";
import type { Tcp } from "./endpoint.ts";
import { Flight } from "./flight.ts";
import { CloseReason, type ConnectionHandler } from "./handler.ts";
import type { Listener } from "./listener.ts";
import type { Pacer } from "./pacing.ts";
import type { ReceiveTuning } from "./receive-tuning.ts";
import { RttEstimator } from "./rtt.ts";
import { distance } from "./sequence.ts";
import { canReceive, ConnectionState } from "./state.ts";
import { KEEPALIVE_IDLE } from "./keepalive.ts";
import { shouldUpdate } from "./window.ts";

export { CloseReason, type ConnectionHandler };

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
const RANGES = 128;

/** Made by {@linkcode Tcp}. The fields are the layer's: a user reads them at most. */
export class Connection {
  /** The endpoint. */
  readonly tcp: Tcp;
  /** Its key in the endpoint; stale once the connection is gone. */
  key: number = NO_KEY;
  /** Its number among the endpoint's slots, while it lives. */
  index: number = -1;
  /** The own address. */
  readonly local: Address = new Address();
  /** The own port. */
  localPort: number = 0;
  /** The peer's address. */
  readonly remote: Address = new Address();
  /** The peer's port. */
  remotePort: number = 0;
  /** Where in its life it is. */
  state: ConnectionState = ConnectionState.Closed;
  /** Whether we opened it. */
  isActive: boolean = false;
  /** Whose it is until the handshake is complete. */
  listener: Listener | undefined;
  /** It goes when what it has to send now has left. */
  lastWords: boolean = false;
  /** Its user. */
  handler: ConnectionHandler = {};
  /** Where data to be sent comes from. */
  sendBuffer: SendBuffer = EMPTY;
  /** Where received data goes. */
  receiveBuffer: ReceiveBuffer = NO_SINK;

  // RFC 9293 3.3.1, send sequence variables. SND.NXT is `flight.end`: what was lost stays in flight until it is acked.
  /** ISS: the number of our SYN. */
  iss: number = 0;
  /** SND.UNA: the oldest number that is not acknowledged. */
  sndUna: number = 0;
  /** SND.WND: what the peer takes from SND.UNA on. */
  sndWnd: number = 0;
  /** SND.WL1: the sequence number of the segment that set the window. */
  sndWl1: number = 0;
  /** SND.WL2: the acknowledgment number of the segment that set the window. */
  sndWl2: number = 0;
  /** The largest window that the peer has ever offered, for silly window avoidance (RFC 9293 3.8.6.2.1). */
  maxSndWnd: number = 0;
  /** By how much the peer's windows are shifted. */
  sndScale: number = 0;
  /** The most data that a segment to the peer may carry, options not deducted. */
  sndMss: number = 536;

  // RFC 9293 3.3.1, receive sequence variables.
  /** IRS: the number of the peer's SYN. */
  irs: number = 0;
  /** RCV.NXT: the next number that is expected. */
  rcvNxt: number = 0;
  /** The right edge of the window that the peer was last told. */
  rcvEdge: number = 0;
  /** The furthest edge that the peer was ever told: RCV.NXT + RCV.WND. */
  rcvMaxEdge: number = 0;
  /** By how much our windows are shifted. */
  rcvScale: number = 0;
  /** The most room that the receive buffer has had, for silly window avoidance (RFC 9293 3.8.6.2.2). */
  rcvRoom: number = 0;
  /** The size of the peer's full segments, as far as can be told, for delayed acknowledgments. */
  rcvMss: number = 536;
  /** The size of the last segment that was smaller, which is full as well if the next one is as long. */
  rcvShort: number = 0;
  /** The receive buffer that was last looked at, whether it may grow. */
  tunedBuffer: ReceiveBuffer | undefined;
  /** @internal Lets that buffer grow, if it may. */
  tuning: ReceiveTuning | undefined;
  /** The largest congestion window that the send buffer is known to have room for, twice. */
  roomyCwnd: number = 0;
  /** What both buffers have grown by. */
  grown: number = 0;
  /** The sequence number of the peer's FIN, once it is known. */
  rcvFin: number = 0;
  /** Whether the peer's FIN is known. */
  hasRcvFin: boolean = false;
  /** Data received since the last acknowledgment left. */
  unacked: number = 0;
  /** Acknowledgments that are to leave at once at the start, so that the peer's window opens fast. */
  quickAcks: number = 0;
  #ranges: Assembler | undefined;

  /** The end of the last segment sent that was not full: while it is in flight, no other short one leaves. */
  lastShortEnd: number = 0;

  /** The user wants no more to be sent; our FIN follows the last byte of the send buffer. */
  finWanted: boolean = false;
  /** Our FIN has been sent: it is the last number in flight. */
  finSent: boolean = false;

  // Options.
  /** Sends short segments at once, without waiting for more data (RFC 9293 3.7.4). */
  noDelay: boolean = false;
  /** Only whole segments leave, until it is taken back, the connection is closed, or a timeout has passed. */
  cork: boolean = false;
  /** Both sides send timestamps (RFC 7323 3). */
  hasTimestamps: boolean = false;
  /** What our timestamp clock starts at. */
  tsOffset: number = 0;
  /** TS.Recent: the peer's timestamp that is echoed. */
  tsRecent: number = 0;
  /** When it was taken. */
  tsRecentAt: Instant = 0;
  /** The last acknowledgment number that was sent: RFC 7323 4.3 has only segments that span it set TS.Recent. */
  lastAckSent: number = 0;
  /** Both sides take SACK (RFC 2018). */
  hasSack: boolean = false;
  /** A duplicate to be reported (RFC 2883). */
  dsackLeft: number = 0;
  /** Where that duplicate ends; equal: there is none. */
  dsackRight: number = 0;
  /** Both sides use ECN (RFC 3168). */
  hasEcn: boolean = false;
  /** A mark of congestion is echoed until the peer has reduced its window. */
  ecnEcho: boolean = false;
  /** The next new data tells that our window was reduced. */
  cwrWanted: boolean = false;
  /** Where the last reduction for a mark of congestion ends: one a window (RFC 3168 6.1.2). */
  ecnPoint: number = 0;

  // What is to be sent beside data.
  /** An acknowledgment is to leave at once. */
  ackNow: boolean = false;
  /** An acknowledgment waits for company. */
  ackDelayed: boolean = false;
  /** Our SYN is to leave. */
  synWanted: boolean = false;
  /** A tail loss probe is to leave. */
  probeWanted: boolean = false;
  /** A probe of the closed window, or of an idle peer, is to leave. */
  windowProbeWanted: boolean = false;
  /** What there is, or a small window takes, is to be sent, though it is little. */
  pushWanted: boolean = false;
  /** A reset is to leave, and is the last. */
  rstWanted: boolean = false;
  /** A SYN was lost, so the first window is small (RFC 6928 2). */
  synLost: boolean = false;

  // Loss.
  /**
   * What was sent and is not acknowledged.
   *
   * @internal
   */
  readonly flight: Flight = new Flight();
  /**
   * The round trip, and the timeout that follows from it.
   *
   * @internal
   */
  readonly rtt: RttEstimator = new RttEstimator();
  /** The congestion control. */
  control!: CongestionControl;
  /**
   * Tells losses that show congestion from others, if the congestion control wants that.
   *
   * @internal
   */
  judge: LossJudge | undefined;
  /** @internal Spreads segments over time, if the congestion control has a rate. */
  pacer: Pacer | undefined;
  /** @internal Whether losses are being repaired, and how they were found. */
  recovery: Recovery = Recovery.None;
  /** Where SND.NXT was when recovery began: it ends when that is acknowledged. */
  recoverPoint: number = 0;
  /** Duplicate acknowledgments in a row (RFC 5681 2). */
  duplicateAcks: number = 0;
  /** RFC 9937: bytes delivered in this recovery. */
  prrDelivered: number = 0;
  /** RFC 9937: bytes sent in this recovery. */
  prrOut: number = 0;
  /** RFC 9937: bytes in flight when it began. */
  prrFlight: number = 0;
  /** RFC 8985: whether a segment in flight has arrived that times are told by. */
  hasRack: boolean = false;
  /** RFC 8985: when the segment sent last, of those that have arrived, left. */
  rackSentAt: Micros = 0;
  /** RFC 8985: where that segment ends. */
  rackEnd: number = 0;
  /** RFC 8985: its round trip. */
  rackRtt: number = 0;
  /** RFC 8985: the highest number that has arrived. */
  rackForwardAck: number = 0;
  /** RFC 8985: the path has been seen to reorder. */
  reorderSeen: boolean = false;
  /** RFC 8985: by how many quarters of a round trip patience has grown. */
  reorderWindows: number = 1;
  /** RFC 8985: recoveries for which that lasts. */
  reorderPersist: number = 0;
  /** A tail loss probe is out, up to this number. */
  probeEnd: number = 0;
  /** A tail loss probe is out. */
  probeOut: boolean = false;
  /** That probe was old data. */
  probeResent: boolean = false;
  /** RFC 5682: how far F-RTO has come after a timeout; 0: it is not at work. */
  frtoStep: number = 0;
  /** What `flight.resent` was when the retransmission timer last ran out. */
  resentAtTimeout: number = 0;
  /** Where SND.UNA was then. */
  timeoutPoint: number = 0;
  /** Bytes that duplicate acknowledgments stand for, where there is no SACK to tell. */
  duplicateBytes: number = 0;
  /** The last recovery has ended just at SND.UNA: duplicates may still be echoes of it (RFC 6582 3.2, step 1). */
  recoverHeld: boolean = false;
  /** Whether RACK waits for what it would otherwise take for lost. */
  reorderWaits: boolean = false;
  /** Until when. */
  reorderAt: Micros = 0;
  /** RFC 8985 6.2, step 4: duplicates reported up to this number have widened the reordering window once. */
  reorderRound: number = 0;
  /** Whether that number counts. */
  inReorderRound: boolean = false;
  /** The last reduction may turn out to have been wrong: where it began, where that ends to matter, what proves it. */
  canUndo: boolean = false;
  /** Where the last reduction began. */
  undoPoint: number = 0;
  /** Where it ends to matter. */
  undoEnd: number = 0;
  /** Retransmissions that the peer has reported as duplicates since. */
  duplicatesReported: number = 0;
  /** The window was reduced for a mark of congestion, and `ecnPoint` is not acknowledged yet. */
  ecnReduced: boolean = false;
  /** The acknowledgment that is being read carries a mark: it opens no window (RFC 3168 6.1.2). */
  ecnEchoed: boolean = false;
  /** Whether the congestion window is what holds us back, and how much was in flight, up to this number. */
  windowLimited: boolean = false;
  /** The most that was in flight. */
  mostInFlight: number = 0;
  /** The number up to which that is judged. */
  usagePoint: number = 0;
  /** When the oldest segment in flight was first sent without anything being acknowledged since: the user timeout. */
  stalledSince: Instant = -1;
  /** Segments that were sent again. */
  retransmitted: number = 0;
  /** How often the retransmission timer has run out on data. */
  timeouts: number = 0;
  /** When a segment left last. */
  lastSentAt: Instant = 0;
  /** When a segment came last. */
  lastHeardAt: Instant = 0;

  // Timers.
  /**
   * What the transmit timer stands for.
   *
   * @internal
   */
  transmitTimer: TransmitTimer = TransmitTimer.None;
  /** How often the closed window was probed. */
  persistBackoff: number = 0;
  /** Since when the peer's window has been closed. */
  persistSince: Instant = 0;
  /** The user has let go: nobody reads what the peer still sends. */
  isOrphan: boolean = false;
  /** When an orphan in FIN-WAIT-2 has waited long enough for the peer's FIN; negative: it does not wait yet. */
  finDue: Instant = -1;
  /** Probes of an idle peer that were not answered. */
  keepAliveProbes: number = 0;
  /** Probes an idle peer (RFC 9293 3.8.4). */
  keepAlive: boolean = false;
  /** How long that is silent before. */
  keepAliveIdle: Instant = KEEPALIVE_IDLE;
  /** How long unanswered data may wait (RFC 5482). */
  userTimeout: Instant = 0;
  /** Challenge ACKs in the present second. */
  challengeAcks: number = 0;
  /** Which second that is. */
  challengeSecond: number = -1;
  /** Probes of the peer's, of a window or of our life, that were answered since `probedAt`. */
  probeAnswers: number = 0;
  /** When the first of them came. */
  probedAt: Instant = -1;
  /** An ICMP error that is told when the connection times out (RFC 5461 2). */
  softError: boolean = false;

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

  /**
   * Ranges received out of order; made when they are first needed.
   *
   * @internal
   */
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

  /**
   * Probes the peer when it has been silent for `idle` microseconds, or does not. Unless told otherwise it is two hours
   * (RFC 1122 4.2.3.6), or what it was before.
   */
  setKeepAlive(on: boolean, idle: Instant = this.keepAliveIdle): void {
    if (this.keepAlive === on && this.keepAliveIdle === idle) return;
    this.keepAliveIdle = idle;
    this.tcp.keepAlive(this, on);
  }
}

const NO_SINK: ReceiveBuffer = new Sink(0);
