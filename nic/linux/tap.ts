/**
 * A TAP interface: a network cable whose one end is the kernel's interface and whose other end is ours. A TUN interface
 * is the same without Ethernet: its frames are IP packets.
 *
 * @module
 */
import type { Receiver, Sender } from "../../stack/handler.ts";
import { ALL_MANUAL, Medium, type NicInfo, type Slot } from "../../stack/slot.ts";
import { type Instant, NEVER } from "../../stack/store/time.ts";
import { DeviceInfo, type DeviceSlot, type Nic, NicCounters, SlotPool } from "../device.ts";
import { Errno, errnoText } from "./errno.ts";
import { errno, type Libc, libc } from "./libc.ts";
import { hardwareAddress, interfaceMtu } from "./netif.ts";
import { attachTap, type TapAttachment, type TapAttachOptions } from "./tun.ts";
import { FrameViews } from "./views.ts";
import { monotonicNow, Waiter } from "./waiter.ts";

/** An Ethernet header with one VLAN tag. */
const LINK_HEADER = 18;

/**
 * Frames read before the first of them is dealt with, and answers written after the last: the kernel's code and ours
 * then take turns in the processor's caches less often, and a client is not woken for each answer. 64 frames are hardly
 * better, keep the first answers waiting longer, and fill the first cache if they are long.
 */
const BATCH = 16;

/** Options of {@linkcode openTap}. */
export interface TapOptions extends TapAttachOptions {
  /** The longest frame in bytes: by default as long as the interface's MTU wants, but 1518 at least. */
  readonly frameLength?: number;
}

/**
 * Opens the TAP interface `name`, or makes one that lasts until it is closed. Someone must give the kernel's end an
 * address and switch it on. Throws {@linkcode NicError}: not Linux, no permission, busy, no TAP, no such interface.
 */
export function openTap(name: string, options: TapOptions = {}): Tap {
  const attachment = attachTap(name, options);
  try {
    return new Tap(name, attachment, options);
  } catch (error) {
    libc().close(attachment.fd);
    throw error;
  }
}

/** As {@linkcode openTap}, for a TUN interface: its frames are bare IP packets, which `PointToPoint` takes. */
export function openTun(name: string, options: Omit<TapOptions, "mode"> = {}): Tap {
  return openTap(name, { ...options, mode: "tun" });
}

/** A TAP or TUN interface as a NIC: made by {@linkcode openTap} or {@linkcode openTun}. */
export class Tap implements Nic {
  readonly name: string;
  readonly counters: NicCounters = new NicCounters();
  /** The kernel's own MAC address on the interface, for messages: not the stack's. */
  readonly mac: Uint8Array | undefined;
  /** Whether the interface was made for this NIC, and goes when it is closed. */
  readonly created: boolean;
  readonly #info: DeviceInfo;
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #interface: string;
  readonly #pool: SlotPool;
  readonly #views: FrameViews;
  /** The slots that frames are read into; the pool keeps one more, for a tx inside of an rx. */
  readonly #batch: readonly DeviceSlot[];
  readonly #longest: number;
  readonly #waiter: Waiter;
  #failure: string | undefined;
  #isReceiving = false;

  /** A NIC over an attachment, which it owns from now on. */
  constructor(name: string, attachment: TapAttachment, options: TapOptions) {
    const mtu = interfaceMtu(name);
    const mode = options.mode ?? "tap";
    const header = mode === "tap" ? LINK_HEADER : 0;
    this.name = `${mode}:${name}`;
    this.#interface = name;
    this.mac = hardwareAddress(name);
    this.created = attachment.created;
    this.#fd = attachment.fd;
    this.#libc = libc(name);
    this.#longest = options.frameLength ?? Math.max(1_500, mtu) + header;
    const medium = mode === "tap" ? Medium.Ethernet : Medium.Ip;
    this.#info = new DeviceInfo(ALL_MANUAL, Math.min(mtu, this.#longest - header), false, medium);
    // One byte more than the longest frame tells the longer ones, of which a read gets only the beginning.
    this.#pool = new SlotPool(BATCH + 1, this.#longest + 1, this.#info);
    this.#views = new FrameViews(this.#pool);
    this.#batch = this.#pool.slots.slice(0, BATCH).map(() => this.#pool.take()!);
    this.#waiter = new Waiter(attachment.fd, name);
  }

  get info(): NicInfo {
    return this.#info;
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  rx(max: number, receiver: Receiver<Slot>): number {
    if (this.#failure !== undefined || this.#isReceiving) return 0;
    this.#isReceiving = true;
    this.#info.timestamp = monotonicNow();
    let count = 0;
    try {
      while (count < max) {
        const wanted = Math.min(max - count, BATCH);
        const filled = this.#readBatch(wanted);
        count += filled;
        this.#handOn(filled, receiver);
        if (filled < wanted) break;
      }
    } finally {
      this.#isReceiving = false;
    }
    if (count > 0) this.#waiter.active();
    return count;
  }

  tx(max: number, sender: Sender<Slot>): number {
    if (this.#failure !== undefined) return 0;
    this.#info.timestamp = monotonicNow();
    const slot = this.#pool.take();
    if (slot === undefined) return 0;
    let count = 0;
    try {
      for (; count < max; count++) {
        slot.frame.resize(0);
        slot.reset();
        sender.send(slot);
        if (!slot.queued) break;
        if (slot.leaves) this.#write(slot);
      }
    } finally {
      this.#pool.give(slot);
    }
    if (count > 0) this.#waiter.active();
    return count;
  }

  ready(deadline: Instant = NEVER): Promise<void> {
    return this.#waiter.wait(deadline);
  }

  wake(): void {
    this.#waiter.wake();
  }

  now(): Instant {
    return monotonicNow();
  }

  close(): void {
    this.#failure ??= `${this.#interface} is closed`;
    this.#waiter.close(() => this.#libc.close(this.#fd));
  }

  /** Reads up to `wanted` frames. Fewer: there are no more, some were too long, or the NIC has failed. */
  #readBatch(wanted: number): number {
    const { counters } = this;
    let filled = 0;
    for (let turn = 0; turn < wanted; turn++) {
      const slot = this.#batch[filled]!;
      const length = this.#libc.read(this.#fd, this.#views.whole(slot), this.#longest + 1);
      if (length <= 0) {
        if (length < 0) this.#readFailed(errno());
        break;
      }
      if (length > this.#longest) {
        counters.tooLong++;
        continue;
      }
      slot.frame.resize(length);
      slot.reset();
      filled++;
      counters.received++;
      counters.receivedBytes += length;
    }
    return filled;
  }

  /** Hands the batch's first `count` frames to the tree, then writes what it queued, also when it throws. */
  #handOn(count: number, receiver: Receiver<Slot>): void {
    let handed = 0;
    try {
      // A handler may close the NIC, whose descriptor is somebody else's then.
      while (handed < count && this.#failure === undefined) receiver.receive(this.#batch[handed++]!);
    } finally {
      for (let index = 0; index < handed && this.#failure === undefined; index++) {
        const slot = this.#batch[index]!;
        if (slot.leaves) this.#write(slot);
      }
    }
  }

  #write(slot: DeviceSlot): void {
    const { frame } = slot;
    const length = frame.end - frame.start;
    if (this.#libc.write(this.#fd, this.#views.at(slot), length) === length) {
      this.counters.sent++;
      this.counters.sentBytes += length;
    } else {
      this.#writeFailed(errno());
    }
  }

  #writeFailed(code: number): void {
    if (code === Errno.EAGAIN || code === Errno.ENOBUFS) {
      this.counters.sendFull++;
      return;
    }
    // EIO: the interface is switched off. It may come back.
    this.counters.sendFailed++;
    if (code === Errno.EBADFD) this.#fail(code);
  }

  #readFailed(code: number): void {
    if (code !== Errno.EAGAIN && code !== Errno.EINTR) this.#fail(code);
  }

  #fail(code: number): void {
    this.#failure = code === Errno.EBADFD
      ? `${this.#interface} has been removed; make it again and restart`
      : `${this.#interface} cannot be read (${errnoText(code)})`;
  }
}
