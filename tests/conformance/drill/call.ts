/**
 * What system calls work on and what they become.
 *
 * @module
 */
import { type Instant, NEVER } from "../../../stack/store/time.ts";
import type { Arguments } from "./arguments.ts";
import type { Config } from "./config.ts";
import type { Flow } from "./flow.ts";
import type { Flows } from "./flows.ts";
import type { DrillHost, Outcome } from "./host.ts";

/** A file descriptor of the script's. */
export class Descriptor {
  /** The host's number for it. */
  readonly fd: number;
  /** Whether it is a stream and not a sequence of datagrams. */
  readonly isStream: boolean;
  /** Whether calls that would block fail instead. */
  isNonBlocking: boolean;
  /** Whether it has a peer. */
  isConnected = false;
  /** Bytes of the stream that were read. */
  read = 0;
  /** Bytes of the stream that were written. */
  written = 0;
  /** The conversation that it takes part in. */
  flow: Flow | undefined;

  /** A descriptor of a new socket. */
  constructor(fd: number, isStream: boolean, isNonBlocking: boolean) {
    this.fd = fd;
    this.isStream = isStream;
    this.isNonBlocking = isNonBlocking;
  }
}

/** What calls work on. */
export interface CallContext {
  readonly host: DrillHost;
  readonly config: Config;
  readonly flows: Flows;
  /** By the script's numbers. */
  readonly descriptors: Map<number, Descriptor>;
  /** The script's name. */
  readonly file: string;
  /** The virtual clock. */
  readonly now: () => Instant;
}

/** A call that is ready to be made, perhaps more than once. */
export interface Attempt {
  /** Makes the call; its detail is how what it hands out differs from what the script expects. */
  readonly make: () => Outcome<readonly string[]>;
  /** Whether the call waits when it would block. */
  readonly mayWait: boolean;
  /** When it gives up waiting by itself. */
  readonly deadline: Instant;
}

/** Makes an attempt from a call's arguments. */
export type Prepare = (args: Arguments, context: CallContext) => Attempt;

/** An attempt that never waits. */
export function once(make: () => Outcome<readonly string[]>): Attempt {
  return { make, mayWait: false, deadline: NEVER };
}

/** An attempt that waits unless told not to. */
export function waiting(mayWait: boolean, make: () => Outcome<readonly string[]>): Attempt {
  return { make, mayWait, deadline: NEVER };
}

/** The outcome without its detail, which becomes `differences`. */
export function answer(outcome: Outcome, differences: readonly string[] = []): Outcome<readonly string[]> {
  return outcome.kind === "done" ? { ...outcome, detail: differences } : outcome;
}

/** The descriptor that an argument is; throws for a number that no call has made. */
export function descriptorOf(args: Arguments, { descriptors }: CallContext, index: number = 0): Descriptor {
  const number = args.number(index, "a file descriptor");
  return descriptors.get(number) ?? args.fail(`the script has no file descriptor ${number}`);
}
