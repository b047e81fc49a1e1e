/**
 * The states of a packet, and what a step from the wrong one leads to.
 *
 * ```text
 *   Raw --prepare--> Out --send--> gone
 *    ^              ^ |
 *    |        reinit| |intoIn
 *    |              | v
 *     \--deinit---- In
 * ```
 *
 * The interfaces of each layer (`EthIn`, `EthRaw`, `EthOut`, ...) make the compiler refuse a wrong step. One object
 * stands behind all three, so a reference kept from an earlier state is caught by one comparison instead.
 *
 * @module
 */

/** Where in its life a packet is. */
export const State = { Gone: 0, In: 1, Raw: 2, Out: 3 } as const;

/** One of {@linkcode State}'s numbers. */
export type State = (typeof State)[keyof typeof State];

const NAMES = ["gone: sent, or its handler has returned", "received", "raw", "prepared"] as const;

/** Throws: a step was taken through a reference that is out of date. A fault of the program, not of the network. */
export function misuse(step: string, state: State): never {
  throw new Error(
    `${step}() does not fit this packet, which is ${NAMES[state]}; use what the last step returned`,
  );
}
