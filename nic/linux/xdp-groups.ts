/**
 * What an AF_XDP socket that shares its interface does not see: frames to groups. The program leaves them to the host,
 * which needs them as much as we do, and a packet socket gets a copy of each, as every one of them does.
 *
 * @module
 */
import type { Receiver } from "../../stack/handler.ts";
import type { NicInfo, Slot } from "../../stack/slot.ts";
import type { Mac } from "../../stack/wire/mac.ts";
import type { DeviceSlot, NicCounters } from "../device.ts";
import { groupFilter, nothing } from "./packet-filter.ts";
import { PacketRing, RingStatus } from "./packet-ring.ts";
import { Membership, PacketSocket, type RingShape } from "./packet-socket.ts";
import * as virtio from "./virtio-header.ts";

/** 256 frames of up to 4,000 bytes: more than AF_XDP's own can have. */
const RING: RingShape = { blocks: 1, blockSize: 1 << 20, frameSize: 4_096, reserve: 118 };

/** Checksums may be partial; nothing comes in one. */
const AGREED: virtio.Agreed = { checksum: true, tcp: false, udp: false };

/** The frames to groups on an interface. */
export class XdpGroups {
  readonly #socket: PacketSocket;
  readonly #counters: NicCounters;
  /** Undefined: only the interface's own filter is to be seen to. */
  readonly #ring: PacketRing | undefined;
  #isClaimed = false;

  /**
   * Listens on the interface `name`, unless all of its frames come by AF_XDP anyhow. What comes is counted in
   * `counters`. Throws a `NicError`.
   */
  constructor(name: string, info: NicInfo, counters: NicCounters, shares: boolean) {
    this.#counters = counters;
    const socket = this.#socket = new PacketSocket(name);
    let ring: PacketRing | undefined;
    try {
      if (shares) {
        ring = new PacketRing(socket, info, RING);
        socket.filter(nothing(), false);
        socket.bind();
      }
    } catch (error) {
      ring?.release();
      socket.close();
      throw error;
    }
    this.#ring = ring;
  }

  /** The descriptor, to wait for; -1: there is nothing to wait for. */
  get fd(): number {
    return this.#ring === undefined ? -1 : this.#socket.fd;
  }

  /** From now on groups' frames come, and the card listens to `mac`, too: only its own would pass it otherwise. */
  claim(mac: Mac): void {
    if (this.#isClaimed) return;
    this.#isClaimed = true;
    this.#socket.join(Membership.Station, mac);
    this.#socket.join(Membership.AllGroups);
    if (this.#ring !== undefined) this.#socket.filter(groupFilter(), true);
  }

  /** Whether a frame has come. */
  hasArrived(): boolean {
    return this.#ring !== undefined && (this.#ring.status() & RingStatus.User) !== 0;
  }

  /** Hands up to `max` frames to `receiver` and answers how many; `send` takes what is to leave, and copies it. */
  rx(max: number, receiver: Receiver<Slot>, send: (slot: DeviceSlot) => void): number {
    const ring = this.#ring;
    let count = 0;
    while (ring !== undefined && count < max && this.hasArrived()) {
      const status = ring.status();
      if ((status & RingStatus.Losing) !== 0) this.#counters.missed += this.#socket.takeDrops();
      const slot = ring.take();
      count++;
      try {
        if (!this.#accept(ring, slot, status)) continue;
        receiver.receive(slot);
        if (slot.leaves) send(slot);
      } finally {
        ring.give(slot);
      }
    }
    return count;
  }

  /** The error that waits at the socket, an errno, which is taken away by asking; 0: none. */
  takeError(): number {
    return this.#ring === undefined ? 0 : this.#socket.takeError();
  }

  /** Gives everything back. */
  close(): void {
    this.#socket.close();
    this.#ring?.release();
  }

  #accept(ring: PacketRing, slot: DeviceSlot, status: number): boolean {
    const { frame } = slot;
    const counters = this.#counters;
    if (!ring.enter(slot)) {
      counters.tooLong++;
      return false;
    }
    const fault = this.#socket.hasHeader ? virtio.read(frame, AGREED) : virtio.VirtioFault.None;
    if (fault !== virtio.VirtioFault.None) {
      if (fault === virtio.VirtioFault.Malformed) counters.badOffload++;
      else counters.unwantedOffload++;
      return false;
    }
    ring.restoreTag(slot, status);
    counters.received++;
    counters.receivedBytes += frame.end - frame.start;
    return true;
  }
}
