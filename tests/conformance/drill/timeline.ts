/**
 * The course of a drill: the virtual clock, the packets that have left, and the calls that wait.
 *
 * @module
 */
import { type Instant, NEVER } from "../../../stack/store/time.ts";
import type { DrillHost } from "./host.ts";

/** A packet that has left. */
export interface Departure {
  readonly time: Instant;
  readonly bytes: Uint8Array;
}

/** A call that has to wait. */
export interface Waiting {
  /** Tries again; true: it is over. */
  readonly retry: () => boolean;
  /** When it gives up by itself. */
  readonly deadline: Instant;
}

/** More steps than any script needs: a stack that takes them never comes to rest. */
const STEPS_MAX = 1_000_000;

/** Drives a host on virtual time. */
export class Timeline {
  /** Packets that have left and that no one has looked at, the oldest first. */
  readonly departures: Departure[] = [];
  readonly #host: DrillHost;
  readonly #waiting = new Set<Waiting>();
  #now: Instant = 0;

  /** A course that starts at 0. */
  constructor(host: DrillHost) {
    this.#host = host;
    host.setTime(0);
  }

  /** The present moment. */
  get now(): Instant {
    return this.#now;
  }

  /** Tries this call again whenever something has happened. */
  wait(call: Waiting): void {
    this.#waiting.add(call);
  }

  /** Lets everything happen that is due now, until nothing changes any more. */
  settle(): void {
    for (let step = 0; step < STEPS_MAX; step++) {
      this.#host.poll();
      for (let bytes = this.#host.take(); bytes !== undefined; bytes = this.#host.take()) {
        this.departures.push({ time: this.#now, bytes });
      }
      let isOver = true;
      for (const call of [...this.#waiting]) {
        if (!call.retry()) continue;
        this.#waiting.delete(call);
        isOver = false;
      }
      if (isOver) return;
    }
    throw new Error("the stack does not come to rest");
  }

  /** Lets time pass until `to`, or until `isEnough` says so. */
  run(to: Instant, isEnough: () => boolean = () => false): void {
    this.settle();
    for (let step = 0; this.#now < to && !isEnough(); step++) {
      if (step > STEPS_MAX) throw new Error("the stack wants to be asked again all the time");
      const next = Math.min(to, Math.max(this.#now + 1, this.#next()));
      if (next === NEVER) return;
      this.#now = next;
      this.#host.setTime(next);
      this.settle();
    }
  }

  #next(): Instant {
    let next = this.#host.deadline();
    for (const { deadline } of this.#waiting) next = Math.min(next, deadline);
    return next;
  }
}
