/**
 * A wire between two hosts in one process: what one end sends arrives at the other.
 *
 * @module
 */
import { LayerError } from "../../stack/error.ts";
import { Checksum, type Frame } from "../../stack/frame.ts";
import { ALL_MANUAL, type Capabilities } from "../../stack/slot.ts";
import { copyBytes } from "../../stack/store/copy.ts";
import type { Instant } from "../../stack/store/time.ts";
import { DeviceInfo, type DeviceSlot } from "../device.ts";
import { longestFrame, MemoryNic } from "../memory.ts";

/** How a {@linkcode link} is set up. */
export interface LinkOptions {
  /** What both ends claim to do by themselves. Default: nothing, so that the stacks compute and verify as on a wire. */
  readonly capabilities?: Capabilities;
  /** The largest payload of a frame. Default 1500. */
  readonly mtu?: number;
  /** Frames that an end holds at once, arrived or being filled. Default 256. */
  readonly slots?: number;
  /** The clock, in microseconds: {@linkcode monotonic}, say. Default: one that stands still until both ends are set. */
  readonly clock?: () => Instant;
}

/**
 * Makes a wire and answers with its two ends.
 *
 * ```ts
 * import { link, monotonic, Stack } from "@ethox/ethox";
 *
 * const [left, right] = link({ clock: monotonic });
 * await using here = await Stack.open({ nic: left, addresses: ["10.0.0.1/24"] });
 * await using there = await Stack.open({ nic: right, addresses: ["10.0.0.2/24"] });
 * there.serve({ port: 80 }, () => new Response("hello"));
 * const connection = await here.connect({ hostname: "10.0.0.2", port: 80 });
 * ```
 */
export function link(options: LinkOptions = {}): [LinkEnd, LinkEnd] {
  const left = new LinkEnd("link:0", options);
  const right = new LinkEnd("link:1", options);
  left.connect(right);
  right.connect(left);
  return [left, right];
}

/** One end of a {@linkcode link}. */
export class LinkEnd extends MemoryNic {
  #peer: LinkEnd | undefined;

  /** An end that leads nowhere until it is connected. */
  constructor(name: string, options: LinkOptions) {
    const { mtu = 1_500, slots = 256, capabilities = ALL_MANUAL, clock } = options;
    const frameLength = longestFrame(mtu, capabilities);
    super(name, new DeviceInfo(capabilities, mtu), { slots, frameLength, clock });
  }

  /** Makes `peer` the other end of what this one sends. */
  connect(peer: LinkEnd): void {
    this.#peer = peer;
  }

  /** Has a copy of a frame arrive at the other end. `Exhausted`: that has no room. */
  emit(frame: Frame): LayerError {
    if (this.#peer === undefined || !this.#peer.#copy(frame)) {
      this.counters.sendFull++;
      return LayerError.Exhausted;
    }
    this.counters.sent++;
    this.counters.sentBytes += frame.length;
    return LayerError.None;
  }

  /** Has a copy of the frame arrive at the other end. */
  protected override leave(slot: DeviceSlot): void {
    this.emit(slot.frame);
    this.pool.give(slot);
  }

  /** What one end has left to the other stays left: nobody damages frames on the way. */
  #copy(from: Frame): boolean {
    const slot = this.pool.take();
    if (slot === undefined) return false;
    const { frame } = slot;
    if (!frame.resize(from.length)) {
      this.pool.give(slot);
      return false;
    }
    copyBytes(frame.bytes, frame.start, from.bytes, from.start, from.length);
    if (from.checksum === Checksum.Partial) {
      frame.leaveChecksum(frame.start + from.checksumAt - from.start, from.checksumField);
    }
    frame.segmentation = from.segmentation;
    frame.segmentSize = from.segmentSize;
    this.arrive(slot);
    return true;
  }
}
