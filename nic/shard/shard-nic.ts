/**
 * A queue of a NIC as one of several stacks has it: the frames of its own flows, and what others pass on.
 *
 * @module
 */
import type { Frame } from "../../stack/frame.ts";
import type { Receiver, Sender } from "../../stack/handler.ts";
import type { Slot } from "../../stack/slot.ts";
import { type Instant, NEVER } from "../../stack/store/time.ts";
import { type DeviceSlot, type Nic, SlotPool } from "../device.ts";
import { type NicOutlet, outlet } from "../outlet.ts";
import { NicWrapper } from "../wrapper.ts";
import type { MeshPort } from "./mesh.ts";
import type { Sorter } from "./sorter.ts";

/** The longest frame that is passed on: an IP packet behind a tagged Ethernet header. */
export const PASSED_MAX = 0xffff + 18;

/** Passed frames that are taken in one rx even if the queue is never empty. */
const PASSED_LEAST = 8;

const nothing = () => {};

/**
 * Hands on what its queue brings, but for what is the host's, which goes to the last member of the mesh; and what other
 * members have passed on to this one. An answer to that leaves by the own queue.
 */
export class ShardNic extends NicWrapper {
  /** What went to the others and came from them. */
  readonly port: MeshPort;
  /** Called before frames are taken. */
  beforeReceive: () => void = nothing;
  /** Called before a buffer is offered to the sending tree. */
  beforeSend: () => void = nothing;
  readonly #sorter: Sorter;
  readonly #exit: NicOutlet;
  readonly #passed: DeviceSlot;
  readonly #receiving: Receiver<Slot>;
  readonly #sending: Sender<Slot>;
  #receiver!: Receiver<Slot>;
  #sender!: Sender<Slot>;
  /** What is being handed on, and to how many others it may be passed on. */
  #frame: Frame | undefined;
  #left = 0;

  /** A queue's NIC, which it owns from now on, and the own end of the mesh. */
  constructor(queue: Nic, port: MeshPort, sorter: Sorter) {
    super(queue);
    this.port = port;
    this.#sorter = sorter;
    this.#exit = outlet(queue);
    this.#passed = new SlotPool(1, PASSED_MAX, queue.info, 16).take()!;
    this.#receiving = { receive: (slot) => this.#sort(slot) };
    this.#sending = {
      send: (slot) => {
        this.beforeSend();
        this.#sender.send(slot);
      },
    };
  }

  /** Whether a packet is neither the frame that came by the queue nor, if that was a fragment, made of others. */
  isFirstHand(packet: Frame): boolean {
    return packet === this.#frame && this.#frame !== this.#passed.frame;
  }

  /**
   * Passes the packet that is being dealt with, which is somebody else's, to the next member that speaks for flows. It
   * may be one that was put together from fragments. False: it has been with all of them.
   */
  passOn(packet: Frame): boolean {
    const { port } = this;
    const current = this.#frame;
    if (current === undefined) return false;
    const others = port.members - 1;
    for (let next = (port.index + 1) % others; this.#left > 0; next = (next + 1) % others) {
      this.#left--;
      if (!port.isPresent(next)) continue;
      const headLength = packet === current ? 0 : this.#sorter.packetAt(current) - current.start;
      port.pass(next, packet, this.#left, current, headLength);
      return true;
    }
    return false;
  }

  /** Hands on what the queue brings and what others have passed, and sends what is queued in answer. */
  override rx(max: number, receiver: Receiver<Slot>): number {
    this.#receiver = receiver;
    this.beforeReceive();
    const count = this.inner.rx(max, this.#receiving);
    const passed = this.failure === undefined ? this.#takePassed(Math.max(PASSED_LEAST, max - count)) : 0;
    this.port.flush();
    return Math.min(max, count + passed);
  }

  /** Lets `sender` fill what leaves by the queue. */
  override tx(max: number, sender: Sender<Slot>): number {
    this.#sender = sender;
    const count = this.inner.tx(max, this.#sending);
    this.port.flush();
    return count;
  }

  /** Resolves when there is something to take: from the queue, or from others. */
  override ready(deadline: Instant = NEVER): Promise<void> {
    return this.inner.ready(this.port.isEmpty ? deadline : 0);
  }

  #sort(slot: Slot): void {
    const { frame } = slot;
    const { port } = this;
    if (this.#sorter.isForHost(frame)) port.pass(port.members - 1, frame, 0);
    else this.#handOn(slot, port.members - 2);
  }

  #handOn(slot: Slot, left: number): void {
    this.#frame = slot.frame;
    this.#left = left;
    try {
      this.#receiver.receive(slot);
    } finally {
      this.#frame = undefined;
    }
  }

  #takePassed(most: number): number {
    const slot = this.#passed;
    let count = 0;
    while (count < most && this.failure === undefined && this.port.take(slot.frame)) {
      slot.reset();
      this.#handOn(slot, this.port.note.left);
      if (slot.leaves && this.failure === undefined) this.#exit.emit(slot.frame);
      count++;
    }
    return count;
  }
}
