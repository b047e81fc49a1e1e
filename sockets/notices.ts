/**
 * From bursts to users: what happens inside a burst is noted, and told when the burst is over.
 *
 * @module
 */

/** Somebody to be told something when the burst is over. */
export interface Noticed {
  /** Tells it. Called once for each {@linkcode Notices.add}. */
  readonly notify: () => void;
}

/**
 * Who is to be told. Users run code of their own, which may throw, open, close and write: none of that may happen in
 * the middle of a burst.
 */
export class Notices {
  #due: Noticed[] = [];
  #told: Noticed[] = [];

  /** Whether anybody waits to be told. */
  get isEmpty(): boolean {
    return this.#due.length === 0;
  }

  /** Notes somebody to be told. */
  add(noticed: Noticed): void {
    this.#due.push(noticed);
  }

  /** Tells everybody; those noted meanwhile too. An error of one user is the program's, not the stack's. */
  run(): void {
    while (this.#due.length > 0) {
      const told = this.#due;
      this.#due = this.#told;
      for (let index = 0; index < told.length; index++) {
        try {
          told[index]!.notify();
        } catch (error) {
          reportError(error);
        }
      }
      told.length = 0;
      this.#told = told;
    }
  }
}
