/**
 * What is wrong with a capture file.
 *
 * @module
 */

/** A capture file that cannot be read on. What was read before it is good. */
export class PcapError extends Error {
  /** "PcapError". */
  override readonly name: string = "PcapError";
  /** The byte of the file where the record or the field at fault begins. */
  readonly position: number;

  /** The message becomes `byte N: problem`. */
  constructor(position: number, problem: string) {
    super(`byte ${position}: ${problem}`);
    this.position = position;
  }
}
