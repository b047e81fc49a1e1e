/**
 * A NIC without a queue of its own, for who speaks for a host whose flows others have: what they pass comes in, and what
 * it sends leaves by a way out that is shared.
 *
 * @module
 */
import type { Frame } from "../../stack/frame.ts";
import type { Receiver, Sender } from "../../stack/handler.ts";
import type { NicInfo, Slot } from "../../stack/slot.ts";
import { type Instant, NEVER } from "../../stack/store/time.ts";
import { DeviceInfo, type DeviceSlot, type Nic, NicCounters, SlotPool } from "../device.ts";
import { type NicOutlet, outlet } from "../outlet.ts";
import { RecordKind } from "./frame-ring.ts";
import type { MeshPort } from "./mesh.ts";
import { PASSED_MAX } from "./shard-nic.ts";

/** How the owner of a {@linkcode HubNic} waits for what others pass. */
export interface HubWait {
  /** Resolves when woken, or when the deadline has passed. */
  readonly wait: (deadline: Instant) => Promise<void>;
  /** Takes note of having been woken, before what was passed is looked at. */
  readonly drain: () => void;
  /** Ends the wait. */
  readonly wake: () => void;
  /** Gives back what is waited with. */
  readonly close: () => void;
}

const nothing = () => {};

/** Frames that are dealt with before the answers to them leave. */
const BATCH = 32;

/** The last member of a mesh as a NIC. Frames that it hands on are counted where they came in. */
export class HubNic implements Nic {
  readonly name: string;
  /** What left by this NIC. */
  readonly counters: NicCounters = new NicCounters();
  readonly claim?: NonNullable<Nic["claim"]>;
  /** What went to the others and came from them. */
  readonly port: MeshPort;
  /** Takes a question that a member has asked: a frame's bytes. */
  onQuestion: (question: Frame) => void = nothing;
  /** Called before answers leave, so that whoever must know what they tell does so by then. */
  beforeAnswers: () => void = nothing;
  readonly #info: DeviceInfo;
  readonly #way: Nic;
  readonly #exit: NicOutlet;
  readonly #wait: HubWait;
  readonly #batch: readonly DeviceSlot[];
  #failure: string | undefined;

  /** `way` is only sent by; it stays the caller's. */
  constructor(way: Nic, port: MeshPort, wait: HubWait) {
    this.name = way.name;
    this.#way = way;
    this.counters = way.counters;
    this.port = port;
    this.#wait = wait;
    this.#exit = outlet(way);
    const { capabilities, mtu, isLoopback, medium } = way.info;
    this.#info = new DeviceInfo(capabilities, mtu, isLoopback, medium);
    this.#batch = new SlotPool(BATCH, PASSED_MAX, this.#info, 16).slots;
    if (way.claim !== undefined) this.claim = (mac, addresses) => way.claim?.(mac, addresses);
  }

  get info(): NicInfo {
    return this.#info;
  }

  get failure(): string | undefined {
    return this.#failure ?? this.#way.failure;
  }

  /** Makes it fail, because all others have. */
  fail(reason: string): void {
    this.#failure ??= reason;
    this.#wait.wake();
  }

  rx(max: number, receiver: Receiver<Slot>): number {
    if (this.failure !== undefined) return 0;
    this.#wait.drain();
    this.#info.timestamp = this.#way.now();
    let count = 0;
    for (let filled = BATCH; filled === BATCH && count < max; count += filled) {
      filled = this.#takeBatch(Math.min(BATCH, max - count), receiver);
    }
    this.port.flush();
    return count;
  }

  tx(max: number, sender: Sender<Slot>): number {
    return this.failure === undefined ? this.#way.tx(max, sender) : 0;
  }

  ready(deadline: Instant = NEVER): Promise<void> {
    return this.#wait.wait(this.port.isEmpty ? deadline : 0);
  }

  wake(): void {
    this.#wait.wake();
  }

  now(): Instant {
    return this.#way.now();
  }

  /** Counts what was passed and not taken any more: to be called once all others have ended. */
  abandon(): void {
    this.port.abandon(this.#batch[0]!.frame);
  }

  close(): void {
    this.#failure ??= `${this.name} is closed`;
    this.#wait.close();
  }

  #takeBatch(wanted: number, receiver: Receiver<Slot>): number {
    let count = 0, answers = 0;
    try {
      for (
        ;
        count < wanted && this.failure === undefined && this.port.take(this.#batch[count]!.frame);
        count++
      ) {
        const slot = this.#batch[count]!;
        slot.reset();
        if (this.port.note.kind === RecordKind.Question) this.onQuestion(slot.frame);
        else receiver.receive(slot);
        if (slot.leaves) answers++;
      }
    } finally {
      if (answers > 0) this.#answer(count);
    }
    return count;
  }

  #answer(count: number): void {
    this.beforeAnswers();
    for (let index = 0; index < count && this.failure === undefined; index++) {
      const { leaves, frame } = this.#batch[index]!;
      if (leaves) this.#exit.emit(frame);
    }
  }
}
