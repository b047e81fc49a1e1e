/**
 * How many bytes a buffer may hold: as many as its user has said, or, if nothing was said, what the path takes.
 *
 * @module
 */
import { checkSize } from "../store/size.ts";

/** How far a buffer may grow for which nothing else was said: 1 Gbit/s at 130 ms. */
const MOST = 1 << 24;
/** The largest buffer there is: RFC 7323 2.3 has windows of less than 2^30. */
const LARGEST = 1 << 30;

/** A buffer whose size the layer may raise. */
export interface Growing {
  /** How many bytes it holds at most, at present. */
  readonly limit: number;
  /** How far that may be raised. */
  readonly most: number;
  /** Holds up to `limit` bytes from now on, which is more than before. */
  readonly grow: (limit: number) => void;
}

/** A buffer's size. */
export class BufferSize implements Growing {
  #limit: number;
  readonly most: number;

  /**
   * As the user says; undefined: it begins with `start` and grows.
   *
   * @throws {RangeError} unless the size is a whole number from `least` to 2^30.
   */
  constructor(size: number | undefined, start: number, least: number = 1) {
    if (size !== undefined) checkSize("the size of a buffer", size, least, LARGEST);
    this.#limit = size ?? start;
    this.most = size ?? MOST;
  }

  /** How many bytes it holds at most, at present. */
  get limit(): number {
    return this.#limit;
  }

  /** What may grow; undefined: it is to stay as it is. */
  get growing(): Growing | undefined {
    return this.#limit < this.most ? this : undefined;
  }

  grow(limit: number): void {
    this.#limit = limit;
  }
}
