/**
 * The randomness of one direction of a link: a sequence for every fault.
 *
 * @module
 */
import type { LossModel } from "../../stack/loss/models.ts";
import { Random } from "../../stack/loss/random.ts";
import { burstModel, type Faults, pulseModel } from "./faults.ts";

/** Tells the directions of one seed apart; odd, so that no two streams are the same. */
const STREAM = 0x2c1b3c6d;

/**
 * Draws the fate of frames. Each fault has its own sequence, made from the seed, so that a fault more or a fault less
 * does not change which frames the others strike.
 */
export class Dice {
  readonly #loss: Random;
  readonly #duplicate: Random;
  readonly #reorder: Random;
  readonly #corrupt: Random;
  readonly #bits: Random;
  readonly #jitter: Random;
  readonly #gaps: Random;
  readonly #pulseSeed: number;
  readonly #burstSeed: number;
  #faults: Faults = {};
  #pulse: LossModel | undefined;
  #burst: LossModel | undefined;

  /** Sequences for one stream of a seed: directions of one link have one seed and different streams. */
  constructor(seed: number, stream: number) {
    const root = new Random(seed ^ Math.imul(stream, STREAM));
    this.#loss = new Random(root.next());
    this.#duplicate = new Random(root.next());
    this.#reorder = new Random(root.next());
    this.#corrupt = new Random(root.next());
    this.#bits = new Random(root.next());
    this.#jitter = new Random(root.next());
    this.#gaps = new Random(root.next());
    this.#pulseSeed = root.next();
    this.#burstSeed = root.next();
  }

  /** Draws for these faults from now on. Sequences go on; only a pulse or a burst that is another one starts anew. */
  use(faults: Faults): void {
    if (faults.pulse !== this.#faults.pulse) this.#pulse = pulseModel(faults.pulse, this.#pulseSeed);
    if (faults.burst !== this.#faults.burst) this.#burst = burstModel(faults.burst, this.#burstSeed);
    this.#faults = faults;
  }

  /** Whether the next frame is lost. Every model sees every frame. */
  isLost(): boolean {
    let lost = this.#loss.chance(this.#faults.loss ?? 0);
    if (this.#pulse !== undefined && this.#pulse.lost()) lost = true;
    if (this.#burst !== undefined && this.#burst.lost()) lost = true;
    return lost;
  }

  /** Whether the next frame arrives twice. */
  isDuplicated(): boolean {
    return this.#duplicate.chance(this.#faults.duplicate ?? 0);
  }

  /** Whether the next frame is held back. */
  isReordered(): boolean {
    return this.#reorder.chance(this.#faults.reorder ?? 0);
  }

  /** Whether one of the next frame's bits is flipped. */
  isCorrupted(): boolean {
    return this.#corrupt.chance(this.#faults.corrupt ?? 0);
  }

  /** Which of so many bits is flipped. */
  bit(count: number): number {
    return this.#bits.below(count);
  }

  /** How many frames pass one that is held back: 1 up to `most`. */
  gap(most: number): number {
    return 1 + this.#gaps.below(most);
  }

  /** By how much the next frame's delay differs, at most `most` up or down. */
  jitter(most: number): number {
    return this.#jitter.below(2 * most + 1) - most;
  }
}
