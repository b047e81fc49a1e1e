/**
 * A NIC whose wire ends in itself: what is sent arrives at the next rx.
 *
 * @module
 */
import type { Receiver, Sender } from "../stack/handler.ts";
import { ALL_IGNORED, type Capabilities, type Slot } from "../stack/slot.ts";
import { type Instant, NEVER } from "../stack/store/time.ts";
import { DeviceInfo, type DeviceSlot, type Nic, NicCounters, SlotPool } from "./device.ts";
import { Gate } from "./gate.ts";

/** How a {@linkcode Loopback} is set up. */
export interface LoopbackOptions {
  /** What the NIC claims to do by itself. Default: every checksum, for memory does not corrupt frames. */
  readonly capabilities?: Capabilities;
  /** The largest payload of a frame. Default 65,535, as Linux has it. */
  readonly mtu?: number;
  /** Frames that are on their way at once. Default 64. */
  readonly slots?: number;
}

/** A NIC on which a host talks to itself. Its clock stands still unless it is set. */
export class Loopback implements Nic {
  readonly name: string = "loopback:";
  readonly info: DeviceInfo;
  readonly counters: NicCounters = new NicCounters();
  readonly #pool: SlotPool;
  readonly #wire: DeviceSlot[];
  #head = 0;
  #count = 0;
  readonly #gate = new Gate();

  /** A loopback with nothing on its way, at time 0. */
  constructor(options: LoopbackOptions = {}) {
    const mtu = options.mtu ?? 65_535;
    const slots = options.slots ?? 64;
    this.info = new DeviceInfo(options.capabilities ?? ALL_IGNORED, mtu, true);
    this.#pool = new SlotPool(slots, mtu + 18, this.info);
    this.#wire = [...this.#pool.slots];
  }

  /** Sets the clock. */
  setTime(now: Instant): void {
    this.info.timestamp = now;
    this.#gate.tick(now);
  }

  now(): Instant {
    return this.info.timestamp;
  }

  get failure(): string | undefined {
    return this.#gate.isClosed ? `${this.name} is closed` : undefined;
  }

  rx(max: number, receiver: Receiver<Slot>): number {
    // What is sent during this burst belongs to the next one, or two echoing handlers would never end.
    const burst = Math.min(max, this.#count);
    for (let index = 0; index < burst; index++) {
      const slot = this.#wire[this.#head]!;
      this.#head = (this.#head + 1) % this.#wire.length;
      this.#count--;
      slot.reset();
      this.counters.received++;
      this.counters.receivedBytes += slot.frame.length;
      try {
        receiver.receive(slot);
      } finally {
        this.#finish(slot);
      }
    }
    return burst;
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
    const isDue = this.#count > 0 || deadline <= this.info.timestamp;
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
    this.#wire[(this.#head + this.#count) % this.#wire.length] = slot;
    this.#count++;
    this.#gate.open();
    return true;
  }
}
