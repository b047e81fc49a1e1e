/**
 * What keeps the program running, until it is unref'd or closed: a stack, a server, a socket of node:net; and somebody
 * who waits for a connection, for data, or for room.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { Nic } from "../nic/device.ts";
import { NicWrapper } from "../nic/wrapper.ts";
import type { Receiver, Sender } from "../stack/handler.ts";
import type { Slot } from "../stack/slot.ts";
import { type Instant, NEVER } from "../stack/store/time.ts";

/** The longest interval that a timer takes. */
const LONG = 2 ** 31 - 1;

/** Counts who wants the program to run, and keeps it running while there is anybody. */
export class Lifetime {
  /** Called when the last hold goes. */
  onIdle: () => void = () => {};
  #holds = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isEnding = false;
  readonly #change = (by: number): void => {
    this.#holds += by;
    if (this.#holds > 0) this.#timer ??= setInterval(() => {}, LONG);
    else this.#endSoon();
  };

  /** Whether somebody wants the program to run. */
  get isHeld(): boolean {
    return this.#timer !== undefined;
  }

  /** Somebody wants the program to run: a new hold, with so many who wait for something. */
  hold(waits: number = 1): Hold {
    return new Hold(this.#change, waits);
  }

  /** The last hold has gone. Who has just read reads again at once, as a rule: nothing changes for that. */
  #endSoon(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    setImmediate(() => {
      this.#isEnding = false;
      if (this.#holds > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.onIdle();
    });
  }
}

/** A reason for the program to run, as long as somebody waits. It can be let go and taken again until it ends. */
export class Hold {
  readonly #change: (by: number) => void;
  #waits = 0;
  #isRef = true;
  #isOver = false;

  /** Made by {@linkcode Lifetime.hold}. */
  constructor(change: (by: number) => void, waits: number) {
    this.#change = change;
    this.#set(waits, true);
  }

  get #isOn(): boolean {
    return this.#isRef && this.#waits > 0 && !this.#isOver;
  }

  /** Keeps the program running while somebody waits, as at first. */
  ref(): void {
    this.#set(this.#waits, true);
  }

  /** Lets the program end all the same. */
  unref(): void {
    this.#set(this.#waits, false);
  }

  /** Somebody waits, too. */
  begin(): void {
    this.#set(this.#waits + 1, this.#isRef);
  }

  /** Somebody waits no more. */
  done(): void {
    this.#set(this.#waits - 1, this.#isRef);
  }

  /** Ends the hold for good. */
  end(): void {
    this.#set(0, this.#isRef);
    this.#isOver = true;
  }

  #set(waits: number, isRef: boolean): void {
    const wasOn = this.#isOn;
    this.#waits = waits;
    this.#isRef = isRef;
    if (this.#isOn !== wasOn) this.#change(wasOn ? -1 : 1);
  }
}

/** How long in milliseconds an unheld stack sleeps between looks at its NIC. */
const NAP = 2;
/** How often it looks before it sleeps, with a turn of the event loop after each look. */
const LOOKS = 20;

/**
 * A NIC that keeps the program running only while its lifetime is held. A NIC's own wait may be a thread's, for which
 * the program would not end; so while nobody holds, the NIC is looked at by a timer that the program does not wait for.
 */
export class LifetimeNic extends NicWrapper {
  readonly #lifetime: Lifetime;
  #looks = 0;
  #rouse: () => void = () => {};

  /** A NIC around `inner`, which stays the caller's. */
  constructor(inner: Nic, lifetime: Lifetime) {
    super(inner);
    this.#lifetime = lifetime;
  }

  override rx(max: number, receiver: Receiver<Slot>): number {
    const count = this.inner.rx(max, receiver);
    if (count > 0) this.#looks = LOOKS;
    return count;
  }

  override tx(max: number, sender: Sender<Slot>): number {
    const count = this.inner.tx(max, sender);
    if (count > 0) this.#looks = LOOKS;
    return count;
  }

  override ready(deadline: Instant = NEVER): Promise<void> {
    if (this.#lifetime.isHeld) return this.inner.ready(deadline);
    if (this.inner.failure !== undefined) return Promise.resolve();
    return this.#nap(deadline);
  }

  override wake(): void {
    this.#rouse();
    this.inner.wake();
  }

  #nap(deadline: Instant): Promise<void> {
    return new Promise((resolve) => {
      if (this.#looks > 0 || deadline <= this.inner.now()) {
        this.#looks--;
        setImmediate(resolve);
        return;
      }
      const timer = setTimeout(resolve, NAP);
      Deno.unrefTimer(timer);
      this.#rouse = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
