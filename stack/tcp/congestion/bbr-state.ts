/**
 * The states of BBR (draft-ietf-ccwg-bbr 5.1.1).
 *
 * @module
 */

/** BBR.state, the phases of ProbeBW apart. */
export const State = { Startup: 0, Drain: 1, Down: 2, Cruise: 3, Refill: 4, Up: 5, ProbeRtt: 6 } as const;
/** One of {@linkcode State}'s numbers. */
export type State = (typeof State)[keyof typeof State];

/** BBR.ack_phase: what the acknowledgments that come now say about a probe of the bandwidth. */
export const Phase = { Init: 0, Refilling: 1, Starting: 2, Feedback: 3, Stopping: 4 } as const;
/** One of {@linkcode Phase}'s numbers. */
export type Phase = (typeof Phase)[keyof typeof Phase];

/** draft-ietf-ccwg-bbr 5.6.1: by what the bandwidth is multiplied in each state to make the rate. */
export const PACING_GAIN = [2.77, 0.5, 0.9, 1, 1, 1.25, 1];
/** The same for the product of bandwidth and round trip, to make the window. */
export const WINDOW_GAIN = [2, 2, 2, 2, 2, 2.25, 0.5];

/** Whether a state is a phase of ProbeBW: BBRIsInAProbeBWState. */
export function isInCycle(state: State): boolean {
  return state >= State.Down && state <= State.Up;
}

/** Whether losses are what a state asks for: BBRIsProbingBW. */
export function isAskingForLoss(state: State): boolean {
  return state === State.Startup || state === State.Refill || state === State.Up;
}
