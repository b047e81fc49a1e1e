/** What arrives of a stream of numbered datagrams: jitter, loss, order. */
import type { Instant } from "../../mod.ts";

/** Counts datagrams in constant space. */
export class Reception {
  /** The highest number so far: as many were sent at least. */
  packets = 0;
  /** Those missing below it. */
  lost = 0;
  /** Those that came behind a higher number; each makes up for a lost one. */
  outOfOrder = 0;
  /** The jitter of the time from sender to receiver, in seconds. */
  jitter = 0;
  #transit = 0;
  #hasTransit = false;

  /** A datagram has arrived. */
  take(number: number, sent: Instant, arrived: Instant): void {
    if (number > this.packets) {
      this.lost += number - this.packets - 1;
      this.packets = number;
    } else {
      this.outOfOrder++;
      if (this.lost > 0) this.lost--;
    }
    // RFC 3550 6.4.1, as RFC 1889 had it: clocks need not agree, since only the change of the difference counts.
    const transit = (arrived - sent) / 1e6;
    if (this.#hasTransit) this.jitter += (Math.abs(transit - this.#transit) - this.jitter) / 16;
    this.#transit = transit;
    this.#hasTransit = true;
  }
}
