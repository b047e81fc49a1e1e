/**
 * The check that every container makes of the sizes it is built with.
 *
 * @module
 */

/**
 * Answers `value` if it is a whole number from `least` to `most`.
 *
 * @throws {RangeError} that names the size and says what is allowed, if it is not.
 */
export function checkSize(name: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${name} must be a whole number from ${least} to ${most}, but is ${value}`);
  }
  return value;
}
