/**
 * Frames that are held back, so that later ones overtake them.
 *
 * @module
 */
import { type Instant, NEVER } from "../../stack/store/time.ts";

/** How many frames are held back at once. */
export const HELD_MAX = 16;

/** A few frames, each with how many others are to pass it, and until when it waits for them. */
export class HeldBack {
  readonly #slots = new Int32Array(HELD_MAX);
  readonly #left = new Int32Array(HELD_MAX);
  readonly #until = new Float64Array(HELD_MAX);
  #size = 0;

  /** How many frames are held back. */
  get size(): number {
    return this.#size;
  }

  /** Holds a frame back until `gap` others have passed it, or until an instant. False: there are too many. */
  hold(slot: number, gap: number, until: Instant): boolean {
    if (this.#size === HELD_MAX) return false;
    this.#slots[this.#size] = slot;
    this.#left[this.#size] = gap;
    this.#until[this.#size] = until;
    this.#size++;
    return true;
  }

  /** When the first of them has waited long enough. */
  deadline(): Instant {
    let least = NEVER;
    for (let place = 0; place < this.#size; place++) least = Math.min(least, this.#until[place]!);
    return least;
  }

  /** Takes the frame out that has waited enough first; -1: there is none. */
  take(): number {
    if (this.#size === 0) return -1;
    let first = 0;
    for (let place = 1; place < this.#size; place++) {
      if (this.#until[place]! < this.#until[first]!) first = place;
    }
    return this.#remove(first);
  }

  /** A frame has passed them all. Takes the first one out that need wait no longer; -1: all must. */
  overtaken(): number {
    for (let place = 0; place < this.#size; place++) this.#left[place]!--;
    return this.next();
  }

  /** Takes the next one out that need wait no longer; -1: all others must. */
  next(): number {
    for (let place = 0; place < this.#size; place++) {
      if (this.#left[place]! <= 0) return this.#remove(place);
    }
    return -1;
  }

  #remove(place: number): number {
    const slot = this.#slots[place]!;
    this.#size--;
    for (let next = place; next < this.#size; next++) {
      this.#slots[next] = this.#slots[next + 1]!;
      this.#left[next] = this.#left[next + 1]!;
      this.#until[next] = this.#until[next + 1]!;
    }
    return slot;
  }
}
