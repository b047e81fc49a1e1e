/**
 * Copying bytes from one place to another.
 *
 * @module
 */

/** From this length on a view of the source, a short-lived object, costs less than copying byte by byte. */
const WORTH_A_VIEW = 64;

/**
 * Copies `source[from .. from + length)` to `target[at .. at + length)`; both must lie inside their arrays. Within one
 * array, such as the frames' arena, the ranges may overlap and nothing is allocated, however long the copy.
 */
export function copyBytes(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  from: number,
  length: number,
): void {
  if (length < WORTH_A_VIEW && target !== source) {
    for (let i = 0; i < length; i++) target[at + i] = source[from + i]!;
  } else if (target === source) {
    target.copyWithin(at, from, from + length);
  } else {
    target.set(source.subarray(from, from + length), at);
  }
}
