/**
 * What a recovery that was for nothing gives back (draft-ietf-ccwg-bbr 5.5.11, BBRSaveStateUponLoss,
 * BBRHandleSpuriousLossDetection).
 *
 * @module
 */
import type { BbrModel } from "./bbr-model.ts";
import { State } from "./bbr-state.ts";

/** What held before a recovery. */
export class Saved {
  /** A recovery is under way, or about to begin: what held before it is kept. */
  isHeld = false;
  /** BBR.undo_state: Startup or Up if its losses have ended that; else any other. */
  state: State = State.Cruise;
  #bandwidthShortTerm = 0;
  #inflightShortTerm = 0;
  #inflightLongTerm = 0;

  /** The first loss: BBRSaveStateUponLoss. */
  save(model: BbrModel): void {
    this.isHeld = true;
    this.state = State.Cruise;
    this.#bandwidthShortTerm = model.bandwidthShortTerm;
    this.#inflightShortTerm = model.inflightShortTerm;
    this.#inflightLongTerm = model.inflightLongTerm;
  }

  /** The recovery is over; that it was for nothing may show yet. */
  end(): void {
    this.isHeld = false;
  }

  /** Nothing is to be given back any more. */
  forget(): void {
    this.isHeld = false;
    this.state = State.Cruise;
    this.#bandwidthShortTerm = this.#inflightShortTerm = this.#inflightLongTerm = 0;
  }

  /** The bounds are what they were, unless they are higher. */
  restore(model: BbrModel): void {
    model.bandwidthShortTerm = Math.max(model.bandwidthShortTerm, this.#bandwidthShortTerm);
    model.inflightShortTerm = Math.max(model.inflightShortTerm, this.#inflightShortTerm);
    model.inflightLongTerm = Math.max(model.inflightLongTerm, this.#inflightLongTerm);
  }
}
