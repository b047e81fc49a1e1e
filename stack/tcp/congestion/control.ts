/**
 * What a congestion control is: how much may be in flight, as far as the network is concerned.
 *
 * @module
 */
import type { Micros } from "../clock.ts";
import type { LossJudge } from "./loss-judge.ts";
import type { DeliverySample, LostSegment } from "./sample.ts";

/**
 * A window that follows the network. All sizes are in bytes, round trips in microseconds; `now` is the low 32 bits of
 * the microsecond clock, signed.
 */
export interface CongestionControl {
  /** Its name: "cubic". */
  readonly name: string;
  /** The congestion window. Written from outside only while losses are repaired (RFC 9937). */
  cwnd: number;
  /** Below it a window grows by slow start. */
  readonly ssthresh: number;
  /** Bytes a second at which segments may leave; 0: as fast as the window lets them. */
  readonly pacingRate: number;
  /**
   * Takes what each acknowledgment says about the path's rate. A control that has this rules its window itself; for one
   * without, PRR (RFC 9937) does while losses are repaired.
   */
  readonly onDelivery?: (sample: DeliverySample) => void;
  /** A segment is taken for lost, before `onLoss` or the sample of the acknowledgment that shows it. */
  readonly onLostSegment?: (lost: LostSegment) => void;
  /** Little is kept in flight on purpose: until that is over, what is delivered is no measure of the path. */
  readonly isHoldingBack?: boolean;
  /** A sender that had no more to send is about to send with nothing in flight. */
  readonly onRestart?: (now: Micros) => void;
  /** A mark of congestion came back; without this one `onLoss` and `onRecovered` hear of it. */
  readonly onMark?: (inFlight: number, now: Micros) => void;
  /**
   * Takes the round trip of a segment that was sent once, whose acknowledgment has left [una, end) in flight, before
   * `onAck` hears of that.
   */
  readonly onRoundTrip?: (rtt: number, una: number, end: number) => void;
  /** Tells losses that show congestion from those that do not: these are not heard of. Without one all do show it. */
  readonly judge?: LossJudge;
  /** Starts over for a connection whose segments carry `mss` bytes. */
  readonly reset: (mss: number) => void;
  /** The MSS has become `mss`. */
  readonly setMss: (mss: number) => void;
  /**
   * Outside of recovery, `acked` bytes were acknowledged. `isLimited`: the window was what held the sender back;
   * where it was not, a larger one would mean nothing (RFC 7661).
   */
  readonly onAck: (acked: number, srtt: number, now: Micros, isLimited: boolean) => void;
  /** A loss was found, or a mark of congestion, with `inFlight` bytes out: once a window of data. */
  readonly onLoss: (inFlight: number, now: Micros) => void;
  /** The retransmission timer ran out with `inFlight` bytes out. */
  readonly onTimeout: (inFlight: number, now: Micros) => void;
  /** All losses of a window have been repaired. */
  readonly onRecovered: () => void;
  /** Nothing was sent for several timeouts: the window is no longer known to fit (RFC 2861). */
  readonly onIdle: (timeouts: number, now: Micros) => void;
  /** The last loss or timeout was none after all (RFC 5682, RFC 3708): takes it back. */
  readonly undo: () => void;
}

/** The first window (RFC 6928 2): ten segments, but no more than 14,600 bytes unless two segments are more. */
export function initialWindow(mss: number): number {
  return Math.min(10 * mss, Math.max(2 * mss, 14_600));
}

/** What one acknowledgment may add in slow start, in segments: RFC 9406 4.2 has eight for a sender that does not pace. */
const SLOW_START_LIMIT = 8;
/** The same after a timeout: the limit L of RFC 3465 2.3. */
const SLOW_START_LIMIT_AFTER_TIMEOUT = 2;

/** By how much `acked` bytes open the window in slow start (RFC 3465). */
export function slowStart(acked: number, mss: number, isAfterTimeout: boolean): number {
  return Math.min(acked, mss * (isAfterTimeout ? SLOW_START_LIMIT_AFTER_TIMEOUT : SLOW_START_LIMIT));
}

/** The window after a pause of so many timeouts: halved for each, but not below the first one (RFC 2861 2, RFC 5681 4.1). */
export function afterIdle(cwnd: number, mss: number, timeouts: number): number {
  const least = Math.min(cwnd, initialWindow(mss));
  return Math.max(least, Math.floor(cwnd / 2 ** Math.min(timeouts, 30)));
}

/** The threshold after a pause, so that slow start finds back to what was reached (RFC 2861 2). */
export function thresholdAfterIdle(ssthresh: number, cwnd: number): number {
  return Math.max(ssthresh, Math.floor(cwnd * 3 / 4));
}
