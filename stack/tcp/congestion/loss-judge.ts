/**
 * Whether a loss shows congestion. A router that is congested has a queue, which makes round trips longer, or loses
 * many; a wire that damages a frame now and then does neither. The idea is TCP Veno's (Fu and Liew, 2003), which looks
 * at the queue, and BBR's (draft-ietf-ccwg-bbr 5.5.10.2), which looks at how much is lost.
 *
 * @module
 */

/** What may be lost of a flight without a doubt, as BBR.LossThresh. One segment of a flight below 50 is more. */
const LOSS_THRESHOLD = 0.02;
/** The least of so many round trips, or twice as many, tells the queue from what jitter adds (as RFC 9406 4.2). */
const SAMPLES = 8;
/** A queue is what makes round trips longer than the least one by more than this part of it. */
const QUEUE = 1 / 32;

/** What is known of one connection's path. */
export class LossJudge {
  /** Losses are being repaired that do not count as congestion. */
  isSparing: boolean = false;
  /** The congestion window, which they leave as it is. */
  window: number = 0;
  /** Bytes that were in flight when the first of them was found. */
  flight: number = 0;
  /** Times that losses were repaired which did not count, since one last did. */
  spared: number = 0;
  /** Bytes lost of them, and of what left since. */
  #lost = 0;
  /** Bytes that have arrived since. */
  #delivered = 0;
  #least = Infinity;
  #leastBefore = Infinity;
  #samples = 0;

  /** Nothing is known. */
  reset(): void {
    this.isSparing = false;
    this.spared = 0;
    this.forget();
  }

  /** What the queue was like lately says nothing any more. */
  forget(): void {
    this.#least = this.#leastBefore = Infinity;
    this.#samples = 0;
  }

  /** Takes the round trip of a segment that was sent once. */
  onRoundTrip(rtt: number): void {
    if (this.#samples === SAMPLES) {
      this.#leastBefore = this.#least;
      this.#least = Infinity;
      this.#samples = 0;
    }
    this.#samples++;
    if (rtt < this.#least) this.#least = rtt;
  }

  /** The first loss is found of a flight of so many bytes. */
  begin(flight: number): void {
    this.flight = flight;
    this.#lost = this.#delivered = 0;
  }

  /** So many bytes are lost, of it or of what left since, and so many have arrived. */
  onLost(lost: number, delivered: number = 0): void {
    this.#lost += lost;
    this.#delivered += delivered;
  }

  /** Whether they show congestion, on a path whose least round trip is `minRtt`. */
  isCongestion(minRtt: number): boolean {
    return this.#lost > Math.max(this.flight, this.#delivered) * LOSS_THRESHOLD || this.#hasQueue(minRtt);
  }

  #hasQueue(minRtt: number): boolean {
    // Too few round trips to tell.
    if (this.#leastBefore === Infinity) return true;
    return Math.min(this.#least, this.#leastBefore) - minRtt > minRtt * QUEUE;
  }
}
