/**
 * How a drill that runs can go wrong.
 *
 * @module
 */
import type { Position } from "./error.ts";

/** The stack did not do what the script says. The message starts with `file:line:column: `. */
export class DrillFailure extends Error {
  override readonly name: string = "DrillFailure";
  /** The line of the script. */
  readonly at: Position;

  /** `reason` says what was expected and what happened. */
  constructor(file: string, at: Position, reason: string) {
    super(`${file}:${at.line}:${at.column}: ${reason}`);
    this.at = at;
  }
}

/** The script asks for what this runner or the host under it does not do. */
export class DrillUnsupported extends DrillFailure {
  override readonly name = "DrillUnsupported";
  /** What it asks for, in a few words. */
  readonly what: string;

  /** `what` is not supported. */
  constructor(file: string, at: Position, what: string) {
    super(file, at, `${what} is not supported`);
    this.what = what;
  }
}
