/**
 * A transfer over a model network, on virtual time: a sender made of nothing but a flight and loss recovery, a
 * receiver made of nothing but ranges. Not a TCP, but enough of one to see whether every byte gets there, and how.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Instant, milliseconds, NEVER } from "../../../stack/store/time.ts";
import type { CongestionControl } from "../../../stack/tcp/congestion/control.ts";
import { NewReno } from "../../../stack/tcp/congestion/newreno.ts";
import { Recovery } from "../../../stack/tcp/connection.ts";
import { Flight } from "../../../stack/tcp/flight.ts";
import type { Losses } from "../../../stack/tcp/loss.ts";
import {
  mustHaveTimer,
  noteSent,
  onAckReceived,
  onProbeSent,
  onProbeTimeout,
  onReorderingTimeout,
  onRetransmissionTimeout,
  probeTimeout,
  sendAllowance,
} from "../../../stack/tcp/recovery.ts";
import { RttEstimator } from "../../../stack/tcp/rtt.ts";
import { add, after, before, distance } from "../../../stack/tcp/sequence.ts";
import { ConnectionState } from "../../../stack/tcp/state.ts";
import { Receiver } from "./receiver.ts";

/** The bytes of a full segment. */
export const MSS = 1_000;

/** What can be said of one transmission before it is decided what becomes of it. */
export interface Transmission {
  /** How many left before, retransmissions included. */
  readonly number: number;
  /** Its first byte, counted from the start of the stream. */
  readonly offset: number;
  /** Whether it was sent before. */
  readonly isResend: boolean;
  /** When. */
  readonly now: Instant;
}

/** How a transfer is to go. */
export interface TransferOptions {
  /** Bytes to be sent. */
  readonly length: number;
  /** The round trip without queue or delay. Default 40 ms. */
  readonly rtt?: Instant;
  readonly hasSack?: boolean;
  readonly hasTimestamps?: boolean;
  readonly hasDsack?: boolean;
  /** Segments between two acknowledgments of what comes in order. Default 1. */
  readonly ackEvery?: number;
  /** The first sequence number. */
  readonly start?: number;
  readonly control?: CongestionControl;
  /** Whether a transmission is lost. */
  readonly drop?: (transmission: Transmission) => boolean;
  /** What a transmission is late by. */
  readonly delay?: (transmission: Transmission) => Instant;
  /** Whether the acknowledgment of that number is lost. */
  readonly dropAck?: (number: number) => boolean;
  /** The bottleneck, in bytes a second. */
  readonly rate?: number;
  /** What waits before the bottleneck at most, in bytes. */
  readonly queue?: number;
}

const Timer = { None: 0, Retransmission: 1, Probe: 2, Reordering: 3 } as const;

/** What loss recovery knows of a connection that has just been opened. */
export function lossesOf(control: CongestionControl, start: number = 0, hasSack: boolean = true): Losses {
  control.reset(MSS);
  const flight = new Flight();
  flight.reset(start);
  return {
    state: ConnectionState.Established,
    sendBuffer: { length: 0, fill: () => {}, ack: () => {} },
    sndWnd: 1 << 30,
    sndMss: MSS,
    hasSack,
    hasEcn: true,
    flight,
    rtt: new RttEstimator(),
    control,
    judge: hasSack ? control.judge : undefined,
    recovery: Recovery.None,
    recoverPoint: 0,
    recoverHeld: false,
    duplicateAcks: 0,
    duplicateBytes: 0,
    prrDelivered: 0,
    prrOut: 0,
    prrFlight: 0,
    hasRack: false,
    rackSentAt: 0,
    rackEnd: 0,
    rackRtt: 0,
    rackForwardAck: start,
    reorderWaits: false,
    reorderAt: 0,
    reorderSeen: false,
    reorderWindows: 1,
    reorderPersist: 0,
    reorderRound: 0,
    inReorderRound: false,
    pushWanted: false,
    probeWanted: false,
    probeEnd: 0,
    probeOut: false,
    probeResent: false,
    frtoStep: 0,
    resentAtTimeout: 0,
    timeoutPoint: 0,
    canUndo: false,
    undoPoint: 0,
    undoEnd: 0,
    duplicatesReported: 0,
    ecnPoint: 0,
    ecnReduced: false,
    ecnEchoed: false,
    cwrWanted: false,
    windowLimited: false,
    mostInFlight: 0,
    timeouts: 0,
    usagePoint: 0,
    tcp: { counters: { timeouts: 0, recoveries: 0, undone: 0, probes: 0 } },
  };
}

/** The transfer; {@linkcode Transfer.run} lets it happen. */
export class Transfer {
  readonly c: Losses;
  readonly receiver: Receiver;
  /** Transmissions, and how many of them were sent before. */
  sent = 0;
  resent = 0;
  /** Transmissions that the network lost. */
  lost = 0;
  /** Timeouts that hit a segment which was on its way, or had arrived. */
  spuriousTimeouts = 0;
  now: Instant = 0;
  readonly #options: TransferOptions;
  readonly #start: number;
  readonly #rtt: Instant;
  /** Events in order of time, then of making. */
  readonly #events: { at: Instant; number: number; happen: () => void }[] = [];
  #eventNumber = 0;
  #timer: number = Timer.None;
  #deadline: Instant = NEVER;
  #acks = 0;
  #linkFree: Instant = 0;
  /** Where segments start whose last transmission was lost. */
  readonly #missing = new Set<number>();

  constructor(options: TransferOptions) {
    this.#options = options;
    this.#start = options.start ?? 0;
    this.#rtt = options.rtt ?? milliseconds(40);
    const { hasSack = true, hasDsack = true, ackEvery = 1 } = options;
    this.c = lossesOf(options.control ?? new NewReno(), this.#start, hasSack);
    Object.assign(this.c.sendBuffer, { length: options.length });
    this.receiver = new Receiver(this.#start, hasSack, hasSack && hasDsack, ackEvery);
  }

  /** Lets the transfer happen, and checks that it does: every byte, with a timer armed at all times. */
  run(limit: Instant = 600_000_000): this {
    this.c.rtt.measure(this.#rtt, 0);
    this.#fill();
    while (this.c.flight.count > 0) {
      assert.ok(this.now < limit, `not done after ${limit} us`);
      const event = this.#events[0];
      if (event !== undefined && event.at <= this.#deadline) {
        // A burst: all that has come by now is taken in before anything leaves.
        this.now = event.at;
        while (this.#events[0]?.at === this.now) this.#events.shift()!.happen();
      } else {
        assert.notEqual(this.#deadline, NEVER, "something is in flight, and nothing will happen");
        this.now = this.#deadline;
        this.#expire();
      }
      this.#fill();
      if (mustHaveTimer(this.c)) assert.notEqual(this.#timer, Timer.None, "a timer is armed");
      this.#checkSums();
    }
    assert.equal(this.receiver.next, add(this.#start, this.#options.length));
    assert.equal(this.c.flight.una, this.receiver.next);
    return this;
  }

  get counters(): Losses["tcp"]["counters"] {
    return this.c.tcp.counters;
  }

  /** Bytes a second that got there. */
  get goodput(): number {
    return this.#options.length / this.now * 1e6;
  }

  #checkSums(): void {
    const { flight, control } = this.c;
    assert.ok(flight.lost >= 0 && flight.sacked >= 0 && flight.pipe >= 0, "sums");
    assert.ok(Number.isInteger(control.cwnd) && control.cwnd >= 0, `cwnd ${control.cwnd}`);
    assert.ok(sendAllowance(this.c) >= 0);
  }

  #fill(): void {
    const { c } = this;
    for (;;) {
      const allowance = sendAllowance(c);
      const index = allowance > 0 ? c.flight.firstLost() : -1;
      if (index >= 0) {
        this.#resend(index);
        continue;
      }
      const length = Math.min(MSS, this.#unsent());
      if (length > 0 && length <= allowance) {
        this.#new(length);
        c.probeWanted = false;
        continue;
      }
      if (!c.probeWanted) return;
      if (length > 0) {
        this.#new(length);
        onProbeSent(c, false);
      } else {
        const last = c.flight.lastUnreceived();
        if (last >= 0) this.#resend(last);
        onProbeSent(c, true);
      }
    }
  }

  #unsent(): number {
    return this.#options.length - distance(this.#start, this.c.flight.end);
  }

  #new(length: number): void {
    const { flight } = this.c;
    const from = flight.end;
    flight.push(add(from, length), this.now);
    this.#transmit(from, length, false);
  }

  #resend(index: number): void {
    const { flight } = this.c;
    const from = flight.start(index);
    const length = distance(from, flight.endOf(index));
    flight.resend(index, length, this.now);
    this.resent++;
    this.#transmit(from, length, true);
  }

  #transmit(from: number, length: number, isResend: boolean): void {
    const { c, now } = this;
    noteSent(c, length);
    // RFC 6298 5.1: the timer runs from the first segment on; a retransmission starts it anew.
    if (this.#timer !== Timer.Retransmission || isResend) this.#arm();
    const transmission = { number: this.sent++, offset: distance(this.#start, from), isResend, now };
    this.#missing.delete(from);
    if (this.#options.drop?.(transmission) === true || !this.#fits(length)) {
      this.lost++;
      this.#missing.add(from);
      return;
    }
    const { rate } = this.#options;
    if (rate !== undefined) this.#linkFree = Math.max(now, this.#linkFree) + Math.round(length / rate * 1e6);
    const late = (this.#options.delay?.(transmission) ?? 0) + Math.max(0, this.#linkFree - now);
    const stamp = Math.floor(now / 1_000);
    this.#at(now + this.#rtt / 2 + late, () => this.#arrive(from, length, stamp));
  }

  #fits(length: number): boolean {
    const { rate, queue = Infinity } = this.#options;
    return rate === undefined || (this.#linkFree - this.now) / 1e6 * rate + length <= queue;
  }

  #arrive(from: number, length: number, stamp: number): void {
    const ack = this.receiver.take(from, add(from, length), stamp);
    if (ack === undefined) {
      const number = this.receiver.taken;
      // A delayed acknowledgment.
      this.#at(this.now + milliseconds(40), () => {
        if (this.receiver.taken === number) this.#sendAck(this.receiver.acknowledge());
      });
    } else this.#sendAck(ack);
  }

  #sendAck(ack: ReturnType<Receiver["acknowledge"]>): void {
    if (this.#options.dropAck?.(this.#acks++) === true) return;
    this.#at(this.now + this.#rtt / 2, () => this.#acknowledge(ack));
  }

  #acknowledge(ack: ReturnType<Receiver["acknowledge"]>): void {
    const { c, now } = this;
    const { flight } = c;
    const { una } = flight;
    if (before(ack.next, una)) return;
    const isNew = after(ack.next, una);
    const { sacked } = flight;
    flight.begin();
    if (isNew) flight.ackTo(ack.next);
    Object.assign(c.sendBuffer, { length: this.#options.length - distance(this.#start, flight.una) });
    for (const [left, right] of ack.blocks) flight.sack(left, right);
    const echoAge = this.#options.hasTimestamps === true ? (Math.floor(now / 1_000) - ack.echo) * 1_000 : -1;
    const leastAge = echoAge < 0 ? -1 : echoAge - 999 + now % 1_000;
    if (flight.hasNewest && !flight.newestResent) {
      c.rtt.measure(now - flight.newestSentAt, now);
      c.control.onRoundTrip?.(now - flight.newestSentAt, flight.una, flight.end);
    } else if (isNew && echoAge >= 0) c.rtt.measure(echoAge, now);
    const [left, right] = ack.duplicate;
    const isBare = !isNew;
    onAckReceived(
      c,
      now,
      isNew,
      distance(una, flight.una),
      flight.sacked !== sacked,
      left !== right,
      isBare,
      left,
      right,
      leastAge,
    );
    if (flight.count === 0) this.#setTimer(Timer.None, NEVER);
    else if (c.reorderWaits || isNew || this.#timer === Timer.Reordering) this.#arm();
  }

  #expire(): void {
    const { c, now } = this;
    const timer = this.#timer;
    this.#setTimer(Timer.None, NEVER);
    if (timer === Timer.Reordering) onReorderingTimeout(c, now);
    else if (timer === Timer.Probe) {
      onProbeTimeout(c);
      this.#setTimer(Timer.Retransmission, now + c.rtt.rto);
      return;
    } else {
      if (!this.#missing.has(c.flight.una)) this.spuriousTimeouts++;
      onRetransmissionTimeout(c, now);
    }
    this.#arm();
  }

  #arm(): void {
    const { c, now } = this;
    const probe = probeTimeout(c);
    if (c.reorderWaits) this.#setTimer(Timer.Reordering, Math.max(now, c.reorderAt));
    else if (probe >= 0) this.#setTimer(Timer.Probe, now + probe);
    else this.#setTimer(Timer.Retransmission, now + c.rtt.rto);
  }

  #setTimer(timer: number, at: Instant): void {
    this.#timer = timer;
    this.#deadline = at;
  }

  #at(at: Instant, happen: () => void): void {
    const event = { at, number: this.#eventNumber++, happen };
    let index = this.#events.length;
    while (index > 0 && this.#events[index - 1]!.at > at) index--;
    this.#events.splice(index, 0, event);
  }
}
