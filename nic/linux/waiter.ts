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
import { NicError } from "../error.ts";
import { errnoText } from "./errno.ts";
import { errno, type Libc, libc, memory } from "./libc.ts";

/** How long after the last frame the waiter looks by itself, in microseconds. */
export const SPIN_TIME: Instant = 50;

/** How long after the last frame the waiter dozes, in microseconds. */
export const DOZE_TIME: Instant = 2_000;

/** The longest time in microseconds that a doze keeps the event loop waiting. */
export const DOZE_SLICE: Instant = 200;

/** The longest time in microseconds during which the event loop gets no turn. */
export const TURN_INTERVAL: Instant = 500;

const POLLIN = 0x1, EFD_NONBLOCK = 0o4000, EFD_CLOEXEC = 0o2000000;

/** The longest sleep in microseconds: a day, so that its seconds fit whatever time_t is. */
const LONGEST_SLEEP = 86_400_000_000;

/** How many waiters are open on this thread. */
let waiters = 0;

const DONE: Promise<void> = Promise.resolve();

const nextTurn = (resolve: () => void) => {
  setImmediate(resolve);
};

/** The present moment in whole microseconds: a clock that never jumps, starting at zero with the program. */
export function monotonicNow(): Instant {
  return Math.round(performance.now() * 1_000);
}

/** Waits until a file descriptor can be read. Owns an eventfd to be woken by. */
export class Waiter {
  readonly #libc: Libc;
  readonly #event: number;
  /** Whether frames have arrived, without a system call. */
  readonly #peek: (() => boolean) | undefined;
  /** struct pollfd { int fd; short events, revents; }: one of the descriptor, for looking. */
  readonly #look: Int32Array<ArrayBuffer> = new Int32Array(memory(8).buffer);
  /** The same of the descriptor and of the eventfd, for sleeping; in use by another thread meanwhile. */
  readonly #sleep: Int32Array<ArrayBuffer> = new Int32Array(memory(16).buffer);
  /** struct timespec { int64 seconds, nanoseconds; } */
  readonly #timeout: Int32Array<ArrayBuffer> = new Int32Array(memory(16).buffer);
  readonly #one: Uint8Array<ArrayBuffer> = memory(8);
  readonly #drained: Uint8Array<ArrayBuffer> = memory(8);
  #waiting: Promise<void> | undefined;
  #deadline: Instant = NEVER;
  #sleeping = false;
  #woken = false;
  #active = false;
  #lastActive = -DOZE_TIME;
  #lastTurn = 0;
  #release: (() => void) | undefined;

  /**
   * A waiter for `fd`, which stays the caller's. `peek` says without a system call whether frames have arrived; of errors
   * it need not know, since whoever dozes or sleeps hears of them. Throws {@linkcode NicError} in the name of `nic`.
   */
  constructor(fd: number, nic: string, peek?: () => boolean) {
    this.#libc = libc(nic);
    this.#peek = peek;
    this.#event = this.#libc.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (this.#event < 0) throw new NicError(nic, "failed", `no eventfd to be had (${errnoText(errno())})`);
    waiters++;
    this.#look.set([fd, POLLIN]);
    this.#sleep.set([fd, POLLIN, this.#event, POLLIN]);
    this.#one[0] = 1;
  }

  /** Tells that frames passed just now, so that more are likely soon. */
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
    }
    if (now - this.#lastTurn < TURN_INTERVAL && this.#due(deadline, now)) return DONE;
    this.#deadline = deadline;
    return this.#waiting = this.#wait(deadline);
  }

  /** Ends the present wait; if there is none, the next. */
  wake(): void {
    if (this.#woken || this.#release !== undefined) return;
    this.#woken = true;
    if (this.#sleeping) this.#libc.write(this.#event, this.#one, 8);
  }

  /** Ends the present wait and makes all others end at once. `release` is called as soon as nothing uses the descriptor. */
  close(release: () => void): void {
    if (this.#release !== undefined) return;
    this.wake();
    waiters--;
    this.#release = () => {
      this.#libc.close(this.#event);
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
    return this.#peek === undefined ? this.#libc.poll(this.#look, 1, 0) !== 0 : this.#peek();
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
    return this.#libc.ppoll(this.#look, 1, this.#timeout, null) !== 0;
  }

  async #sleepUntil(deadline: Instant, now: Instant): Promise<void> {
    if (deadline !== NEVER) this.#setTimeout(Math.min(deadline - now, LONGEST_SLEEP));
    this.#sleeping = true;
    await this.#libc.ppollAside(this.#sleep, 2, deadline === NEVER ? null : this.#timeout, null);
    this.#sleeping = false;
    this.#lastTurn = monotonicNow();
    if (this.#release !== undefined) return this.#release();
    if (this.#sleep[3]! >>> 16 !== 0) this.#libc.read(this.#event, this.#drained, 8);
    this.#woken = false;
  }
}
