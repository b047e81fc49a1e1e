/** When how much may be sent, so that a rate is kept. */
import { type Instant, NEVER } from "../../mod.ts";

/** A rate in bits a second, kept by whole blocks. Whoever is late may catch up. */
export class Pace {
  readonly #rate: number;
  readonly #block: number;
  #start: Instant = NEVER;

  /** A rate of 0 has no limit. It begins with {@linkcode Pace.begin}. */
  constructor(rate: number, block: number) {
    this.#rate = rate;
    this.#block = block;
  }

  /** Whether there is a rate to keep. */
  get isLimited(): boolean {
    return this.#rate > 0;
  }

  /** Time starts to count. */
  begin(now: Instant): void {
    this.#start = now;
  }

  /** How many bytes may have been sent by now; the first block may at once. */
  allowed(now: Instant): number {
    if (now < this.#start) return 0;
    if (this.#rate === 0) return Infinity;
    const bytes = (now - this.#start) * this.#rate / 8e6;
    return (Math.floor(bytes / this.#block) + 1) * this.#block;
  }

  /** When the next block may leave, if so many bytes have been sent. */
  next(sent: number): Instant {
    if (this.#rate === 0 || this.#start === NEVER) return this.#start;
    return this.#start + Math.ceil(Math.floor(sent / this.#block) * this.#block * 8e6 / this.#rate);
  }
}
