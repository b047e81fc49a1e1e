/**
 * What the buffers of an endpoint's connections may have grown by, together, and who has it: what a peer was once
 * offered it may send at any time, so all of that must be affordable at once.
 *
 * @module
 */
import type { Growing } from "./buffer-size.ts";
import type { Connection } from "./connection.ts";

/** One connection may have this part of what is left, as a shift: an eighth. So there is always something left. */
const SHARE = 3;

/** Lets buffers grow as long as there is enough for all. */
export class GrowthBudget {
  /** All there is, in bytes. */
  readonly most: number;
  #granted = 0;

  /** Nobody has any of it yet. */
  constructor(most: number) {
    this.most = most;
  }

  /** What buffers have grown by. */
  get granted(): number {
    return this.#granted;
  }

  /** Lets a connection's buffer hold up to `wanted` bytes, or as much of that as there is enough for. */
  grow(c: Connection, buffer: Growing, wanted: number): void {
    if (c.index < 0) return;
    const share = ((this.most - this.#granted) >> SHARE) - c.grown;
    const more = Math.min(Math.min(wanted, buffer.most) - buffer.limit, share);
    if (more <= 0) return;
    buffer.grow(buffer.limit + more);
    c.grown += more;
    this.#granted += more;
  }

  /** The connection is gone. */
  release(c: Connection): void {
    this.#granted -= c.grown;
    c.grown = 0;
  }
}
