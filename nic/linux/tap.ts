/**
 * A TAP interface: a network cable whose one end is the kernel's interface and whose other end is ours. A TUN interface
 * is the same without Ethernet: its frames are IP packets.
 *
 * @module
 */
import { Segmentation } from "../../stack/frame.ts";
import { LayerError } from "../../stack/error.ts";
import type { Frame } from "../../stack/frame.ts";
import type { Receiver, Sender } from "../../stack/handler.ts";
import { ALL_MANUAL, Medium, type NicInfo, OFFLOADING, type Slot } from "../../stack/slot.ts";
import { type Instant, NEVER } from "../../stack/store/time.ts";
import {
  DeviceInfo,
  type DeviceSlot,
  LINK_HEADER,
  LONGEST_FRAME,
  type Nic,
  NicCounters,
  SlotPool,
} from "../device.ts";
import { Segmenter } from "../segmenter.ts";
import { Errno, errnoText } from "./errno.ts";
import { errno, type Libc, libc } from "./libc.ts";
import { hardwareAddress, interfaceIndex, interfaceMtu, interfaceName } from "./netif.ts";
import { TapWriter } from "./tap-writer.ts";
import { attachTap, detachTap, type TapAttachment, type TapAttachOptions, type TunMode } from "./tun.ts";
import type { Offloads } from "./tun-offload.ts";
import { FrameViews } from "./views.ts";
import * as virtio from "./virtio-header.ts";
import { monotonicNow, Waiter } from "./waiter.ts";

/**
 * Frames read before the first of them is dealt with, and answers written after the last: the kernel's code and ours
 * then take turns in the processor's caches less often, and a client is not woken for each answer. 64 frames are hardly
 * better, keep the first answers waiting longer, and fill the first cache if they are long.
 */
const BATCH = 16;

/**
 * Nor more bytes than this and one frame; the burst then ends, so that what it brought is acknowledged while the sender's
 * window still has room. Half as many cost a tenth more processor time of a bulk transfer, twice as many a tenth less.
 */
const BATCH_BYTES = 1 << 18;

/**
 * Nor are more bytes than this and one frame filled before they are written: as many as the first cache keeps until then,
 * and a long frame by itself.
 */
const SEND_BYTES = 1 << 14;

/** Room for the header before a frame, in a multiple of what slots are aligned to. */
const RESERVE = 16;

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
    detachTap(name, options.mode ?? "tap", [attachment]);
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
  readonly #index: number;
  readonly #pool: SlotPool;
  readonly #views: FrameViews;
  /** The slots that frames are read into, and those to be sent filled in. */
  readonly #batch: DeviceSlot[];
  /** The one slot of a tx inside of an rx. */
  readonly #nested: DeviceSlot[];
  /** A spare slot, in the place of one that the writer holds. */
  #aside: DeviceSlot;
  /** Datagrams in one that are being cut, or a spare slot. */
  #parked: DeviceSlot;
  readonly #segmenter = new Segmenter();
  #isCutting = false;
  readonly #writer: TapWriter;
  #longest: number;
  readonly #offloads: Offloads;
  /** The length of what stands before every frame. */
  readonly #header: number;
  /** The longest read: a byte more than any frame that may come, which tells those that are longer. */
  readonly #most: number;
  /** The longest header of the link. */
  readonly #linkHeader: number;
  /** Whether the length of frames is the user's choice, and not the interface's. */
  readonly #isFixed: boolean;
  readonly #attachment: TapAttachment;
  readonly #mode: TunMode;
  readonly #waiter: Waiter;
  #failure: string | undefined;
  #isReceiving = false;
  #isSending = false;

  /** A NIC over an attachment, which it owns from now on unless that is lent. */
  constructor(name: string, attachment: TapAttachment, options: TapOptions) {
    const mtu = interfaceMtu(name);
    const mode = options.mode ?? "tap";
    const header = mode === "tap" ? LINK_HEADER : 0;
    this.name = `${mode}:${name}`;
    this.#interface = name;
    this.#index = interfaceIndex(name);
    this.mac = hardwareAddress(name);
    this.created = attachment.created;
    this.#fd = attachment.fd;
    this.#libc = libc(name);
    this.#linkHeader = header;
    this.#longest = options.frameLength ?? Math.max(1_500, mtu) + header;
    this.#offloads = attachment.offloads;
    this.#attachment = attachment;
    this.#mode = mode;
    this.#header = attachment.offloads.header ? virtio.HEADER_LENGTH : 0;
    const capabilities = attachment.offloads.tcp ? OFFLOADING : ALL_MANUAL;
    const medium = mode === "tap" ? Medium.Ethernet : Medium.Ip;
    this.#info = new DeviceInfo(capabilities, Math.min(mtu, this.#longest - header), false, medium);
    this.#isFixed = options.frameLength !== undefined;
    // Room for any MTU that the interface may be given meanwhile; memory that is never written to costs nothing.
    const longest = this.#isFixed && !attachment.offloads.tcp ? this.#longest : LONGEST_FRAME;
    this.#most = this.#header + longest + 1;
    this.#pool = new SlotPool(BATCH + 3, longest + 1, this.#info, RESERVE);
    this.#views = new FrameViews(this.#pool, this.#header);
    this.#batch = this.#pool.slots.slice(0, BATCH).map(() => this.#pool.take()!);
    this.#nested = [this.#pool.take()!];
    this.#aside = this.#pool.take()!;
    this.#parked = this.#pool.take()!;
    this.#writer = new TapWriter(this.#libc, this.#fd, this.#views, this.counters, attachment.offloads);
    this.#waiter = new Waiter(attachment.fd, name, { event: attachment.lentWith });
  }

  get info(): NicInfo {
    return this.#info;
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  rx(max: number, receiver: Receiver<Slot>): number {
    if (this.#failure !== undefined || this.#isReceiving || this.#isSending) return 0;
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
    if (this.#failure !== undefined || this.#isSending) return 0;
    this.#isSending = true;
    this.#info.timestamp = monotonicNow();
    let count = 0;
    try {
      while (this.#isSending && count < max) count += this.#sendBatch(max - count, sender);
    } finally {
      this.#isSending = false;
      this.#flush();
    }
    if (count > 0) this.#waiter.active();
    return count;
  }

  emit(frame: Frame): LayerError {
    // There must be room for what the kernel wants to know, wherever the frame lies.
    if (this.#failure !== undefined || frame.start - frame.base < this.#header) return LayerError.Illegal;
    this.#waiter.active();
    const isWritten = this.#writer.emit(frame);
    if (this.#writer.isGone) this.#fail(Errno.EBADFD);
    return isWritten ? LayerError.None : LayerError.Exhausted;
  }

  ready(deadline: Instant = NEVER): Promise<void> {
    return this.#waiter.wait(this.#isCutting ? 0 : deadline);
  }

  wake(): void {
    this.#waiter.wake();
  }

  now(): Instant {
    return monotonicNow();
  }

  close(): void {
    this.#failure ??= `${this.#interface} is closed`;
    this.#waiter.close(() => {
      if (this.#attachment.lentWith !== undefined) return;
      detachTap(interfaceName(this.#index) ?? this.#interface, this.#mode, [this.#attachment]);
    });
  }

  /** Reads up to `wanted` frames. Fewer: there are no more, some were too long, or the NIC has failed. */
  #readBatch(wanted: number): number {
    const { counters } = this;
    let filled = 0;
    for (let turn = 0, bytes = 0; turn < wanted && bytes < BATCH_BYTES; turn++) {
      const slot = this.#batch[filled]!;
      if (this.#isCutting) this.#cut(slot);
      else {
        const length = this.#libc.read(this.#fd, this.#views.whole(slot), this.#most);
        if (length <= 0) {
          if (length < 0) this.#readFailed(errno());
          break;
        }
        if (!this.#accept(slot, length - this.#header)) continue;
        if (slot.frame.segmentation === Segmentation.Udp) {
          this.#park(filled);
          continue;
        }
      }
      slot.reset();
      filled++;
      counters.received++;
      counters.receivedBytes += slot.frame.length;
      bytes += slot.frame.length;
    }
    return filled;
  }

  /** Has a batch of up to `most` frames filled, and writes it. Sending is over when a slot was left as it was. */
  #sendBatch(most: number, sender: Sender<Slot>): number {
    const slots = this.#isReceiving ? this.#nested : this.#batch;
    const wanted = Math.min(most, slots.length);
    let filled = 0;
    try {
      for (let bytes = 0; filled < wanted && bytes < SEND_BYTES; filled++) {
        const slot = slots[filled]!;
        slot.frame.resize(0);
        slot.reset();
        sender.send(slot);
        if (!slot.queued) {
          this.#isSending = false;
          break;
        }
        bytes += slot.frame.length;
      }
    } finally {
      this.#write(slots, filled);
    }
    return filled;
  }

  /** Writes those of the first `count` slots that leave. A handler may have closed the NIC, whose descriptor is gone. */
  #write(slots: DeviceSlot[], count: number): void {
    for (let index = 0; index < count && this.#failure === undefined; index++) {
      const slot = slots[index]!;
      if (!slot.leaves || !this.#writer.leave(slot)) continue;
      slots[index] = this.#aside;
      this.#aside = slot;
    }
  }

  /** Datagrams in one are handed on one by one: puts them aside, another slot in their place. */
  #park(index: number): void {
    const parked = this.#batch[index]!;
    this.#batch[index] = this.#parked;
    this.#parked = parked;
    this.#isCutting = this.#segmenter.begin(parked.frame, this.#info.medium);
    if (!this.#isCutting) this.counters.badOffload++;
  }

  #cut(slot: DeviceSlot): void {
    // A slot has room for whatever the parked one has.
    this.#segmenter.next(slot.frame, false);
    this.#isCutting = this.#segmenter.left > 0;
  }

  /** Makes a slot's frame of what was read into it; false: it is none that can be taken. */
  #accept(slot: DeviceSlot, length: number): boolean {
    const { frame } = slot;
    if (length < 0) {
      this.counters.badOffload++;
      return false;
    }
    // A read of all that there is room for is the beginning of something longer.
    if (length > this.#most - this.#header - 1 || !frame.resize(length)) {
      this.counters.tooLong++;
      return false;
    }
    if (this.#header > 0) {
      const fault = virtio.read(frame, this.#offloads);
      if (fault !== virtio.VirtioFault.None) {
        if (fault === virtio.VirtioFault.Malformed) this.counters.badOffload++;
        else this.counters.unwantedOffload++;
        return false;
      }
    }
    // Only what is many segments in one may be longer than the link.
    if (frame.segmentation !== Segmentation.None || length <= this.#longest) return true;
    this.#followMtu();
    if (length <= this.#longest) return true;
    this.counters.tooLong++;
    return false;
  }

  /** A frame is longer than it could be when the NIC was opened: the interface's MTU may have been changed. */
  #followMtu(): void {
    if (this.#isFixed) return;
    try {
      // It may have been renamed.
      const mtu = interfaceMtu(interfaceName(this.#index) ?? this.#interface);
      this.#longest = Math.max(1_500, mtu) + this.#linkHeader;
      this.#info.mtu = mtu;
    } catch {
      // It is gone: the next read says so.
    }
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
        if (slot.leaves) this.#writer.leave(slot);
      }
      this.#flush();
    }
  }

  #flush(): void {
    if (this.#failure !== undefined) return;
    this.#writer.flush();
    if (this.#writer.isGone) this.#fail(Errno.EBADFD);
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
