/**
 * What a NIC in memory waits at: closed until something happens.
 *
 * @module
 */

/** A promise that can be made again and again. */
export class Gate {
  #wake: (() => void) | undefined;
  #pending = false;
  #closed = false;

  /** Resolves when the gate is opened; at once if it was opened since the last wait, or is closed for good. */
  wait(): Promise<void> {
    if (this.#pending || this.#closed) {
      this.#pending = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#wake = resolve);
  }

  /** Lets whoever waits through, or else whoever waits next. */
  open(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    if (wake === undefined) this.#pending = true;
    else wake();
  }

  /** Opens the gate for good. */
  close(): void {
    this.#closed = true;
    this.open();
  }
}
