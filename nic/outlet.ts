/**
 * NICs as ways out for frames of other NICs.
 *
 * @module
 */
import { LayerError } from "../stack/error.ts";
import { Checksum, type Frame, Segmentation } from "../stack/frame.ts";
import type { Sender } from "../stack/handler.ts";
import { completeChecksum } from "../stack/offload.ts";
import type { NicInfo, Slot } from "../stack/slot.ts";
import { copyBytes } from "../stack/store/copy.ts";
import type { Nic } from "./device.ts";
import { Segmenter } from "./segmenter.ts";

/** What forwards to a NIC: see `Outlet` in the stack. */
export interface NicOutlet {
  /** The NIC's state. */
  readonly info: NicInfo;
  /** Sends the frame before it answers. `Exhausted`: the NIC is full. `BadSize`: its slots are too short. */
  readonly emit: (frame: Frame) => LayerError;
}

/**
 * The way out through a NIC for frames that lie in another one's slots. A NIC that can send from any memory of ours
 * does; into the slots of all others, and of wrappers that want to see what leaves, the frame is copied. What one NIC
 * has left to the other is done here, if that one does not do it.
 */
export function outlet(nic: Nic): NicOutlet {
  return new Exit(nic);
}

class Exit implements NicOutlet, Sender<Slot> {
  readonly info: NicInfo;
  readonly #nic: Nic;
  readonly #segmenter = new Segmenter();
  #frame: Frame | undefined;
  #isCutting = false;
  #error: LayerError = LayerError.None;

  constructor(nic: Nic) {
    this.#nic = nic;
    this.info = nic.info;
  }

  emit(frame: Frame): LayerError {
    const { tcp, segmentation = 0 } = this.info.capabilities;
    if (frame.segmentation !== Segmentation.None && frame.length > segmentation) return this.#cut(frame);
    if (tcp.partial !== true) completeChecksum(frame);
    return this.#nic.emit === undefined ? this.#copy(frame) : this.#nic.emit(frame);
  }

  send(slot: Slot): void {
    if (this.#isCutting) {
      if (this.#segmenter.next(slot.frame, this.info.capabilities.tcp.partial !== true)) {
        this.#error = slot.queue();
      }
      return;
    }
    const from = this.#frame;
    if (from === undefined) return;
    this.#frame = undefined;
    const { frame } = slot;
    const { start, length, checksumAt, checksumField } = from;
    if (!frame.resize(length)) {
      this.#error = LayerError.BadSize;
      return;
    }
    copyBytes(frame.bytes, frame.start, from.bytes, start, length);
    if (from.checksum === Checksum.Partial) {
      frame.leaveChecksum(frame.start + checksumAt - start, checksumField);
    }
    frame.segmentation = from.segmentation;
    frame.segmentSize = from.segmentSize;
    this.#error = slot.queue();
  }

  #copy(frame: Frame): LayerError {
    this.#frame = frame;
    const error = this.#transmit();
    this.#frame = undefined;
    return error;
  }

  /** Sends a frame in segments, for a NIC that does not cut it. */
  #cut(frame: Frame): LayerError {
    if (!this.#segmenter.begin(frame, this.info.medium)) return LayerError.BadSize;
    this.#isCutting = true;
    let error: LayerError = LayerError.None;
    while (error === LayerError.None && this.#segmenter.left > 0) error = this.#transmit();
    this.#isCutting = false;
    return error;
  }

  /** Fills one slot of the NIC's, and answers what came of it; nothing: there was no slot. */
  #transmit(): LayerError {
    this.#error = LayerError.Exhausted;
    this.#nic.tx(1, this);
    return this.#error;
  }
}
