/**
 * A live NIC behind a bad link: the faults of a simulated one, on real traffic.
 *
 * @module
 */
import type { Frame } from "../stack/frame.ts";
import type { Receiver, Sender } from "../stack/handler.ts";
import type { NicInfo, Slot } from "../stack/slot.ts";
import { type Instant, NEVER } from "../stack/store/time.ts";
import { copyBytes } from "../stack/store/copy.ts";
import { BaseSlot, type DeviceSlot, type Nic, SlotPool } from "./device.ts";
import type { PipeCounters } from "./link/fate.ts";
import type { Faults } from "./link/faults.ts";
import { Pipe } from "./link/pipe.ts";
import { NicWrapper } from "./wrapper.ts";

/** How a {@linkcode faulty} NIC is set up. */
export interface FaultyOptions {
  /** What befalls received frames. Default: nothing. */
  readonly ingress?: Faults;
  /** What befalls sent frames. Default: nothing. */
  readonly egress?: Faults;
  /** How many frames can be under way, both ways together; more are dropped. Default 1,024. */
  readonly frames?: number;
}

/** A NIC with faults: what became of the frames stands in the counters of both directions. */
export interface FaultyNic extends Nic {
  /** What became of received frames. */
  readonly ingress: PipeCounters;
  /** What became of sent frames. */
  readonly egress: PipeCounters;
}

/**
 * The same NIC, with faults on the way. A direction without any passes frames on as the NIC itself does. The NIC's own
 * counters count what really came and left. Throws a RangeError for faults that cannot be.
 */
export function faulty(nic: Nic, options: FaultyOptions): FaultyNic {
  return new Faulty(nic, options);
}

/** The frame of a NIC inside, lent to the tree without letting it leave past the faults. */
class BorrowedSlot extends BaseSlot {
  frame!: Frame;
  info!: NicInfo;

  borrow(slot: Slot): this {
    this.frame = slot.frame;
    this.info = slot.info;
    this.reset();
    return this;
  }
}

/** What an Ethernet frame is made of at most, without its header: links with a small MTU may still bring so much. */
const PAYLOAD_MIN = 1_500;
/** The longest frame beside its payload: an Ethernet header and a VLAN tag. */
const LINK_HEADER = 18;

class Faulty extends NicWrapper implements FaultyNic {
  readonly ingress: PipeCounters;
  readonly egress: PipeCounters;
  readonly #pool: SlotPool;
  readonly #in: Pipe;
  readonly #out: Pipe;
  readonly #borrowed = new BorrowedSlot();
  #receiver!: Receiver<Slot>;
  /** All buffers are under way, so that nothing can be sent before one arrives. */
  #full = false;
  /** By when frames must have passed the egress to leave in this burst. */
  #now: Instant = 0;
  readonly #lend: Receiver<Slot>;
  readonly #admit: Receiver<Slot>;
  readonly #emit: Sender<Slot>;

  constructor(nic: Nic, options: FaultyOptions) {
    super(nic);
    this.#pool = new SlotPool(
      options.frames ?? 1_024,
      Math.max(PAYLOAD_MIN, nic.info.mtu) + LINK_HEADER,
      nic.info,
    );
    this.#in = new Pipe(this.#pool, options.ingress);
    // Another stream: one seed must not let the same frames be lost on both ways.
    this.#out = new Pipe(this.#pool, options.egress, { stream: 1 });
    this.ingress = this.#in.counters;
    this.egress = this.#out.counters;
    this.#lend = { receive: (slot) => this.#answerFrom(this.#borrowed.borrow(slot)) };
    this.#admit = {
      receive: ({ frame, info }) => {
        this.#in.push(frame.bytes, frame.start, frame.end, info.timestamp);
      },
    };
    this.#emit = { send: (slot) => this.#fill(slot) };
  }

  override rx(max: number, receiver: Receiver<Slot>): number {
    if (this.#in.isPerfect && this.#out.isPerfect) return this.inner.rx(max, receiver);
    this.#receiver = receiver;
    let count: number;
    if (this.#in.isPerfect) count = this.inner.rx(max, this.#lend);
    else {
      // What has come counts as well as what is handed on, so that the caller knows when more may be waiting.
      const arrived = this.inner.rx(max, this.#admit);
      count = Math.max(arrived, this.#deliver(max, receiver));
    }
    this.#flush();
    return count;
  }

  override tx(max: number, sender: Sender<Slot>): number {
    if (this.#out.isPerfect && this.#out.size === 0) return this.inner.tx(max, sender);
    this.#flush();
    const now = this.inner.info.timestamp;
    let count = 0;
    this.#full = false;
    while (count < max) {
      const slot = this.#pool.take();
      if (slot === undefined) {
        this.#full = true;
        break;
      }
      slot.frame.resize(0);
      sender.send(slot);
      const { queued } = slot;
      this.#leave(slot, now);
      if (!queued) break;
      count++;
    }
    this.#flush();
    return count;
  }

  override ready(deadline: Instant = NEVER): Promise<void> {
    const wanted = this.#full ? NEVER : deadline;
    const next = Math.min(wanted, this.#in.deadline(), this.#out.deadline());
    return next <= this.inner.now() ? Promise.resolve() : this.inner.ready(next);
  }

  override close(): void {
    this.#in.clear();
    this.#out.clear();
    this.inner.close();
  }

  /** Hands on what has passed the ingress by now. */
  #deliver(max: number, receiver: Receiver<Slot>): number {
    const now = this.inner.info.timestamp;
    let count = 0;
    for (; count < max; count++) {
      const slot = this.#in.pop(now);
      if (slot === undefined) break;
      receiver.receive(slot);
      this.#leave(slot, now);
    }
    return count;
  }

  #leave(slot: DeviceSlot, now: Instant): void {
    if (slot.leaves) this.#out.carry(slot, now);
    else this.#pool.give(slot);
  }

  #answerFrom(slot: BorrowedSlot): void {
    this.#receiver.receive(slot);
    if (!slot.leaves) return;
    this.#out.push(slot.frame.bytes, slot.frame.start, slot.frame.end, slot.info.timestamp);
  }

  /** Lets the NIC inside send what has passed the egress by now. It reads its clock, even if there is nothing. */
  #flush(): void {
    this.#now = this.inner.now();
    this.inner.tx(this.#out.deadline() <= this.#now ? this.#out.size : 0, this.#emit);
  }

  #fill(slot: Slot): void {
    const due = this.#out.pop(this.#now);
    if (due === undefined) return;
    const { bytes, start, end } = due.frame;
    if (slot.frame.resize(end - start)) {
      copyBytes(slot.frame.bytes, slot.frame.start, bytes, start, end - start);
      slot.queue();
    }
    this.#pool.give(due);
  }
}
