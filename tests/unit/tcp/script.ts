/**
 * A sender whose acknowledgments are written by hand, in whole segments of {@linkcode MSS} bytes.
 *
 * @module
 */
import { type Instant, milliseconds, NEVER } from "../../../stack/store/time.ts";
import type { CongestionControl } from "../../../stack/tcp/congestion/control.ts";
import { NewReno } from "../../../stack/tcp/congestion/newreno.ts";
import type { Losses } from "../../../stack/tcp/loss.ts";
import { noteSent, onAckReceived, sendAllowance } from "../../../stack/tcp/recovery.ts";
import { distance } from "../../../stack/tcp/sequence.ts";
import { lossesOf, MSS } from "./transfer.ts";

/** What an acknowledgment says beside its number, in segments. */
export interface Said {
  /** [from, to) of what came out of order. */
  readonly sack?: readonly [number, number][];
  /** A duplicate, [from, to). */
  readonly dsack?: readonly [number, number];
  /** Whether the segment has data. */
  readonly hasData?: boolean;
  /** How long ago the echoed timestamp left, at least. */
  readonly echoAge?: Instant;
}

/** Sends whatever it may, and hears what it is told. */
export class Script {
  readonly c: Losses;
  now: Instant = 0;
  #total: number;
  /** The segments that left since the last look, by number; those sent again are negative, counted from -1. */
  #log: number[] = [];

  constructor(
    { segments = 1_000, hasSack = true, rtt = milliseconds(40) } = {},
    control?: CongestionControl,
  ) {
    this.c = lossesOf(control ?? new NewReno(), 0, hasSack);
    this.#total = segments * MSS;
    this.offer(0);
    this.c.rtt.measure(rtt, 0);
  }

  /** Lets leave what may, and answers which segments did: `n` for new ones, `-n - 1` for those sent again. */
  send(limit: number = Infinity): number[] {
    const { c } = this;
    for (let left = limit; left > 0; left--) {
      const allowance = sendAllowance(c);
      const index = allowance > 0 ? c.flight.firstLost() : -1;
      if (index >= 0) {
        this.#log.push(-distance(0, c.flight.start(index)) / MSS - 1);
        c.flight.resend(index, MSS, this.now);
      } else if (allowance >= MSS && this.#total > c.flight.end) {
        this.#log.push(c.flight.end / MSS);
        c.flight.push(c.flight.end + MSS, this.now);
      } else break;
      noteSent(c, MSS);
    }
    const log = this.#log;
    this.#log = [];
    return log;
  }

  /** The user has so many segments more to send. */
  offer(segments: number): this {
    this.#total += segments * MSS;
    Object.assign(this.c.sendBuffer, { length: this.#total - this.c.flight.una });
    return this;
  }

  /** Time passes. */
  wait(time: Instant): this {
    this.now += time;
    return this;
  }

  /** An acknowledgment of everything before segment number `next`. Answers with RACK's deadline; NEVER: it waits for nothing. */
  ack(next: number, { sack = [], dsack = [0, 0], hasData = false, echoAge = -1 }: Said = {}): Instant {
    const { c } = this;
    const { una, sacked } = c.flight;
    const isNew = next * MSS > una;
    c.flight.begin();
    if (isNew) c.flight.ackTo(next * MSS);
    this.offer(0);
    for (const [from, to] of sack) c.flight.sack(from * MSS, to * MSS);
    if (c.flight.hasNewest && !c.flight.newestResent) {
      c.rtt.measure(this.now - c.flight.newestSentAt, this.now);
      c.control.onRoundTrip?.(this.now - c.flight.newestSentAt, c.flight.una, c.flight.end);
    }
    onAckReceived(
      c,
      this.now,
      isNew,
      c.flight.una - una,
      c.flight.sacked !== sacked,
      dsack[0] !== dsack[1],
      !isNew && !hasData,
      dsack[0] * MSS,
      dsack[1] * MSS,
      echoAge,
    );
    return c.reorderWaits ? c.reorderAt : NEVER;
  }

  /** The window, the threshold and what is out, in segments. */
  get window(): number {
    return this.c.control.cwnd / MSS;
  }
  get threshold(): number {
    return this.c.control.ssthresh / MSS;
  }
}
