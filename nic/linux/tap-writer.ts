/**
 * Writing frames to a TAP: each with its header before it, datagrams of one flow in one.
 *
 * @module
 */
import type { Frame } from "../../stack/frame.ts";
import { DatagramTrain } from "../datagram-train.ts";
import type { DeviceSlot, NicCounters } from "../device.ts";
import { Errno } from "./errno.ts";
import { errno, type Libc } from "./libc.ts";
import type { Offloads } from "./tun-offload.ts";
import type { FrameViews } from "./views.ts";
import * as virtio from "./virtio-header.ts";

/** Writes what leaves in order. What it holds back leaves at the next {@linkcode TapWriter.flush} at the latest. */
export class TapWriter {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #views: FrameViews;
  readonly #counters: NicCounters;
  readonly #header: number;
  readonly #joins: boolean;
  readonly #train = new DatagramTrain();
  /** The slot that holds the train, if one is open. */
  #held: DeviceSlot | undefined;
  /** Whether the interface has been removed. */
  isGone = false;

  /** A writer to a descriptor. */
  constructor(libc: Libc, fd: number, views: FrameViews, counters: NicCounters, offloads: Offloads) {
    this.#libc = libc;
    this.#fd = fd;
    this.#views = views;
    this.#counters = counters;
    this.#header = offloads.header ? virtio.HEADER_LENGTH : 0;
    this.#joins = offloads.udp;
  }

  /** Lets a slot's frame leave, now or with those that follow. True: the slot is held until then. */
  leave(slot: DeviceSlot): boolean {
    if (this.#joins) {
      if (this.#held !== undefined) {
        if (this.#train.append(slot.frame)) return false;
        this.flush();
      }
      if (this.#train.begin(slot.frame)) {
        this.#held = slot;
        return true;
      }
    }
    this.#writeSlot(slot, 1);
    return false;
  }

  /** Writes a frame that lies in another NIC's slot, behind what is held back. False: the kernel did not take it. */
  emit(frame: Frame): boolean {
    this.flush();
    return this.#write(frame, this.#views.foreign(frame), 1);
  }

  /** Writes what is held back. */
  flush(): void {
    const slot = this.#held;
    if (slot === undefined) return;
    this.#held = undefined;
    this.#train.finish();
    this.#writeSlot(slot, this.#train.count);
  }

  #writeSlot(slot: DeviceSlot, count: number): void {
    this.#write(slot.frame, this.#views.at(slot), count);
  }

  #write(frame: Frame, view: Uint8Array, count: number): boolean {
    if (this.isGone) return false;
    if (this.#header > 0) virtio.emit(frame);
    const length = this.#header + frame.end - frame.start;
    if (this.#libc.write(this.#fd, view, length) === length) {
      this.#counters.sent += count;
      this.#counters.sentBytes += frame.end - frame.start;
      return true;
    }
    const code = errno();
    if (code === Errno.EAGAIN || code === Errno.ENOBUFS) this.#counters.sendFull += count;
    else {
      // EIO: the interface is switched off. It may come back.
      this.#counters.sendFailed += count;
      this.isGone = code === Errno.EBADFD;
    }
    return false;
  }
}
