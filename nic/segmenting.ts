/**
 * Segmentation in software: a sending tree may hand down many segments in one, though the NIC takes single packets.
 *
 * @module
 */
import { Frame, Segmentation } from "../stack/frame.ts";
import type { TimedSender } from "../stack/handler.ts";
import { completeChecksum } from "../stack/offload.ts";
import type { Capabilities, Medium, NicInfo, Slot } from "../stack/slot.ts";
import { copyBytes } from "../stack/store/copy.ts";
import type { Instant } from "../stack/store/time.ts";
import { makeArena, takeSpare } from "../stack/wire/arena.ts";
import { BaseSlot, SPARE_ROOM } from "./device.ts";
import { Segmenter } from "./segmenter.ts";

/** The longest IP packet. */
const LONGEST = 0xffff;

/**
 * A sender for any NIC: where the NIC cuts nothing by itself, `sender` fills segments of up to 64 KiB nevertheless,
 * which leave a packet at a time, each a frame of the burst. Costs a copy; saves the work per packet of the layers
 * above. So it is done behind a packet that is more than half full, as one of a long transfer is; what is short goes
 * into the NIC's slot at once. Where the NIC cuts, it is `sender`.
 */
export function segmenting(sender: TimedSender<Slot>): TimedSender<Slot> {
  return new Segmenting(sender);
}

class Segmenting implements TimedSender<Slot> {
  readonly #sender: TimedSender<Slot>;
  #long: LongSlot | undefined;
  readonly #segmenter = new Segmenter();
  #isCutting = false;
  /** Many segments may follow. */
  #isBulk = false;

  constructor(sender: TimedSender<Slot>) {
    this.#sender = sender;
  }

  send(slot: Slot): void {
    if (slot.info.capabilities.segmentation !== undefined) {
      this.#sender.send(slot);
      return;
    }
    const { frame } = slot;
    if (!this.#isCutting && !this.#isBulk) {
      this.#sender.send(slot);
      this.#isBulk = slot.queued && 2 * frame.length > slot.info.mtu;
      return;
    }
    const isWhole = slot.info.capabilities.tcp.fill;
    if (!this.#isCutting && !this.#fill(slot, isWhole)) return;
    // A packet that the slot has no room for can only be if the NIC's MTU is more than its slots take.
    if (this.#isCutting && this.#segmenter.next(frame, isWhole)) slot.queue();
    this.#isCutting = this.#isCutting && this.#segmenter.left > 0;
  }

  deadline(): Instant {
    return this.#isCutting ? 0 : this.#sender.deadline();
  }

  /** Lets the tree fill a long frame. True: it is to be cut; false: it has left as it is, or there is none. */
  #fill(slot: Slot, isWhole: boolean): boolean {
    const long = (this.#long ??= new LongSlot(slot.frame.bytes)).lend(slot.info);
    this.#sender.send(long);
    if (!long.leaves) return false;
    const { bytes, start, end, segmentation } = long.frame;
    if (segmentation !== Segmentation.None) {
      return this.#isCutting = this.#segmenter.begin(long.frame, slot.info.medium);
    }
    this.#isBulk = false;
    if (isWhole) completeChecksum(long.frame);
    const { frame } = slot;
    if (!frame.resize(end - start)) return false;
    copyBytes(frame.bytes, frame.start, bytes, start, end - start);
    slot.queue();
    return false;
  }
}

/** The buffer that the tree fills. */
class LongSlot extends BaseSlot {
  readonly frame: Frame;
  info!: NicInfo;
  #inner: NicInfo | undefined;

  /** In the arena of the slots, if that has room, so that what is cut is copied within it. */
  constructor(arena: Uint8Array) {
    super();
    const at = takeSpare(arena);
    this.frame = at < 0 ? new Frame(makeArena(SPARE_ROOM)) : new Frame(arena, at, at + SPARE_ROOM);
  }

  /** Empty, as a buffer of the NIC that `inner` is about. */
  lend(inner: NicInfo): this {
    if (inner !== this.#inner) {
      this.#inner = inner;
      this.info = new LongInfo(inner);
    }
    this.reset();
    this.frame.resize(0);
    return this;
  }
}

/** What the tree is told: the NIC cuts segments. */
class LongInfo implements NicInfo {
  readonly isLoopback: boolean;
  readonly medium: Medium;
  readonly capabilities: Capabilities;
  readonly #inner: NicInfo;

  constructor(inner: NicInfo) {
    const { capabilities, isLoopback, medium } = inner;
    const tcp = { verify: capabilities.tcp.verify, fill: false, partial: true };
    this.#inner = inner;
    this.isLoopback = isLoopback;
    this.medium = medium;
    this.capabilities = { ...capabilities, tcp, segmentation: LONGEST };
  }

  get timestamp(): Instant {
    return this.#inner.timestamp;
  }

  get mtu(): number {
    return this.#inner.mtu;
  }
}
