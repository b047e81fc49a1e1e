/**
 * A live NIC behind a bad link: the faults of a simulated one, on real traffic.
 *
 * @module
 */
import { Frame, HEADROOM, Segmentation } from "../stack/frame.ts";
import type { Receiver, Sender } from "../stack/handler.ts";
import { completeChecksum } from "../stack/offload.ts";
import type { Capabilities, ChecksumPolicy, Medium, NicInfo, Slot } from "../stack/slot.ts";
import { type Instant, NEVER } from "../stack/store/time.ts";
import { copyBytes } from "../stack/store/copy.ts";
import { BaseSlot, type DeviceSlot, LINK_HEADER, type Nic, SlotPool } from "./device.ts";
import type { PipeCounters } from "./link/fate.ts";
import type { Faults } from "./link/faults.ts";
import { Pipe } from "./link/pipe.ts";
import { Segmenter } from "./segmenter.ts";
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

/** What the tree is told of a NIC between which and itself frames are single and whole, so that a fault hits one. */
class PlainInfo implements NicInfo {
  readonly isLoopback: boolean;
  readonly medium: Medium;
  readonly #inner: NicInfo;
  readonly #capabilities: Capabilities;

  constructor(inner: NicInfo) {
    this.#inner = inner;
    this.isLoopback = inner.isLoopback;
    this.medium = inner.medium;
    const { ipv4, icmpv4, icmpv6, udp, tcp } = inner.capabilities;
    this.#capabilities = { ipv4, icmpv4, icmpv6, udp: plain(udp), tcp: plain(tcp) };
  }

  get timestamp(): Instant {
    return this.#inner.timestamp;
  }

  get mtu(): number {
    return this.#inner.mtu;
  }

  get capabilities(): Capabilities {
    return this.#capabilities;
  }
}

function plain(policy: ChecksumPolicy): ChecksumPolicy {
  return policy.partial === true ? { verify: policy.verify, fill: true } : policy;
}

/** The frame of a NIC inside, lent to the tree without letting it leave past the faults. */
class BorrowedSlot extends BaseSlot {
  frame!: Frame;
  info!: NicInfo;

  borrow(slot: Slot, info: NicInfo): this {
    this.frame = slot.frame;
    this.info = info;
    this.reset();
    return this;
  }
}

/** What an Ethernet frame is made of at most, without its header: links with a small MTU may still bring so much. */
const PAYLOAD_MIN = 1_500;

class Faulty extends NicWrapper implements FaultyNic {
  readonly ingress: PipeCounters;
  readonly egress: PipeCounters;
  readonly #pool: SlotPool;
  readonly #in: Pipe;
  readonly #out: Pipe;
  readonly #borrowed = new BorrowedSlot();
  readonly #info: NicInfo;
  readonly #segmenter = new Segmenter();
  readonly #segment: Frame;
  #receiver!: Receiver<Slot>;
  /** By when frames must have passed the egress to leave in this burst. */
  #now: Instant = 0;
  readonly #lend: Receiver<Slot>;
  readonly #admit: Receiver<Slot>;
  readonly #emit: Sender<Slot>;

  constructor(nic: Nic, options: FaultyOptions) {
    super(nic);
    const longest = Math.max(PAYLOAD_MIN, nic.info.mtu) + LINK_HEADER;
    this.#info = new PlainInfo(nic.info);
    this.#pool = new SlotPool(options.frames ?? 1_024, longest, this.#info);
    this.#segment = new Frame(new Uint8Array(HEADROOM + longest));
    this.#in = new Pipe(this.#pool, options.ingress);
    // Another stream: one seed must not let the same frames be lost on both ways.
    this.#out = new Pipe(this.#pool, options.egress, { stream: 1 });
    this.ingress = this.#in.counters;
    this.egress = this.#out.counters;
    this.#lend = { receive: (slot) => this.#answerFrom(this.#borrowed.borrow(slot, this.#info)) };
    this.#admit = { receive: ({ frame, info }) => this.#enter(this.#in, frame, info.timestamp) };
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
    while (count < max) {
      const slot = this.#pool.take();
      if (slot === undefined) break;
      slot.frame.resize(0);
      let isQueued = false;
      try {
        sender.send(slot);
      } finally {
        isQueued = slot.queued;
        this.#leave(slot, now);
      }
      if (!isQueued) break;
      count++;
    }
    this.#flush();
    return count;
  }

  override ready(deadline: Instant = NEVER): Promise<void> {
    // While all buffers are under way, nothing can be sent before one arrives.
    const wanted = this.#pool.available === 0 ? NEVER : deadline;
    const next = Math.min(wanted, this.#in.deadline(), this.#out.deadline());
    return this.inner.ready(next);
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
      try {
        receiver.receive(slot);
      } finally {
        this.#leave(slot, now);
      }
    }
    return count;
  }

  #leave(slot: DeviceSlot, now: Instant): void {
    if (slot.leaves) this.#out.carry(slot, now);
    else this.#pool.give(slot);
  }

  #answerFrom(slot: BorrowedSlot): void {
    this.#receiver.receive(slot);
    if (slot.leaves) this.#enter(this.#out, slot.frame, slot.info.timestamp);
  }

  /** Lets a frame into a pipe as the packets that it is on the wire, so that each has a fate of its own. */
  #enter(pipe: Pipe, frame: Frame, now: Instant): void {
    if (frame.segmentation === Segmentation.None) {
      completeChecksum(frame);
      pipe.push(frame.bytes, frame.start, frame.end, now);
      return;
    }
    const segment = this.#segment;
    if (!this.#segmenter.begin(frame, this.info.medium)) {
      this.counters.badOffload++;
      return;
    }
    while (this.#segmenter.next(segment, true)) pipe.push(segment.bytes, segment.start, segment.end, now);
    if (this.#segmenter.left > 0) this.counters.tooLong++;
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
