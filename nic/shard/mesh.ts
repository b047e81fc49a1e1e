/**
 * The lines between all threads that share a NIC: from each to each of the others, in one shared memory.
 *
 * @module
 */
import type { Frame } from "../../stack/frame.ts";
import { FrameNote, FrameRing, RecordKind } from "./frame-ring.ts";

/** What a line holds at most: several of the longest packets. Memory that nothing was put into costs nothing. */
const CAPACITY = 1 << 18;

/** Bytes before the lines: one word a member, which says whether it takes what is put. */
const HEAD = 256;

/** The most members: as many words. */
export const MEMBERS_MAX = HEAD / 4;

/** What went to the other members and came from them. */
export class MeshCounters {
  /** Frames put for other members. */
  passed = 0;
  /** Frames taken that others had put. */
  taken = 0;
  /** Not passed: the line was full, or the member is not there. */
  notPassed = 0;
  /** Frames that others had put and that came too late: this member had ended. */
  notTaken = 0;
}

/** The memory of a mesh with so many members. */
export function meshMemory(members: number): SharedArrayBuffer {
  if (members < 2 || members > MEMBERS_MAX) {
    throw new RangeError(`a mesh has 2 to ${MEMBERS_MAX} members, not ${members}`);
  }
  return new SharedArrayBuffer(HEAD + members * members * FrameRing.size(CAPACITY));
}

/** Says whether a member takes what is put for it, from now on. */
export function setPresent(memory: ArrayBufferLike, member: number, isPresent: boolean): void {
  Atomics.store(new Int32Array(memory, 0, MEMBERS_MAX), member, isPresent ? 1 : 0);
}

/** One member's end of all its lines. */
export class MeshPort {
  /** What went and came. */
  readonly counters: MeshCounters = new MeshCounters();
  /** How many members there are. */
  readonly members: number;
  /** The own number. */
  readonly index: number;
  /** What stands beside the frame that was taken last. */
  readonly note: FrameNote = new FrameNote();
  readonly #present: Int32Array;
  readonly #to: readonly FrameRing[];
  readonly #from: readonly FrameRing[];
  readonly #wake: (member: number) => void;
  readonly #woken: Uint8Array;
  readonly #putting = new FrameNote();
  #turn = 0;

  /** The end of member `index`. `wake` ends another member's wait; it is called by {@linkcode MeshPort.flush}. */
  constructor(memory: ArrayBufferLike, members: number, index: number, wake: (member: number) => void) {
    this.members = members;
    this.index = index;
    this.#present = new Int32Array(memory, 0, MEMBERS_MAX);
    const size = FrameRing.size(CAPACITY);
    const ring = (from: number, to: number) => {
      return new FrameRing(memory, HEAD + (from * members + to) * size, CAPACITY);
    };
    this.#to = Array.from({ length: members }, (_, to) => ring(index, to));
    this.#from = Array.from({ length: members }, (_, from) => ring(from, index));
    this.#wake = wake;
    this.#woken = new Uint8Array(members);
  }

  /** Whether others have put nothing. */
  get isEmpty(): boolean {
    for (let from = 0; from < this.members; from++) {
      if (!this.#from[from]!.isEmpty) return false;
    }
    return true;
  }

  /** Whether a member takes what is put for it. */
  isPresent(member: number): boolean {
    return Atomics.load(this.#present, member) === 1;
  }

  /**
   * Puts a copy of a frame for a member, behind the first bytes of `head` if there is one. False: it has no room, or is
   * not there.
   */
  pass(to: number, frame: Frame, left: number, head?: Frame, headLength: number = 0): boolean {
    return this.#put(to, RecordKind.Frame, frame, left, head, headLength);
  }

  /** Puts a question for a member: the frame's bytes. */
  ask(to: number, question: Frame): boolean {
    return this.#put(to, RecordKind.Question, question, 0, undefined, 0);
  }

  /** Takes a frame from whoever's turn it is; false: there is none. */
  take(into: Frame): boolean {
    for (let tries = 0; tries < this.members; tries++) {
      const from = this.#from[this.#turn]!;
      this.#turn = this.#turn + 1 === this.members ? 0 : this.#turn + 1;
      if (!from.isEmpty && from.take(into, this.note)) {
        this.counters.taken++;
        return true;
      }
    }
    return false;
  }

  /** Counts what others have put for this member, which has ended; to be called when they have ended, too. */
  abandon(scratch: Frame): void {
    for (const from of this.#from) {
      while (!from.isEmpty) {
        if (from.take(scratch, this.note) && this.note.kind === RecordKind.Frame) this.counters.notTaken++;
      }
    }
  }

  /** Wakes all for whom something was put since the last time. */
  flush(): void {
    for (let to = 0; to < this.members; to++) {
      if (this.#woken[to] === 0) continue;
      this.#woken[to] = 0;
      this.#wake(to);
    }
  }

  #put(
    to: number,
    kind: RecordKind,
    frame: Frame,
    left: number,
    head: Frame | undefined,
    headLength: number,
  ): boolean {
    this.#putting.kind = kind;
    this.#putting.left = left;
    if (!this.isPresent(to) || !this.#to[to]!.put(frame, this.#putting, head, headLength)) {
      this.counters.notPassed++;
      return false;
    }
    this.counters.passed++;
    this.#woken[to] = 1;
    return true;
  }
}
