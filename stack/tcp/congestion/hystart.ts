/**
 * HyStart++ (RFC 9406): slow start ends where round trips grow, before the queue in front of the bottleneck is full.
 * It slows down first, for the growth may have been jitter.
 *
 * @module
 */
import { milliseconds } from "../../store/time.ts";
import { after } from "../sequence.ts";
import { slowStart } from "./control.ts";

/** RFC 9406 4.3, by its names. */
const MIN_RTT_THRESH = milliseconds(4);
const MAX_RTT_THRESH = milliseconds(16);
const MIN_RTT_DIVISOR = 8;
const N_RTT_SAMPLE = 8;
const CSS_GROWTH_DIVISOR = 4;
const CSS_ROUNDS = 5;

/** Longer than any round trip: nothing is measured. */
const NONE = 0x7fff_ffff;

/** The first slow start of a connection; later ones know their threshold (RFC 9406 4.2). */
export class HyStart {
  /** Whether the window has grown for as long as it shall. */
  isOver: boolean = false;
  /** SND.NXT at the start of this round, which is over with the first acknowledgment beyond it. */
  #windowEnd = 0;
  #inRound = false;
  #lastRoundMinRtt = NONE;
  #currentRoundMinRtt = NONE;
  #rttSampleCount = 0;
  /** What round trips were when they had grown; `NONE` outside of conservative slow start. */
  #cssBaselineMinRtt = NONE;
  #cssRounds = 0;

  /** Begins, or begins anew: nothing is measured. */
  reset(): void {
    this.isOver = this.#inRound = false;
    this.#lastRoundMinRtt = this.#currentRoundMinRtt = this.#cssBaselineMinRtt = NONE;
    this.#rttSampleCount = this.#cssRounds = 0;
  }

  /** Takes a round trip, whose acknowledgment has left [una, end) in flight. */
  onRoundTrip(rtt: number, una: number, end: number): void {
    if (!this.#inRound || after(una, this.#windowEnd)) this.#beginRound(end);
    if (rtt < this.#currentRoundMinRtt) this.#currentRoundMinRtt = rtt;
    this.#rttSampleCount++;
    if (this.#rttSampleCount < N_RTT_SAMPLE) return;
    if (this.#cssBaselineMinRtt !== NONE) {
      // It was jitter: slow start goes on.
      if (this.#currentRoundMinRtt < this.#cssBaselineMinRtt) this.#cssBaselineMinRtt = NONE;
    } else if (this.#hasGrown()) {
      this.#cssBaselineMinRtt = this.#currentRoundMinRtt;
      this.#cssRounds = 0;
    }
  }

  /** By how much `acked` bytes open the window. */
  growth(acked: number, mss: number): number {
    const bytes = slowStart(acked, mss, false);
    return this.#cssBaselineMinRtt === NONE ? bytes : Math.floor(bytes / CSS_GROWTH_DIVISOR);
  }

  #beginRound(end: number): void {
    // The round in which it became conservative counts, though it was not whole.
    if (this.#inRound && this.#cssBaselineMinRtt !== NONE && ++this.#cssRounds === CSS_ROUNDS) {
      this.isOver = true;
    }
    this.#inRound = true;
    this.#windowEnd = end;
    this.#lastRoundMinRtt = this.#currentRoundMinRtt;
    this.#currentRoundMinRtt = NONE;
    this.#rttSampleCount = 0;
  }

  #hasGrown(): boolean {
    const last = this.#lastRoundMinRtt;
    if (last === NONE) return false;
    const threshold = Math.max(MIN_RTT_THRESH, Math.min(last / MIN_RTT_DIVISOR, MAX_RTT_THRESH));
    return this.#currentRoundMinRtt >= last + threshold;
  }
}
