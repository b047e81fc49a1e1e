/**
 * What BBR keeps in flight at least and at most, beside what its model says (draft-ietf-ccwg-bbr 5.3.3.9, 5.6.3, 5.6.4),
 * and how fast at first (5.6.2).
 *
 * @module
 */
import { milliseconds } from "../../store/time.ts";
import type { BbrModel } from "./bbr-model.ts";
import { PACING_GAIN, State, WINDOW_GAIN } from "./bbr-state.ts";
import { initialWindow } from "./control.ts";

/** BBR.Headroom */
const HEADROOM = 0.15;
/** BBR.MinPipeCwnd, in segments. */
const LEAST_SEGMENTS = 4;
/** BBR.send_quantum: no more than 64 KB, or what leaves in a millisecond; two segments at least. */
const QUANTUM_MAX = 64 * 1_024, QUANTUM_TIME = 1e-3, QUANTUM_SEGMENTS = 2;
/** BBR.offload_budget, in these: one at either end, and one on its way. */
const QUANTA = 3;

/** BBR.MinPipeCwnd */
export function leastWindow(mss: number): number {
  return LEAST_SEGMENTS * mss;
}

/** BBRQuantizationBudget, with BBRSetSendQuantum and BBRUpdateOffloadBudget, for a sender of that rate. */
export function withBudget(cap: number, rate: number, mss: number): number {
  const quantum = Math.max(Math.floor(Math.min(rate * QUANTUM_TIME, QUANTUM_MAX)), QUANTUM_SEGMENTS * mss);
  return Math.max(cap, QUANTA * quantum, LEAST_SEGMENTS * mss);
}

/** BBRInflightWithHeadroom: what leaves others some room below BBR.inflight_longterm. */
export function withHeadroom(longTerm: number, mss: number): number {
  if (longTerm === Infinity) return Infinity;
  return Math.max(longTerm - Math.max(mss, Math.floor(HEADROOM * longTerm)), LEAST_SEGMENTS * mss);
}

/** BBRBDPMultiple */
function multiple(model: BbrModel, gain: number, mss: number): number {
  return model.minRtt === 0 ? initialWindow(mss) : Math.floor(gain * model.product(model.bandwidth));
}

/** BBRProbeRTTCwnd */
export function probeRttWindow(model: BbrModel, mss: number): number {
  return Math.max(multiple(model, WINDOW_GAIN[State.ProbeRtt]!, mss), LEAST_SEGMENTS * mss);
}

/** BBRInitPacingRate, so that a first sample of little data, or of a lost segment, holds nothing back. */
export function firstRate(minRtt: number, mss: number): number {
  return PACING_GAIN[State.Startup]! * initialWindow(mss) * 1e6 / (minRtt || milliseconds(1));
}
