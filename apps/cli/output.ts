/** What a command prints: lines for people, or one JSON object a line. */
import type { Io } from "./io.ts";

/** The options that decide on it. */
export interface OutputOptions {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

/** Text that may become part of a JSON object. */
export type Json = string | number | boolean | null | readonly Json[] | {
  readonly [key: string]: Json | undefined;
};

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** So many events wait for the ready event; the oldest go for more. */
const EARLY_MAX = 1_000;

/** A command's output. */
export class Output {
  readonly io: Io;
  /** Whether lines for people are wanted: neither --json nor --quiet. */
  readonly human: boolean;
  /** Whether JSON is wanted. */
  readonly json: boolean;
  /** What happened before the ready event; undefined: that is there. */
  #early: [event: string, fields: { readonly [key: string]: Json | undefined }][] | undefined = [];

  constructor(io: Io, options: OutputOptions) {
    this.io = io;
    this.json = options.json === true;
    this.human = !this.json && options.quiet !== true;
  }

  /** A line for people; nothing with --json or --quiet. */
  line(text: string = ""): void {
    if (this.human) this.io.out(`${text}\n`);
  }

  /** The line that --quiet asks for: the result. Nothing with --json. */
  result(text: string): void {
    if (!this.json) this.io.out(`${text}\n`);
  }

  /** An object on a line of its own; nothing without --json. */
  event(event: string, fields: { readonly [key: string]: Json | undefined }): void {
    if (!this.json) return;
    this.io.out(`${JSON.stringify({ event, ...fields })}\n`);
    if (event === "ready") this.release();
  }

  /** The same of what may happen before the host is ready: it then waits, for the ready event is the first. */
  aside(event: string, fields: { readonly [key: string]: Json | undefined }): void {
    if (this.#early === undefined || !this.json) return this.event(event, fields);
    if (this.#early.length >= EARLY_MAX) this.#early.shift();
    this.#early.push([event, fields]);
  }

  /** No ready event is waited for any more. */
  release(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const [event, fields] of early) this.event(event, fields);
  }

  /** A line on stderr that is no failure. */
  warn(text: string): void {
    this.io.err(`ethox: warning: ${text}\n`);
  }

  /** The text in a colour or weight, where that can be shown. */
  paint(style: keyof typeof CODES, text: string): string {
    return this.io.colors && this.human ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text;
  }
}

/** What a command is given by the program around it. */
export interface Context {
  readonly io: Io;
  /** What the process answers in the end, unless there is an error. */
  status: number;
}
