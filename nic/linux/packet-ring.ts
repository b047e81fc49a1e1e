/**
 * The ring that a packet socket receives through: the kernel fills its frames, we hand them on where they lie and give
 * them back (Documentation/networking/packet_mmap.rst of Linux, TPACKET_V2).
 *
 * @module
 */
import { Checksum, Frame, Segmentation } from "../../stack/frame.ts";
import type { NicInfo } from "../../stack/slot.ts";
import { DeviceSlot } from "../device.ts";
import type { Mapping } from "./mapping.ts";
import type { PacketSocket, RingShape } from "./packet-socket.ts";

/**
 * 240 frames, each long enough for an IP packet of 65,535 bytes, which is what a sender on this machine leaves in one.
 * Their length is no power of two, so that their beginnings do not share a few lines of the caches.
 */
const RING: RingShape = { blocks: 16, blockSize: 1 << 20, frameSize: 65_792, reserve: 118 };

/** `struct tpacket2_hdr`, in words: status, length, captured length, (mac, net), two of time, tag (tci, tpid). */
const LENGTH = 1, CAPTURED = 2, PLACES = 3, TAG = 6;
/** What the kernel keeps at the beginning of a ring's frame; the next multiple of 32. */
const RING_HEADER = 64;

const TAG_TYPE = 0x8100, TAG_LENGTH = 4;

/** Bits of a frame's status. */
export const RingStatus = {
  User: 0x1,
  Losing: 0x4,
  NoChecksum: 0x8,
  Tagged: 0x10,
  TagType: 0x40,
  Verified: 0x80,
} as const;

/**
 * The status of a frame that a reader holds: neither the kernel's nor one to be taken. The status alone tells, since a
 * frame that was given back may be filled again at once, whatever those around it are.
 */
const HELD = 0x1_0000;

/**
 * The number of the frame that is taken next, in memory that is shared with whoever goes on reading a ring if a thread
 * ends.
 */
export type RingPlace = Int32Array<ArrayBufferLike>;

/** The place of a ring that nobody has read yet. */
export function newRingPlace(): RingPlace {
  return new Int32Array(new SharedArrayBuffer(4));
}

/** The frames of a ring, as slots. */
export class PacketRing {
  /** Where the ring starts, for the kernel. */
  readonly address: number;
  readonly #mapping: Mapping;
  readonly #slots: readonly DeviceSlot[];
  /** Where each slot's status is, in words. */
  readonly #places: Int32Array;
  readonly #place: RingPlace;
  /** The slot that the kernel fills next. */
  #next = 0;

  /** Gives a ring for frames of any length to a socket that has none yet, for others to read. Throws a `NicError`. */
  static make(socket: PacketSocket): void {
    socket.ring(RING).release();
  }

  /**
   * The ring of a socket that has none yet, for frames of any length unless told otherwise; or the one that it was given
   * by {@linkcode PacketRing.make}, from a place on. Throws a `NicError`.
   */
  constructor(socket: PacketSocket, info: NicInfo, shape: RingShape = RING, place?: RingPlace) {
    this.#mapping = place === undefined ? socket.ring(shape) : socket.map(shape);
    this.#place = place ?? new Int32Array(1);
    this.address = this.#mapping.address;
    const places = framePlaces(shape);
    this.#places = places.map((at) => at >> 2);
    this.#slots = Array.from(places, (at, index) => {
      return new DeviceSlot(
        new Frame(this.#mapping.bytes, at + RING_HEADER, at + shape.frameSize),
        info,
        index,
      );
    });
    // What an earlier reader had taken is lost with it.
    this.#next = this.#place[0]!;
    for (const slot of this.#slots) {
      if (Atomics.load(this.#mapping.words, this.#places[slot.index]!) === HELD) this.give(slot);
    }
  }

  /** The {@linkcode RingStatus} of the frame that {@linkcode PacketRing.take} would take; 0: the kernel still has it. */
  status(): number {
    return Atomics.load(this.#mapping.words, this.#places[this.#next]!);
  }

  /** Takes the next frame, which the kernel must have filled. */
  take(): DeviceSlot {
    const slot = this.#slots[this.#next]!;
    this.#next = this.#place[0] = slot.index + 1 === this.#slots.length ? 0 : slot.index + 1;
    // Last: a reader that ends before this leaves a frame that is taken once more when the ring comes round.
    Atomics.store(this.#mapping.words, this.#places[slot.index]!, HELD);
    return slot;
  }

  /** Sets a slot that was taken to what the kernel has put there. False: it was too long. */
  enter(slot: DeviceSlot): boolean {
    const { words } = this.#mapping;
    const { frame } = slot;
    const at = this.#places[slot.index]!;
    const length = words[at + LENGTH]!;
    frame.start = (at << 2) + (words[at + PLACES]! & 0xffff);
    frame.end = frame.start + length;
    frame.checksum = Checksum.Unverified;
    frame.segmentation = Segmentation.None;
    slot.reset();
    return words[at + CAPTURED] === length;
  }

  /** Puts back the VLAN tag that the kernel has taken out of a frame (IEEE 802.1Q 9.6). */
  restoreTag(slot: DeviceSlot, status: number): void {
    if ((status & RingStatus.Tagged) === 0) return;
    const tag = this.#mapping.words[this.#places[slot.index]! + TAG]!;
    const type = (status & RingStatus.TagType) === 0 ? TAG_TYPE : tag >>> 16;
    const { bytes, start } = slot.frame;
    bytes.copyWithin(start - TAG_LENGTH, start, start + 12);
    bytes[start + 8] = type >>> 8;
    bytes[start + 9] = type;
    bytes[start + 10] = tag >>> 8;
    bytes[start + 11] = tag;
    slot.frame.start = start - TAG_LENGTH;
  }

  /** Gives a slot back to the kernel. */
  give(slot: DeviceSlot): void {
    Atomics.store(this.#mapping.words, this.#places[slot.index]!, 0);
  }

  /** Lets go of the ring; what was in its frames is gone. */
  release(): void {
    this.#mapping.release();
  }
}

/** Where the frames of a ring begin. */
function framePlaces({ blocks, blockSize, frameSize }: RingShape): Int32Array {
  const each = Math.floor(blockSize / frameSize);
  return Int32Array.from({ length: blocks * each }, (_, index) => {
    return Math.floor(index / each) * blockSize + (index % each) * frameSize;
  });
}
