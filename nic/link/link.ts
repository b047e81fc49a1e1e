/**
 * A wire between two hosts in one process: what one end sends arrives at the other.
 *
 * @module
 */
import { LayerError } from "../../stack/error.ts";
import type { Frame } from "../../stack/frame.ts";
import type { Receiver, Sender } from "../../stack/handler.ts";
import { ALL_MANUAL, type Capabilities, type Slot } from "../../stack/slot.ts";
import { copyBytes } from "../../stack/store/copy.ts";
import { type Instant, NEVER } from "../../stack/store/time.ts";
import { DeviceInfo, type DeviceSlot, type Nic, NicCounters, SlotPool } from "../device.ts";
import { Gate } from "../gate.ts";

/** How a {@linkcode link} is set up. */
export interface LinkOptions {
  /** What both ends claim to do by themselves. Default: nothing, so that the stacks compute and verify as on a wire. */
  readonly capabilities?: Capabilities;
  /** The largest payload of a frame. Default 1500. */
  readonly mtu?: number;
  /** Frames that an end holds at once, arrived or being filled. Default 256. */
  readonly slots?: number;
  /** The clock, in microseconds. Default: one that stands still until both ends are set. */
  readonly clock?: () => Instant;
}

/** Makes a wire and answers with its two ends. */
export function link(options: LinkOptions = {}): [LinkEnd, LinkEnd] {
  const left = new LinkEnd("link:0", options);
  const right = new LinkEnd("link:1", options);
  left.connect(right);
  right.connect(left);
  return [left, right];
}

/** One end of a {@linkcode link}. */
export class LinkEnd implements Nic {
  readonly name: string;
  readonly info: DeviceInfo;
  readonly counters: NicCounters = new NicCounters();
  readonly #pool: SlotPool;
  readonly #arrived: DeviceSlot[] = [];
  readonly #gate = new Gate();
  readonly #clock: (() => Instant) | undefined;
  #peer: LinkEnd | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** An end that leads nowhere until it is connected. */
  constructor(name: string, options: LinkOptions) {
    const mtu = options.mtu ?? 1_500;
    this.name = name;
    this.info = new DeviceInfo(options.capabilities ?? ALL_MANUAL, mtu);
    this.#pool = new SlotPool(options.slots ?? 256, mtu + 18, this.info);
    this.#clock = options.clock;
  }

  /** Makes `peer` the other end of what this one sends. */
  connect(peer: LinkEnd): void {
    this.#peer = peer;
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
    // What the two ends answer each other within one burst belongs to the next one.
    const burst = Math.min(max, this.#arrived.length);
    for (let index = 0; index < burst; index++) {
      const slot = this.#arrived.shift()!;
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
    this.now();
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

  emit(frame: Frame): LayerError {
    if (this.#peer === undefined || !this.#peer.#arrive(frame)) {
      this.counters.sendFull++;
      return LayerError.Exhausted;
    }
    this.counters.sent++;
    this.counters.sentBytes += frame.length;
    return LayerError.None;
  }

  ready(deadline: Instant = NEVER): Promise<void> {
    const now = this.now();
    if (this.#arrived.length > 0 || deadline <= now) return this.#gate.pass();
    if (this.#clock === undefined || deadline === NEVER) return this.#gate.wait(deadline);
    clearTimeout(this.#timer);
    // A timer takes 31 bits of milliseconds, and goes off at once for more.
    const milliseconds = Math.min(Math.ceil((deadline - now) / 1_000), 2 ** 31 - 1);
    this.#timer = setTimeout(() => this.#gate.open(), milliseconds);
    return this.#gate.wait().then(() => clearTimeout(this.#timer));
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
    if (leaves) this.emit(slot.frame);
    this.#pool.give(slot);
    return queued;
  }

  #arrive({ bytes, start, end }: Frame): boolean {
    const slot = this.#pool.take();
    if (slot === undefined) return false;
    if (!slot.frame.resize(end - start)) {
      this.#pool.give(slot);
      return false;
    }
    copyBytes(slot.frame.bytes, slot.frame.start, bytes, start, end - start);
    this.#arrived.push(slot);
    this.#gate.open();
    return true;
  }
}
