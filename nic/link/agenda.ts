/**
 * What a test wants done at certain times.
 *
 * @module
 */
import { type Instant, NEVER } from "../../stack/store/time.ts";

interface Action {
  readonly at: Instant;
  readonly act: () => void;
}

/** Actions in the order of their times; at equal times in the order in which they were added. */
export class Agenda {
  readonly #actions: Action[] = [];

  /** When the next action is due; {@linkcode NEVER}: there is none. */
  deadline(): Instant {
    return this.#actions[0]?.at ?? NEVER;
  }

  /** Has `act` done at a time. */
  add(at: Instant, act: () => void): void {
    const index = this.#actions.findIndex((action) => action.at > at);
    this.#actions.splice(index < 0 ? this.#actions.length : index, 0, { at, act });
  }

  /** Does what is due by `now`, but for what is added meanwhile. Answers how many actions there were. */
  run(now: Instant): number {
    if (this.deadline() > now) return 0;
    const later = this.#actions.findIndex((action) => action.at > now);
    const due = this.#actions.splice(0, later < 0 ? this.#actions.length : later);
    for (const action of due) action.act();
    return due.length;
  }
}
