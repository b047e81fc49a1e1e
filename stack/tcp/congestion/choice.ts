/**
 * The congestion controls by name.
 *
 * @module
 */
import { Bbr } from "./bbr.ts";
import type { CongestionControl } from "./control.ts";
import { Cubic } from "./cubic.ts";
import { CubicPlus } from "./cubic-plus.ts";
import { NewReno } from "./newreno.ts";

/**
 * The names of the congestion controls that there are: "cubic" (RFC 9438), the same for paths that lose at random,
 * "newreno" (RFC 5681, RFC 6582), and "bbr" (draft-ietf-ccwg-bbr).
 */
export const CONGESTION_CONTROLS = ["cubic", "cubic+", "newreno", "bbr"] as const;

/** One of {@linkcode CONGESTION_CONTROLS}. */
export type CongestionName = (typeof CONGESTION_CONTROLS)[number];

const MAKERS: Record<CongestionName, () => CongestionControl> = {
  cubic: () => new Cubic(),
  "cubic+": () => new CubicPlus(),
  newreno: () => new NewReno(),
  bbr: () => new Bbr(),
};

/** What makes a connection's congestion control, by its name. A maker is its own answer. */
export function congestionMaker(choice: CongestionName | (() => CongestionControl)): () => CongestionControl {
  return typeof choice === "string" ? MAKERS[choice] : choice;
}
