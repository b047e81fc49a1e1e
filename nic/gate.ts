/**
 * What a NIC in memory waits at: closed until something happens.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { type Instant, NEVER } from "../stack/store/time.ts";

/** Of so many waits in a row one lets the event loop have its turn, however much there is to do. */
const TURN = 16;

/** A promise that can be made again and again. */
export class Gate {
  #waiting: PromiseWithResolvers<void> | undefined;
  #until: Instant = NEVER;
  #isOpen = false;
  #isClosed = false;
  #waits = 0;

  /** Whether it was closed for good. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Resolves when the gate is opened, or {@linkcode Gate.tick} says that it is `until`; at once if it was opened since
   * the last wait, or is closed for good. All who wait are let through together.
   */
  wait(until: Instant = NEVER): Promise<void> {
    if (this.#isOpen || this.#isClosed) {
      this.#isOpen = false;
      return this.pass();
    }
    this.#until = Math.min(this.#until, until);
    this.#waiting ??= Promise.withResolvers<void>();
    return this.#turn(this.#waiting.promise);
  }

  /** Resolves at once: there is something to do. */
  pass(): Promise<void> {
    return this.#turn(Promise.resolve());
  }

  /** Lets whoever waits through, or else whoever waits next. */
  open(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) {
      this.#isOpen = true;
      return;
    }
    this.#waiting = undefined;
    this.#until = NEVER;
    waiting.resolve();
  }

  /** Says what time it is. */
  tick(now: Instant): void {
    if (this.#waiting !== undefined && now >= this.#until) this.open();
  }

  /** Opens the gate for good. */
  close(): void {
    this.#isClosed = true;
    this.open();
  }

  /** Promises alone never let timers and signals run, so that two ends that answer each other would stop them. */
  #turn(promise: Promise<void>): Promise<void> {
    this.#waits = (this.#waits + 1) % TURN;
    if (this.#waits > 0) return promise;
    return promise.then(() => new Promise((resolve) => void setImmediate(resolve)));
  }
}
