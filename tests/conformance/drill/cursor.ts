/**
 * Reads a list of tokens from left to right and says what it expected where something else stands.
 *
 * @module
 */
import { DrillSyntaxError, type Position } from "./error.ts";
import { type Token, tokenize } from "./lexer.ts";

/** How deep expressions may nest: a script must not exhaust the stack. */
const DEPTH_MAX = 64;

/** A place in a script's tokens. */
export class Cursor {
  /** The script's name. */
  readonly file: string;
  /** The script. */
  readonly source: string;
  readonly #tokens: readonly Token[];
  #index = 0;
  #depth = 0;

  /** Before the first token. Throws a {@linkcode DrillSyntaxError} when the text cannot be cut into tokens. */
  constructor(source: string, file: string) {
    this.source = source;
    this.file = file;
    this.#tokens = tokenize(source, file);
  }

  /** The token that is read next. */
  get token(): Token {
    return this.#tokens[this.#index]!;
  }

  /** The token `distance` behind the next one. */
  peek(distance: number = 1): Token {
    return this.#tokens[Math.min(this.#index + distance, this.#tokens.length - 1)]!;
  }

  /** The token that was read last. */
  get last(): Token {
    return this.#tokens[Math.max(0, this.#index - 1)]!;
  }

  /** Reads a token of whatever kind. At the end it stays there. */
  next(): Token {
    const token = this.token;
    if (token.kind !== "end") this.#index++;
    return token;
  }

  /** Whether the next token is this mark or word. */
  is(text: string): boolean {
    const { token } = this;
    return token.text === text && (token.kind === "mark" || token.kind === "word");
  }

  /** Reads this mark or word if it is next. */
  accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.#index++;
    return true;
  }

  /** Reads this mark or word; throws if something else is next. */
  expect(text: string): Token {
    if (!this.is(text)) this.fail(`"${text}"`);
    return this.next();
  }

  /** Reads a token of this kind; `what` says in the message what it would have been. */
  take(kind: Token["kind"], what: string): Token {
    if (this.token.kind !== kind) this.fail(what);
    return this.next();
  }

  /** Reads a decimal number between `min` and `max`; `what` names it. */
  integer(what: string, min: number, max: number): number {
    return this.#range(this.take("integer", what), what, min, max);
  }

  /** Reads a decimal or hexadecimal number between `min` and `max`; `what` names it. */
  number(what: string, min: number, max: number): number {
    if (this.token.kind === "hex") return this.#range(this.next(), what, min, max);
    return this.integer(what, min, max);
  }

  /** Begins something that may hold its own kind again; throws when that nests too deeply. */
  enter(): void {
    if (++this.#depth > DEPTH_MAX) this.failAt(this.token.at, "expressions nest too deeply");
  }

  /** Ends what {@linkcode Cursor.enter} began. */
  leave(): void {
    this.#depth--;
  }

  /** Throws: `what` should be next, and is not. */
  fail(what: string): never {
    const { token } = this;
    this.failAt(token.at, `expected ${what}, but there is ${describe(token)}`);
  }

  /** Throws: what stands at `at` is wrong. */
  failAt(at: Position, reason: string): never {
    throw new DrillSyntaxError(this.file, at, reason);
  }

  #range(token: Token, what: string, min: number, max: number): number {
    const value = Number(token.text);
    if (value < min || value > max) {
      this.failAt(token.at, `${token.text} is no ${what}: it must be between ${min} and ${max}`);
    }
    return value;
  }
}

function describe(token: Token): string {
  if (token.kind === "end") return "the end of the script";
  const text = token.text.length > 24 ? `${token.text.slice(0, 24)}...` : token.text;
  switch (token.kind) {
    case "string":
      return `the string "${text}"`;
    case "command":
      return "a command in backquotes";
    case "code":
      return "a code block";
    case "option":
      return `the option --${text}`;
    default:
      return `"${text}"`;
  }
}
