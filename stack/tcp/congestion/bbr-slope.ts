/**
 * How fast BBR.inflight_longterm grows while the bandwidth is probed: by a segment in the first round, by two in the
 * next, then by four (draft-ietf-ccwg-bbr 5.3.3.9, BBRRaiseInflightLongtermSlope, BBRProbeInflightLongtermUpward).
 *
 * @module
 */

/** Rounds after which it grows no faster. */
const MOST_ROUNDS = 30;

/** The slope of one flow. */
export class Slope {
  /** BBR.bw_probe_up_rounds */
  #rounds = 0;
  /** BBR.bw_probe_up_acked */
  #acked = 0;
  /** BBR.probe_up_acked_per_inc */
  #perStep = Infinity;

  /** A probe is about to begin. */
  begin(): void {
    this.#rounds = this.#acked = 0;
  }

  /** It grows no more. */
  stop(): void {
    this.#perStep = Infinity;
  }

  /** Another round begins. */
  raise(cwnd: number, mss: number): void {
    const growth = 2 ** this.#rounds;
    this.#rounds = Math.min(this.#rounds + 1, MOST_ROUNDS);
    this.#perStep = Math.max(cwnd / growth, mss);
  }

  /** So many bytes were acknowledged: by how many segments it grows. */
  take(acked: number): number {
    this.#acked += acked;
    if (this.#acked < this.#perStep) return 0;
    const steps = Math.floor(this.#acked / this.#perStep);
    this.#acked -= steps * this.#perStep;
    return steps;
  }
}
