/**
 * What can go wrong inside a layer, as small integers: the packet path never throws.
 *
 * @module
 */

/**
 * Why a layer could not do what was asked. What happens on the network (a lost packet, a bad header) is no such
 * error: that is counted. Operations answer with the next packet state, or with one of these numbers.
 */
export const LayerError = {
  /** Done. */
  None: 0,
  /** The NIC, endpoint or handler does not allow the operation, or a standard forbids it. */
  Illegal: 1,
  /** The buffer cannot take the length; a smaller one may fit. */
  BadSize: 2,
  /** No route, no own address of that family, or the neighbour is not resolved yet (the look-up is noted). */
  Unreachable: 3,
  /** Not enough resources: it would have been legal with more of them. */
  Exhausted: 4,
} as const;

/** One of {@linkcode LayerError}'s numbers. */
export type LayerError = (typeof LayerError)[keyof typeof LayerError];

/** A {@linkcode LayerError} that is not `None`. */
export type Failure = Exclude<LayerError, typeof LayerError.None>;

const NAMES = ["none", "illegal", "bad size", "unreachable", "exhausted"] as const;

/** The error in words, for messages. */
export function errorName(error: LayerError): string {
  return NAMES[error];
}
