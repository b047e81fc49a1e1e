/**
 * An interface of the host through a packet socket: the host goes on using it, this NIC is another station on it.
 *
 * Frames are received in a ring that is shared with the kernel, and answered where they lie; what leaves goes through
 * sendmmsg(2), which copies. (A ring for sending would not: the kernel calls a frame sent when a receiver on this
 * machine, behind a veth or a bridge, still reads from it.)
 *
 * @module
 */
import { Checksum, type Frame, Segmentation } from "../../stack/frame.ts";
import type { Receiver, Sender } from "../../stack/handler.ts";
import { completeChecksum } from "../../stack/offload.ts";
import { ALL_MANUAL, Medium, type NicInfo, OFFLOADING, type Slot } from "../../stack/slot.ts";
import { type Instant, NEVER } from "../../stack/store/time.ts";
import type { Mac } from "../../stack/wire/mac.ts";
import {
  DeviceInfo,
  type DeviceSlot,
  LINK_HEADER,
  LONGEST_FRAME,
  type Nic,
  NicCounters,
  SlotPool,
} from "../device.ts";
import { DatagramParts } from "../datagram-parts.ts";
import { NicError } from "../error.ts";
import { Errno, errnoText } from "./errno.ts";
import { addressOf } from "./mapping.ts";
import { hardwareAddress, InterfaceFlag, interfaceFlags, interfaceMtu } from "./netif.ts";
import { packetFilter } from "./packet-filter.ts";
import { PacketRing, type RingPlace, RingStatus } from "./packet-ring.ts";
import { type LentSocket, Membership, PacketSocket } from "./packet-socket.ts";
import { findPartial } from "./partial-checksum.ts";
import { SendBatch } from "./send-batch.ts";
import * as virtio from "./virtio-header.ts";
import { monotonicNow, Waiter } from "./waiter.ts";

/** Frames taken from the ring before the first of them is dealt with, and sent with one call after the last. */
const BATCH = 32;

/** What may come in one, which nobody can refuse here. */
const AGREED: virtio.Agreed = { checksum: true, tcp: true, udp: true };

/** How often an interface that is down is looked at, in microseconds. */
const DOWN_INTERVAL: Instant = 100_000;

/** Room for the header before a frame that is sent, in a multiple of what slots are aligned to. */
const RESERVE = 16;

/** Options of {@linkcode openRaw}. */
export interface RawOptions {
  /** Has the interface pass frames for other stations too, and the NIC hand all of them on. Default false. */
  readonly promiscuous?: boolean;
}

/**
 * Opens the interface `name` beside the host. Throws {@linkcode NicError}: not Linux, no permission, no such
 * interface, no Ethernet.
 */
export function openRaw(name: string, options: RawOptions = {}): Raw {
  const mac = hardwareAddress(name);
  if (mac === undefined) {
    throw new NicError(name, "invalid", "the interface is not Ethernet", "choose another one, or a tun:");
  }
  const socket = new PacketSocket(name);
  try {
    return new Raw(name, mac, socket, options);
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** Throws the {@linkcode NicError} that {@linkcode openRaw} would, whatever the interface; does nothing else. */
export function probeRaw(): void {
  const socket = new PacketSocket("lo");
  try {
    socket.ring({ blocks: 1, blockSize: 65_536, frameSize: 2_048, reserve: 0 }).release();
  } finally {
    socket.close();
  }
}

/** A socket of an interface that another thread owns: plain data. */
export interface RawHandout extends LentSocket {
  /** How far its ring has been read. */
  readonly place: RingPlace;
  /** The eventfd by which whoever lends the socket wakes who uses it. */
  readonly lentWith: number;
}

/** Uses a socket that another thread has opened, bound and given a ring, and closes. Throws {@linkcode NicError}. */
export function openLentRaw(name: string, handout: RawHandout): Raw {
  const mac = hardwareAddress(name);
  if (mac === undefined) throw new NicError(name, "not-found", "the interface has been removed");
  return new Raw(name, mac, new PacketSocket(name, handout), {}, handout);
}

/** An interface of the host as a NIC: made by {@linkcode openRaw}. */
export class Raw implements Nic {
  readonly name: string;
  readonly counters: NicCounters = new NicCounters();
  /** The host's own MAC address on the interface, for messages: not the stack's. */
  readonly mac: Uint8Array;
  readonly #interface: string;
  readonly #socket: PacketSocket;
  readonly #info: DeviceInfo;
  readonly #isPromiscuous: boolean;
  /** The length of what stands before every frame. */
  readonly #header: number;
  readonly #ring: PacketRing;
  readonly #batch: DeviceSlot[] = [];
  readonly #pool: SlotPool;
  readonly #poolAddress: number;
  readonly #filled: DeviceSlot[] = [];
  readonly #parts: DatagramParts;
  readonly #sendParts: (slots: readonly DeviceSlot[], count: number) => void;
  readonly #sending: SendBatch;
  readonly #waiter: Waiter;
  /** Whether the socket is another thread's, who claims and closes. */
  readonly #isLent: boolean;
  #failure: string | undefined;
  #isReceiving = false;
  #isDown = false;
  #isClaimed = false;

  /** A NIC over a socket, which it owns from now on unless that is lent. */
  constructor(name: string, mac: Uint8Array, socket: PacketSocket, options: RawOptions, lent?: RawHandout) {
    this.name = `raw:${name}`;
    this.mac = mac;
    this.#interface = name;
    this.#socket = socket;
    this.#isPromiscuous = options.promiscuous ?? false;
    this.#header = socket.hasHeader ? virtio.HEADER_LENGTH : 0;
    this.#info = new DeviceInfo(socket.hasHeader ? OFFLOADING : ALL_MANUAL, interfaceMtu(name));
    this.#isLent = this.#isClaimed = lent !== undefined;
    this.#ring = new PacketRing(socket, this.#info, undefined, lent?.place);
    // Memory that is never written to costs nothing.
    this.#pool = new SlotPool(BATCH, LONGEST_FRAME, this.#info, RESERVE);
    this.#poolAddress = addressOf(this.#pool.bytes);
    this.#parts = new DatagramParts(this.#pool, BATCH, this.counters, () => this.#failure === undefined);
    this.#sendParts = (slots, count) => this.#send(slots, count, this.#poolAddress);
    this.#sending = new SendBatch(socket.fd, BATCH);
    this.#waiter = new Waiter(socket.fd, name, {
      peek: () => (this.#ring.status() & RingStatus.User) !== 0,
      event: lent?.lentWith,
    });
    if (this.#isLent) return;
    try {
      if (this.#isPromiscuous) socket.join(Membership.Promiscuous);
      socket.filter(packetFilter(undefined), false);
      socket.bind();
    } catch (error) {
      this.#waiter.close(() => this.#ring.release());
      throw error;
    }
  }

  get info(): NicInfo {
    return this.#info;
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  /** From now on only frames for `mac` and for groups come in, unless the NIC is promiscuous. The first claim lasts. */
  claim(mac: Mac): void {
    if (this.#isClaimed || this.#failure !== undefined) return;
    this.#isClaimed = true;
    // A card that cannot filter for one station more listens to all by itself (dev_uc_add of Linux).
    this.#socket.join(Membership.Station, mac);
    this.#socket.join(Membership.AllGroups);
    this.#socket.filter(packetFilter(this.#isPromiscuous ? undefined : mac), true);
  }

  rx(max: number, receiver: Receiver<Slot>): number {
    if (this.#failure !== undefined || this.#isReceiving) return 0;
    this.#isReceiving = true;
    this.#info.timestamp = monotonicNow();
    let count = 0;
    try {
      while (count < max) {
        const wanted = Math.min(max - count, BATCH);
        const filled = this.#takeBatch(wanted);
        count += filled;
        this.#handOn(filled, receiver);
        if (filled < wanted) break;
      }
    } finally {
      this.#isReceiving = false;
    }
    if (count > 0) this.#waiter.active();
    else this.#checkSocket();
    return count;
  }

  tx(max: number, sender: Sender<Slot>): number {
    if (this.#failure !== undefined || this.#filled.length > 0) return 0;
    this.#info.timestamp = monotonicNow();
    let count = 0;
    for (
      let filled = BATCH;
      filled === BATCH && count < max && this.#failure === undefined;
      count += filled
    ) {
      filled = this.#fill(Math.min(max - count, BATCH), sender);
    }
    if (count > 0) this.#waiter.active();
    return count;
  }

  ready(deadline: Instant = NEVER): Promise<void> {
    // Nobody tells when an interface that is down is removed, or comes up.
    return this.#waiter.wait(this.#isDown ? Math.min(deadline, monotonicNow() + DOWN_INTERVAL) : deadline);
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
      this.counters.missed += this.#socket.takeDrops();
      if (!this.#isLent) this.#socket.close();
      this.#ring.release();
    });
  }

  /** Takes up to `wanted` frames that the kernel has filled, in their order. */
  #takeBatch(wanted: number): number {
    const ring = this.#ring;
    let filled = 0;
    while (filled < wanted) {
      const status = ring.status();
      if ((status & RingStatus.User) === 0) break;
      if ((status & RingStatus.Losing) !== 0) this.counters.missed += this.#socket.takeDrops();
      const slot = ring.take();
      if (this.#accept(slot, status)) this.#batch[filled++] = slot;
      else ring.give(slot);
    }
    return filled;
  }

  /** Makes a slot's frame of what the kernel has put there; false: it is none that can be taken. */
  #accept(slot: DeviceSlot, status: number): boolean {
    const { frame } = slot;
    if (!this.#ring.enter(slot)) {
      this.counters.tooLong++;
      return false;
    }
    if (!this.#readOffload(frame, status)) return false;
    this.#ring.restoreTag(slot, status);
    if (frame.segmentation === Segmentation.Udp) return true;
    const length = frame.end - frame.start;
    this.counters.received++;
    this.counters.receivedBytes += length;
    if (length > this.#info.mtu + LINK_HEADER && frame.segmentation === Segmentation.None) this.#followMtu();
    return true;
  }

  #readOffload(frame: Frame, status: number): boolean {
    if (this.#header === 0) {
      if ((status & RingStatus.NoChecksum) !== 0) findPartial(frame);
      else if ((status & RingStatus.Verified) !== 0) frame.checksum = Checksum.Verified;
      return true;
    }
    // Whether the first segment tells of a smaller window is in its flags; it says nothing of the others.
    frame.bytes[frame.start - virtio.HEADER_LENGTH + 1]! &= ~virtio.VirtioGso.Ecn;
    const fault = virtio.read(frame, AGREED);
    if (fault === virtio.VirtioFault.None) return true;
    if (fault === virtio.VirtioFault.Malformed) this.counters.badOffload++;
    else this.counters.unwantedOffload++;
    return false;
  }

  /** Hands the batch's first `count` frames to the tree, sends what it queued and gives all back, also when it throws. */
  #handOn(count: number, receiver: Receiver<Slot>): void {
    let handed = 0;
    try {
      // A handler may close the NIC.
      while (handed < count && this.#failure === undefined) {
        const slot = this.#batch[handed++]!;
        if (slot.frame.segmentation !== Segmentation.Udp) receiver.receive(slot);
        else this.#parts.receive(slot.frame, Medium.Ethernet, receiver, this.#sendParts);
      }
    } finally {
      this.#send(this.#batch, handed, this.#ring.address);
      for (let index = 0; index < count; index++) this.#ring.give(this.#batch[index]!);
    }
  }

  /** Lets `sender` fill up to `most` frames and sends them; answers how many it queued. */
  #fill(most: number, sender: Sender<Slot>): number {
    const filled = this.#filled;
    let count = 0;
    try {
      for (; count < most; count++) {
        const slot = this.#pool.take();
        if (slot === undefined) break;
        filled.push(slot);
        slot.frame.resize(0);
        sender.send(slot);
        if (!slot.queued) break;
      }
    } finally {
      this.#send(filled, filled.length, this.#poolAddress);
      while (filled.length > 0) this.#pool.give(filled.pop()!);
    }
    return count;
  }

  /** Sends those of the first `count` slots that are to leave. */
  #send(slots: readonly DeviceSlot[], count: number, base: number): void {
    const batch = this.#sending;
    if (this.#failure !== undefined) return;
    for (let index = 0; index < count; index++) {
      const { leaves, frame } = slots[index]!;
      if (!leaves) continue;
      if (this.#header > 0) virtio.emit(frame);
      else completeChecksum(frame);
      batch.add(base + frame.start - this.#header, frame.end - frame.start + this.#header);
    }
    let done = 0;
    while (done < batch.count) {
      const sent = batch.send(done);
      if (sent > 0) {
        const end = done + sent;
        while (done < end) this.#sent(batch.lengthOf(done++));
      } else if (!this.#sendFailed(-sent, batch.count - done)) break;
      else done++;
    }
    batch.clear();
  }

  #sent(length: number): void {
    this.counters.sent++;
    this.counters.sentBytes += length - this.#header;
  }

  /** The next of `left` frames was refused. True: the others may have more luck. */
  #sendFailed(code: number, left: number): boolean {
    if (code === Errno.EAGAIN || code === Errno.ENOBUFS) {
      this.counters.sendFull += left;
      return false;
    }
    if (code === Errno.EMSGSIZE) {
      this.#followMtu();
      this.counters.sendFailed++;
      return true;
    }
    this.counters.sendFailed += left;
    // ENETDOWN: the interface is switched off. It may come back.
    if (code === Errno.ENXIO || code === Errno.ENODEV) this.#removed();
    return false;
  }

  /** Nothing came: the socket may have been woken by an error, which would wake it again. */
  #checkSocket(): void {
    const code = this.#socket.takeError();
    if (code === Errno.ENETDOWN) this.#isDown = true;
    else if (code !== 0) this.#failure = `${this.#interface} cannot be received from (${errnoText(code)})`;
    if (!this.#isDown) return;
    const name = this.#socket.interfaceName();
    if (name === undefined) this.#removed();
    else this.#isDown = !isUp(name);
  }

  #removed(): void {
    this.#failure ??= `${this.#interface} has been removed; make it again and restart`;
  }

  /** The interface's MTU may have been changed. */
  #followMtu(): void {
    try {
      this.#info.mtu = interfaceMtu(this.#socket.interfaceName() ?? this.#interface);
    } catch {
      // It is gone: the socket says so.
    }
  }
}

/** Whether an interface is switched on; one that is gone is not. */
function isUp(name: string): boolean {
  try {
    return (interfaceFlags(name) & InterfaceFlag.Up) !== 0;
  } catch {
    return false;
  }
}
