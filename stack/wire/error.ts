/**
 * What can be wrong with bytes from the wire, as small integers: parsing never throws.
 *
 * @module
 */

/** Why bytes are not what they should be: the answer of every `check` in this folder. */
export const WireError = {
  /** Nothing is wrong. */
  None: 0,
  /** The bytes end before the header, or before the length that the header claims. */
  Truncated: 1,
  /** The checksum does not match. */
  WrongChecksum: 2,
  /** Another protocol or version than the one asked for. */
  Unrecognized: 3,
  /** A field contradicts the format: a length too small, an option that runs over its end. */
  Malformed: 4,
} as const;

/** One of {@linkcode WireError}'s numbers. */
export type WireError = (typeof WireError)[keyof typeof WireError];

const NAMES = ["none", "truncated", "wrong checksum", "unrecognized", "malformed"] as const;

/** The error in words, for messages. */
export function wireErrorName(error: WireError): string {
  return NAMES[error];
}
