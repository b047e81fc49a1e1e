/**
 * When the bandwidth is probed next (draft-ietf-ccwg-bbr 5.3.3.8): after two to three seconds, or after as many rounds
 * as a flow of Reno's would have had between two losses. Chance keeps flows from probing at once.
 *
 * @module
 */
import { seconds } from "../../store/time.ts";
import type { Micros } from "../clock.ts";
import { type BbrModel, isOver } from "./bbr-model.ts";

/** Rounds after which a flow probes as often as Reno's would have had a loss. */
const RENO_ROUNDS = 63;
const LEAST = seconds(2), SPREAD = seconds(1);

/** The wait of one flow. */
export class ProbeWait {
  /** BBR.cycle_stamp and BBR.bw_probe_wait */
  #since: Micros = 0;
  #time = 0;
  /** When acknowledgments come is chance enough, and the same again in a simulation. */
  #random = 1;

  /** Nothing has come yet. */
  reset(): void {
    this.#random = 1;
  }

  /** An acknowledgment has come. */
  mix(now: Micros): void {
    this.#random = (Math.imul(this.#random, 1_103_515_245) + 12_345 + now) | 0;
  }

  /** BBRPickProbeWait */
  begin(model: BbrModel): void {
    this.#since = model.now;
    model.roundsSinceProbe = (this.#random >>> 16) & 1;
    this.#time = LEAST + (this.#random >>> 8) % SPREAD;
  }

  /** Whether it is over, for a flow that keeps so much in flight, in segments of that size: BBRIsTimeToProbeBW. */
  isOver(model: BbrModel, inFlight: number, mss: number): boolean {
    return isOver(this.#since, model.now, this.#time) ||
      model.roundsSinceProbe >= Math.min(inFlight / mss, RENO_ROUNDS);
  }
}
