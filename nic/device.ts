/**
 * The contract between NICs and the stack, and the slots that every NIC of ours is made of.
 *
 * A NIC is polled: `rx` hands a burst of received frames to a tree, `tx` lets a tree fill frames, `ready` waits for
 * more. Frames leave when they were queued, at the end of the burst at the latest.
 *
 * @module
 */
import { LayerError } from "../stack/error.ts";
import { Frame, HEADROOM } from "../stack/frame.ts";
import type { Receiver, Sender } from "../stack/handler.ts";
import type { LossModel } from "../stack/loss/models.ts";
import { type Capabilities, Medium, type NicInfo, type Slot } from "../stack/slot.ts";
import type { Instant } from "../stack/store/time.ts";
import type { Address } from "../stack/wire/address.ts";
import { makeArena } from "../stack/wire/arena.ts";
import type { Mac } from "../stack/wire/mac.ts";

/** The longest link header: Ethernet's with one VLAN tag. */
export const LINK_HEADER = 18;
/** The longest frame: as many segments in one as an IP packet takes. */
export const LONGEST_FRAME: number = 0xffff + LINK_HEADER;
/** An arena's spare room: a frame of any length, which is to be cut into the slots, lies there. */
export const SPARE_ROOM: number = HEADROOM + LONGEST_FRAME;

/** What passed a NIC, and what did not, by reason. */
export class NicCounters {
  /** Frames handed to the tree. */
  received = 0;
  /** Frames that left. */
  sent = 0;
  /** Bytes in the frames handed to the tree. */
  receivedBytes = 0;
  /** Bytes in the frames that left. */
  sentBytes = 0;
  /** Not sent: the link's queue was full. */
  sendFull = 0;
  /** Not sent: the link refused the frame. */
  sendFailed = 0;
  /** Dropped: longer than the slots of this NIC. */
  tooLong = 0;
  /** Dropped by the operating system: we took frames too slowly, and the queue before us was full. */
  missed = 0;
  /** Dropped: what the link says of the frame's checksum or segments contradicts itself, or the frame. */
  badOffload = 0;
  /** Dropped: it is many segments in one, or lacks its checksum, of a kind that was not agreed on with the link. */
  unwantedOffload = 0;
}

/** An address of a host on a NIC. */
export interface Claimed {
  /** The address itself. */
  readonly address: Address;
}

/** A network interface controller, as the poll cycle and the applications see it. */
export interface Nic {
  /** Its specification: "tap:tap0". */
  readonly name: string;
  /** The clock of the last burst, the capabilities, the MTU. */
  readonly info: NicInfo;
  /** What passed and what did not. */
  readonly counters: NicCounters;
  /** Hands up to `max` received frames to `receiver`, sends what it queued, and answers how many frames there were. */
  rx(max: number, receiver: Receiver<Slot>): number;
  /** Lets `sender` fill up to `max` frames, until it leaves one unqueued; sends them and answers how many. */
  tx(max: number, sender: Sender<Slot>): number;
  /**
   * Sends a frame from any memory of this process before it answers: one that lies in another NIC's slot, say. Absent: this
   * NIC sends from its own slots only.
   */
  emit?(frame: Frame): LayerError;
  /** Resolves when frames have arrived, when `deadline` has passed, when woken, or when closed. Never rejects. */
  ready(deadline?: Instant): Promise<void>;
  /** Ends a {@linkcode Nic.ready} that waits, because there is something to send. */
  wake(): void;
  /** The present moment on the NIC's clock, which its timestamps are of. */
  now(): Instant;
  /** Gives everything back to the operating system. A second call does nothing. */
  close(): void;
  /**
   * Says whom the NIC is for, so that one that shares an interface with the operating system takes this host's frames
   * and leaves the rest alone. Called before the host sends anything, and again when its addresses have changed.
   * Absent: the NIC has no use for it.
   */
  readonly claim?: (mac: Mac, addresses: Iterable<Claimed>) => void;
  /** Why the NIC can no longer be used, in one line; undefined while it can. */
  readonly failure: string | undefined;
}

/** The mutable side of a NIC's {@linkcode NicInfo}. */
export class DeviceInfo implements NicInfo {
  timestamp: Instant = 0;
  capabilities: Capabilities;
  mtu: number;
  readonly medium: Medium;
  readonly isLoopback: boolean;

  /** The information of a NIC that has just been opened. */
  constructor(
    capabilities: Capabilities,
    mtu: number,
    isLoopback: boolean = false,
    medium: Medium = Medium.Ethernet,
  ) {
    this.medium = medium;
    this.capabilities = capabilities;
    this.mtu = mtu;
    this.isLoopback = isLoopback;
  }
}

/** What every slot of ours keeps of what the tree asks for: whether its frame is to leave. */
export abstract class BaseSlot implements Slot {
  abstract readonly frame: Frame;
  abstract readonly info: NicInfo;
  queued = false;
  leaves = false;
  /** The models that `loseIf` was called with since the slot was last empty: the first `#lossCount`. */
  readonly #losses: LossModel[] = [];
  #lossCount = 0;

  /** Starts over: nothing is queued, and nothing is to be lost. */
  reset(): void {
    this.queued = false;
    this.leaves = false;
    this.#lossCount = 0;
  }

  queue(): LayerError {
    this.queued = true;
    this.leaves = true;
    // Every model sees every frame, so that one does not change what another one takes.
    for (let index = 0; index < this.#lossCount; index++) {
      if (this.#losses[index]!.lost()) this.leaves = false;
    }
    return LayerError.None;
  }

  loseIf(loss: LossModel): void {
    this.#losses[this.#lossCount++] = loss;
  }
}

/** A slot of a {@linkcode SlotPool}. */
export class DeviceSlot extends BaseSlot {
  /** Its part of the arena. */
  readonly frame: Frame;
  /** The state of the NIC that has the slot: of several, where they share a pool. */
  info: NicInfo;
  /** Its number in the pool. */
  readonly index: number;
  /** Whether the device cannot send this buffer, so that queueing it is refused. */
  refusing = false;

  /** A slot over its part of the arena. */
  constructor(frame: Frame, info: NicInfo, index: number) {
    super();
    this.frame = frame;
    this.info = info;
    this.index = index;
  }

  /** Asks for the frame to be sent; `Illegal`: the device cannot send this buffer. */
  override queue(): LayerError {
    return this.refusing ? LayerError.Illegal : super.queue();
  }
}

/** Slots of equal size in one arena, allocated once; it has {@linkcode SPARE_ROOM}. */
export class SlotPool {
  /** The arena. */
  readonly bytes: Uint8Array;
  /** All slots, free or not. */
  readonly slots: readonly DeviceSlot[];
  readonly #free: DeviceSlot[];

  /**
   * `count` slots that take frames of up to `frameLength` bytes behind the headroom. Before each there are `reserve`
   * bytes that no frame reaches: the device's own. A multiple of 4, so that alignment stays.
   */
  constructor(count: number, frameLength: number, info: NicInfo, reserve: number = 0) {
    const size = (reserve + HEADROOM + frameLength + 63) & ~63;
    this.bytes = makeArena(count * size, SPARE_ROOM);
    this.slots = Array.from({ length: count }, (_, index) => {
      const frame = new Frame(this.bytes, index * size + reserve, (index + 1) * size);
      return new DeviceSlot(frame, info, index);
    });
    this.#free = [...this.slots].reverse();
  }

  /** How many slots are free. */
  get available(): number {
    return this.#free.length;
  }

  /** A free slot, or undefined. */
  take(): DeviceSlot | undefined {
    return this.#free.pop();
  }

  /** Gives a slot back. */
  give(slot: DeviceSlot): void {
    slot.reset();
    this.#free.push(slot);
  }
}
