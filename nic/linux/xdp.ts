/**
 * A queue of an interface through AF_XDP: a program in the kernel takes what is ours before the host's network stack
 * sees it, and frames are exchanged in memory of ours, without a call for each.
 *
 * @module
 */
import type { Receiver, Sender } from "../../stack/handler.ts";
import { completeChecksum } from "../../stack/offload.ts";
import { ALL_MANUAL, type NicInfo, type Slot } from "../../stack/slot.ts";
import { copyBytes } from "../../stack/store/copy.ts";
import { type Instant, NEVER } from "../../stack/store/time.ts";
import { Address, multicastMac } from "../../stack/wire/address.ts";
import { Mac } from "../../stack/wire/mac.ts";
import { type Claimed, DeviceInfo, type DeviceSlot, type Nic, NicCounters } from "../device.ts";
import { NicError } from "../error.ts";
import { Errno, errnoText } from "./errno.ts";
import { hardwareAddress, interfaceDriver, interfaceIndex, interfaceMtu, interfaceName } from "./netif.ts";
import { PacketSocket } from "./packet-socket.ts";
import { findPartial } from "./partial-checksum.ts";
import { monotonicNow, Waiter } from "./waiter.ts";
import { XdpGroups } from "./xdp-groups.ts";
import { CHUNK_SIZE, frameMemory, XdpFrames } from "./xdp-frames.ts";
import { XdpHook, type XdpMode } from "./xdp-hook.ts";
import { ARP_MARK, ARP_MARK_AT, KEY_LENGTH } from "./xdp-program.ts";
import { XdpSocket } from "./xdp-socket.ts";

/** An Ethernet header with one VLAN tag. */
const LINK_HEADER = 18;

/** Frames taken before the first of them is dealt with, and sent with one call after the last. */
const BATCH = 32;

/** Entries of each ring: so many frames may wait to be received, and to be sent. */
const ENTRIES = 1_024;
/** All frames: those to receive into, and as many to be sent. */
const FRAMES = 2 * ENTRIES;

/** Bytes kept free before a frame, beside the kernel's 256: two, so that the IP header is aligned. */
const KERNEL_HEADROOM = 256, HEADROOM = 2;

/** The largest MTU whose frames fit. */
const MTU_MAX = CHUNK_SIZE - KERNEL_HEADROOM - HEADROOM - LINK_HEADER;

/** How often the socket is asked for errors and drops, which wake nobody, in microseconds. */
const CHECK_INTERVAL: Instant = 500_000;

/** Options of {@linkcode openXdp}. */
export interface XdpOptions {
  /** The queue; default 0. */
  readonly queue?: number;
  /** Where the program runs: in the driver, or behind it for every driver; absent: in the driver if it can. */
  readonly mode?: XdpMode;
  /** False: takes every frame of the queue away from the host, not only what is ours. Default true. */
  readonly share?: boolean;
}

/**
 * Opens a queue of the interface `name`. Throws {@linkcode NicError}: not Linux, no permission, a kernel without
 * AF_XDP, no such interface or queue, busy, an MTU over 3,820 bytes.
 */
export function openXdp(name: string, options: XdpOptions = {}): Xdp {
  const mac = hardwareAddress(name);
  if (mac === undefined) {
    throw new NicError(name, "invalid", "the interface is not Ethernet", "choose another one, or a tun:");
  }
  return new Xdp(name, mac, options);
}

/** Throws the {@linkcode NicError} that {@linkcode openXdp} would, whatever the interface; does nothing else. */
export function probeXdp(): void {
  const bytes = frameMemory(16);
  new XdpSocket("xdp", bytes, { entries: 16, chunkSize: CHUNK_SIZE, headroom: HEADROOM }).close();
  new XdpHook("xdp", true).close();
  new PacketSocket("lo").close();
}

/** A queue of an interface as a NIC: made by {@linkcode openXdp}. */
export class Xdp implements Nic {
  readonly name: string;
  readonly counters: NicCounters = new NicCounters();
  /** The host's own MAC address on the interface, for messages: not the stack's. */
  readonly mac: Uint8Array;
  /** Where the program runs. */
  readonly mode: XdpMode;
  /** Whether frames go without being copied. */
  readonly isZeroCopy: boolean;
  readonly #interface: string;
  readonly #index: number;
  readonly #info: DeviceInfo;
  readonly #hook: XdpHook;
  readonly #socket: XdpSocket;
  readonly #frames: XdpFrames;
  /** Whether senders on this machine leave checksums out without saying so. */
  readonly #hasPartial: boolean;
  readonly #batch: DeviceSlot[] = [];
  readonly #waiter: Waiter;
  readonly #groups: XdpGroups;
  readonly #sendCopy: (slot: DeviceSlot) => void;
  #failure: string | undefined;
  #isReceiving = false;
  #isSending = false;
  #checked: Instant = 0;
  #drops = 0;

  /** Opens the queue. */
  constructor(name: string, mac: Uint8Array, options: XdpOptions) {
    const { queue = 0, share = true } = options;
    this.name = `xdp:${name}`;
    this.mac = mac;
    this.#interface = name;
    this.#index = interfaceIndex(name);
    const mtu = interfaceMtu(name);
    if (mtu > MTU_MAX) {
      const remedy = `as root: ip link set dev ${name} mtu ${MTU_MAX}; or use raw:`;
      throw new NicError(
        name,
        "invalid",
        `its MTU of ${mtu} bytes is more than AF_XDP's frames take`,
        remedy,
      );
    }
    this.#info = new DeviceInfo(ALL_MANUAL, mtu);
    this.#hasPartial = interfaceDriver(name) === "veth";
    const bytes = frameMemory(FRAMES);
    const shape = { entries: ENTRIES, chunkSize: CHUNK_SIZE, headroom: HEADROOM };
    const socket = this.#socket = new XdpSocket(name, bytes, shape);
    this.#frames = new XdpFrames(bytes, FRAMES, this.#info);
    for (let frame = 0; frame < ENTRIES; frame++) this.#frames.fillFromFree(socket.fill);
    socket.fill.publishProduced();
    let hook: XdpHook | undefined, groups: XdpGroups | undefined;
    this.#sendCopy = (slot) => this.#copy(slot);
    try {
      this.isZeroCopy = socket.bind(this.#index, queue);
      groups = this.#groups = new XdpGroups(name, this.#info, this.counters, share);
      hook = this.#hook = new XdpHook(name, share);
      hook.serve(queue, socket.fd);
      this.mode = hook.attach(this.#index, options.mode);
      this.#waiter = new Waiter(socket.fd, name, {
        peek: () => socket.hasArrived() || this.#groups.hasArrived(),
        also: groups.fd,
      });
    } catch (error) {
      hook?.close();
      groups?.close();
      socket.close();
      throw error;
    }
  }

  get info(): NicInfo {
    return this.#info;
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  /**
   * From now on frames for `mac` come in, ARP packets that look for one of `addresses` (IPv4), and what is sent to the
   * groups in which neighbours look for them (IPv6, RFC 4861 7.2.2). Of what is sent to other groups a copy comes, as the
   * host needs it, too. All else is the host's.
   */
  claim(mac: Mac, addresses: Iterable<Claimed>): void {
    if (this.#failure !== undefined) return;
    this.#groups.claim(mac);
    const keys = [stationKey(mac)];
    const group = new Address(), station = new Mac();
    for (const { address } of addresses) {
      if (address.isV4) keys.push(arpKey(address));
      else keys.push(stationKey(multicastMac(address.solicitedNode(group), station)));
    }
    this.#hook.claim(keys);
  }

  rx(max: number, receiver: Receiver<Slot>): number {
    if (this.#failure !== undefined || this.#isReceiving) return 0;
    this.#isReceiving = true;
    this.#info.timestamp = monotonicNow();
    this.#frames.reclaim(this.#socket.completion, this.#socket.fill);
    let count = 0;
    try {
      while (count < max && this.#failure === undefined) {
        const filled = Math.min(max - count, BATCH, this.#socket.rx.filled);
        if (filled === 0) break;
        this.#takeBatch(filled);
        count += filled;
        this.#handOn(filled, receiver);
      }
      if (count < max && this.#failure === undefined) count += this.#rxGroups(max - count, receiver);
    } finally {
      this.#isReceiving = false;
    }
    if (count > 0) this.#waiter.active();
    else if (this.#groups.takeError() !== 0 || this.#info.timestamp - this.#checked > CHECK_INTERVAL) {
      this.#check();
    }
    return count;
  }

  tx(max: number, sender: Sender<Slot>): number {
    if (this.#failure !== undefined || this.#isSending) return 0;
    this.#isSending = true;
    this.#info.timestamp = monotonicNow();
    const { completion, fill } = this.#socket;
    this.#frames.reclaim(completion, fill);
    let count = 0;
    try {
      for (let more = true; more && count < max && this.#failure === undefined;) {
        const slot = this.#frames.take();
        if (slot === undefined) break;
        more = this.#fill(slot, sender);
        if (more) count++;
      }
    } finally {
      this.#isSending = false;
      this.#flush();
    }
    if (count > 0) this.#waiter.active();
    return count;
  }

  ready(deadline: Instant = NEVER): Promise<void> {
    return this.#waiter.wait(Math.min(deadline, monotonicNow() + CHECK_INTERVAL));
  }

  wake(): void {
    this.#waiter.wake();
  }

  now(): Instant {
    return monotonicNow();
  }

  close(): void {
    if (this.#failure === undefined) this.#countDrops();
    this.#failure ??= `${this.#interface} is closed`;
    this.#waiter.close(() => {
      this.#hook.close();
      this.#groups.close();
      this.#socket.close();
    });
  }

  #rxGroups(max: number, receiver: Receiver<Slot>): number {
    if (!this.#groups.hasArrived()) return 0;
    try {
      return this.#groups.rx(max, receiver, this.#sendCopy);
    } finally {
      this.#flush();
    }
  }

  /** Queues an answer that lies in memory of the other socket's. */
  #copy({ frame }: DeviceSlot): void {
    const slot = this.#frames.take();
    completeChecksum(frame);
    if (slot === undefined || !slot.frame.resize(frame.length)) this.counters.sendFull++;
    else {
      copyBytes(slot.frame.bytes, slot.frame.start, frame.bytes, frame.start, frame.length);
      if (this.#queue(slot)) return;
    }
    if (slot !== undefined) this.#frames.give(slot, this.#socket.fill);
  }

  #takeBatch(count: number): void {
    const { rx } = this.#socket;
    const { counters } = this;
    for (let index = 0; index < count; index++) {
      const slot = this.#batch[index] = this.#frames.received(rx);
      const { frame } = slot;
      if (this.#hasPartial) findPartial(frame);
      counters.received++;
      counters.receivedBytes += frame.end - frame.start;
    }
    rx.publishConsumed();
  }

  /** Hands the batch's frames to the tree, sends what it queued and gives all back, also when it throws. */
  #handOn(count: number, receiver: Receiver<Slot>): void {
    let handed = 0;
    try {
      // A handler may close the NIC.
      while (handed < count && this.#failure === undefined) receiver.receive(this.#batch[handed++]!);
    } finally {
      const { fill } = this.#socket;
      for (let index = 0; index < count; index++) {
        const slot = this.#batch[index]!;
        // What leaves comes back when it has left; the kernel gets another one meanwhile.
        if (index < handed && slot.leaves && this.#queue(slot)) this.#frames.fillFromFree(fill);
        else this.#frames.fill(fill, slot);
      }
      fill.publishProduced();
      this.#flush();
    }
  }

  /** Lets `sender` fill a slot, and queues or gives it back. Answers whether it was asked to leave. */
  #fill(slot: DeviceSlot, sender: Sender<Slot>): boolean {
    slot.frame.resize(0);
    slot.reset();
    let isQueued = false;
    try {
      sender.send(slot);
    } finally {
      isQueued = slot.queued;
      if (!slot.leaves || !this.#queue(slot)) this.#frames.give(slot, this.#socket.fill);
    }
    return isQueued;
  }

  /** Puts a slot into the send ring. False: it cannot leave. */
  #queue(slot: DeviceSlot): boolean {
    const { tx } = this.#socket;
    if (this.#failure !== undefined) return false;
    if (tx.waiting >= tx.size) {
      this.counters.sendFull++;
      return false;
    }
    completeChecksum(slot.frame);
    this.#frames.send(tx, slot);
    this.counters.sent++;
    this.counters.sentBytes += slot.frame.end - slot.frame.start;
    return true;
  }

  /** Has the kernel send what is in the ring: a call for every 32 frames where it copies, none where it need not. */
  #flush(): void {
    const { tx } = this.#socket;
    if (this.#failure !== undefined) return;
    tx.publishProduced();
    for (let left = tx.waiting; left > 0 && tx.wantsWakeup;) {
      const code = this.#socket.kick();
      const before = left;
      left = tx.waiting;
      if (code !== 0 && code !== Errno.EAGAIN && code !== Errno.EBUSY && code !== Errno.ENOBUFS) break;
      // The card's queue is full: what is left goes with the next burst.
      if (left === before) break;
    }
  }

  /** Nobody is woken by an error or by drops. */
  #check(): void {
    this.#checked = this.#info.timestamp;
    this.#countDrops();
    const code = this.#socket.takeError();
    const name = interfaceName(this.#index);
    if (code !== 0 && code !== Errno.ENETDOWN) {
      this.#failure = `${this.#interface} cannot be received from (${errnoText(code)})`;
    } else if (name !== undefined) this.#followMtu(name);
    else this.#failure = `${this.#interface} has been removed; make it again and restart`;
  }

  #followMtu(name: string): void {
    try {
      this.#info.mtu = Math.min(interfaceMtu(name), MTU_MAX);
    } catch {
      // It has just been removed: the next check says so.
    }
  }

  #countDrops(): void {
    const drops = this.#socket.drops();
    this.counters.missed += drops - this.#drops;
    this.#drops = drops;
  }
}

function stationKey(mac: Mac): Uint8Array<ArrayBuffer> {
  const key = new Uint8Array(KEY_LENGTH);
  mac.write(key, 0);
  return key;
}

function arpKey({ d }: Address): Uint8Array<ArrayBuffer> {
  const key = new Uint8Array(KEY_LENGTH);
  new DataView(key.buffer).setInt32(0, d);
  key[ARP_MARK_AT] = ARP_MARK;
  return key;
}
