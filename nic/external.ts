/**
 * A NIC whose wire is the caller: frames are put in and taken out by hand. For tests, and for drivers and tunnels of
 * one's own.
 *
 * @module
 */
import { ALL_MANUAL, type Capabilities, type Medium } from "../stack/slot.ts";
import type { Instant } from "../stack/store/time.ts";
import { DeviceInfo, type DeviceSlot } from "./device.ts";
import { longestFrame, MemoryNic } from "./memory.ts";
import { SlotQueue } from "./slot-queue.ts";

/** How an {@linkcode External} NIC is set up. */
export interface ExternalOptions {
  /** What the NIC claims to do by itself. Default: nothing, all checksums are the stack's. */
  readonly capabilities?: Capabilities;
  /** The largest payload of a frame. Default 1500. */
  readonly mtu?: number;
  /** Frames that wait in either direction together. Default 256. */
  readonly slots?: number;
  /** Largest frame in bytes. Default: the MTU, or what the NIC cuts, with an Ethernet header and a VLAN tag. */
  readonly frameLength?: number;
  /** Whether the stack may send received buffers back (answer in place). Default true. */
  readonly canAnswer?: boolean;
  /** What its frames are. Default: Ethernet. */
  readonly medium?: Medium;
  /** The clock, in microseconds: {@linkcode monotonic}, say. Default: it stands still until it is set. */
  readonly clock?: () => Instant;
  /**
   * Called with each frame as it leaves, `bytes[start..end)`, which is valid during the call only. Absent: frames wait
   * for {@linkcode External.take}.
   */
  readonly onSend?: (bytes: Uint8Array, start: number, end: number) => void;
}

/**
 * A NIC whose frames the caller carries. By default it is on virtual time: nothing moves and no clock runs unless the
 * caller says so. With a clock and `onSend` it is one end of whatever carries frames:
 *
 * ```ts
 * import { External, monotonic, Stack } from "@ethox/ethox";
 *
 * const { port1: pipe } = new MessageChannel(); // or a WebSocket
 * const nic = new External({
 *   clock: monotonic,
 *   onSend: (bytes, start, end) => pipe.postMessage(bytes.slice(start, end)),
 * });
 * pipe.onmessage = ({ data }) => void nic.inject(data);
 * await using stack = await Stack.open({ nic, addresses: ["10.0.0.1/24"] });
 * pipe.close();
 * ```
 */
export class External extends MemoryNic {
  readonly #left: SlotQueue;
  readonly #onSend: ((bytes: Uint8Array, start: number, end: number) => void) | undefined;

  /** A NIC with empty queues. */
  constructor(options: ExternalOptions = {}) {
    const { slots = 256, mtu = 1_500, capabilities = ALL_MANUAL, clock, canAnswer } = options;
    const { frameLength = longestFrame(mtu, capabilities) } = options;
    const info = new DeviceInfo(capabilities, mtu, false, options.medium);
    super("external:", info, { slots, frameLength, clock, canAnswer });
    this.#left = new SlotQueue(slots);
    this.#onSend = options.onSend;
  }

  /** Puts a frame in, as if it came over the wire. False: it is too long, or all slots are taken. */
  inject(bytes: Uint8Array): boolean {
    const slot = this.pool.take();
    if (slot === undefined) return false;
    if (!slot.frame.resize(bytes.length)) {
      this.counters.tooLong++;
      this.pool.give(slot);
      return false;
    }
    slot.frame.bytes.set(bytes, slot.frame.start);
    this.arrive(slot);
    return true;
  }

  /** Takes the oldest frame that the stack has sent: a copy. Undefined: there is none. */
  take(): Uint8Array | undefined {
    const slot = this.#left.shift();
    if (slot === undefined) return undefined;
    const { bytes, start, end } = slot.frame;
    const copy = bytes.slice(start, end);
    this.pool.give(slot);
    return copy;
  }

  /** Hands the frame out, or keeps it for {@linkcode External.take}. */
  protected override leave(slot: DeviceSlot): void {
    this.counters.sent++;
    this.counters.sentBytes += slot.frame.length;
    if (this.#onSend === undefined) {
      this.#left.push(slot);
      return;
    }
    const { bytes, start, end } = slot.frame;
    try {
      this.#onSend(bytes, start, end);
    } finally {
      this.pool.give(slot);
    }
  }
}
