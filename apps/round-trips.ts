/** Round-trip times and what is said of them in the end. */
import type { Instant } from "../mod.ts";

/** A sum over round trips, as ping prints it. */
export class RoundTrips {
  count = 0;
  min: Instant = Infinity;
  max: Instant = 0;
  #sum = 0;
  #squares = 0;

  /** Takes one more, in microseconds. */
  add(rtt: Instant): void {
    this.count++;
    this.min = Math.min(this.min, rtt);
    this.max = Math.max(this.max, rtt);
    this.#sum += rtt;
    this.#squares += rtt * rtt;
  }

  /** The mean, in microseconds. */
  get average(): number {
    return this.#sum / this.count;
  }

  /** The standard deviation, which ping calls mdev, in microseconds. */
  get deviation(): number {
    return Math.sqrt(Math.max(0, this.#squares / this.count - this.average ** 2));
  }

  /** All four in milliseconds; undefined: there was none. */
  milliseconds(): { min: number; avg: number; max: number; mdev: number } | undefined {
    if (this.count === 0) return undefined;
    const [min, avg, max, mdev] = [this.min, this.average, this.max, this.deviation].map((time) => {
      return Math.round(time) / 1_000;
    });
    return { min: min!, avg: avg!, max: max!, mdev: mdev! };
  }

  /** ping's last line. */
  line(): string {
    const all = [this.min, this.average, this.max, this.deviation].map((time) => (time / 1_000).toFixed(3));
    return `rtt min/avg/max/mdev = ${all.join("/")} ms`;
  }
}
