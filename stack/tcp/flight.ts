/**
 * What is in flight: every segment between SND.UNA and SND.NXT, when it left, and what became of it. This is the
 * scoreboard of RFC 6675 and the list of RFC 8985 in one.
 *
 * @module
 */
import { Spares } from "../store/spares.ts";
import type { Micros } from "./clock.ts";
import {
  firstEndingAfter,
  FLAGS,
  LEAST_PIECE,
  LOST,
  RESENT,
  SACKED,
  SENT_AT,
  SKIP,
  skipReceived,
  STRIDE,
} from "./flight-rows.ts";
import { roomAfter } from "./marks.ts";
import type { RateSampler } from "./rate.ts";
import { isNewer, SendOrder } from "./send-order.ts";
import { after, before, distance, upTo } from "./sequence.ts";

/** Segments that there is room for at first. */
const FIRST_ROWS = 8;
/** Room for so many is kept for whoever needs it next; longer flights are those of few. */
const MOST_ROWS = 4_096;

const spares = new Spares<Int32Array>((length) => new Int32Array(length), MOST_ROWS * STRIDE, 1 << 20);

const NOTHING = new Int32Array(0);

/** The segments in flight, in order of their sequence numbers. Grows with the flight; an idle connection holds none. */
export class Flight {
  /** The first sequence number in flight: SND.UNA. */
  una = 0;
  /** Bytes that the peer has reported out of order. */
  sacked = 0;
  /** Segments that the peer has reported out of order. */
  sackedSegments = 0;
  /** Bytes taken to be lost that have not been sent again. */
  lost = 0;
  /** How many segments were sent again since whoever repairs losses set this to 0. */
  resent = 0;
  /** When the first of those left, if that is the oldest of all and was sent once before. */
  firstResentAt: Micros = 0;
  /** Whether there is such a one, and it was not answered. */
  hasFirstResent = false;
  /** What the last {@linkcode Flight.ackTo} or {@linkcode Flight.sack} delivered for the first time, in bytes. */
  delivered = 0;
  /** What the last {@linkcode Flight.ackTo} took off, reported before or not, in bytes. */
  acked = 0;
  /** Whether anything was. */
  hasNewest = false;
  /** When the segment that was sent last, of those just delivered, left. */
  newestSentAt: Micros = 0;
  /** Its end. */
  newestEnd = 0;
  /** Whether it was sent more than once. */
  newestResent = false;
  /** Whether anything was that was sent once only: for when it is unclear which sending the newest answers. */
  hasNewestOnce = false;
  /** When the last of those left. */
  newestOnceAt: Micros = 0;
  /** Its end. */
  newestOnceEnd = 0;
  /** The greatest end just delivered. */
  highestEnd = 0;
  /** The least end just delivered of a segment never sent twice, for reordering; see {@linkcode Flight.hasOldest}. */
  oldestEnd = 0;
  /** Whether a segment never sent twice was just delivered. */
  hasOldest = false;
  /** Measures how fast the path delivers, if somebody wants to know. */
  rates: RateSampler | undefined;
  /** How far RACK has come. */
  readonly order: SendOrder = new SendOrder();
  #rows: Int32Array = NOTHING;
  #head = 0;
  #tail = 0;
  /** The words that the next flight begins with: about as many as the last one took. */
  #room = FIRST_ROWS * STRIDE;
  /** No segment before this one is lost. */
  #lostFrom = 0;

  /** How many segments are in flight. */
  get count(): number {
    return this.#tail - this.#head;
  }

  /** The sequence number behind the flight: SND.NXT while all that was ever sent is in flight. */
  get end(): number {
    return this.#head === this.#tail ? this.una : this.#rows[(this.#tail - 1) * STRIDE]!;
  }

  /** Bytes that are taken to be in the network (RFC 6675's pipe). */
  get pipe(): number {
    return distance(this.una, this.end) - this.sacked - this.lost;
  }

  /** Starts over with nothing in flight. */
  reset(una: number): void {
    this.una = una;
    this.sacked = this.sackedSegments = this.lost = 0;
    this.resent = 0;
    this.hasFirstResent = false;
    this.#head = this.#tail = this.#lostFrom = 0;
    this.order.release(una);
    this.#giveBack(0);
  }

  /** Notes a segment that has just left, from {@linkcode Flight.end} to `end`. */
  push(end: number, now: Micros): void {
    if (this.#tail * STRIDE === this.#rows.length) this.#makeRoom();
    const at = this.#tail;
    const out = this.rates === undefined ? 0 : this.pipe;
    this.#rows[at * STRIDE] = end;
    this.#rows[at * STRIDE + SENT_AT] = now;
    this.#rows[at * STRIDE + FLAGS] = 0;
    this.#rows[at * STRIDE + SKIP] = 0;
    this.#tail++;
    this.rates?.onSent(at, out === 0, this.pipe, now);
  }

  /** The same, of `data` bytes that left as segments of `size` bytes; a FIN behind them is part of the last one. */
  pushAll(data: number, hasFin: boolean, size: number, now: Micros): void {
    let at = this.end;
    let left = data;
    for (; left > size; left -= size) {
      at = (at + size) | 0;
      this.push(at, now);
    }
    this.push((at + left + (hasFin ? 1 : 0)) | 0, now);
  }

  /** Forgets what {@linkcode Flight.delivered} and its like said, before an acknowledgment is read. */
  begin(): void {
    this.delivered = this.acked = 0;
    this.hasNewest = this.hasNewestOnce = false;
    this.highestEnd = this.una;
    this.hasOldest = false;
    this.rates?.begin();
  }

  /** Takes everything before `una` off the flight, which reaches that far. */
  ackTo(una: number): void {
    if (before(una, this.una)) return;
    this.acked = distance(this.una, una);
    while (this.#head < this.#tail && upTo(this.#rows[this.#head * STRIDE]!, una)) {
      this.#deliver(this.#head, distance(this.una, this.#rows[this.#head * STRIDE]!));
      this.una = this.#rows[this.#head * STRIDE]!;
      this.#head++;
    }
    if (before(this.una, una) && this.#head < this.#tail) {
      // A part of a segment: the rest stays as it is, and says nothing about times.
      const length = distance(this.una, una);
      const flags = this.#rows[this.#head * STRIDE + FLAGS]!;
      if ((flags & SACKED) !== 0) this.sacked -= length;
      else {
        this.delivered += length;
        this.rates?.onPart(length);
        if ((flags & LOST) !== 0) this.lost -= length;
      }
    }
    this.una = una;
    if (this.#head === this.#tail) this.#release();
  }

  /**
   * Marks what lies in [left, right) as received, whatever part of segments it covers. A block that is not above the
   * acknowledgment and within the flight says nothing (RFC 2018 3).
   */
  sack(left: number, right: number): void {
    if (!before(left, right) || !after(left, this.una) || after(right, this.end)) return;
    let index = firstEndingAfter(this.#rows, this.#head, this.#tail, left) - this.#head;
    if (before(this.start(index), left)) {
      if (!this.isReceived(index)) this.#divide(index, left);
      index++;
    }
    for (; index < this.count && before(this.start(index), right); index++) {
      if (this.isReceived(index)) {
        index = this.pastReceived(index) - 1;
        continue;
      }
      if (after(this.endOf(index), right) && !this.#divide(index, right)) return;
      const at = this.#head + index;
      const length = distance(this.#start(at), this.#rows[at * STRIDE]!);
      this.#deliver(at, length);
      this.#rows[at * STRIDE + FLAGS] = (this.#rows[at * STRIDE + FLAGS]! & RESENT) | SACKED;
      this.sacked += length;
      this.sackedSegments++;
    }
  }

  /** Whether [left, right), within the flight, is all marked as received already. */
  isSacked(left: number, right: number): boolean {
    const first = firstEndingAfter(this.#rows, this.#head, this.#tail, left);
    const next = skipReceived(this.#rows, first, this.#tail);
    return next > first && upTo(right, this.#rows[(next - 1) * STRIDE]!);
  }

  /** The number of the first segment that ends after a sequence number, which is not beyond the flight. */
  indexFrom(sequence: number): number {
    if (!after(sequence, this.una)) return 0;
    return firstEndingAfter(this.#rows, this.#head, this.#tail, sequence) - this.#head;
  }

  /** The segment numbered `index` from the front: where it starts. */
  start(index: number): number {
    return this.#start(this.#head + index);
  }

  /** The segment numbered `index` from the front: where it ends. */
  endOf(index: number): number {
    return this.#rows[(this.#head + index) * STRIDE]!;
  }

  /** When the segment numbered `index` last left. */
  sentAt(index: number): Micros {
    return this.#rows[(this.#head + index) * STRIDE + SENT_AT]!;
  }

  /** Whether the segment numbered `index` is neither received nor lost. */
  isPending(index: number): boolean {
    return (this.#rows[(this.#head + index) * STRIDE + FLAGS]! & (SACKED | LOST)) === 0;
  }

  /** Whether the segment numbered `index` is reported as received. */
  isReceived(index: number): boolean {
    return (this.#rows[(this.#head + index) * STRIDE + FLAGS]! & SACKED) !== 0;
  }

  /** The number of the first segment from `index` on that is not reported as received; the count: there is none. */
  pastReceived(index: number): number {
    return skipReceived(this.#rows, this.#head + index, this.#tail) - this.#head;
  }

  /** Whether the segment numbered `index` was sent more than once. */
  wasResent(index: number): boolean {
    return (this.#rows[(this.#head + index) * STRIDE + FLAGS]! & RESENT) !== 0;
  }

  /** Takes the segment numbered `index` for lost. `isSign`: that may show what the path holds. */
  markLost(index: number, isSign: boolean = true): void {
    const at = this.#head + index;
    if ((this.#rows[at * STRIDE + FLAGS]! & (SACKED | LOST)) !== 0) return;
    this.#rows[at * STRIDE + FLAGS] = this.#rows[at * STRIDE + FLAGS]! | LOST;
    const start = this.#start(at);
    const length = distance(start, this.#rows[at * STRIDE]!);
    this.lost += length;
    if (isSign) this.rates?.onLost(at, start, length);
    if (at < this.#lostFrom) this.#lostFrom = at;
  }

  /** Takes everything for lost that is not reported as received (a timeout). */
  markAllLost(): void {
    for (let index = 0; index < this.count; index++) this.markLost(index);
  }

  /** Takes nothing for lost any more (the timeout or the recovery was spurious). */
  clearLost(): void {
    for (let at = this.#head; at < this.#tail; at++) {
      this.#rows[at * STRIDE + FLAGS] = this.#rows[at * STRIDE + FLAGS]! & ~LOST;
    }
    this.lost = 0;
    this.order.restart(this.una);
  }

  /** Forgets what was reported as received: the peer has taken it back, or cannot be trusted (RFC 2018 8). */
  clearSacked(): void {
    for (let at = this.#head; at < this.#tail; at++) {
      this.#rows[at * STRIDE + FLAGS] = this.#rows[at * STRIDE + FLAGS]! & ~SACKED;
      this.#rows[at * STRIDE + SKIP] = 0;
    }
    this.sacked = this.sackedSegments = 0;
    this.order.restart(this.una);
  }

  /** The number of the first segment that is lost and not sent again; -1: there is none. */
  firstLost(): number {
    if (this.lost === 0) return -1;
    let at = Math.max(this.#head, this.#lostFrom);
    while (at < this.#tail && (this.#rows[at * STRIDE + FLAGS]! & LOST) === 0) at++;
    this.#lostFrom = at;
    return at < this.#tail ? at - this.#head : -1;
  }

  /** The number of the last segment that is not reported as received; -1: there is none. */
  lastUnreceived(): number {
    for (let at = this.#tail - 1; at >= this.#head; at--) {
      if ((this.#rows[at * STRIDE + FLAGS]! & SACKED) === 0) return at - this.#head;
    }
    return -1;
  }

  /** Notes that the first `length` bytes of the segment numbered `index` have left again. */
  resend(index: number, length: number, now: Micros): void {
    const start = this.start(index);
    if (length < distance(start, this.endOf(index))) this.#split(index, (start + length) | 0);
    const at = this.#head + index;
    const out = this.rates === undefined ? 0 : this.pipe;
    const flags = this.#rows[at * STRIDE + FLAGS]!;
    if ((flags & LOST) !== 0) this.lost -= distance(start, this.#rows[at * STRIDE]!);
    this.#rows[at * STRIDE + FLAGS] = (flags & ~LOST) | RESENT;
    this.#rows[at * STRIDE + SENT_AT] = now;
    this.rates?.onSent(at, out === 0, this.pipe, now);
    this.order.push(start, this.#rows[at * STRIDE]!, now, this);
    // Only of the oldest one, sent again for the first time, the acknowledgment is sure to echo one of its two tries.
    if (this.resent++ > 0 || index > 0 || (flags & RESENT) !== 0) return;
    this.firstResentAt = now;
    this.hasFirstResent = true;
  }

  #deliver(at: number, length: number): void {
    const flags = this.#rows[at * STRIDE + FLAGS]!;
    if ((flags & SACKED) !== 0) {
      this.sacked -= length;
      this.sackedSegments--;
      return;
    }
    if ((flags & LOST) !== 0) this.lost -= length;
    this.delivered += length;
    const resent = (flags & RESENT) !== 0;
    const sentAt = this.#rows[at * STRIDE + SENT_AT]!;
    const end = this.#rows[at * STRIDE]!;
    this.rates?.onDelivered(at, length, end, sentAt, resent);
    if (after(end, this.highestEnd)) this.highestEnd = end;
    if (!this.hasNewest || isNewer(sentAt, end, this.newestSentAt, this.newestEnd)) {
      this.hasNewest = true;
      this.newestSentAt = sentAt;
      this.newestEnd = end;
      this.newestResent = resent;
    }
    if (resent) return;
    if (!this.hasNewestOnce || isNewer(sentAt, end, this.newestOnceAt, this.newestOnceEnd)) {
      this.hasNewestOnce = true;
      this.newestOnceAt = sentAt;
      this.newestOnceEnd = end;
    }
    if (!this.hasOldest || before(end, this.oldestEnd)) {
      this.oldestEnd = end;
      this.hasOldest = true;
    }
  }

  #start(at: number): number {
    return at === this.#head ? this.una : this.#rows[(at - 1) * STRIDE]!;
  }

  /** Makes two segments of one at `sequence`; false, without effect, if one of them would be too small. */
  #divide(index: number, sequence: number): boolean {
    const first = distance(this.start(index), sequence);
    if (first < LEAST_PIECE || distance(sequence, this.endOf(index)) < LEAST_PIECE) return false;
    this.#split(index, sequence);
    return true;
  }

  /** Makes two segments of the one numbered `index`, the first ending at `sequence`. */
  #split(index: number, sequence: number): void {
    if (this.#tail * STRIDE === this.#rows.length) this.#makeRoom();
    const at = this.#head + index;
    this.#rows.copyWithin((at + 1) * STRIDE, at * STRIDE, this.#tail * STRIDE);
    this.rates?.marks.split(at, this.#tail);
    this.#rows[at * STRIDE] = sequence;
    this.#tail++;
    if (this.#lostFrom > at) this.#lostFrom++;
  }

  #makeRoom(): void {
    const { count } = this;
    this.#lostFrom = Math.max(0, this.#lostFrom - this.#head);
    this.rates?.marks.shift(this.#head, this.#tail);
    const old = this.#rows;
    const isRoomy = this.#head >= count && this.#head > 0;
    if (!isRoomy) this.#rows = spares.take(old.length === 0 ? this.#room : 2 * old.length);
    if (isRoomy) old.copyWithin(0, this.#head * STRIDE, this.#tail * STRIDE);
    else if (count > 0) this.#rows.set(this.#head === 0 ? old : old.subarray(this.#head * STRIDE));
    if (!isRoomy) spares.give(old);
    this.#head = 0;
    this.#tail = count;
  }

  /** The flight has landed. */
  #release(): void {
    const used = this.#tail;
    this.#head = this.#tail = this.#lostFrom = 0;
    this.order.release(this.una);
    this.#giveBack(used);
  }

  #giveBack(used: number): void {
    if (this.#rows.length > 0) this.#room = roomAfter(this.#rows.length, used * STRIDE, FIRST_ROWS * STRIDE);
    spares.give(this.#rows);
    this.#rows = NOTHING;
    this.rates?.marks.release(used);
  }
}
