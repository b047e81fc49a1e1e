/**
 * The line of a link: frames pass one after the other, as many bits a second as its rate says.
 *
 * @module
 */
import type { Instant } from "../../stack/store/time.ts";

/** A line, and the frames that wait for it. Exact: no rounding adds up from frame to frame. */
export class Line {
  #rate = 0;
  /** The line is busy until `#freeAt` and `#carry / rate` microseconds. */
  #freeAt: Instant = 0;
  #carry = 0;
  /** A ring of when the waiting frames have their turn. */
  readonly #begins: Float64Array;
  #head = 0;
  #size = 0;

  /** A free line on which at most `capacity` frames can wait. */
  constructor(capacity: number) {
    this.#begins = new Float64Array(capacity);
  }

  /** Bits a second; 0: any number at once. What is on the line already passes at the rate that it was sent at. */
  get rate(): number {
    return this.#rate;
  }

  set rate(rate: number) {
    if (rate === this.#rate) return;
    this.#freeAt += this.#part();
    this.#carry = 0;
    this.#rate = rate;
  }

  /** How many frames wait for their turn. */
  waiting(now: Instant): number {
    while (this.#size > 0 && this.#begins[this.#head]! <= now) {
      this.#head = this.#head + 1 === this.#begins.length ? 0 : this.#head + 1;
      this.#size--;
    }
    return this.#size;
  }

  /** Puts a frame of `length` bytes at the end of the queue. Answers when its last bit is sent. */
  send(length: number, now: Instant): Instant {
    const rate = this.#rate;
    if (rate === 0) return now;
    if (this.#freeAt + this.#part() > now) this.#wait(now);
    else {
      this.#freeAt = now;
      this.#carry = 0;
    }
    const work = length * 8_000_000 + this.#carry;
    const whole = Math.floor(work / rate);
    this.#freeAt += whole;
    this.#carry = work - whole * rate;
    return this.#freeAt + this.#part();
  }

  /** Forgets what is on it. */
  clear(): void {
    this.#freeAt = 0;
    this.#carry = 0;
    this.#size = 0;
  }

  #wait(now: Instant): void {
    this.waiting(now);
    const tail = this.#head + this.#size;
    this.#begins[tail < this.#begins.length ? tail : tail - this.#begins.length] = this.#freeAt +
      this.#part();
    this.#size++;
  }

  /** 1 if the line is busy for a part of a microsecond beyond `#freeAt`. */
  #part(): number {
    return this.#carry > 0 ? 1 : 0;
  }
}
