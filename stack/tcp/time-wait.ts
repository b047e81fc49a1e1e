/**
 * TIME-WAIT (RFC 9293 3.3.2) without connections: a few words for each that was closed by us first, until whatever of
 * it may still be on its way has died.
 *
 * @module
 */
import { HashMap } from "../store/hash-map.ts";
import { Links } from "../store/links.ts";
import { type Instant, NEVER, seconds } from "../store/time.ts";
import type { Address } from "../wire/address.ts";
import { Flag } from "../wire/tcp.ts";
import type { Connection } from "./connection.ts";
import type { SegmentOptions } from "./options.ts";
import type { TcpIn } from "./packet.ts";
import { add, after, before, inWindow } from "./sequence.ts";
import type { SipKey } from "../store/siphash.ts";
import { putTuple, TUPLE_WORDS } from "./tuple.ts";

/**
 * 2 MSL. RFC 9293 3.4.2 takes two minutes for an MSL and calls it an engineering choice; half a minute is what hosts
 * on today's Internet have long been using.
 */
export const TIME_WAIT: Instant = seconds(60);

/** RFC 7323 5.5: a timestamp that old says nothing any more. */
const PAWS_IDLE: Instant = seconds(24 * 24 * 3_600);

/** How far behind the old one's last number a new connection starts: beyond what an unscaled window allowed it. */
const REUSE_GAP = 0x1_0001;

/** What is to be done about a segment for a connection in TIME-WAIT. */
export const TimeWaitAnswer = {
  /** Nothing. */
  None: 0,
  /** It is to be acknowledged, with `sndNxt`, `rcvNxt` and `rcvWnd`. */
  Ack: 1,
  /** The same, but no more often than other challenge ACKs (RFC 5961 7). */
  Challenge: 2,
  /** The entry is gone, and the segment is to be taken as if it had never been there: a SYN may open (RFC 6191). */
  Reuse: 3,
} as const;

/** One of {@linkcode TimeWaitAnswer}'s numbers. */
export type TimeWaitAnswer = (typeof TimeWaitAnswer)[keyof typeof TimeWaitAnswer];

/** What of a connection is kept. */
export type Waiting = Pick<
  Connection,
  | "local"
  | "localPort"
  | "remote"
  | "remotePort"
  | "sndNxt"
  | "rcvNxt"
  | "hasTimestamps"
  | "tsRecent"
  | "tsRecentAt"
  | "tsOffset"
>;

const FREE = 0, WAITING = 1;

/** A table of fixed capacity; when it is full, whoever waits longest makes room. Nothing is allocated later. */
export class TimeWait {
  /** How many entries fit. */
  readonly capacity: number;
  /** How long one stays. */
  readonly lifetime: Instant;
  /** The least initial sequence number for whoever opens after the last `Reuse` (RFC 9293 3.6.1). */
  leastSequence = 0;
  readonly #index: HashMap;
  readonly #order: Links;
  readonly #keys: Int32Array;
  readonly #sndNxt: Int32Array;
  readonly #rcvNxt: Int32Array;
  readonly #rcvWnd: Int32Array;
  readonly #hasTimestamps: Uint8Array;
  readonly #tsRecent: Int32Array;
  readonly #tsRecentAt: Float64Array;
  readonly #tsOffset: Int32Array;
  readonly #expires: Float64Array;
  readonly #key = new Int32Array(TUPLE_WORDS);

  /**
   * An empty table.
   *
   * @throws {RangeError} unless the capacity is a whole number from 1 to 2^22.
   */
  constructor(capacity: number, secret: SipKey, lifetime: Instant = TIME_WAIT) {
    this.capacity = capacity;
    this.lifetime = lifetime;
    this.#index = new HashMap(capacity, TUPLE_WORDS, [secret[2], secret[3]]);
    this.#order = new Links(capacity, 2);
    for (let entry = 0; entry < capacity; entry++) this.#order.pushBack(FREE, entry);
    this.#keys = new Int32Array(capacity * TUPLE_WORDS);
    this.#sndNxt = new Int32Array(capacity);
    this.#rcvNxt = new Int32Array(capacity);
    this.#rcvWnd = new Int32Array(capacity);
    this.#hasTimestamps = new Uint8Array(capacity);
    this.#tsRecent = new Int32Array(capacity);
    this.#tsRecentAt = new Float64Array(capacity);
    this.#tsOffset = new Int32Array(capacity);
    this.#expires = new Float64Array(capacity);
  }

  /** How many entries there are. */
  get size(): number {
    return this.#index.size;
  }

  /** Notes that a connection waits from now on. `rcvWnd` is what the peer was last told. */
  add(c: Waiting, rcvWnd: number, now: Instant): void {
    let entry = this.find(c.local, c.localPort, c.remote, c.remotePort);
    if (entry < 0) {
      if (this.size === this.capacity) this.remove(this.#order.head(WAITING));
      entry = this.#order.head(FREE);
      this.#index.insert(this.#key, 0, entry);
      this.#keys.set(this.#key, entry * TUPLE_WORDS);
    }
    this.#sndNxt[entry] = c.sndNxt;
    this.#rcvNxt[entry] = c.rcvNxt;
    this.#rcvWnd[entry] = rcvWnd;
    this.#hasTimestamps[entry] = c.hasTimestamps ? 1 : 0;
    this.#tsRecent[entry] = c.tsRecent;
    this.#tsRecentAt[entry] = c.tsRecentAt;
    this.#tsOffset[entry] = c.tsOffset;
    this.#restart(entry, now);
  }

  /** The entry of a 4-tuple, or -1. */
  find(local: Address, localPort: number, remote: Address, remotePort: number): number {
    putTuple(this.#key, 0, local, localPort, remote, remotePort);
    return this.#index.lookup(this.#key);
  }

  /** Ends an entry. */
  remove(entry: number): void {
    this.#index.remove(this.#keys, entry * TUPLE_WORDS);
    this.#order.pushBack(FREE, entry);
  }

  /** Ends what has waited long enough. */
  advance(clock: { readonly now: Instant }): void {
    for (let entry = this.#order.head(WAITING); entry >= 0; entry = this.#order.head(WAITING)) {
      if (this.#expires[entry]! > clock.now) return;
      this.remove(entry);
    }
  }

  /** When {@linkcode TimeWait.advance} next has something to do. */
  deadline(): Instant {
    const entry = this.#order.head(WAITING);
    return entry < 0 ? NEVER : this.#expires[entry]!;
  }

  /** SND.NXT of an entry. */
  sndNxt(entry: number): number {
    return this.#sndNxt[entry]!;
  }

  /** The least initial sequence number for whoever opens in the place of an entry (RFC 9293 3.6.1). */
  leastAfter(entry: number): number {
    return add(this.#sndNxt[entry]!, REUSE_GAP);
  }

  /** RCV.NXT of an entry. */
  rcvNxt(entry: number): number {
    return this.#rcvNxt[entry]!;
  }

  /** RCV.WND of an entry, in bytes. */
  rcvWnd(entry: number): number {
    return this.#rcvWnd[entry]!;
  }

  /** Whether an entry's segments carry timestamps. */
  hasTimestamps(entry: number): boolean {
    return this.#hasTimestamps[entry] !== 0;
  }

  /** TS.Recent of an entry. */
  tsRecent(entry: number): number {
    return this.#tsRecent[entry]!;
  }

  /** What an entry's timestamp clock starts at. */
  tsOffset(entry: number): number {
    return this.#tsOffset[entry]!;
  }

  /**
   * What a segment for an entry means: RFC 9293 3.10.7.4, as far as it is about TIME-WAIT. `mayOpen`: somebody would take
   * a new connection. `takesTimestamps`: it would have timestamps if the peer offers them.
   */
  receive(
    entry: number,
    segment: Pick<TcpIn, "flags" | "sequence" | "length">,
    options: Pick<SegmentOptions, "hasTimestamp" | "tsValue">,
    now: Instant,
    mayOpen: boolean = true,
    takesTimestamps: boolean = true,
  ): TimeWaitAnswer {
    const { flags, sequence, length } = segment;
    if (this.#expires[entry]! <= now) {
      this.leastSequence = this.leastAfter(entry);
      this.remove(entry);
      return TimeWaitAnswer.Reuse;
    }
    // RFC 1337 3, fix F1: a reset must not end TIME-WAIT, for then an old duplicate could.
    if ((flags & Flag.Rst) !== 0) return TimeWaitAnswer.None;
    if ((flags & Flag.Syn) !== 0) {
      // RFC 9293 3.6.1, MAY-2: TIME-WAIT is left for a new connection, and for nothing else.
      return mayOpen ? this.#onSyn(entry, segment, options, takesTimestamps) : TimeWaitAnswer.Challenge;
    }
    if ((flags & Flag.Ack) === 0) return TimeWaitAnswer.None;
    if (this.#isOld(entry, options, now)) return TimeWaitAnswer.Challenge;
    const rcvNxt = this.#rcvNxt[entry]!;
    const isFin = (flags & Flag.Fin) !== 0;
    // The eighth check: the peer's FIN once more, because our acknowledgment was lost.
    if (isFin && add(sequence, length + 1) === rcvNxt) {
      this.#noteTimestamp(entry, options, now);
      this.#restart(entry, now);
      return TimeWaitAnswer.Ack;
    }
    // An acknowledgment where it is expected needs no answer; two hosts in TIME-WAIT would answer for ever.
    if (length === 0 && !isFin && inWindow(sequence, rcvNxt, Math.max(1, this.#rcvWnd[entry]!))) {
      this.#noteTimestamp(entry, options, now);
      return TimeWaitAnswer.None;
    }
    return TimeWaitAnswer.Challenge;
  }

  /** RFC 6191 2: a SYN that cannot be an old one begins a new connection. */
  #onSyn(
    entry: number,
    segment: Pick<TcpIn, "flags" | "sequence">,
    options: Pick<SegmentOptions, "hasTimestamp" | "tsValue">,
    takesTimestamps: boolean,
  ): TimeWaitAnswer {
    if ((segment.flags & Flag.Ack) !== 0) return TimeWaitAnswer.Challenge;
    let isNew = after(segment.sequence, this.#rcvNxt[entry]!);
    if (options.hasTimestamp && takesTimestamps) {
      if (this.#hasTimestamps[entry] === 0) isNew = true;
      else if (options.tsValue !== this.#tsRecent[entry]!) {
        isNew = after(options.tsValue, this.#tsRecent[entry]!);
      }
    }
    if (!isNew) return TimeWaitAnswer.Challenge;
    this.leastSequence = this.leastAfter(entry);
    this.remove(entry);
    return TimeWaitAnswer.Reuse;
  }

  /** RFC 7323 5.3: PAWS. */
  #isOld(entry: number, options: Pick<SegmentOptions, "hasTimestamp" | "tsValue">, now: Instant): boolean {
    return this.#hasTimestamps[entry] !== 0 && options.hasTimestamp &&
      before(options.tsValue, this.#tsRecent[entry]!) && now - this.#tsRecentAt[entry]! < PAWS_IDLE;
  }

  #noteTimestamp(
    entry: number,
    options: Pick<SegmentOptions, "hasTimestamp" | "tsValue">,
    now: Instant,
  ): void {
    if (this.#hasTimestamps[entry] === 0 || !options.hasTimestamp) return;
    this.#tsRecent[entry] = options.tsValue;
    this.#tsRecentAt[entry] = now;
  }

  #restart(entry: number, now: Instant): void {
    this.#expires[entry] = now + this.lifetime;
    this.#order.pushBack(WAITING, entry);
  }
}
