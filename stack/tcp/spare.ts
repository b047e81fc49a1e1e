/**
 * Losses that show no congestion, for a congestion control that tells them from others: they are repaired, and the
 * window stays.
 *
 * @module
 */
import type { Micros } from "./clock.ts";
import type { LossJudge } from "./congestion/loss-judge.ts";
import { flightSize, type Losses, noteReduced } from "./loss.ts";
import { prrStart } from "./prr.ts";

/** Whether `lost` bytes show no congestion that were found to be so of a flight, `acked` bytes of which have arrived. */
export function isNoise(c: Losses, acked: number, lost: number): boolean {
  const { judge } = c;
  if (judge === undefined) return false;
  judge.begin(flightSize(c, acked));
  judge.onLost(lost);
  return !judge.isCongestion(c.rtt.minRtt);
}

/** Losses were found: repairs them without a reduction, if they show no congestion. Answers whether it does. */
export function spare(c: Losses, acked: number): boolean {
  const { judge } = c;
  if (judge === undefined || !isNoise(c, acked, c.flight.lost)) return false;
  judge.isSparing = true;
  judge.window = c.control.cwnd;
  return true;
}

/** Losses are spared, and `lost` more bytes were found as `delivered` bytes arrived: is it congestion after all? */
export function reconsider(c: Losses, judge: LossJudge, delivered: number, lost: number, now: Micros): void {
  judge.onLost(lost, delivered);
  if (judge.isCongestion(c.rtt.minRtt)) convict(c, judge, delivered, now);
}

/** It is. What counts is the flight in which the first of them was found, not what has left since. */
export function convict(c: Losses, judge: LossJudge, delivered: number, now: Micros): void {
  endSparing(c, judge);
  c.control.onLoss(judge.flight, now);
  noteReduced(c);
  // RFC 6582 3.2, step 1: what has left until now is lost by the same congestion.
  c.recoverPoint = c.flight.end;
  prrStart(c, delivered);
}

/** What was spared is repaired, and was no congestion. */
export function acquit(c: Losses, judge: LossJudge): void {
  endSparing(c, judge);
  judge.spared++;
}

/** What was spared is spared no more. */
export function endSparing(c: Losses, judge: LossJudge): void {
  judge.isSparing = false;
  c.control.cwnd = judge.window;
}
