/**
 * The segments in flight in order of time, as RFC 8985 6.2, step 5 goes through them: those that left once are so in
 * their rows already, those sent again are noted here. And how far RACK has come with both, so that it need not begin
 * anew with each acknowledgment.
 *
 * @module
 */
import { Spares } from "../store/spares.ts";
import { elapsed, type Micros } from "./clock.ts";
import type { Flight } from "./flight.ts";
import { after, before } from "./sequence.ts";

/** Words of each retransmission: where it starts, where it ends, when it left; the last is not used. */
const STRIDE = 4, END = 1, AT = 2;
/** Retransmissions that there is room for at first, and of which room is kept for whoever needs it next. */
const FIRST = 8, MOST = 4_096;

const spares = new Spares<Int32Array>((length) => new Int32Array(length), MOST * STRIDE, 1 << 20);
const NOTHING = new Int32Array(0);

/** What is in flight: {@linkcode Flight}, as far as it matters here. */
type Rows = Pick<Flight, "count" | "indexFrom" | "start" | "wasResent" | "sentAt">;

/** What was sent when. An idle connection keeps nothing of it. */
export class SendOrder {
  /** No segment that left once and starts before this number is pending. */
  from = 0;
  /** None that starts before this one left after what has arrived. */
  edge = 0;
  /** The last one before the edge that was pending starts here. */
  last = 0;
  /** How many retransmissions are noted. */
  count = 0;
  /** The same three for those, by their numbers. */
  resentFrom = 0;
  /** None before this one left after what has arrived. */
  resentEdge = 0;
  /** The last one before the edge that was pending. */
  resentLast = -1;
  #words: Int32Array = NOTHING;

  /** RACK is to begin anew: what was lost or received is so no more, or what has arrived is forgotten. */
  restart(una: number): void {
    this.from = this.edge = this.last = una;
    this.resentFrom = this.resentEdge = 0;
    this.resentLast = -1;
  }

  /** Notes that [start, end) has left again. */
  push(start: number, end: number, at: Micros, rows: Rows): void {
    if (this.count * STRIDE === this.#words.length) this.#makeRoom(rows);
    const word = this.count++ * STRIDE;
    this.#words[word] = start;
    this.#words[word + END] = end;
    this.#words[word + AT] = at;
  }

  /** Where the retransmission numbered `index` starts. */
  startOf(index: number): number {
    return this.#words[index * STRIDE]!;
  }

  /** Where it ends. */
  endOf(index: number): number {
    return this.#words[index * STRIDE + END]!;
  }

  /** When it left. */
  sentAt(index: number): Micros {
    return this.#words[index * STRIDE + AT]!;
  }

  /** Nothing is in flight any more. */
  release(una: number): void {
    spares.give(this.#words);
    this.#words = NOTHING;
    this.count = 0;
    this.restart(una);
  }

  /** Forgets what has landed, or was sent once more since; there are no more others than segments in flight. */
  #makeRoom(rows: Rows): void {
    const old = this.#words;
    let kept = 0;
    for (let index = 0; index < this.count; index++) {
      const first = rows.indexFrom(this.startOf(index));
      if (firstResent(rows, first, this.endOf(index), this.sentAt(index)) < 0) continue;
      old.copyWithin(kept * STRIDE, index * STRIDE, (index + 1) * STRIDE);
      kept++;
    }
    this.count = kept;
    this.restart(this.from);
    if (2 * kept * STRIDE < old.length) return;
    this.#words = spares.take(Math.max(FIRST * STRIDE, 2 * old.length));
    this.#words.set(old);
    spares.give(old);
  }
}

/** RFC 8985 6.2, step 2: what was sent last; of those sent at once the one with the later end (RACK_sent_after). */
export function isNewer(aAt: Micros, aEnd: number, bAt: Micros, bEnd: number): boolean {
  const gap = elapsed(bAt, aAt);
  return gap > 0 || (gap === 0 && after(aEnd, bEnd));
}

/** The number of the first segment from `index` on that lies before `end` and was sent again, last at `at`; -1: none. */
export function firstResent(rows: Rows, index: number, end: number, at: Micros): number {
  for (; index < rows.count && before(rows.start(index), end); index++) {
    if (rows.wasResent(index) && rows.sentAt(index) === at) return index;
  }
  return -1;
}
