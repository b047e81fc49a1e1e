/**
 * Datagrams that came in one, handed on one by one: where a NIC gives many of a flow at once that the stack takes single.
 *
 * @module
 */
import type { Frame } from "../stack/frame.ts";
import type { Receiver } from "../stack/handler.ts";
import type { Medium, Slot } from "../stack/slot.ts";
import type { DeviceSlot, NicCounters, SlotPool } from "./device.ts";
import { Segmenter } from "./segmenter.ts";

/** Takes frames apart in slots of a pool, so many at a time. */
export class DatagramParts {
  readonly #pool: SlotPool;
  readonly #most: number;
  readonly #counters: NicCounters;
  readonly #isOpen: () => boolean;
  readonly #slots: DeviceSlot[] = [];
  readonly #segmenter = new Segmenter();

  /**
   * Up to `most` slots of `pool` are in use at once; what is handed on is counted in `counters`. Ends when the NIC is no
   * longer open: a handler may close it.
   */
  constructor(pool: SlotPool, most: number, counters: NicCounters, isOpen: () => boolean) {
    this.#pool = pool;
    this.#most = most;
    this.#counters = counters;
    this.#isOpen = isOpen;
  }

  /**
   * Hands the datagrams that `frame` is to `receiver`; their checksums are as partial as its own. `send` takes the slots of
   * a few of them, the first `count` of which the receiver has had: those that are to leave. It is called when the
   * receiver throws, too.
   */
  receive(
    frame: Frame,
    medium: Medium,
    receiver: Receiver<Slot>,
    send: (slots: readonly DeviceSlot[], count: number) => void,
  ): void {
    const segmenter = this.#segmenter;
    if (!segmenter.begin(frame, medium)) this.#counters.badOffload++;
    else while (segmenter.left > 0 && this.#isOpen() && this.#fill()) this.#handOn(receiver, send);
  }

  /** Cuts as many as there are slots for; false: there is none. */
  #fill(): boolean {
    const slots = this.#slots;
    while (slots.length < this.#most && this.#segmenter.left > 0) {
      const slot = this.#pool.take();
      if (slot === undefined) break;
      slots.push(slot);
      if (!this.#segmenter.next(slot.frame, false)) break;
    }
    if (slots.length === 0) this.#counters.missed++;
    return slots.length > 0;
  }

  #handOn(receiver: Receiver<Slot>, send: (slots: readonly DeviceSlot[], count: number) => void): void {
    const slots = this.#slots;
    let handed = 0;
    try {
      while (handed < slots.length && this.#isOpen()) {
        const slot = slots[handed++]!;
        this.#counters.received++;
        this.#counters.receivedBytes += slot.frame.end - slot.frame.start;
        receiver.receive(slot);
      }
    } finally {
      send(slots, handed);
      while (slots.length > 0) this.#pool.give(slots.pop()!);
    }
  }
}
