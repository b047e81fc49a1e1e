/** What a command of the control socket is: the same words for a request, for `ethox ctl` and for its help. */
import type { Appliance } from "../appliance.ts";
import type { Json } from "../cli/output.ts";
import type { Fields } from "./request.ts";

/** The appliance as the commands see it. They run between two of its poll cycles. */
export interface ControlledHost {
  readonly appliance: Appliance;
  /** The NIC as the command line names it. */
  readonly nic: string;
  /** Ends the appliance, as SIGTERM would. */
  readonly stop: () => void;
  /** The Workers that have its flows; absent: it has them itself. */
  readonly workers?: ControlledWorkers | undefined;
}

/** The Workers of an appliance as the commands see them. */
export interface ControlledWorkers {
  /** A row for each. */
  readonly list: () => Row[];
  /** Ends one and starts another in its place; undefined: there is no Worker of that number. */
  readonly restart: (worker: number) => Promise<Row | undefined>;
}

/** One row of a result. */
export type Row = { readonly [key: string]: Json | undefined };

/** A command. */
export interface ControlCommand {
  /** Its words: "addr add". */
  readonly name: string;
  /** What follows them: "ADDRESS/PREFIX". */
  readonly form: string;
  readonly meaning: string;
  /** The request's fields that these words stand for. Throws a {@linkcode RequestError}. */
  readonly fields: (words: readonly string[]) => Row;
  /** Does it. Throws a {@linkcode RequestError}. */
  readonly run: (host: ControlledHost, fields: Fields) => Row[] | Promise<Row[]>;
  /** The result as lines for people. */
  readonly lines: (rows: readonly Row[]) => string[];
}

/** For commands that say nothing when they are done. */
export const SILENT = (): string[] => [];
