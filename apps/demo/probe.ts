/** What a probe is: something that asks, and counts the answers. */
import type { RoundTrips } from "../round-trips.ts";

/** What became of a probe. */
export interface ProbeResult {
  /** What was run, as it would be typed. */
  readonly title: string;
  readonly sent: number;
  readonly answered: number;
  readonly trips: RoundTrips;
}

/** A probe. */
export interface Probe {
  /** What is going to be run. */
  readonly title: string;
  /** Runs it, or something else when that is not possible, and says so; ends early when the signal aborts. */
  readonly run: (signal: AbortSignal, instead: (title: string) => void) => Promise<ProbeResult>;
}
