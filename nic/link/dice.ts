/**
 * The randomness of one direction of a link: a sequence for every fault.
 *
 * @module
 */
import type { LossModel } from "../../stack/loss/models.ts";
import { Random } from "../../stack/loss/random.ts";
import type { Instant } from "../../stack/store/time.ts";
import { burstModel, type Faults, pulseModel } from "./faults.ts";

/** Tells the directions of one seed apart; odd, so that no two streams are the same. */
const STREAM = 0x2c1b3c6d;

/** What strikes a frame or a copy while it passes, each with its own sequence. */
export class Passage {
  isCorrupted = false;
  isReordered = false;
  jitter: Instant = 0;
  readonly #corrupt: Random;
  readonly #reorder: Random;
  readonly #jitter: Random;

  constructor(corrupt: number, reorder: number, jitter: number) {
    this.#corrupt = new Random(corrupt);
    this.#reorder = new Random(reorder);
    this.#jitter = new Random(jitter);
  }

  roll({ corrupt, reorder, jitter }: Faults): void {
    this.isCorrupted = this.#corrupt.chance(corrupt ?? 0);
    this.isReordered = this.#reorder.chance(reorder ?? 0);
    this.jitter = jitter ? this.#jitter.below(2 * jitter + 1) - jitter : 0;
  }
}

/**
 * Draws the fate of frames. Each fault has its own sequence, made from the seed, and draws once for every frame that
 * comes, so that a fault more or a fault less does not change which frames the others strike.
 */
export class Dice {
  /** Whether the frame is lost. */
  isLost = false;
  /** Whether it arrives twice. */
  isDuplicated = false;
  /** What strikes the frame. */
  readonly frame: Passage;
  /** What strikes its copy. */
  readonly copy: Passage;
  readonly #loss: Random;
  readonly #duplicate: Random;
  readonly #bits: Random;
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
    const reorder = root.next(), corrupt = root.next();
    this.#bits = new Random(root.next());
    this.frame = new Passage(corrupt, reorder, root.next());
    this.#gaps = new Random(root.next());
    this.#pulseSeed = root.next();
    this.#burstSeed = root.next();
    this.copy = new Passage(root.next(), root.next(), root.next());
  }

  /** Draws for these faults from now on. Sequences go on; only a pulse or a burst that is another one starts anew. */
  use(faults: Faults): void {
    if (faults.pulse !== this.#faults.pulse) this.#pulse = pulseModel(faults.pulse, this.#pulseSeed);
    if (faults.burst !== this.#faults.burst) this.#burst = burstModel(faults.burst, this.#burstSeed);
    this.#faults = faults;
  }

  /** Draws for the next frame, whatever becomes of it, and for the copy that there may be. */
  roll(): void {
    const faults = this.#faults;
    let lost = this.#loss.chance(faults.loss ?? 0);
    if (this.#pulse !== undefined && this.#pulse.lost()) lost = true;
    if (this.#burst !== undefined && this.#burst.lost()) lost = true;
    this.isLost = lost;
    this.isDuplicated = this.#duplicate.chance(faults.duplicate ?? 0);
    this.frame.roll(faults);
    if (this.isDuplicated) this.copy.roll(faults);
  }

  /** Which of so many bits is flipped. */
  bit(count: number): number {
    return this.#bits.below(count);
  }

  /** How many frames pass one that is held back: 1 up to `most`. */
  gap(most: number): number {
    return 1 + this.#gaps.below(most);
  }
}
