/**
 * Waiting for several descriptors on another thread, where no time is to be saved: the control socket.
 *
 * @module
 */
import { NicError } from "../error.ts";
import { errnoText } from "./errno.ts";
import { errno, type Libc, libc, memory } from "./libc.ts";

/** What is waited for, and what poll(2) answers. */
export const Ready = { Readable: 0x1, Writable: 0x4 } as const;

const EFD_NONBLOCK = 0o4000, EFD_CLOEXEC = 0o2000000;

/** poll(2) on another thread, which can be woken. */
export class Poller {
  readonly #libc: Libc;
  readonly #event: number;
  readonly #name: string;
  readonly #eight = memory(8);
  #waiting: Promise<unknown> | undefined;
  /** What the other thread reads and writes during a wait. Deno does not keep it, nor does a function that waits. */
  #lent: readonly Int32Array<ArrayBuffer>[] = [];

  /** Throws {@linkcode NicError} in the name of `name`. */
  constructor(name: string) {
    this.#name = name;
    this.#libc = libc(name);
    this.#event = this.#libc.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (this.#event < 0) throw new NicError(name, "failed", `no eventfd to be had (${errnoText(errno())})`);
  }

  /**
   * Resolves when one of the descriptors is {@linkcode Ready} for what is wanted of it or broken, when `milliseconds` have
   * passed, or when woken. One wait at a time.
   */
  async wait(
    wanted: readonly (readonly [fd: number, events: number])[],
    milliseconds: number,
  ): Promise<void> {
    if (this.#waiting !== undefined) throw new Error(`${this.#name}: two waits at once`);
    // struct pollfd { int fd; short events, revents; }; struct timespec { int64 seconds, nanoseconds; }
    const list = new Int32Array(memory(8 * (wanted.length + 1)).buffer);
    list.set([...wanted.flat(), this.#event, Ready.Readable]);
    const timeout = new Int32Array(memory(16).buffer);
    timeout.set([Math.floor(milliseconds / 1_000), 0, (milliseconds % 1_000) * 1_000_000, 0]);
    this.#lent = [list, timeout];
    this.#waiting = this.#libc.ppollAside(list, wanted.length + 1, timeout, null);
    await this.#waiting;
    this.#waiting = undefined;
    this.#libc.read(this.#event, this.#eight, 8);
  }

  /** Ends the present wait; if there is none, the next. */
  wake(): void {
    const one = memory(8);
    one[0] = 1;
    this.#libc.write(this.#event, one, 8);
  }

  /** Gives its descriptor back, once nobody waits. */
  async close(): Promise<void> {
    if (this.#waiting !== undefined) this.wake();
    await this.#waiting;
    this.#libc.close(this.#event);
  }
}
