/**
 * One direction of a link: frames go in at one end and come out at the other, later, or not at all.
 *
 * What meets a frame, in this order: the link is down; the frame is too long; a loss model takes it; the queue before
 * the link is full; it is marked; it is doubled; a bit is flipped; it takes its turn at the link's rate; it travels
 * for the delay; it is held back so that others overtake it. Only the last one changes the order of frames.
 *
 * @module
 */
import { copyBytes } from "../../stack/store/copy.ts";
import { type Instant, milliseconds, NEVER } from "../../stack/store/time.ts";
import type { DeviceSlot, SlotPool } from "../device.ts";
import { Dice, type Passage } from "./dice.ts";
import { markCongestion, payloadAt } from "./ethernet.ts";
import { Fate, PipeCounters } from "./fate.ts";
import { checkFaults, type Faults, isPerfect } from "./faults.ts";
import { HeldBack } from "./held-back.ts";
import { Line } from "./line.ts";

/** Is told what happens to each frame: `bytes[start..end)`, only valid during the call. */
export type PipeTrace = (fate: Fate, bytes: Uint8Array, start: number, end: number, now: Instant) => void;

/** How a {@linkcode Pipe} is set up. */
export interface PipeOptions {
  /** Which of the seed's sequences the pipe draws from: another one for each direction. Default 0. */
  readonly stream?: number;
  /** The seed, where the faults name none. Default 0. */
  readonly seed?: number;
  /** Is told what happens to each frame. */
  readonly trace?: PipeTrace | undefined;
}

/** At most so many frames overtake one that is held back. */
const OVERTAKEN_BY = 3;
/** How long a frame is held back at most, if too few others come. */
const HELD_FOR: Instant = milliseconds(10);

/** A direction of a link. It holds at most as many frames as its pool has slots, and allocates nothing a frame. */
export class Pipe {
  /** Where the frames lie. Several pipes may share it: a frame then goes from one to the next without a copy. */
  readonly pool: SlotPool;
  /** What became of the frames. */
  readonly counters: PipeCounters = new PipeCounters();
  readonly #trace: PipeTrace | undefined;
  readonly #stream: number;
  readonly #seed: number;
  readonly #line: Line;
  readonly #held = new HeldBack();
  /** A ring of the frames under way, in the order in which they arrive: their slots, and when they do. */
  readonly #slots: Int32Array;
  readonly #due: Float64Array;
  #head = 0;
  #size = 0;
  #lastDue: Instant = 0;
  #dice: Dice;
  #faults: Faults = {};
  #perfect = true;
  // Copies of the faults' fields, so that every pipe is one shape to the engine.
  #down = false;
  #mtu = Infinity;
  #queue = Infinity;
  #ecn = Infinity;
  #delay: Instant = 0;

  /** A pipe with nothing in it. Throws a RangeError for faults that cannot be. */
  constructor(pool: SlotPool, faults: Faults = {}, options: PipeOptions = {}) {
    this.pool = pool;
    this.#trace = options.trace;
    this.#stream = options.stream ?? 0;
    this.#seed = options.seed ?? 0;
    this.#slots = new Int32Array(pool.slots.length);
    this.#due = new Float64Array(pool.slots.length);
    this.#line = new Line(pool.slots.length);
    this.#dice = new Dice(faults.seed ?? this.#seed, this.#stream);
    this.faults = faults;
  }

  /**
   * What goes wrong; may be set at any time and holds for the frames that come from then on. Random sequences go on
   * from where they are, unless the seed is another one. Throws a RangeError for faults that cannot be.
   */
  get faults(): Faults {
    return this.#faults;
  }

  set faults(faults: Faults) {
    const checked = checkFaults(faults);
    const seed = checked.seed ?? this.#seed;
    if (seed !== (this.#faults.seed ?? this.#seed)) this.#dice = new Dice(seed, this.#stream);
    this.#dice.use(checked);
    this.#faults = checked;
    this.#perfect = isPerfect(checked);
    this.#down = checked.down ?? false;
    this.#mtu = checked.mtu ?? Infinity;
    this.#queue = checked.queue ?? Infinity;
    this.#ecn = checked.ecn ?? Infinity;
    this.#delay = checked.delay ?? 0;
    this.#line.rate = checked.rate ?? 0;
  }

  /** Whether nothing happens to a frame: it comes out as it went in, at once. */
  get isPerfect(): boolean {
    return this.#perfect;
  }

  /** How many frames are under way. */
  get size(): number {
    return this.#size + this.#held.size;
  }

  /** When the next frame comes out; {@linkcode NEVER}: none is under way. */
  deadline(): Instant {
    const next = this.#size > 0 ? this.#due[this.#head]! : NEVER;
    // What is held back comes behind all others, however long it has waited.
    return this.#held.size > 0 ? Math.min(next, Math.max(this.#held.deadline(), this.#lastDue)) : next;
  }

  /** Sends a copy of the frame `bytes[start..end)`. `Passed`: it is under way; else why it was dropped. */
  push(bytes: Uint8Array, start: number, end: number, now: Instant): Fate {
    const doom = this.#perfect ? Fate.Passed : this.#doom(bytes, start, end, now);
    if (doom !== Fate.Passed) return this.#tell(doom, bytes, start, end, now);
    const slot = this.pool.take();
    if (slot === undefined) return this.#tell(Fate.Overflow, bytes, start, end, now);
    const { frame } = slot;
    if (!frame.resize(end - start)) {
      this.pool.give(slot);
      return this.#tell(Fate.TooLong, bytes, start, end, now);
    }
    copyBytes(frame.bytes, frame.start, bytes, start, end - start);
    this.#enter(slot, now);
    return Fate.Passed;
  }

  /** Sends the frame in `slot`, a slot of the pool, which goes to the pipe, whatever the answer; else as `push`. */
  carry(slot: DeviceSlot, now: Instant): Fate {
    if (!this.#perfect) {
      const { bytes, start, end } = slot.frame;
      const doom = this.#doom(bytes, start, end, now);
      if (doom !== Fate.Passed) {
        this.#tell(doom, bytes, start, end, now);
        this.pool.give(slot);
        return doom;
      }
    }
    this.#enter(slot, now);
    return Fate.Passed;
  }

  /** The next frame that has arrived by `now`: the slot goes to the caller. Undefined: none has. */
  pop(now: Instant): DeviceSlot | undefined {
    if (this.#held.size > 0) this.#release(now);
    if (this.#size === 0 || this.#due[this.#head]! > now) return undefined;
    const slot = this.pool.slots[this.#slots[this.#head]!]!;
    this.#head = this.#head + 1 === this.#slots.length ? 0 : this.#head + 1;
    this.#size--;
    slot.reset();
    this.counters.passed++;
    if (this.#trace !== undefined) {
      const { bytes, start, end } = slot.frame;
      this.#trace(Fate.Passed, bytes, start, end, now);
    }
    return slot;
  }

  /** Drops all that is under way, uncounted, and gives the slots back. */
  clear(): void {
    this.#line.clear();
    const { slots } = this.pool;
    for (let index = this.#held.take(); index >= 0; index = this.#held.take()) this.pool.give(slots[index]!);
    for (; this.#size > 0; this.#size--) {
      this.pool.give(slots[this.#slots[this.#head]!]!);
      this.#head = (this.#head + 1) % this.#slots.length;
    }
  }

  /** Why the frame is dropped at once; `Passed`: it is not. */
  #doom(bytes: Uint8Array, start: number, end: number, now: Instant): Fate {
    this.#dice.roll();
    if (this.#down) return Fate.Down;
    if (this.#mtu < Infinity && end - payloadAt(bytes, start) > this.#mtu) return Fate.TooLong;
    if (this.#dice.isLost) return Fate.Lost;
    return this.#line.waiting(now) < this.#queue ? Fate.Passed : Fate.Overflow;
  }

  /** Takes in a frame that is not dropped. */
  #enter(slot: DeviceSlot, now: Instant): void {
    if (this.#perfect) {
      this.#append(slot, Math.max(now, this.#lastDue));
      return;
    }
    if (this.#held.size > 0) this.#release(now);
    const { bytes, start, end } = slot.frame;
    if (this.#line.waiting(now) >= this.#ecn && markCongestion(bytes, start, end)) {
      this.#tell(Fate.Marked, bytes, start, end, now);
    }
    // The copy is made before a bit is flipped: what damages one of two frames spares the other.
    const copy = this.#dice.isDuplicated ? this.#copy(slot, now) : undefined;
    this.#depart(slot, this.#dice.frame, now);
    if (copy === undefined) return;
    if (this.#line.waiting(now) < this.#queue) this.#depart(copy, this.#dice.copy, now);
    else this.#drop(copy, now);
  }

  #copy(slot: DeviceSlot, now: Instant): DeviceSlot | undefined {
    const { bytes, start, end } = slot.frame;
    this.#tell(Fate.Duplicated, bytes, start, end, now);
    const copy = this.pool.take();
    if (copy === undefined) {
      this.#tell(Fate.Overflow, bytes, start, end, now);
      return undefined;
    }
    copy.frame.resize(end - start);
    copyBytes(copy.frame.bytes, copy.frame.start, bytes, start, end - start);
    return copy;
  }

  #drop(slot: DeviceSlot, now: Instant): void {
    const { bytes, start, end } = slot.frame;
    this.#tell(Fate.Overflow, bytes, start, end, now);
    this.pool.give(slot);
  }

  /** Puts a frame on the line. */
  #depart(slot: DeviceSlot, { isCorrupted, isReordered, jitter }: Passage, now: Instant): void {
    const { bytes, start, end } = slot.frame;
    if (end > start && isCorrupted) {
      const bit = this.#dice.bit((end - start) * 8);
      const at = start + (bit >> 3);
      bytes[at] = bytes[at]! ^ (1 << (bit & 7));
      this.#tell(Fate.Corrupted, bytes, start, end, now);
    }
    const sent = this.#line.send(end - start, now);
    const due = sent + Math.max(0, this.#delay + jitter);
    if (isReordered && this.#held.hold(slot.index, this.#dice.gap(OVERTAKEN_BY), due + HELD_FOR)) {
      this.#tell(Fate.Reordered, bytes, start, end, now);
      return;
    }
    const arrival = Math.max(due, this.#lastDue);
    this.#append(slot, arrival);
    if (this.#held.size === 0) return;
    for (let index = this.#held.overtaken(); index >= 0; index = this.#held.next()) {
      this.#append(this.pool.slots[index]!, arrival);
    }
  }

  /** Puts those that were held back for long enough behind the others. */
  #release(now: Instant): void {
    for (let until = this.#held.deadline(); until <= now; until = this.#held.deadline()) {
      this.#append(this.pool.slots[this.#held.take()]!, Math.max(until, this.#lastDue));
    }
  }

  #append(slot: DeviceSlot, due: Instant): void {
    const tail = this.#head + this.#size;
    const at = tail < this.#slots.length ? tail : tail - this.#slots.length;
    this.#slots[at] = slot.index;
    this.#due[at] = due;
    this.#size++;
    this.#lastDue = due;
  }

  #tell(fate: Fate, bytes: Uint8Array, start: number, end: number, now: Instant): Fate {
    this.counters.count(fate);
    this.#trace?.(fate, bytes, start, end, now);
    return fate;
  }
}
