/**
 * What a drill script can be wrong about before it runs.
 *
 * @module
 */

/** A place in a script: both count from 1. */
export interface Position {
  /** The line. */
  readonly line: number;
  /** The column, in UTF-16 units. */
  readonly column: number;
}

/** A script that cannot be read. The message starts with `file:line:column: `. */
export class DrillSyntaxError extends Error {
  override readonly name = "DrillSyntaxError";
  /** The script's name. */
  readonly file: string;
  /** Where it went wrong. */
  readonly at: Position;

  /** `reason` says what is wrong and what would be right. */
  constructor(file: string, at: Position, reason: string) {
    super(`${file}:${at.line}:${at.column}: ${reason}`);
    this.file = file;
    this.at = at;
  }
}
