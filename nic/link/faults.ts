/**
 * What can be wrong with one direction of a link, and which values describe it.
 *
 * @module
 */
import {
  type GilbertElliott,
  GilbertElliottLoss,
  type LossModel,
  type Pulse,
  PulseLoss,
} from "../../stack/loss/models.ts";
import type { Instant } from "../../stack/store/time.ts";

/** The faults of one direction of a link. What is absent does not happen; all absent is a perfect wire. */
export interface Faults {
  /** The share of frames lost at random, each on its own. */
  readonly loss?: number;
  /** Loss in bursts that come back at fixed places. */
  readonly pulse?: Pulse;
  /** Loss in bursts of random length. */
  readonly burst?: GilbertElliott;
  /** The share of frames that arrive twice: the copy follows its original. */
  readonly duplicate?: number;
  /** The share of frames that are held back until one to three later ones have passed, or 10 ms. */
  readonly reorder?: number;
  /** The share of frames of which one random bit is flipped. */
  readonly corrupt?: number;
  /** How long a frame travels, in microseconds. */
  readonly delay?: Instant;
  /**
   * By how much the delay differs at most, up or down, each value as likely as any other. It never lets a frame
   * overtake another: as on one wire, a frame that is slow slows those behind it.
   */
  readonly jitter?: Instant;
  /** How many bits pass a second, Ethernet header included. Absent: any number at once. */
  readonly rate?: number;
  /** How many frames may wait for their turn, beside the one that is being sent; others are dropped. Needs a rate. */
  readonly queue?: number;
  /** From how many waiting frames on packets that can carry ECN's mark get it (RFC 3168 5); 0: always. */
  readonly ecn?: number;
  /** The longest payload that passes, in bytes; longer frames vanish without a word. */
  readonly mtu?: number;
  /** Where the randomness starts. Default 0, or the network's. */
  readonly seed?: number;
  /** Whether nothing passes. What is under way still arrives. */
  readonly down?: boolean;
}

/** The longest delay that is allowed: an hour. */
export const DELAY_MAX: Instant = 3_600_000_000;
/** The most frames that a queue may hold. */
export const QUEUE_MAX = 1 << 20;
/** The shortest MTU that is allowed: every link carries as much of IPv4 (RFC 791 3.2). */
export const MTU_MIN = 68;
/** The longest MTU that is allowed. */
export const MTU_MAX = 65_535;
/** The greatest rate that is allowed, in bits a second. */
export const RATE_MAX = 1e12;

/** The fields of {@linkcode Faults} that are shares of all frames. */
const SHARES = ["loss", "duplicate", "reorder", "corrupt"] as const;

/** The fields of {@linkcode Faults} that are whole numbers, with what they count and their bounds. */
const COUNTS = [
  ["delay", "microseconds", 0, DELAY_MAX],
  ["jitter", "microseconds", 0, DELAY_MAX],
  ["rate", "bits a second", 1, RATE_MAX],
  ["queue", "frames", 1, QUEUE_MAX],
  ["ecn", "frames", 0, QUEUE_MAX],
  ["mtu", "bytes", MTU_MIN, MTU_MAX],
] as const;

/**
 * Answers with `faults`, if they can be.
 *
 * @throws {RangeError} that names the field which cannot, and what is allowed.
 */
export function checkFaults(faults: Faults): Faults {
  for (const name of SHARES) {
    const value = faults[name];
    if (value !== undefined && !(value >= 0 && value <= 1)) {
      throw new RangeError(`${name} must be a share from 0 to 1, not ${value}`);
    }
  }
  for (const [name, unit, least, most] of COUNTS) {
    const value = faults[name];
    if (value !== undefined && !(Number.isInteger(value) && value >= least && value <= most)) {
      throw new RangeError(
        `${name} must be a whole number of ${unit} from ${least} to ${most}, not ${value}`,
      );
    }
  }
  if (faults.seed !== undefined && !Number.isInteger(faults.seed)) {
    throw new RangeError(`seed must be a whole number, not ${faults.seed}`);
  }
  if (faults.rate === undefined && faults.queue !== undefined) {
    throw new RangeError("queue needs a rate: frames wait only where they cannot pass at once");
  }
  if (faults.rate === undefined && faults.ecn !== undefined && faults.ecn > 0) {
    throw new RangeError("ecn needs a rate, unless it is 0: frames wait only where they cannot pass at once");
  }
  pulseModel(faults.pulse, 0);
  burstModel(faults.burst, 0);
  return faults;
}

/** The model of a pulse; undefined: none. Throws a RangeError that names the field. */
export function pulseModel(pulse: Pulse | undefined, seed: number): LossModel | undefined {
  return pulse === undefined ? undefined : new PulseLoss(pulse, seed);
}

/** The model of random bursts; undefined: none. Throws a RangeError that names the field. */
export function burstModel(burst: GilbertElliott | undefined, seed: number): LossModel | undefined {
  return burst === undefined ? undefined : named("burst", () => new GilbertElliottLoss(burst, seed));
}

/** Has what is thrown say which field it is about. */
function named(field: string, make: () => LossModel): LossModel {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError) throw new RangeError(`${field}: ${error.message}`);
    throw error;
  }
}

/** Whether nothing can happen to a frame, so that it arrives as it is, at once. */
export function isPerfect(faults: Faults): boolean {
  const { loss, pulse, burst, duplicate, reorder, corrupt, delay, jitter, rate, ecn, mtu, down } = faults;
  return !loss && pulse === undefined && burst === undefined && !duplicate && !reorder && !corrupt &&
    !delay &&
    !jitter && rate === undefined && ecn === undefined && mtu === undefined && !down;
}
