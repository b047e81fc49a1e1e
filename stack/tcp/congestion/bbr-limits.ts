/**
 * What BBR keeps in flight at least and at most, beside what its model says (draft-ietf-ccwg-bbr 5.3.3.9, 5.6.3, 5.6.4).
 *
 * @module
 */

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
  const quantum = Math.max(Math.min(rate * QUANTUM_TIME, QUANTUM_MAX), QUANTUM_SEGMENTS * mss);
  return Math.max(cap, QUANTA * quantum, LEAST_SEGMENTS * mss);
}

/** BBRInflightWithHeadroom: what leaves others some room below BBR.inflight_longterm. */
export function withHeadroom(longTerm: number, mss: number): number {
  if (longTerm === Infinity) return Infinity;
  return Math.max(longTerm - Math.max(mss, HEADROOM * longTerm), LEAST_SEGMENTS * mss);
}
