/**
 * A NIC whose wire is the caller: frames are put in and taken out by hand. For tests and for drivers of one's own.
 *
 * @module
 */
import type { Receiver, Sender } from "../stack/handler.ts";
import { ALL_MANUAL, type Capabilities, type Medium, type Slot } from "../stack/slot.ts";
import { type Instant, NEVER } from "../stack/store/time.ts";
import { DeviceInfo, type DeviceSlot, type Nic, NicCounters, SlotPool } from "./device.ts";
import { Gate } from "./gate.ts";

/** How an {@linkcode External} NIC is set up. */
export interface ExternalOptions {
  /** What the NIC claims to do by itself. Default: nothing, all checksums are the stack's. */
  readonly capabilities?: Capabilities;
  /** The largest payload of a frame. Default 1500. */
  readonly mtu?: number;
  /** Frames that wait in either direction together. Default 256. */
  readonly slots?: number;
  /** Largest frame in bytes. Default: the MTU with an Ethernet header and a VLAN tag. */
  readonly frameLength?: number;
  /** Whether the stack may send received buffers back (answer in place). Default true. */
  readonly canAnswer?: boolean;
  /** What its frames are. Default: Ethernet. */
  readonly medium?: Medium;
}

/** A NIC on virtual time: nothing moves and no clock runs unless the caller says so. */
export class External implements Nic {
  readonly name: string = "external:";
  readonly info: DeviceInfo;
  readonly counters: NicCounters = new NicCounters();
  readonly #pool: SlotPool;
  readonly #arrived: DeviceSlot[] = [];
  readonly #left: DeviceSlot[] = [];
  readonly #gate = new Gate();
  readonly #canAnswer: boolean;

  /** A NIC with empty queues at time 0. */
  constructor(options: ExternalOptions = {}) {
    const mtu = options.mtu ?? 1_500;
    this.info = new DeviceInfo(options.capabilities ?? ALL_MANUAL, mtu, false, options.medium);
    this.#pool = new SlotPool(options.slots ?? 256, options.frameLength ?? mtu + 18, this.info);
    this.#canAnswer = options.canAnswer ?? true;
  }

  /** Sets the clock. */
  setTime(now: Instant): void {
    this.info.timestamp = now;
    this.#gate.tick(now);
  }

  now(): Instant {
    return this.info.timestamp;
  }

  /** Puts a frame in, as if it came over the wire. False: it is too long, or all slots are taken. */
  inject(bytes: Uint8Array): boolean {
    const slot = this.#pool.take();
    if (slot === undefined) return false;
    if (!slot.frame.resize(bytes.length)) {
      this.counters.tooLong++;
      this.#pool.give(slot);
      return false;
    }
    slot.frame.bytes.set(bytes, slot.frame.start);
    this.#arrived.push(slot);
    this.#gate.open();
    return true;
  }

  /** Takes the oldest frame that the stack has sent: a copy. Undefined: there is none. */
  take(): Uint8Array | undefined {
    const slot = this.#left.shift();
    if (slot === undefined) return undefined;
    const { bytes, start, end } = slot.frame;
    const copy = bytes.slice(start, end);
    this.#pool.give(slot);
    return copy;
  }

  get failure(): string | undefined {
    return this.#gate.isClosed ? `${this.name} is closed` : undefined;
  }

  rx(max: number, receiver: Receiver<Slot>): number {
    let count = 0;
    while (count < max) {
      const slot = this.#arrived.shift();
      if (slot === undefined) break;
      count++;
      this.counters.received++;
      this.counters.receivedBytes += slot.frame.length;
      slot.refusing = !this.#canAnswer;
      try {
        receiver.receive(slot);
      } finally {
        slot.refusing = false;
        this.#finish(slot);
      }
    }
    return count;
  }

  tx(max: number, sender: Sender<Slot>): number {
    let count = 0;
    while (count < max) {
      const slot = this.#pool.take();
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
    const isDue = this.#arrived.length > 0 || deadline <= this.info.timestamp;
    return isDue ? this.#gate.pass() : this.#gate.wait(deadline);
  }

  wake(): void {
    this.#gate.open();
  }

  close(): void {
    this.#gate.close();
  }

  #finish(slot: DeviceSlot): boolean {
    if (!slot.queued) {
      this.#pool.give(slot);
      return false;
    }
    if (!slot.leaves) {
      this.#pool.give(slot);
      return true;
    }
    this.counters.sent++;
    this.counters.sentBytes += slot.frame.length;
    this.#left.push(slot);
    return true;
  }
}
