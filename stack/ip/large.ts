/**
 * Buffers for packets that no link takes whole: what fragments are put together in, and what is cut into them.
 *
 * @module
 */
import { Frame, HEADROOM } from "../frame.ts";

/** A packet's header and 65,535 bytes, behind the headroom; a whole number of words. */
const SLOT_LENGTH = 66_048;

/** A frame of the layer's own arena. */
export class LargeFrame extends Frame {
  /** Whether somebody uses it. */
  isTaken = false;
}

/** A few large frames in one arena, which is only there once the first is asked for. */
export class LargeFrames {
  /** How many there are. */
  readonly capacity: number;
  readonly #frames: LargeFrame[] = [];
  #arena: Uint8Array | undefined;

  /** As many frames as `capacity` says. */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Lends an empty frame; undefined: all are in use. */
  take(): LargeFrame | undefined {
    for (let index = 0; index < this.capacity; index++) {
      const frame = this.#frames[index] ?? this.#make(index);
      if (frame.isTaken) continue;
      frame.isTaken = true;
      frame.start = frame.end = frame.base + HEADROOM;
      return frame;
    }
    return undefined;
  }

  /** Whether at least half of them are free, so that some may be kept for a while. */
  get hasPlenty(): boolean {
    let taken = 0;
    for (let index = 0; index < this.#frames.length; index++) {
      if (this.#frames[index]?.isTaken === true) taken++;
    }
    return 2 * taken < this.capacity;
  }

  /** Takes a frame back. */
  give(frame: LargeFrame): void {
    frame.isTaken = false;
  }

  #make(index: number): LargeFrame {
    const arena = this.#arena ??= new Uint8Array(this.capacity * SLOT_LENGTH);
    const frame = new LargeFrame(arena, index * SLOT_LENGTH, (index + 1) * SLOT_LENGTH);
    this.#frames[index] = frame;
    return frame;
  }
}
