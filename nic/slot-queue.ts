/**
 * Slots in the order in which they came.
 *
 * @module
 */
import type { DeviceSlot } from "./device.ts";

/** A ring with room for all slots of a pool. */
export class SlotQueue {
  readonly #ring: (DeviceSlot | undefined)[];
  #head = 0;
  #size = 0;

  /** An empty queue for up to `capacity` slots. */
  constructor(capacity: number) {
    this.#ring = Array<undefined>(capacity).fill(undefined);
  }

  /** How many slots are in it. */
  get size(): number {
    return this.#size;
  }

  /** Puts a slot at the end. There must be room. */
  push(slot: DeviceSlot): void {
    const tail = this.#head + this.#size++;
    this.#ring[tail < this.#ring.length ? tail : tail - this.#ring.length] = slot;
  }

  /** Takes the slot at the head; undefined: there is none. */
  shift(): DeviceSlot | undefined {
    if (this.#size === 0) return undefined;
    const slot = this.#ring[this.#head];
    this.#head = this.#head + 1 === this.#ring.length ? 0 : this.#head + 1;
    this.#size--;
    return slot;
  }
}
