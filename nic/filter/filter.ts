/**
 * Receive filters: only frames that a BPF program matches go on.
 *
 * @module
 */
import type { Frame } from "../../stack/frame.ts";
import { type Receive, type Receiver, receiver } from "../../stack/handler.ts";
import type { Slot } from "../../stack/slot.ts";
import type { Nic } from "../device.ts";
import { NicWrapper } from "../wrapper.ts";
import type { BpfProgram } from "./program.ts";

/** What a filter let pass, and what it did not. */
export class FilterCounters {
  /** Frames that matched. */
  passed = 0;
  /** Dropped: the program does not match. */
  filtered = 0;
}

/** Anything over a frame: a slot, or a packet of any layer. */
export interface Framed {
  /** The buffer. */
  readonly frame: Frame;
}

/** The same NIC, but that only frames that `program` matches reach the tree. What is sent is not filtered. */
export function filter(nic: Nic, program: BpfProgram): FilteredNic {
  return new FilteredNic(nic, program);
}

/**
 * A handler for any layer: hands on to `upper` what `program` matches and drops the rest. The program sees the bytes from
 * `from(packet)` on, by default the whole frame; over IP, `(packet) => packet.headerAt` suits programs that were compiled
 * for raw IP (`tcpdump -y RAW -dd`).
 */
export function matching<P extends Framed>(
  program: BpfProgram,
  upper: Receive<P>,
  from: (packet: P) => number = frameStart,
  counters: FilterCounters = new FilterCounters(),
): Receiver<P> {
  const next = receiver(upper);
  return {
    receive: (packet) => {
      const { frame } = packet;
      if (program.run(frame.bytes, from(packet), frame.end) === 0) {
        counters.filtered++;
        return;
      }
      counters.passed++;
      next.receive(packet);
    },
  };
}

function frameStart(packet: Framed): number {
  return packet.frame.start;
}

/** A NIC behind a {@linkcode filter}. A frame passes whole, however few bytes of it the program would keep. */
export class FilteredNic extends NicWrapper {
  /** What reached the tree and what did not; the NIC's own counters know nothing of the filter. */
  readonly filterCounters: FilterCounters = new FilterCounters();
  #receiver!: Receiver<Slot>;
  readonly #receiving: Receiver<Slot>;

  /** As {@linkcode filter}. */
  constructor(nic: Nic, program: BpfProgram) {
    super(nic);
    this.#receiving = matching<Slot>(
      program,
      { receive: (slot) => this.#receiver.receive(slot) },
      frameStart,
      this.filterCounters,
    );
  }

  /** Filters a burst. Dropped frames count in the answer: it says how many the NIC had. */
  override rx(max: number, receiver: Receiver<Slot>): number {
    this.#receiver = receiver;
    return super.rx(max, this.#receiving);
  }
}
