/**
 * How long little is kept in flight, so that the queue runs empty and the least round trip shows
 * (draft-ietf-ccwg-bbr 5.3.4.3, BBRHandleProbeRTT).
 *
 * @module
 */
import { milliseconds } from "../../store/time.ts";
import { elapsed, later, type Micros } from "../clock.ts";
import { type BbrModel, isOver } from "./bbr-model.ts";

/** BBR.ProbeRTTDuration */
const DURATION = milliseconds(200);

/** One probe of the round trip after the other. */
export class ProbeRtt {
  /** BBR.probe_rtt_done_stamp, once so little is in flight. */
  #until: Micros = 0;
  #holds = false;
  /** BBR.probe_rtt_round_done */
  #hasRound = false;

  /** A probe begins. */
  begin(): void {
    this.#holds = false;
  }

  /** An acknowledgment has come that leaves `inFlight`, of which no more than `window` is to be. */
  take(model: BbrModel, inFlight: number, window: number): void {
    if (!this.#holds) {
      if (inFlight > window) return;
      this.#holds = true;
      this.#hasRound = false;
      this.#until = later(model.now, DURATION);
      model.startRound();
    } else if (model.isRoundStart) this.#hasRound = true;
  }

  /** Whether a round trip and long enough have passed. */
  isOver(now: Micros): boolean {
    return this.#holds && this.#hasRound && elapsed(this.#until, now) > 0;
  }

  /** Whether long enough has passed, of a pause with nothing in flight: BBRCheckProbeRTTDone. */
  isOverAfterPause(now: Micros): boolean {
    return this.#holds && isOver(later(this.#until, -DURATION), now, DURATION);
  }
}
