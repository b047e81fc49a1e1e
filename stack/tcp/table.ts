/**
 * The connections of an endpoint: their slots, their 4-tuples, their timers, and who has something to send.
 *
 * @module
 */
import { HashMap } from "../store/hash-map.ts";
import { Links } from "../store/links.ts";
import { NO_KEY, SlotMap } from "../store/slot-map.ts";
import { type Instant, milliseconds, NEVER } from "../store/time.ts";
import { TimerWheel } from "../store/timer-wheel.ts";
import type { Address } from "../wire/address.ts";
import type { Connection } from "./connection.ts";
import { putTuple, TUPLE_WORDS } from "./tuple.ts";
import { TIMERS } from "./timers.ts";

const READY = 0, BLOCKED = 1;

/** How soon a connection whose next hop is being looked up is tried again. */
const RETRY: Instant = milliseconds(2);
/** The same, once it was tried several times and nothing has left. */
const RETRY_MAX: Instant = milliseconds(128);

/** A table of fixed capacity. Every operation takes constant time. */
export class ConnectionTable {
  readonly #slots: SlotMap<Connection>;
  readonly #tuples: HashMap;
  readonly #lists: Links;
  readonly #wheel: TimerWheel;
  readonly #words = new Int32Array(TUPLE_WORDS);
  readonly #onTimer: (timer: number) => void;
  #now: Instant = 0;
  #blockedUntil: Instant = NEVER;
  #retry = RETRY;
  /** The connection found last: a burst is mostly one flow's. */
  #last: Connection | undefined;

  /** An empty table. `onTimer` is told of a connection's timer that has run out. */
  constructor(
    capacity: number,
    seed: readonly [number, number],
    onTimer: (connection: Connection, kind: number) => void,
  ) {
    this.#slots = new SlotMap(capacity);
    this.#tuples = new HashMap(capacity, TUPLE_WORDS, seed);
    this.#lists = new Links(capacity, 2);
    this.#wheel = new TimerWheel(capacity * TIMERS);
    this.#onTimer = (timer) => {
      const connection = this.#slots.get(this.#slots.keyAt(Math.trunc(timer / TIMERS)));
      if (connection !== undefined) onTimer(connection, timer % TIMERS);
    };
  }

  /** How many connections there are. */
  get size(): number {
    return this.#slots.size;
  }

  /** Whether there is no room for another one. */
  get isFull(): boolean {
    return this.#slots.size === this.#slots.capacity;
  }

  /** Gives a connection a slot, under its 4-tuple. False: the table is full, or the tuple is taken. */
  insert(c: Connection): boolean {
    if (this.isFull) return false;
    const key = this.#slots.insert(c);
    const index = this.#slots.index(key);
    putTuple(this.#words, 0, c.local, c.localPort, c.remote, c.remotePort);
    if (!this.#tuples.add(this.#words, 0, index)) {
      this.#slots.remove(key);
      return false;
    }
    c.key = key;
    c.index = index;
    return true;
  }

  /** Takes a connection out: its key is stale from now on, its timers are off. */
  remove(c: Connection): void {
    if (c.index < 0) return;
    putTuple(this.#words, 0, c.local, c.localPort, c.remote, c.remotePort);
    this.#tuples.remove(this.#words);
    this.#lists.remove(c.index);
    for (let kind = 0; kind < TIMERS; kind++) this.#wheel.cancel(c.index * TIMERS + kind);
    this.#slots.remove(c.key);
    c.key = NO_KEY;
    c.index = -1;
    if (this.#last === c) this.#last = undefined;
  }

  /** The connection of a key; undefined: it is gone. */
  get(key: number): Connection | undefined {
    return this.#slots.get(key);
  }

  /** The connection of a 4-tuple. */
  find(local: Address, localPort: number, remote: Address, remotePort: number): Connection | undefined {
    const last = this.#last;
    if (
      last !== undefined && last.localPort === localPort && last.remotePort === remotePort &&
      last.remote.equals(remote) && last.local.equals(local)
    ) return last;
    putTuple(this.#words, 0, local, localPort, remote, remotePort);
    const index = this.#tuples.lookup(this.#words);
    if (index < 0) return undefined;
    return this.#last = this.#slots.get(this.#slots.keyAt(index));
  }

  /** All of them, for tools: whoever was there at the start, and still is when it is its turn. */
  *[Symbol.iterator](): Generator<Connection> {
    const keys: number[] = [];
    for (let key = this.#slots.first(); key !== NO_KEY; key = this.#slots.next(key)) keys.push(key);
    for (const key of keys) {
      const connection = this.#slots.get(key);
      if (connection !== undefined) yield connection;
    }
  }

  /** Puts a connection in line to send. */
  ready(c: Connection): void {
    if (c.index >= 0 && this.#lists.listOf(c.index) !== READY) this.#lists.pushBack(READY, c.index);
  }

  /** Whose turn it is to send; undefined: nobody has anything. */
  nextReady(): Connection | undefined {
    if (this.#now >= this.#blockedUntil) this.#unblock();
    const index = this.#lists.head(READY);
    return index < 0 ? undefined : this.#slots.get(this.#slots.keyAt(index));
  }

  /** Puts a connection that has sent at the end of the line. */
  again(c: Connection): void {
    this.#retry = RETRY;
    if (c.index >= 0) this.#lists.moveToBack(c.index);
  }

  /** Takes a connection that has sent out of the line: that was all. */
  done(c: Connection): void {
    this.#retry = RETRY;
    this.rest(c);
  }

  /** Takes a connection out of the line: it has nothing to send. */
  rest(c: Connection): void {
    if (c.index >= 0) this.#lists.remove(c.index);
  }

  /** Takes a connection out of the line for a moment: what it has cannot leave now. */
  block(c: Connection): void {
    if (c.index < 0) return;
    this.#lists.pushBack(BLOCKED, c.index);
    if (this.#blockedUntil !== NEVER) return;
    this.#blockedUntil = this.#now + this.#retry;
    this.#retry = Math.min(2 * this.#retry, RETRY_MAX);
  }

  /** Arms a connection's timer; NEVER cancels it. */
  arm(c: Connection, kind: number, at: Instant): void {
    if (c.index >= 0) this.#wheel.arm(c.index * TIMERS + kind, at);
  }

  /** Arms a connection's timer for `delay` from now on. */
  armIn(c: Connection, kind: number, delay: number): void {
    if (c.index >= 0) this.#wheel.armIn(c.index * TIMERS + kind, delay);
  }

  /** Disarms a connection's timer. */
  disarm(c: Connection, kind: number): void {
    if (c.index >= 0) this.#wheel.cancel(c.index * TIMERS + kind);
  }

  /** Lets timers run out. */
  advance(clock: { readonly now: Instant }): void {
    this.#now = clock.now;
    this.#wheel.follow(clock, this.#onTimer);
  }

  /** Whether a connection is in line to send, or will be in a moment. */
  isInLine(c: Connection): boolean {
    return c.index >= 0 && this.#lists.listOf(c.index) >= 0;
  }

  /** Whether a connection's timer is armed. */
  isArmed(c: Connection, kind: number): boolean {
    return c.index >= 0 && this.#wheel.armed(c.index * TIMERS + kind);
  }

  /** When there is something to do: at once if somebody has something to send. */
  deadline(): Instant {
    if (!this.#lists.isEmpty(READY)) return 0;
    return Math.min(this.#blockedUntil, this.#wheel.deadline());
  }

  #unblock(): void {
    this.#blockedUntil = NEVER;
    for (let index = this.#lists.head(BLOCKED); index >= 0; index = this.#lists.head(BLOCKED)) {
      this.#lists.pushBack(READY, index);
    }
  }
}
