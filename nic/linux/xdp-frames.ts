/**
 * The frames of an AF_XDP socket, as slots: which of them the kernel has, and getting them back.
 *
 * @module
 */
import { Checksum, Frame, Segmentation } from "../../stack/frame.ts";
import type { NicInfo } from "../../stack/slot.ts";
import { makeArena } from "../../stack/wire/arena.ts";
import { DeviceSlot, SPARE_ROOM } from "../device.ts";
import type { XdpRing } from "./xdp-socket.ts";

/** The length of a frame's memory, a page, as a power of two. */
const CHUNK_SHIFT = 12;
/** The same in bytes. */
export const CHUNK_SIZE: number = 1 << CHUNK_SHIFT;

/** Memory for `count` frames. */
export function frameMemory(count: number): Uint8Array {
  return makeArena(count * CHUNK_SIZE, SPARE_ROOM);
}

/** The slots over a memory. */
export class XdpFrames {
  readonly #slots: readonly DeviceSlot[];
  readonly #free: DeviceSlot[];
  /** How many frames the kernel should have more to receive into, for which there were none. */
  #owed = 0;

  /** All free. */
  constructor(bytes: Uint8Array, count: number, info: NicInfo) {
    this.#slots = Array.from({ length: count }, (_, index) => {
      const at = index << CHUNK_SHIFT;
      return new DeviceSlot(new Frame(bytes, at, at + CHUNK_SIZE), info, index);
    });
    this.#free = [...this.#slots].reverse();
  }

  /** A free slot, or undefined. */
  take(): DeviceSlot | undefined {
    return this.#free.pop();
  }

  /** The slot of what was received; it is no longer the kernel's. */
  received(ring: XdpRing): DeviceSlot {
    const { words } = ring;
    const at = ring.next();
    const address = words[at]!;
    const slot = this.#slots[address >>> CHUNK_SHIFT]!;
    const { frame } = slot;
    frame.start = address;
    frame.end = address + words[at + 2]!;
    frame.checksum = Checksum.Unverified;
    frame.segmentation = Segmentation.None;
    slot.reset();
    return slot;
  }

  /** Gives a slot to the kernel, to receive into. */
  fill(ring: XdpRing, slot: DeviceSlot): void {
    const { words } = ring;
    const at = ring.next();
    words[at] = slot.index << CHUNK_SHIFT;
    words[at + 1] = 0;
  }

  /** Gives the kernel a free slot to receive into, in the place of one that it has not given back yet. */
  fillFromFree(ring: XdpRing): void {
    const slot = this.#free.pop();
    if (slot === undefined) this.#owed++;
    else this.fill(ring, slot);
  }

  /** Gives a slot to the kernel, to send. */
  send(ring: XdpRing, { frame }: DeviceSlot): void {
    const { words } = ring;
    const at = ring.next();
    words[at] = frame.start;
    words[at + 1] = 0;
    words[at + 2] = frame.end - frame.start;
    words[at + 3] = 0;
  }

  /** Takes back what has left. */
  reclaim(completion: XdpRing, fill: XdpRing): void {
    const { words } = completion;
    const count = completion.filled;
    if (count === 0) return;
    for (let turn = 0; turn < count; turn++) {
      this.give(this.#slots[words[completion.next()]! >>> CHUNK_SHIFT]!, fill);
    }
    completion.publishConsumed();
    fill.publishProduced();
  }

  /** Gives a slot back that is neither to be sent nor was to be received into. */
  give(slot: DeviceSlot, fill: XdpRing): void {
    slot.reset();
    if (this.#owed === 0) {
      this.#free.push(slot);
      return;
    }
    this.#owed--;
    this.fill(fill, slot);
  }
}
