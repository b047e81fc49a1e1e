/**
 * Models of loss: which packets of a sequence do not arrive.
 *
 * @module
 */
import { Random } from "./random.ts";

/** Decides the fate of one packet after the other. */
export interface LossModel {
  /** Whether the next packet is lost. */
  readonly lost: () => boolean;
}

/** Throws a RangeError unless `value` is a probability. */
export function checkProbability(name: string, value: number): number {
  if (!(value >= 0 && value <= 1)) throw new RangeError(`${name} must be from 0 to 1, not ${value}`);
  return value;
}

/** Loses each packet with the same probability, independently of the others. */
export class UniformLoss implements LossModel {
  readonly #rate: number;
  readonly #random: Random;

  /** Throws a RangeError unless `rate` is from 0 to 1. */
  constructor(rate: number, seed: number) {
    this.#rate = checkProbability("a loss rate", rate);
    this.#random = new Random(seed);
  }

  lost(): boolean {
    return this.#random.chance(this.#rate);
  }
}

/** When a {@linkcode PulseLoss} loses packets. */
export interface Pulse {
  /** Where in a period loss begins: so many packets pass first. */
  readonly threshold: number;
  /** Where in the counting the first period begins. Default 0. */
  readonly count?: number;
  /** How many packets a period has. */
  readonly reset: number;
  /** The share of packets that is lost behind the threshold. Default 1. */
  readonly rate?: number;
}

/** Loses packets in bursts that come back: in each period, only those behind the threshold. */
export class PulseLoss implements LossModel {
  readonly #threshold: number;
  readonly #reset: number;
  readonly #rate: number;
  readonly #random: Random;
  #count: number;

  /** Throws a RangeError for numbers that describe no period. */
  constructor(pulse: Pulse, seed: number) {
    const { threshold, count = 0, reset, rate = 1 } = pulse;
    if (!Number.isInteger(reset) || reset < 1) {
      throw new RangeError(`a pulse's reset must be a whole number of packets from 1, not ${reset}`);
    }
    if (!Number.isInteger(threshold) || threshold < 0 || threshold > reset) {
      throw new RangeError(`a pulse's threshold must be from 0 to its reset ${reset}, not ${threshold}`);
    }
    if (!Number.isInteger(count) || count < 0 || count >= reset) {
      throw new RangeError(`a pulse's count must be from 0 to below its reset ${reset}, not ${count}`);
    }
    this.#threshold = threshold;
    this.#reset = reset;
    this.#rate = checkProbability("a pulse's loss rate", rate);
    this.#count = count;
    this.#random = new Random(seed);
  }

  lost(): boolean {
    const inPulse = this.#count >= this.#threshold;
    this.#count = this.#count + 1 === this.#reset ? 0 : this.#count + 1;
    return inPulse && (this.#rate === 1 || this.#random.chance(this.#rate));
  }
}

/** The two states of a {@linkcode GilbertElliottLoss} and how it changes between them. */
export interface GilbertElliott {
  /** The probability of going from the good state to the bad one, a packet. */
  readonly toBad: number;
  /** The probability of going back, a packet: its inverse is the mean length of a burst. */
  readonly toGood: number;
  /** The loss rate in the bad state. Default 1. */
  readonly badRate?: number;
  /** The loss rate in the good state. Default 0. */
  readonly goodRate?: number;
}

/** Loses packets in bursts of random length, as radio links do (Gilbert 1960, Elliott 1963). */
export class GilbertElliottLoss implements LossModel {
  readonly #toBad: number;
  readonly #toGood: number;
  readonly #badRate: number;
  readonly #goodRate: number;
  readonly #random: Random;
  #isBad = false;

  /** Starts in the good state. Throws a RangeError unless all are from 0 to 1. */
  constructor(states: GilbertElliott, seed: number) {
    this.#toBad = checkProbability("the probability of turning bad", states.toBad);
    this.#toGood = checkProbability("the probability of turning good", states.toGood);
    this.#badRate = checkProbability("the bad state's loss rate", states.badRate ?? 1);
    this.#goodRate = checkProbability("the good state's loss rate", states.goodRate ?? 0);
    this.#random = new Random(seed);
  }

  lost(): boolean {
    if (this.#random.chance(this.#isBad ? this.#toGood : this.#toBad)) this.#isBad = !this.#isBad;
    return this.#random.chance(this.#isBad ? this.#badRate : this.#goodRate);
  }
}

/** Loses what any of several models loses. Each model sees every packet. */
export class AnyLoss implements LossModel {
  readonly #models: readonly LossModel[];

  /** A union of models; of none, it loses nothing. */
  constructor(models: readonly LossModel[]) {
    this.#models = models;
  }

  lost(): boolean {
    let lost = false;
    for (let index = 0; index < this.#models.length; index++) {
      if (this.#models[index]!.lost()) lost = true;
    }
    return lost;
  }
}
