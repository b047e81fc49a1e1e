/**
 * What all NICs in memory are made of: slots, those that have arrived, a clock, and a gate to wait at.
 *
 * @module
 */
import type { Receiver, Sender } from "../stack/handler.ts";
import type { Capabilities, Slot } from "../stack/slot.ts";
import { checkSize } from "../stack/store/size.ts";
import { type Instant, NEVER } from "../stack/store/time.ts";
import { type DeviceInfo, type DeviceSlot, LINK_HEADER, type Nic, NicCounters, SlotPool } from "./device.ts";
import { Gate } from "./gate.ts";
import { SlotQueue } from "./slot-queue.ts";

/** The most slots of one arena, and the longest frame: twice what IP knows, for links that no header can fill. */
const SLOTS_MAX = 1 << 16, FRAME_MAX = 1 << 17;

/** The longest frame of a NIC that nothing else is said of: one of its MTU, or what it is to cut into such. */
export function longestFrame(mtu: number, { segmentation = 0 }: Capabilities): number {
  return Math.max(mtu, segmentation) + LINK_HEADER;
}

/** How a {@linkcode MemoryNic} is set up. */
export interface MemoryOptions {
  /** How many frames it holds at once, in either direction together. */
  readonly slots: number;
  /** The longest frame in bytes. */
  readonly frameLength: number;
  /** The clock, in microseconds. Absent: it stands still until it is set. */
  readonly clock?: (() => Instant) | undefined;
  /** Whether the stack may send received buffers back (answer in place). Default true. */
  readonly canAnswer?: boolean | undefined;
}

/** A NIC without a device: a subclass says where frames come from, and where they go. */
export abstract class MemoryNic implements Nic {
  readonly name: string;
  readonly info: DeviceInfo;
  readonly counters: NicCounters = new NicCounters();
  /** All slots; those that are taken are in `arrived`, in a tree, or kept by the subclass. */
  protected readonly pool: SlotPool;
  /** What the tree is to receive. */
  protected readonly arrived: SlotQueue;
  readonly #gate = new Gate();
  readonly #clock: (() => Instant) | undefined;
  readonly #canAnswer: boolean;
  /** Lets all who wait through at the earliest of their deadlines. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due: Instant = NEVER;

  /** A NIC on which nothing has arrived, at time 0 or the clock's. Throws a RangeError for sizes that cannot be. */
  constructor(name: string, info: DeviceInfo, options: MemoryOptions) {
    checkSize("mtu", info.mtu, 1, FRAME_MAX);
    checkSize("slots", options.slots, 1, SLOTS_MAX);
    checkSize("frameLength", options.frameLength, 1, FRAME_MAX);
    this.name = name;
    this.info = info;
    this.pool = new SlotPool(options.slots, options.frameLength, info);
    this.arrived = new SlotQueue(options.slots);
    this.#clock = options.clock;
    this.#canAnswer = options.canAnswer ?? true;
  }

  /** Takes a slot whose frame is to leave: it is the subclass's now, to be given back to the pool. */
  protected abstract leave(slot: DeviceSlot): void;

  /** Puts a slot behind those that have arrived, and says so to whoever waits. */
  protected arrive(slot: DeviceSlot): void {
    this.arrived.push(slot);
    this.#gate.open();
  }

  /** Sets the clock, where none was given. */
  setTime(now: Instant): void {
    this.info.timestamp = now;
    this.#gate.tick(now);
  }

  now(): Instant {
    if (this.#clock !== undefined) this.info.timestamp = this.#clock();
    return this.info.timestamp;
  }

  get failure(): string | undefined {
    return this.#gate.isClosed ? `${this.name} is closed` : undefined;
  }

  rx(max: number, receiver: Receiver<Slot>): number {
    this.now();
    // What arrives during this burst belongs to the next one, or two that answer each other would never end.
    const burst = Math.min(max, this.arrived.size);
    for (let index = 0; index < burst; index++) {
      const slot = this.arrived.shift()!;
      slot.reset();
      slot.refusing = !this.#canAnswer;
      this.counters.received++;
      this.counters.receivedBytes += slot.frame.length;
      try {
        receiver.receive(slot);
      } finally {
        slot.refusing = false;
        this.#finish(slot);
      }
    }
    return burst;
  }

  tx(max: number, sender: Sender<Slot>): number {
    this.now();
    let count = 0;
    while (count < max) {
      const slot = this.pool.take();
      if (slot === undefined) break;
      slot.frame.resize(0);
      let isUsed = false;
      try {
        sender.send(slot);
      } finally {
        isUsed = this.#finish(slot);
      }
      if (!isUsed) break;
      count++;
    }
    return count;
  }

  ready(deadline: Instant = NEVER): Promise<void> {
    const now = this.now();
    if (this.arrived.size > 0 || deadline <= now) return this.#gate.pass();
    if (this.#clock === undefined || deadline === NEVER) return this.#gate.wait(deadline);
    if (this.#timer === undefined || deadline < this.#due) {
      clearTimeout(this.#timer);
      this.#due = deadline;
      // A timer takes 31 bits of milliseconds, and goes off at once for more.
      const milliseconds = Math.min(Math.ceil((deadline - now) / 1_000), 2 ** 31 - 1);
      this.#timer = setTimeout(() => this.#gate.open(), milliseconds);
    }
    const timer = this.#timer;
    return this.#gate.wait().then(() => {
      clearTimeout(timer);
      // Another's, who was let through with us and waits again, goes on.
      if (this.#timer === timer) this.#timer = undefined;
    });
  }

  wake(): void {
    this.#gate.open();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#gate.close();
  }

  #finish(slot: DeviceSlot): boolean {
    const { queued, leaves } = slot;
    if (leaves) this.leave(slot);
    else this.pool.give(slot);
    return queued;
  }
}
