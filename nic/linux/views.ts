/**
 * Views of frames for the C library, made once and kept, because making one a packet costs more than the call.
 *
 * @module
 */
import { type Frame, HEADROOM } from "../../stack/frame.ts";
import type { DeviceSlot, SlotPool } from "../device.ts";

/** The views of all slots of a pool. */
export class FrameViews {
  readonly #bytes: Uint8Array;
  readonly #whole: readonly Uint8Array[];
  /** For frames that do not start behind the headroom: the view used last, slot by slot. */
  readonly #moved: Uint8Array[];
  /** Frames that are other NICs': the view used last, frame by frame. */
  readonly #foreign = new WeakMap<Frame, Uint8Array>();
  /** How much of the device's own stands before a frame. */
  readonly #header: number;

  /** Makes a view for each of the pool's slots. It begins `header` bytes before the frame. */
  constructor(pool: SlotPool, header: number = 0) {
    this.#bytes = pool.bytes;
    this.#header = header;
    this.#whole = pool.slots.map(({ frame }) =>
      pool.bytes.subarray(frame.base + HEADROOM - header, frame.limit)
    );
    this.#moved = [...this.#whole];
  }

  /** The slot behind its headroom, where a frame is received, with what stands before the frame. */
  whole(slot: DeviceSlot): Uint8Array {
    return this.#whole[slot.index]!;
  }

  /** The slot from its frame's first byte on, with what stands before the frame. */
  at(slot: DeviceSlot): Uint8Array {
    const { frame, index } = slot;
    if (frame.start === frame.base + HEADROOM) return this.#whole[index]!;
    const moved = this.#moved[index]!;
    const start = frame.start - this.#header;
    if (moved.byteOffset === start) return moved;
    // Answers to one kind of packet start at one place, so this is seldom reached.
    return this.#moved[index] = this.#bytes.subarray(start, frame.limit);
  }

  /** A frame of another NIC's from its first byte on, with what stands before the frame. */
  foreign(frame: Frame): Uint8Array {
    const start = frame.start - this.#header;
    const kept = this.#foreign.get(frame);
    if (kept !== undefined && kept.byteOffset === frame.bytes.byteOffset + start) return kept;
    const view = frame.bytes.subarray(start, frame.limit);
    this.#foreign.set(frame, view);
    return view;
  }
}
