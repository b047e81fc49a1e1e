/**
 * SYN cookies (RFC 4987 3.6): a SYN-ACK whose sequence number holds all that must be known of the SYN, so that a flood
 * of SYNs leaves nothing behind. What does not fit is put into the timestamp, if there is one.
 *
 * @module
 */
import { type Instant, NEVER, seconds } from "../store/time.ts";
import type { SegmentOptions } from "./options.ts";
import { sipHash, type SipKey } from "../store/siphash.ts";
import { type FourTuple, putTuple, TUPLE_WORDS } from "./tuple.ts";

/** How often the cookies change. One is good in the period in which it was made and in the next. */
const PERIOD: Instant = seconds(64);

// The sequence number is 29 bits of a keyed hash and 3 bits that choose one of these, in order.
const MSS_BITS = 3;
const MSS_V4 = [64, 256, 536, 1_024, 1_360, 1_452, 1_460, 8_960] as const;
const MSS_V6 = [64, 536, 1_024, 1_220, 1_360, 1_432, 1_440, 8_940] as const;

// The low bits of the timestamp: window scale (15: none), SACK permitted, ECN.
const SCALE_MASK = 15, NO_SCALE = 15, SACK = 16, ECN = 32, OPTION_MASK = 63;

/** Sets the hash apart from those of `isn.ts`. */
const PURPOSE = 3;

/** Makes and checks cookies. What a good one says is in its fields. */
export class SynCookies {
  /** The MSS of the peer, rounded down to one of a few. */
  mss = 0;
  /** By how much the peer's windows are shifted; -1: they are not. */
  windowScale: number = -1;
  /** Whether the peer takes SACK. */
  sackPermitted = false;
  /** Whether ECN was asked for. */
  hasEcn = false;
  /** Whether both sides send timestamps. Without them there is neither a scale nor SACK nor ECN. */
  hasTimestamps = false;
  readonly #key: SipKey;
  readonly #words = new Int32Array(TUPLE_WORDS + 3);
  /** When the last one made goes bad. While none is out, none is good, so guessing is for times of a flood. */
  #goodUntil: Instant = -NEVER;

  /** Cookies under a secret. */
  constructor(key: SipKey) {
    this.#key = key;
  }

  /** The sequence number of the SYN-ACK to a SYN of number `irs` that announces `mss`; 0: it announces none. */
  make(tuple: FourTuple, irs: number, mss: number, now: Instant): number {
    this.#goodUntil = (Math.floor(now / PERIOD) + 2) * PERIOD;
    return this.number(tuple, irs, mss, now);
  }

  /** What {@linkcode SynCookies.make} would answer, without a cookie being out. */
  number(tuple: FourTuple, irs: number, mss: number, now: Instant): number {
    const table = tuple.local.isV4 ? MSS_V4 : MSS_V6;
    // A peer that announces none takes the default of RFC 9293 3.7.1, which is in the table.
    const wanted = mss === 0 ? (tuple.local.isV4 ? 536 : 1_220) : mss;
    let index = table.length - 1;
    while (index > 0 && table[index]! > wanted) index--;
    return this.#cookie(tuple, irs, index, Math.floor(now / PERIOD));
  }

  /**
   * The timestamp of the SYN-ACK: the connection's clock at `now`, less up to 64 ms, with the options in its low bits.
   * `offset` is the connection's. A round trip must not be measured by it.
   */
  timestamp(
    now: Instant,
    offset: number,
    windowScale: number,
    sackPermitted: boolean,
    hasEcn: boolean,
  ): number {
    const scale = windowScale < 0 ? NO_SCALE : Math.min(windowScale, NO_SCALE - 1);
    const bits = scale | (sackPermitted ? SACK : 0) | (hasEcn ? ECN : 0);
    const clock = Math.floor(now / 1_000) | 0;
    const value = (clock & ~OPTION_MASK) | bits;
    // The clock must not go back when the next segment is sent (RFC 7323 5.4).
    return ((value - clock > 0 ? value - OPTION_MASK - 1 : value) + offset) | 0;
  }

  /** Whether a cookie is out that is not too old. */
  mayComeBack(now: Instant): boolean {
    return now < this.#goodUntil;
  }

  /**
   * Whether `cookie`, the acknowledgment less one of a segment whose number less one is `irs`, is one of ours and not
   * too old. If so the fields say what the SYN had said. `offset` is that of the tuple's timestamps.
   */
  check(
    tuple: FourTuple,
    irs: number,
    cookie: number,
    options: Pick<SegmentOptions, "hasTimestamp" | "tsEcho">,
    offset: number,
    now: Instant,
  ): boolean {
    if (!this.mayComeBack(now)) return false;
    const index = cookie & ((1 << MSS_BITS) - 1);
    const period = Math.floor(now / PERIOD);
    if (
      this.#cookie(tuple, irs, index, period) !== cookie &&
      this.#cookie(tuple, irs, index, period - 1) !== cookie
    ) return false;
    this.mss = (tuple.local.isV4 ? MSS_V4 : MSS_V6)[index]!;
    const bits = options.hasTimestamp ? (options.tsEcho - offset) & OPTION_MASK : NO_SCALE;
    this.hasTimestamps = options.hasTimestamp;
    this.windowScale = (bits & SCALE_MASK) === NO_SCALE ? -1 : bits & SCALE_MASK;
    this.sackPermitted = (bits & SACK) !== 0;
    this.hasEcn = (bits & ECN) !== 0;
    return true;
  }

  #cookie(tuple: FourTuple, irs: number, index: number, period: number): number {
    const words = this.#words;
    putTuple(words, 0, tuple.local, tuple.localPort, tuple.remote, tuple.remotePort);
    words[TUPLE_WORDS] = PURPOSE | (index << 8);
    words[TUPLE_WORDS + 1] = irs;
    words[TUPLE_WORDS + 2] = period | 0;
    return (sipHash(words, TUPLE_WORDS + 3, this.#key) << MSS_BITS) | index;
  }
}
