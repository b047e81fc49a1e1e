/**
 * A NIC whose wire ends in itself: what is sent arrives at the next rx.
 *
 * @module
 */
import { ALL_IGNORED, type Capabilities } from "../stack/slot.ts";
import type { Instant } from "../stack/store/time.ts";
import { DeviceInfo, type DeviceSlot } from "./device.ts";
import { longestFrame, MemoryNic } from "./memory.ts";

/** How a {@linkcode Loopback} is set up. */
export interface LoopbackOptions {
  /** What the NIC claims to do by itself. Default: every checksum, for memory does not corrupt frames. */
  readonly capabilities?: Capabilities;
  /** The largest payload of a frame. Default 65,535, as Linux has it. */
  readonly mtu?: number;
  /** Frames that are on their way at once. Default 64. */
  readonly slots?: number;
  /** The clock, in microseconds: {@linkcode monotonic}, say. Default: it stands still until it is set. */
  readonly clock?: () => Instant;
}

/** A NIC on which a host talks to itself. */
export class Loopback extends MemoryNic {
  /** A loopback with nothing on its way. */
  constructor(options: LoopbackOptions = {}) {
    const { mtu = 65_535, slots = 64, capabilities = ALL_IGNORED, clock } = options;
    const frameLength = longestFrame(mtu, capabilities);
    super("loopback:", new DeviceInfo(capabilities, mtu, true), { slots, frameLength, clock });
  }

  /** Has the frame arrive. */
  protected override leave(slot: DeviceSlot): void {
    this.counters.sent++;
    this.counters.sentBytes += slot.frame.length;
    this.arrive(slot);
  }
}
