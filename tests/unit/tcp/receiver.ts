/**
 * The receiving half of a model transfer: which bytes have come, and what is said about them.
 *
 * @module
 */
import { after, before, distance, upTo } from "../../../stack/tcp/sequence.ts";

/** What an acknowledgment says. */
export interface Acknowledgment {
  /** The next byte expected. */
  readonly next: number;
  /** What came out of order, the latest first; at most three (RFC 2018 4). */
  readonly blocks: readonly (readonly [number, number])[];
  /** A duplicate (RFC 2883); both ends the same: none. */
  readonly duplicate: readonly [number, number];
  /** The echoed timestamp (RFC 7323 4.3). */
  readonly echo: number;
}

/** Takes segments and acknowledges them. */
export class Receiver {
  /** The next byte expected. */
  next: number;
  /** Segments taken. */
  taken = 0;
  #ranges: [number, number][] = [];
  #pending = 0;
  #lastAck: number;
  #recent = 0;
  readonly #hasSack: boolean;
  readonly #hasDsack: boolean;
  readonly #ackEvery: number;

  constructor(start: number, hasSack: boolean, hasDsack: boolean, ackEvery: number) {
    this.next = this.#lastAck = start;
    this.#hasSack = hasSack;
    this.#hasDsack = hasDsack;
    this.#ackEvery = ackEvery;
  }

  /** Takes [from, to), stamped so; undefined: the acknowledgment may wait for company. */
  take(from: number, to: number, stamp: number): Acknowledgment | undefined {
    this.taken++;
    if (upTo(from, this.#lastAck)) this.#recent = Math.max(this.#recent, stamp);
    const duplicate: [number, number] = this.#isKnown(from, to) ? [from, to] : [0, 0];
    const inOrder = from === this.next && this.#ranges.length === 0;
    if (duplicate[0] === duplicate[1]) this.#add(from, to);
    if (inOrder && ++this.#pending < this.#ackEvery) return undefined;
    return this.acknowledge(this.#hasDsack ? duplicate : [0, 0], from);
  }

  /** Acknowledges all there is. */
  acknowledge(duplicate: [number, number] = [0, 0], latest: number = this.next): Acknowledgment {
    this.#pending = 0;
    this.#lastAck = this.next;
    const blocks = this.#hasSack ? [...this.#ranges] : [];
    blocks.sort((a, b) => this.#holds(b, latest) - this.#holds(a, latest) || distance(a[0], b[0]));
    return { next: this.next, blocks: blocks.slice(0, 3), duplicate, echo: this.#recent };
  }

  #holds([left, right]: [number, number], sequence: number): number {
    return upTo(left, sequence) && before(sequence, right) ? 1 : 0;
  }

  #isKnown(from: number, to: number): boolean {
    return upTo(to, this.next) || this.#ranges.some(([left, right]) => upTo(left, from) && upTo(to, right));
  }

  #add(from: number, to: number): void {
    const touching = this.#ranges.filter(([left, right]) => upTo(left, to) && upTo(from, right));
    let [left, right] = [from, to];
    for (const range of touching) {
      if (before(range[0], left)) left = range[0];
      if (after(range[1], right)) right = range[1];
    }
    this.#ranges = this.#ranges.filter((range) => !touching.includes(range));
    if (upTo(left, this.next)) {
      if (after(right, this.next)) this.next = right;
    } else this.#ranges.push([left, right]);
    // The front may have reached what waited behind it.
    for (let more = true; more;) {
      more = false;
      for (const range of this.#ranges) {
        if (!upTo(range[0], this.next)) continue;
        if (after(range[1], this.next)) this.next = range[1];
        this.#ranges = this.#ranges.filter((other) => other !== range);
        more = true;
        break;
      }
    }
  }
}
