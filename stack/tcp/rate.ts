/**
 * How fast a path delivers (draft-ietf-ccwg-bbr 4.1): between the sending of a segment and its acknowledgment so many
 * bytes were delivered, in the longer of the times that sending them and acknowledging them took.
 *
 * @module
 */
import { elapsed, type Micros } from "./clock.ts";
import type { CongestionControl } from "./congestion/control.ts";
import { DeliverySample, LostSegment } from "./congestion/sample.ts";
import { type Losses, pipeOf } from "./loss.ts";
import { Marks } from "./marks.ts";
import { UNMEASURED } from "./rtt.ts";
import { after, distance } from "./sequence.ts";

/** The sampler of a connection. Sums of bytes are low 32 bits, and told apart by their differences. */
export class RateSampler {
  /** Per segment in flight. */
  readonly marks: Marks = new Marks();
  /** What the last acknowledgment said. */
  readonly sample: DeliverySample = new DeliverySample();
  readonly #lostSegment = new LostSegment();
  readonly #control: Pick<CongestionControl, "onLostSegment">;
  /** C.delivered */
  #delivered = 0;
  /** C.delivered_time */
  #deliveredAt: Micros = 0;
  /** C.first_send_time */
  #firstSentAt: Micros = 0;
  /** C.lost */
  #lost = 0;
  /** Of which so many since the last acknowledgment was read, some perhaps by a timer. */
  #lostSince = 0;
  /** Where the segment ends that was lost last. */
  #lostEnd = 0;
  /** C.app_limited: until so many bytes are delivered, what was sent is no measure of the path. */
  #appLimitedUntil = 0;
  #isAppLimited = false;
  /** The newest segment that the present acknowledgment has delivered: when it left, and its marks. */
  #hasNewest = false;
  #sentAt: Micros = 0;
  #end = 0;
  #isResent = false;
  #priorDelivered = 0;
  #priorDeliveredAt: Micros = 0;
  #priorFirstSentAt: Micros = 0;
  #priorLost = 0;
  #priorInFlight = 0;
  /** An acknowledgment is being read, so that what it delivers is not in the sum yet. */
  #isReading = false;

  constructor(control: Pick<CongestionControl, "onLostSegment">) {
    this.#control = control;
  }

  /** The sender had no more to send, which still shows in what is in flight. */
  get isAppLimited(): boolean {
    return this.#isAppLimited;
  }

  /** A segment leaves; `at` is its place in the flight, `inFlight` what is out with it. */
  onSent(at: number, isFirst: boolean, inFlight: number, now: Micros): void {
    if (isFirst) this.#firstSentAt = this.#deliveredAt = now;
    const size = Math.max(1, inFlight);
    this.marks.set(
      at,
      this.#delivered,
      this.#deliveredAt,
      this.#firstSentAt,
      this.#lost,
      this.#isAppLimited ? -size : size,
    );
  }

  /** There was nothing more to send though the window would have taken it. */
  onAppLimited(inFlight: number): void {
    this.#isAppLimited = true;
    this.#appLimitedUntil = (this.#delivered + Math.max(1, inFlight)) | 0;
  }

  /** A segment was found to be lost. */
  onLost(at: number, start: number, length: number): void {
    this.#lost = (this.#lost + length) | 0;
    this.#lostSince += length;
    const lost = this.#lostSegment;
    const inFlight = this.marks.inFlight(at);
    lost.length = length;
    lost.flightSize = Math.abs(inFlight);
    lost.flightLost = distance(this.marks.lost(at), this.#lost);
    lost.isAppLimited = inFlight < 0;
    lost.isApart = start !== this.#lostEnd;
    lost.delivered = this.#isReading ? (this.#delivered + this.sample.acked) | 0 : this.#delivered;
    this.#lostEnd = (start + length) | 0;
    this.#control.onLostSegment?.(lost);
  }

  /** A segment was delivered: UpdateRateSample. */
  onDelivered(at: number, length: number, end: number, sentAt: Micros, isResent: boolean): void {
    this.sample.acked += length;
    const gap = elapsed(this.#sentAt, sentAt);
    if (this.#hasNewest && (gap < 0 || (gap === 0 && !after(end, this.#end)))) return;
    this.#hasNewest = true;
    this.#sentAt = sentAt;
    this.#end = end;
    this.#isResent = isResent;
    this.#priorDelivered = this.marks.delivered(at);
    this.#priorDeliveredAt = this.marks.deliveredAt(at);
    this.#priorFirstSentAt = this.marks.firstSentAt(at);
    this.#priorLost = this.marks.lost(at);
    this.#priorInFlight = this.marks.inFlight(at);
  }

  /** Of a segment a part was delivered, which says nothing about times. */
  onPart(length: number): void {
    this.sample.acked += length;
  }

  /** The acknowledgment has been read: GenerateRateSample. The sample holds until {@linkcode RateSampler.begin}. */
  finish(c: Losses, now: Micros): DeliverySample {
    const { sample } = this;
    this.#isReading = false;
    if (sample.acked > 0) {
      this.#delivered = (this.#delivered + sample.acked) | 0;
      this.#deliveredAt = now;
    }
    if (this.#isAppLimited && distance(this.#appLimitedUntil, this.#delivered) > 0) {
      this.#isAppLimited = false;
    }
    sample.lost = this.#lostSince;
    this.#lostSince = 0;
    sample.now = now;
    sample.delivered = this.#delivered;
    sample.inFlight = pipeOf(c);
    sample.isWindowLimited = c.windowLimited;
    sample.hasRate = this.#hasNewest;
    sample.rtt = -1;
    if (!this.#hasNewest) return sample;
    const sendElapsed = elapsed(this.#priorFirstSentAt, this.#sentAt);
    const ackElapsed = elapsed(this.#priorDeliveredAt, now);
    this.#firstSentAt = this.#sentAt;
    const interval = Math.max(sendElapsed, ackElapsed);
    sample.priorDelivered = this.#priorDelivered;
    sample.flightDelivered = distance(this.#priorDelivered, this.#delivered);
    sample.flightLost = distance(this.#priorLost, this.#lost);
    sample.flightSize = Math.abs(this.#priorInFlight);
    sample.isAppLimited = this.#priorInFlight < 0;
    if (!this.#isResent) sample.rtt = elapsed(this.#sentAt, now);
    // An interval below the least round trip is one of acknowledgments that came in a bunch.
    const { minRtt } = c.rtt;
    const isTooShort = interval <= 0 || (minRtt !== UNMEASURED && interval < minRtt);
    sample.rate = isTooShort ? 0 : sample.flightDelivered * 1e6 / interval;
    return sample;
  }

  /** Before the next acknowledgment is read. */
  begin(): void {
    this.#isReading = true;
    this.#hasNewest = false;
    this.sample.acked = 0;
  }
}
