/** Exit statuses, and the errors that lead to them. */
import { NicError } from "../../mod.ts";

/** What the process answers to the shell. */
export const ExitStatus = {
  /** Done. */
  Done: 0,
  /** Failed at run time: no reply, a NIC that broke. */
  Failed: 1,
  /** Wrong usage. */
  Usage: 2,
  /** The NIC cannot be opened. */
  Nic: 3,
  /** Ended by Ctrl-C before it was done, as shells count it. */
  Interrupted: 130,
} as const;
export type ExitStatus = (typeof ExitStatus)[keyof typeof ExitStatus];

/** An error whose message is all that the user needs to see. */
export class CliError extends Error {
  override readonly name: string = "CliError";
  /** One of {@linkcode ExitStatus}, or what the command itself documents. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The command line is wrong. */
export class UsageError extends CliError {
  override readonly name: string = "UsageError";

  constructor(message: string) {
    super(ExitStatus.Usage, message);
  }
}

/** Nobody reads our output any more (EPIPE): the program ends without a word. */
export class OutputClosed extends Error {
  override readonly name: string = "OutputClosed";
}

/** The exit status that an error leads to. */
export function statusOf(error: unknown): number {
  if (error instanceof OutputClosed) return ExitStatus.Done;
  if (error instanceof CliError) return error.status;
  return error instanceof NicError ? ExitStatus.Nic : ExitStatus.Failed;
}

/** The error in one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s*\n\s*/g, " ").trim();
}
