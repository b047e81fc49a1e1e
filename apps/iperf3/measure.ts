/** What is counted of a test's streams, interval by interval and in all. */
import { type Instant, NEVER } from "../../mod.ts";
import type { StreamResult } from "./results.ts";
import type { Count, DataStream } from "./stream.ts";

/** What was counted of a stream in some time. */
export interface Row {
  /** The stream's number, from 1. */
  readonly stream: number;
  /** Whether this side sends on it. */
  readonly sends: boolean;
  /** From and to, in seconds since counting began. */
  readonly start: number;
  readonly end: number;
  readonly bytes: number;
  readonly retransmits: number | undefined;
  readonly cwnd: number | undefined;
  /** Datagrams; undefined: it is TCP. */
  readonly packets: number | undefined;
  readonly lost: number;
  readonly outOfOrder: number;
  /** In seconds, at the end. */
  readonly jitter: number;
}

/** How a test is measured. */
export interface MeasureOptions {
  /** How often rows are told; 0: not at all. */
  readonly interval: Instant;
  /** What does not count at the start. */
  readonly omit: Instant;
  /** Is told the rows of an interval. */
  readonly interim: (rows: readonly Row[], isOmitted: boolean) => void;
}

const NOTHING: Count = {
  bytes: 0,
  retransmits: undefined,
  cwnd: undefined,
  packets: undefined,
  lost: 0,
  outOfOrder: 0,
  jitter: 0,
};

/** A shorter rest than this part of an interval has no rows of its own, unless there are no others. */
const REST = 0.1;

/** Watches streams while they run. */
export class Measure {
  /** Whether what is sent now does not count. */
  isOmitting: boolean;
  readonly #streams: readonly DataStream[];
  readonly #options: MeasureOptions;
  #start: Instant = NEVER;
  #end: Instant = NEVER;
  #next: Instant = NEVER;
  #last: Instant = NEVER;
  /** What had been counted when counting began. */
  #base: readonly Count[];
  /** What had when the interval began. */
  #before: readonly Count[];

  constructor(streams: readonly DataStream[], options: MeasureOptions) {
    this.#streams = streams;
    this.#options = options;
    this.isOmitting = options.omit > 0;
    this.#base = this.#before = streams.map(() => NOTHING);
  }

  /** Seconds since counting began, or until it ended. */
  seconds(now: Instant): number {
    return Math.max(0, Math.min(now, this.#end) - this.#start) / 1e6;
  }

  /** Data may flow. */
  begin(now: Instant): void {
    this.#restart(now);
  }

  /** Does what is due. */
  tick(now: Instant): void {
    if (this.isOmitting && now >= this.#start + this.#options.omit) {
      this.#interim(now);
      this.isOmitting = false;
      this.#base = this.#before;
      this.#restart(now);
    } else if (now >= this.#next) {
      this.#interim(now);
      while (this.#next <= now) this.#next += this.#options.interval;
    }
  }

  /** When something will be due. */
  deadline(): Instant {
    if (this.#end !== NEVER) return NEVER;
    return this.isOmitting ? Math.min(this.#next, this.#start + this.#options.omit) : this.#next;
  }

  /** The test is over; its streams have stopped. */
  end(now: Instant): void {
    if (this.#end !== NEVER || this.#start === NEVER) return;
    const isFirst = this.#last === this.#start;
    if (isFirst || now - this.#last > REST * this.#options.interval) this.#interim(now);
    this.#end = now;
    this.#next = NEVER;
  }

  /** Bytes in one direction since counting began. */
  bytes(sends: boolean): number {
    let sum = 0;
    for (let index = 0; index < this.#streams.length; index++) {
      const stream = this.#streams[index]!;
      if (stream.sends === sends) sum += stream.bytes - this.#base[index]!.bytes;
    }
    return sum;
  }

  /** What was counted in all. */
  rows(now: Instant): Row[] {
    return this.#rows(this.#base, 0, this.seconds(now));
  }

  /** The same for the other side. */
  results(now: Instant): StreamResult[] {
    return this.rows(now).map(({ bytes, retransmits, jitter, lost, packets = 0, end }) => ({
      bytes,
      retransmits,
      jitter,
      lost,
      packets,
      seconds: end,
    }));
  }

  #restart(now: Instant): void {
    this.#start = this.#last = now;
    if (this.#options.interval > 0) this.#next = now + this.#options.interval;
  }

  #interim(now: Instant): void {
    const rows = this.#rows(this.#before, (this.#last - this.#start) / 1e6, (now - this.#start) / 1e6);
    this.#before = this.#streams.map((stream) => stream.count());
    this.#last = now;
    if (this.#options.interval > 0) this.#options.interim(rows, this.isOmitting);
  }

  #rows(since: readonly Count[], start: number, end: number): Row[] {
    return this.#streams.map((stream, index) => {
      const now = stream.count(), before = since[index]!;
      const difference = (name: "retransmits" | "packets") => {
        const value = now[name];
        return value === undefined ? undefined : value - (before[name] ?? 0);
      };
      return {
        stream: index + 1,
        sends: stream.sends,
        start,
        end,
        bytes: now.bytes - before.bytes,
        retransmits: difference("retransmits"),
        cwnd: now.cwnd,
        packets: difference("packets"),
        // A late datagram makes up for a loss that an earlier interval has told of.
        lost: Math.max(0, now.lost - before.lost),
        outOfOrder: now.outOfOrder - before.outOfOrder,
        jitter: now.jitter,
      };
    });
  }
}
