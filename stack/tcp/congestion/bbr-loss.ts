/**
 * Whether losses say that too much was in flight, and how much would not have been (draft-ietf-ccwg-bbr 5.5.10.2).
 *
 * @module
 */
import type { DeliverySample, LostSegment } from "./sample.ts";

/** BBR.LossThresh: what the path may lose of a flight before it holds too much. */
const LOSS_THRESHOLD = 0.02;
/** A path that loses just as many loses more of some flights by chance: so many standard deviations more say nothing yet. */
const DEVIATIONS = 2;

/** BBRIsInflightTooHigh, of a flight of segments of that size. */
export function isTooHigh(s: Pick<DeliverySample, "flightLost" | "flightSize">, mss: number): boolean {
  return losesTooMuch(s.flightLost / mss, s.flightSize / mss);
}

/** Whether so many segments lost of a flight are too many; a single one never is. */
export function losesTooMuch(lost: number, flight: number): boolean {
  const expected = flight * LOSS_THRESHOLD;
  return lost > Math.max(1, expected + DEVIATIONS * Math.sqrt(expected));
}

/**
 * BBRInflightAtLoss: what was in flight when the losses became too many, of which the segment is the last one. With what
 * was lost before it they may have been more than BBR.LossThresh already: then, all that was in flight before it.
 */
export function inflightAtLoss(l: LostSegment): number {
  const before = l.flightSize - l.length;
  const lostBefore = l.flightLost - l.length;
  return before + Math.max(0, (LOSS_THRESHOLD * before - lostBefore) / (1 - LOSS_THRESHOLD));
}
