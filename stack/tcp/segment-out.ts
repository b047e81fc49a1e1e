/**
 * What a connection sends next: RFC 9293 3.8.6 and 3.10.2, one segment at a time.
 *
 * @module
 */
import { LayerError } from "../error.ts";
import { type Instant, seconds } from "../store/time.ts";
import * as wire from "../wire/tcp-options.ts";
import { Flag } from "../wire/tcp.ts";
import type { Micros } from "./clock.ts";
import { CloseReason, type Connection, TransmitTimer } from "./connection.ts";
import type { TcpInit, TcpOut, TcpRaw } from "./packet.ts";
import { armPacing, pacingWait } from "./pacing.ts";
import { isResendDue, noteSent, onIdleRestart, onProbeSent, sendAllowance } from "./recovery.ts";
import { add, before, distance } from "./sequence.ts";
import { ConnectionState } from "./state.ts";
import { timestampNow } from "./timestamp.ts";
import { sized, superLimit } from "./super-segment.ts";
import { armAfterSend, armPersist, armRefused, armRetransmission } from "./timers.ts";
import { advertise, advertiseUnscaled } from "./window.ts";

/** What {@linkcode SegmentWriter.fill} did. */
export const Filled = {
  /** A segment left; there may be more. */
  Sent: 0,
  /** There is nothing to send now. */
  Nothing: 1,
  /** There is, but the next hop is being looked up, or the NIC refused. */
  Blocked: 2,
} as const;

/** One of {@linkcode Filled}'s numbers. */
export type Filled = (typeof Filled)[keyof typeof Filled];

class ReusedInit implements TcpInit {
  source!: TcpInit["source"];
  destination!: TcpInit["destination"];
  sourcePort = 0;
  destinationPort = 0;
  sequence = 0;
  acknowledgment = 0;
  flags = 0;
  window = 0;
  optionsLength = 0;
  length = 0;
  segmentSize = 0;
  trafficClass = 0;
}

/** ECT(0), as RFC 3168 6.1.2 has data carry it. */
const ECT0 = 2;

/** How long a neighbour is looked up. */
const LOOK_UP: Instant = seconds(3);

/** Fills empty buffers with a connection's segments. */
export class SegmentWriter {
  readonly #init = new ReusedInit();

  /** Fills `raw` with the next segment, if there is one. */
  fill(c: Connection, raw: TcpRaw, now: Micros): Filled {
    if (c.rstWanted) return this.#control(c, raw, now, c.sndNxt, Flag.Rst | Flag.Ack);
    if (c.state === ConnectionState.SynSent || c.state === ConnectionState.SynReceived) {
      return this.#syn(c, raw, now);
    }
    if (c.flight.count === 0 && c.unsent > 0) onIdleRestart(c);
    const wait = isResendDue(c) ? 0 : pacingWait(c, now);
    const allowance = wait > 0 ? 0 : sendAllowance(c);
    const lost = allowance > 0 ? c.flight.firstLost() : -1;
    if (lost >= 0) return this.#resend(c, raw, now, lost);
    const length = c.finSent ? 0 : this.#newLength(c, raw, Math.min(allowance, this.#windowLeft(c)));
    if (length > 0 || this.#finIsNext(c, length)) return this.#data(c, raw, now, length);
    if (c.probeWanted) {
      const filled = this.#probe(c, raw, now);
      if (filled !== Filled.Nothing) return filled;
    }
    if (c.windowProbeWanted) return this.#control(c, raw, now, add(c.sndUna, -1), Flag.Ack);
    if (c.ackNow) return this.#control(c, raw, now, c.sndNxt, Flag.Ack);
    if (wait > 0) armPacing(c, wait);
    else if (!c.finSent && (c.finWanted || c.unsent > 0)) armPersist(c);
    if (allowance >= c.sndMss) noteAppLimited(c);
    return Filled.Nothing;
  }

  /** How much the peer's window still takes. */
  #windowLeft(c: Connection): number {
    return Math.max(0, c.sndWnd - distance(c.sndUna, c.sndNxt));
  }

  /** How much new data leaves next, in one segment or in many in one; 0: none is to be sent now. */
  #newLength(c: Connection, raw: TcpRaw, usable: number): number {
    const unsent = c.unsent;
    if (unsent <= 0 || usable <= 0) return 0;
    const options = this.#optionsLength(c);
    const mss = Math.max(1, c.sndMss - options);
    if (usable < mss || unsent < mss) return this.#shortLength(c, Math.min(usable, unsent), unsent);
    const most = Math.min(usable, superLimit(c, raw.info, mss, options));
    // RFC 9293 3.7.4: the short rest of the data goes along, where it might go by itself.
    if (unsent <= most && unsent % mss > 0 && this.#mayEndShort(c)) return unsent;
    return sized(Math.min(unsent, most), mss);
  }

  /** The same, for less than a full segment. */
  #shortLength(c: Connection, length: number, unsent: number): number {
    if (c.pushWanted) return length;
    // RFC 9293 3.8.6.2.1 (3): a large part of what the peer has ever taken.
    if (length < unsent) return 2 * length >= c.maxSndWnd ? length : 0;
    return this.#mayEndShort(c) ? length : 0;
  }

  /** RFC 9293 3.7.4, with Minshall's change: the rest of the data may go while no other short segment is out. */
  #mayEndShort(c: Connection): boolean {
    return c.finWanted || (!c.cork && (c.noDelay || !before(c.sndUna, c.lastShortEnd)));
  }

  /** Whether the FIN follows `length` bytes of new data. It has a number, so it needs room in the window as well. */
  #finIsNext(c: Connection, length: number): boolean {
    return c.finWanted && !c.finSent && c.unsent === length && c.state >= ConnectionState.Established &&
      this.#windowLeft(c) > length;
  }

  #payloadMss(c: Connection): number {
    return Math.max(1, c.sndMss - this.#optionsLength(c));
  }

  #optionsLength(c: Connection): number {
    let length = c.hasTimestamps ? wire.TIMESTAMPS_LENGTH : 0;
    const blocks = this.#sackCount(c);
    if (blocks > 0) length += wire.SACK_LENGTH + blocks * wire.SACK_BLOCK_LENGTH;
    return length;
  }

  #sackCount(c: Connection): number {
    if (!c.hasSack) return 0;
    const room = c.hasTimestamps ? 3 : 4;
    const duplicate = c.dsackLeft !== c.dsackRight ? 1 : 0;
    return Math.min(room, duplicate + (c.hasRanges ? c.ranges.ranges : 0));
  }

  #data(c: Connection, raw: TcpRaw, now: Micros, wanted: number): Filled {
    const mss = this.#payloadMss(c);
    // RFC 3168 6.1.2: CWR is on one segment only, which therefore leaves by itself.
    const length = c.cwrWanted ? Math.min(wanted, mss) : wanted;
    const init = this.#begin(c, c.sndNxt, Flag.Ack, length);
    if (length > mss) init.segmentSize = mss;
    const offset = c.sentData;
    const isFin = this.#finIsNext(c, length);
    if (isPushed(c, offset, length)) init.flags |= Flag.Psh;
    if (isFin) init.flags |= Flag.Fin;
    this.#markEcn(c, init, length);
    const out = this.#prepare(c, raw);
    if (out === undefined) return Filled.Blocked;
    c.pushWanted = false;
    if ((init.flags & Flag.Cwr) !== 0) c.cwrWanted = false;
    c.sendBuffer.fill(offset, out.frame.bytes, out.payloadAt, length);
    const end = add(c.sndNxt, length + (isFin ? 1 : 0));
    if (length % mss > 0) c.lastShortEnd = end;
    if (isFin) this.#finGoes(c);
    c.flight.pushAll(length, isFin, mss, now);
    return this.#sent(c, out, now, length);
  }

  #resend(c: Connection, raw: TcpRaw, now: Micros, index: number): Filled {
    const start = c.flight.start(index);
    const end = c.flight.endOf(index);
    const hasFin = c.finSent && end === c.sndNxt;
    const data = distance(start, end) - (hasFin ? 1 : 0);
    const length = Math.min(data, this.#payloadMss(c));
    const isFin = hasFin && length === data;
    const offset = distance(c.sndUna, start);
    const init = this.#begin(c, start, isFin ? Flag.Ack | Flag.Fin : Flag.Ack, length);
    if (isPushed(c, offset, length)) init.flags |= Flag.Psh;
    const out = this.#prepare(c, raw);
    if (out === undefined) return Filled.Blocked;
    c.sendBuffer.fill(offset, out.frame.bytes, out.payloadAt, length);
    c.flight.resend(index, length + (isFin ? 1 : 0), now);
    c.tcp.counters.retransmitted++;
    c.retransmitted++;
    const filled = this.#sent(c, out, now, length);
    // What was sent again has its own round trip before it, so a timer that ran for the original starts over.
    if (start === c.sndUna && c.transmitTimer === TransmitTimer.Retransmission) armRetransmission(c, now);
    return filled;
  }

  /** RFC 8985 7.3: new data if there is any, else the last segment once more. */
  #probe(c: Connection, raw: TcpRaw, now: Micros): Filled {
    const fresh = c.finSent ? 0 : Math.min(c.unsent, this.#windowLeft(c), this.#payloadMss(c));
    if (fresh > 0) {
      const filled = this.#data(c, raw, now, fresh);
      if (filled === Filled.Sent) onProbeSent(c, false);
      return filled;
    }
    const last = c.flight.lastUnreceived();
    if (last < 0) c.probeWanted = false;
    const filled = last < 0 ? Filled.Nothing : this.#resend(c, raw, now, last);
    if (filled === Filled.Sent) onProbeSent(c, true);
    return filled;
  }

  #control(c: Connection, raw: TcpRaw, now: Micros, sequence: number, flags: number): Filled {
    this.#begin(c, sequence, flags, 0);
    const out = this.#prepare(c, raw);
    if (out === undefined) return Filled.Blocked;
    c.windowProbeWanted = false;
    return this.#sent(c, out, now, 0);
  }

  #syn(c: Connection, raw: TcpRaw, now: Micros): Filled {
    // RFC 9293 3.10.7.4: what is not acceptable in SYN-RECEIVED is answered with an ACK like anywhere else.
    if (!c.synWanted) return c.ackNow ? this.#control(c, raw, now, c.sndNxt, Flag.Ack) : Filled.Nothing;
    const isAnswer = c.state === ConnectionState.SynReceived;
    const init = this.#begin(c, c.iss, isAnswer ? Flag.Syn | Flag.Ack : Flag.Syn, 0);
    init.acknowledgment = isAnswer ? c.rcvNxt : 0;
    init.window = advertiseUnscaled(c);
    init.optionsLength = synOptionsLength(c);
    if (c.hasEcn) init.flags |= isAnswer ? Flag.Ece : Flag.Ece | Flag.Cwr;
    const out = raw.prepare(init);
    if (typeof out === "number") return this.#refused(c, out);
    writeSynOptions(c, out.frame.bytes, out.optionsAt);
    if (c.flight.count === 0) c.flight.push(add(c.iss, 1), now);
    else c.flight.resend(0, 1, now);
    c.synWanted = false;
    return this.#sent(c, out, now, 0);
  }

  #begin(c: Connection, sequence: number, flags: number, length: number): ReusedInit {
    const init = this.#init;
    init.source = c.local;
    init.destination = c.remote;
    init.sourcePort = c.localPort;
    init.destinationPort = c.remotePort;
    init.sequence = sequence;
    init.acknowledgment = c.rcvNxt;
    init.flags = flags;
    init.length = length;
    init.segmentSize = 0;
    init.trafficClass = 0;
    // RFC 3168 6.1.3: the echo goes on until the peer says that it has reduced its window.
    if (c.ecnEcho) init.flags |= Flag.Ece;
    return init;
  }

  /** RFC 3168 6.1.5: only new data carries ECT, and the first of it tells that the window was reduced. */
  #markEcn(c: Connection, init: ReusedInit, length: number): void {
    if (!c.hasEcn || length === 0) return;
    init.trafficClass = ECT0;
    if (c.cwrWanted) init.flags |= Flag.Cwr;
  }

  #prepare(c: Connection, raw: TcpRaw): TcpOut | undefined {
    const init = this.#init;
    const blocks = this.#sackCount(c);
    init.optionsLength = this.#optionsLength(c);
    init.window = advertise(c);
    const out = raw.prepare(init);
    if (typeof out === "number") {
      this.#refused(c, out);
      return undefined;
    }
    const { bytes } = out.frame;
    let at = out.optionsAt;
    if (c.hasTimestamps) at = wire.putTimestamps(bytes, at, timestampNow(c), c.tsRecent);
    if (blocks > 0) writeSack(c, bytes, at, blocks);
    return out;
  }

  #refused(c: Connection, error: number): Filled {
    if (error === LayerError.BadSize) c.tcp.tooLong(c);
    armRefused(c);
    if (error === LayerError.Unreachable && isGivenUp(c)) c.tcp.end(c, CloseReason.Unreachable);
    return Filled.Blocked;
  }

  #finGoes(c: Connection): void {
    c.finSent = true;
    c.state = c.state === ConnectionState.CloseWait ? ConnectionState.LastAck : ConnectionState.FinWait1;
  }

  #sent(c: Connection, out: TcpOut, now: Micros, length: number): Filled {
    const isAck = (out.flags & Flag.Ack) !== 0;
    // A NIC that refuses the frame loses it like any other: the timers see to it.
    out.send();
    if (isAck) {
      c.lastAckSent = c.rcvNxt;
      c.ackNow = c.ackDelayed = false;
      c.unacked = 0;
      c.dsackLeft = c.dsackRight = 0;
      if (c.quickAcks > 0) c.quickAcks--;
    }
    noteSent(c, length);
    c.pacer?.take(length);
    if (length > 0) c.lastSentAt = c.tcp.clock.now;
    armAfterSend(c, now, length > 0 || (out.flags & (Flag.Syn | Flag.Fin)) !== 0);
    return Filled.Sent;
  }
}

/** Whether what has just left was all that a connection has to send, so that it need not be asked for more. */
export function isDone(c: Connection): boolean {
  if (c.sendBuffer.length > c.sentData || (c.finWanted && !c.finSent) || c.flight.lost > 0) return false;
  if (c.ackNow || c.probeWanted || c.windowProbeWanted || c.rstWanted || c.synWanted) return false;
  if (c.flight.rates !== undefined && sendAllowance(c) >= c.sndMss) noteAppLimited(c);
  return true;
}

/** There is less to send than the network would take: what that measures is the user's rate and not the path's. */
function noteAppLimited(c: Connection): void {
  if (c.unsent < c.sndMss) c.flight.rates?.onAppLimited(c.flight.pipe);
}

/**
 * RFC 9293 3.9.1.2: what is the end of the data for now is pushed. So is a probe, for many a peer acknowledges at once
 * what was pushed, and keeps a single segment without it waiting for another.
 */
function isPushed(c: Connection, offset: number, length: number): boolean {
  return length > 0 && (c.probeWanted || offset + length === c.sendBuffer.length);
}

/**
 * Whether the peer of a connection whose SYN could not leave is given up: its neighbour was asked for three times, a
 * second each (RFC 4861 7.2.2; RFC 1122 2.3.2.2 has the same for ARP), or there is no way.
 */
function isGivenUp(c: Connection): boolean {
  return c.state === ConnectionState.SynSent && c.flight.count === 0 &&
    c.tcp.clock.now - c.stalledSince >= LOOK_UP;
}

/** The options of a SYN: MSS always, the others as far as both sides may use them. */
export function synOptionsLength(c: Connection): number {
  return wire.MSS_LENGTH + (c.rcvScale >= 0 ? wire.WINDOW_SCALE_LENGTH : 0) +
    (c.hasTimestamps ? wire.TIMESTAMPS_LENGTH : 0) + (c.hasSack ? wire.SACK_PERMITTED_LENGTH : 0);
}

function writeSynOptions(c: Connection, bytes: Uint8Array, at: number): void {
  at = wire.putMss(bytes, at, c.tcp.ownMss(c));
  if (c.rcvScale >= 0) at = wire.putWindowScale(bytes, at, c.rcvScale);
  if (c.hasTimestamps) at = wire.putTimestamps(bytes, at, timestampNow(c), c.tsRecent);
  if (c.hasSack) wire.putSackPermitted(bytes, at);
}

/** RFC 2018 4: the block of the latest segment first; RFC 2883 4: a duplicate before all others. */
function writeSack(c: Connection, bytes: Uint8Array, at: number, blocks: number): void {
  at = wire.putSack(bytes, at, blocks);
  let left = blocks;
  if (c.dsackLeft !== c.dsackRight) {
    at = wire.putSackBlock(bytes, at, c.dsackLeft, c.dsackRight);
    left--;
  }
  for (let rank = 0; rank < left; rank++) {
    const range = c.ranges.recent(rank);
    at = wire.putSackBlock(
      bytes,
      at,
      add(c.rcvNxt, c.ranges.start(range)),
      add(c.rcvNxt, c.ranges.end(range)),
    );
  }
}
