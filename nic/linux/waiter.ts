/**
 * Waiting for a file descriptor without starving the event loop, and without paying for it.
 *
 * To sleep on another thread costs two wake-ups when a frame comes, 70 to 120 us where this was measured. So after
 * a frame the waiter
 *
 *  1. looks for the next by itself for {@linkcode SPIN_TIME}, with a turn of the event loop (1.5 us) after each look,
 *     in memory that is shared with the kernel where there is such, else by poll(2);
 *  2. dozes until {@linkcode DOZE_TIME} has passed: sleeps on this very thread, {@linkcode DOZE_SLICE} between turns
 *     (not when there are several waiters, which would keep frames from one another);
 *  3. sleeps on another thread, where it costs nothing at all and the event loop is free.
 *
 * Under load, when there is always something to read, the event loop gets a turn every {@linkcode TURN_INTERVAL}.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { type Instant, NEVER } from "../../stack/store/time.ts";
import { EventFd } from "./event.ts";
import { type Libc, libc, memory } from "./libc.ts";

/** How long after the last frame the waiter looks by itself, in microseconds. */
export const SPIN_TIME: Instant = 50;

/** How long after the last frame the waiter dozes, in microseconds. */
export const DOZE_TIME: Instant = 2_000;

/** The longest time in microseconds that a doze keeps the event loop waiting. */
export const DOZE_SLICE: Instant = 200;

/** The longest time in microseconds during which the event loop gets no turn. */
export const TURN_INTERVAL: Instant = 500;

const POLLIN = 0x1;

/** How many descriptors are polled, and where the answer for the eventfd, the last of them, is. */
const POLLED = 3, EVENT_ANSWER = 5;

/** The longest sleep in microseconds: a day, so that its seconds fit whatever time_t is. */
const LONGEST_SLEEP = 86_400_000_000;

/** How many waiters are open on this thread. */
let waiters = 0;

const DONE: Promise<void> = Promise.resolve();

const nextTurn = (resolve: () => void) => {
  setImmediate(resolve);
};

/** What is added to this thread's own clock, in milliseconds, so that it shows what another thread's does. */
let clockOffset = 0;

/**
 * Sets this thread's clock by another's, whose `performance.timeOrigin` this is: the two then agree as far as the
 * machine's clock has not been set in between.
 */
export function followClock(timeOrigin: number): void {
  clockOffset = performance.timeOrigin - timeOrigin;
}

/** The present moment in whole microseconds: a clock that never jumps, starting at zero with the program. */
export function monotonicNow(): Instant {
  return Math.round((performance.now() + clockOffset) * 1_000);
}

/** Options of a {@linkcode Waiter}. */
export interface WaiterOptions {
  /**
   * Says without a system call whether frames have arrived; of errors it need not know, since whoever dozes or sleeps
   * hears of them. Absent: poll(2) does.
   */
  readonly peek?: (() => boolean) | undefined;
  /** Another descriptor that is waited for as well. */
  readonly also?: number | undefined;
  /** An eventfd by which other threads wake it, too; it stays theirs. Absent: it has one of its own. */
  readonly event?: number | undefined;
}

/** Waits until a file descriptor can be read. It has an eventfd to be woken by. */
export class Waiter {
  readonly #libc: Libc;
  readonly #event: EventFd;
  /** Whether the eventfd is its own. If not, others wake it by that, too. */
  readonly #ownsEvent: boolean;
  /** Whether frames have arrived, without a system call. */
  readonly #peek: (() => boolean) | undefined;
  /** struct pollfd { int fd; short events, revents; }: for looking, of the descriptors and of others' eventfd. */
  readonly #look: Int32Array<ArrayBuffer> = new Int32Array(memory(POLLED * 8).buffer);
  readonly #looks: number;
  /** The same of the descriptors and of the eventfd, for sleeping; in use by another thread meanwhile. */
  readonly #sleep: Int32Array<ArrayBuffer> = new Int32Array(memory(POLLED * 8).buffer);
  /** struct timespec { int64 seconds, nanoseconds; } */
  readonly #timeout: Int32Array<ArrayBuffer> = new Int32Array(memory(16).buffer);
  #waiting: Promise<void> | undefined;
  #deadline: Instant = NEVER;
  #sleeping = false;
  #woken = false;
  #active = false;
  #lastActive = -DOZE_TIME;
  #lastTurn = 0;
  #release: (() => void) | undefined;

  /** A waiter for `fd`, which stays the caller's. Throws a `NicError` in the name of `nic`. */
  constructor(fd: number, nic: string, { peek, event, also = -1 }: WaiterOptions = {}) {
    this.#libc = libc(nic);
    this.#peek = peek;
    this.#ownsEvent = event === undefined;
    this.#event = event === undefined ? EventFd.make(nic) : new EventFd(event);
    this.#looks = this.#ownsEvent ? POLLED - 1 : POLLED;
    waiters++;
    // poll(2) passes over a negative one.
    const polled = [fd, POLLIN, also, POLLIN, this.#event.fd, POLLIN];
    this.#look.set(polled);
    this.#sleep.set(polled);
  }

  /** Tells that frames passed just now, so that more are likely soon: the next wait ends at once. */
  active(): void {
    this.#active = true;
  }

  /**
   * Resolves when the descriptor can be read or is in error, when `deadline` on {@linkcode monotonicNow} has
   * passed, when woken, or when closed; now and then too early. Never rejects. One wait serves several callers.
   */
  wait(deadline: Instant): Promise<void> {
    if (this.#waiting !== undefined) {
      if (deadline < this.#deadline) this.wake();
      return this.#waiting;
    }
    const now = monotonicNow();
    if (this.#active) {
      this.#active = false;
      this.#lastActive = now;
      // More are likely: whoever reads the next one looks for it as well as we could, and has it then.
      if (now - this.#lastTurn < TURN_INTERVAL) return DONE;
    }
    if (now - this.#lastTurn < TURN_INTERVAL && this.#due(deadline, now)) return DONE;
    this.#deadline = deadline;
    return this.#waiting = this.#wait(deadline);
  }

  /** Ends the present wait; if there is none, the next. */
  wake(): void {
    if (this.#woken || this.#release !== undefined) return;
    this.#woken = true;
    if (this.#sleeping) this.#event.signal();
  }

  /** Ends the present wait and makes all others end at once. `release` is called as soon as nothing uses the descriptor. */
  close(release: () => void): void {
    if (this.#release !== undefined) return;
    this.wake();
    waiters--;
    this.#release = () => {
      if (this.#ownsEvent) this.#event.close();
      release();
    };
    if (!this.#sleeping) this.#release();
  }

  #due(deadline: Instant, now: Instant): boolean {
    if (this.#woken) {
      // After close() it stays set: every later wait ends at once.
      if (this.#release === undefined) this.#woken = false;
      return true;
    }
    if (now >= deadline) return true;
    if (this.#peek !== undefined) return this.#peek();
    return this.#libc.poll(this.#look, this.#looks, 0) !== 0 && this.#looked();
  }

  /** Something can be read. Who was woken by others takes note of it once. */
  #looked(): boolean {
    if (!this.#ownsEvent && this.#look[EVENT_ANSWER]! >>> 16 !== 0) this.#event.drain();
    return true;
  }

  async #wait(deadline: Instant): Promise<void> {
    for (;;) {
      await new Promise<void>(nextTurn);
      const now = this.#lastTurn = monotonicNow();
      if (this.#due(deadline, now)) break;
      const idle = now - this.#lastActive;
      if (idle < SPIN_TIME) continue;
      if (idle < DOZE_TIME && waiters === 1) {
        if (this.#doze(Math.min(deadline - now, DOZE_SLICE))) break;
        continue;
      }
      await this.#sleepUntil(deadline, now);
      break;
    }
    this.#waiting = undefined;
  }

  #setTimeout(duration: Instant): void {
    this.#timeout[0] = Math.floor(duration / 1_000_000);
    this.#timeout[2] = (duration % 1_000_000) * 1_000;
  }

  #doze(duration: Instant): boolean {
    this.#setTimeout(duration);
    return this.#libc.ppoll(this.#look, this.#looks, this.#timeout, null) !== 0 && this.#looked();
  }

  async #sleepUntil(deadline: Instant, now: Instant): Promise<void> {
    if (deadline !== NEVER) this.#setTimeout(Math.min(deadline - now, LONGEST_SLEEP));
    this.#sleeping = true;
    await this.#libc.ppollAside(this.#sleep, POLLED, deadline === NEVER ? null : this.#timeout, null);
    this.#sleeping = false;
    this.#lastTurn = monotonicNow();
    if (this.#release !== undefined) return this.#release();
    if (this.#sleep[EVENT_ANSWER]! >>> 16 !== 0) this.#event.drain();
    this.#woken = false;
  }
}
