/** What a probe is: something that asks, and counts the answers. */
import type { Address } from "../../mod.ts";
import type { RoundTrips } from "../round-trips.ts";

/** The MTU of Ethernet without the headers of IP and ICMP. */
const FILLING_V4 = 1_472, FILLING_V6 = 1_452;

/** How many bytes of data make a ping that fills the MTU. */
export function fillingSize(target: Address): number {
  return target.isV4 ? FILLING_V4 : FILLING_V6;
}

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
