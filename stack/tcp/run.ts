/**
 * Segments of one connection in a row, of one burst, as one: what is known of the first holds for those right behind it,
 * so that only their data is taken, in place. This is generic receive offload in software, without a copy, for NICs that
 * join nothing: it makes the same of a connection as if each segment had come through the tree.
 *
 * @module
 */
import { type Frame, Segmentation } from "../frame.ts";
import type { Receiver } from "../handler.ts";
import type { Passed } from "../link.ts";
import type { Slot } from "../slot.ts";
import * as wire from "../wire/tcp.ts";
import { type Connection, Recovery, TransmitTimer } from "./connection.ts";
import { Likeness } from "./likeness.ts";
import type { SegmentOptions } from "./options.ts";
import type { TcpIn } from "./packet.ts";
import { add } from "./sequence.ts";
import { canReceive } from "./state.ts";
import { acknowledgeText, CE } from "./text.ts";
import { abandon } from "./thrown.ts";
import { receiveWindow } from "./window.ts";

const NOBODY: readonly Passed[] = [];

/** The run that an endpoint receives, if it does. None outlasts its burst. */
export class SegmentRun {
  readonly #like = new Likeness();
  /** Whose segments they are; undefined: there is no run. */
  #connection: Connection | undefined;
  /** The frame that is in the tree, and where it began there: tunnels move that. */
  #frame: Frame | undefined;
  #start = 0;
  /** How much data each segment has; the last one perhaps less. */
  #size = 0;
  #acknowledgment = 0;
  #tsRecent = 0;
  #sndWnd = 0;
  #verifies = true;
  /** Where the layers below count what they hand on. */
  #link: readonly Passed[] = NOBODY;
  #ip: Passed | undefined;
  /** Whether there is data that the user has not heard of. */
  #isUntold = false;

  /** A frame goes through the tree: the run is told before, so that the user hears of everything in order. */
  enter(frame: Frame): void {
    this.tell();
    this.#frame = frame;
    this.#start = frame.start;
  }

  /** A full segment that was expected has come to its connection: others may follow it, if all is as it should be. */
  begin(c: Connection, segment: TcpIn, options: SegmentOptions): void {
    const { ip, frame, flags, sequence, length, acknowledgment } = segment;
    if (frame !== this.#frame || frame.start !== this.#start || frame.segmentation !== Segmentation.None) {
      return;
    }
    if (flags !== wire.Flag.Ack || options.sackBlocks > 0 || (ip.trafficClass & CE) === CE) return;
    if (!isSteady(c) || c.rcvNxt !== add(sequence, length) || c.sndUna !== acknowledgment) return;
    if (!this.#like.learn(frame, ip.headerAt, segment.headerAt, segment.payloadAt, ip.isV4)) return;
    this.#connection = c;
    this.#size = length;
    this.#acknowledgment = acknowledgment;
    this.#tsRecent = c.tsRecent;
    this.#sndWnd = c.sndWnd;
    this.#verifies = segment.info.capabilities.tcp.verify;
    this.#link = ip.link.passed;
    this.#ip = ip.ip.counters;
  }

  /** Takes a frame's data if it is the run's next segment. False: it is to go through the tree. */
  follow({ frame, info }: Slot): boolean {
    const c = this.#connection;
    if (c === undefined || info.timestamp !== c.tcp.clock.now) return false;
    const length = this.#like.payloadOf(frame, c.rcvNxt);
    if (length <= 0 || length > this.#size || frame.segmentation !== Segmentation.None) return false;
    try {
      if (!this.#holds(c, length) || !this.#isRight(c, frame, length)) return false;
      this.#count(c);
      this.#take(c, frame, length);
    } catch (thrown) {
      abandon(c, thrown);
    }
    if (length < this.#size || this.#like.isPushed(frame)) this.end();
    return true;
  }

  /** The user hears of what has come. */
  tell(): void {
    if (!this.#isUntold) return;
    this.#isUntold = false;
    const c = this.#connection;
    if (c === undefined || c.index < 0 || c.rstWanted) return;
    try {
      c.handler.readable?.(c);
    } catch (thrown) {
      abandon(c, thrown);
    }
  }

  /** The burst is over, or the run. */
  end(): void {
    this.tell();
    this.#connection = undefined;
  }

  /** Whether what was found of the first segment would be found of this one. */
  #holds(c: Connection, length: number): boolean {
    return isSteady(c) && c.sndUna === this.#acknowledgment && c.sndWnd === this.#sndWnd &&
      c.tsRecent === this.#tsRecent && length <= receiveWindow(c) && length <= c.receiveBuffer.window;
  }

  #isRight(c: Connection, frame: Frame, length: number): boolean {
    const at = frame.start + this.#like.tcpAt;
    return !this.#verifies || frame.hasTrusted(at) ||
      wire.verifyChecksum(frame.bytes, at, frame.start + this.#like.payloadAt + length, c.remote, c.local);
  }

  #count(c: Connection): void {
    const link = this.#link;
    for (let index = 0; index < link.length; index++) link[index]!.received++;
    this.#ip!.received++;
    const { counters } = c.tcp;
    counters.received++;
    counters.joined++;
  }

  #take(c: Connection, frame: Frame, length: number): void {
    // RFC 9293 3.10.7.4: the window is as it was, and the segment that it came with is this one.
    c.sndWl1 = c.rcvNxt;
    c.sndWl2 = this.#acknowledgment;
    c.receiveBuffer.write(0, frame.bytes, frame.start + this.#like.payloadAt, length);
    c.receiveBuffer.advance(length);
    c.rcvNxt = add(c.rcvNxt, length);
    acknowledgeText(c, length, false);
    this.#isUntold = true;
  }
}

/** A place before a tree: hands on what is not of a run. */
export class RunReceiver implements Receiver<Slot> {
  readonly #run: SegmentRun;
  readonly #tree: Receiver<Slot>;

  /** A place before `tree`, in which the run's endpoint receives. */
  constructor(run: SegmentRun, tree: Receiver<Slot>) {
    this.#run = run;
    this.#tree = tree;
  }

  receive(slot: Slot): void {
    if (this.#run.follow(slot)) return;
    this.#run.enter(slot.frame);
    this.#tree.receive(slot);
  }
}

/** Whether data that comes next is taken for what it is and nothing else. */
function isSteady(c: Connection): boolean {
  return c.index >= 0 && canReceive(c.state) && !c.hasRanges && !c.hasRcvFin && !c.isOrphan && !c.rstWanted &&
    isUndisturbed(c);
}

/** Whether an acknowledgment that is no news changes nothing about what was sent, not even a timer. */
function isUndisturbed(c: Connection): boolean {
  if (c.probeOut || c.recovery !== Recovery.None || c.frtoStep !== 0 || c.reorderWaits) return false;
  const { transmitTimer } = c;
  return c.flight.count === 0 || transmitTimer === TransmitTimer.Retransmission ||
    transmitTimer === TransmitTimer.Probe;
}
