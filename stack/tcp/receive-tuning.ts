/**
 * How a receive buffer follows its path ("dynamic right-sizing", Fisk and Feng): it holds twice what its user takes in
 * a round trip, so that the window is never what holds the peer back, and no more than that for a user who is slow.
 *
 * @module
 */
import type { Growing } from "./buffer-size.ts";
import type { ReceiveBuffer } from "./buffers.ts";
import { elapsed, type Micros } from "./clock.ts";
import type { Connection } from "./connection.ts";
import type { SegmentOptions } from "./options.ts";
import { add, after, before, distance } from "./sequence.ts";
import { timestampAge } from "./timestamp.ts";

/** The least round trip that is told apart, in microseconds: a tick of the timestamp clock. */
const LEAST_ROUND_TRIP = 1_000;

/** What is known of one connection's receiving. */
export class ReceiveTuning {
  readonly #buffer: ReceiveBuffer;
  readonly #growing: Growing;
  /** The round trip, as the receiver sees it, in microseconds; 0: nothing is known of it. */
  #roundTrip = 0;
  /** The timestamp of ours that was echoed last. */
  #echo = 0;
  /** Without timestamps: where the window ended that was newly offered, and when that was. */
  #offeredEnd: number;
  #offeredAt: Micros = 0;
  #isFilling = false;
  /** Where there was room up to when the round began: it moves on by what the user takes. */
  #mark: number;
  #markedAt: Micros;
  /** What the user took in the round before. */
  #taken = 0;

  /** For a connection with a buffer that may grow. */
  constructor(c: Connection, buffer: ReceiveBuffer, growing: Growing) {
    this.#buffer = buffer;
    this.#growing = growing;
    this.#roundTrip = c.rtt.srtt;
    this.#mark = this.#offeredEnd = roomEnd(c, buffer);
    this.#markedAt = c.tcp.clock.micros;
  }

  /** The round trip, as the receiver sees it, in microseconds; 0: nothing is known of it. */
  get roundTrip(): number {
    return this.#roundTrip;
  }

  /** A full segment of data has come: what it echoes left a round trip ago, or earlier if the peer had nothing to send. */
  onData(c: Connection, options: SegmentOptions): void {
    const { tsEcho } = options;
    if (!c.hasTimestamps || !options.hasTimestamp || tsEcho === 0 || tsEcho === this.#echo) return;
    const age = timestampAge(c, tsEcho);
    if (age < 0) return;
    this.#echo = tsEcho;
    const known = this.#roundTrip;
    this.#roundTrip = known === 0 || age < known ? age : known + ((age - known) >> 3);
    if (this.#roundTrip === 0) this.#roundTrip = LEAST_ROUND_TRIP;
  }

  /** A window is about to be offered: lets the buffer grow before, once a round trip. */
  onOffer(c: Connection): void {
    const now = c.tcp.clock.micros;
    if (!c.hasTimestamps) this.#timeWindow(c, now);
    if (this.#roundTrip === 0) this.#roundTrip = c.rtt.srtt;
    if (this.#roundTrip === 0) return;
    const age = elapsed(this.#markedAt, now);
    if (age >= 0 && age < Math.max(LEAST_ROUND_TRIP, this.#roundTrip)) return;
    const growing = this.#growing;
    const taken = Math.min(growing.most, Math.max(0, distance(this.#mark, roomEnd(c, this.#buffer))));
    // A peer in slow start has twice that on its way now, and four times before it is measured again: six leave room.
    const wanted = 2 * taken + Math.min(4 * taken, 8 * Math.max(0, taken - this.#taken));
    if (wanted > growing.limit) {
      c.tcp.growth.grow(c, growing, Math.min(wanted, c.tcp.options.receiveWindow));
    }
    this.#taken = taken;
    this.#mark = roomEnd(c, this.#buffer);
    this.#markedAt = now;
  }

  /** Where nothing else tells: the end of what is newly offered does not come before a round trip. */
  #timeWindow(c: Connection, now: Micros): void {
    if (this.#isFilling) {
      if (before(c.rcvNxt, this.#offeredEnd)) return;
      this.#isFilling = false;
      const sample = elapsed(this.#offeredAt, now);
      if (sample > 0 && (this.#roundTrip === 0 || sample < this.#roundTrip)) this.#roundTrip = sample;
    }
    const end = roomEnd(c, this.#buffer);
    if (!after(end, c.rcvMaxEdge)) return;
    this.#offeredEnd = end;
    this.#offeredAt = now;
    this.#isFilling = true;
  }
}

/** Looks at a buffer that a connection was given: whether it may grow. */
export function beginTuning(c: Connection): void {
  const buffer = c.tunedBuffer = c.receiveBuffer;
  const { growing } = buffer;
  c.tuning = growing === undefined ? undefined : new ReceiveTuning(c, buffer, growing);
}

/** The number up to which there is room. */
function roomEnd(c: Connection, buffer: ReceiveBuffer): number {
  return add(c.rcvNxt, buffer.window);
}
