/**
 * Cuts a drill script into tokens.
 *
 * @module
 */
import { Address } from "../../../stack/wire/address.ts";
import { DrillSyntaxError, type Position } from "./error.ts";

/** What a token is. */
export type TokenKind =
  | "word" // letters, digits and _, not only digits
  | "integer" // decimal, with a sign or not
  | "hex" // 0x...
  | "float" // with a decimal point
  | "string" // "..."
  | "command" // `...`
  | "code" // %{...}%
  | "option" // --name
  | "ipv4"
  | "ipv6"
  | "ellipsis" // ...
  | "mark" // any other single character
  | "end"; // behind the last token

/** A piece of a script. */
export interface Token {
  /** What it is. */
  readonly kind: TokenKind;
  /** What is written; of strings, commands and code what is between the quotes, of options the name. */
  readonly text: string;
  /** Where it starts. */
  readonly at: Position;
  /** Its first character's index in the source. */
  readonly start: number;
  /** The index behind its last character. */
  readonly end: number;
}

const BLANK = /\s+/y;
const LINE_COMMENT = /(?:\/\/|#)[^\n]*/y;
const OPTION = /--([A-Za-z0-9_]+)/y;
const NUMBER_V4 = /[0-9]+(?:\.[0-9]+){3}(?![0-9])/y;
// Colons and hexadecimal digits with at least two colons: a sequence range such as 1:1001 has only one.
const NUMBER_V6 = /(?:[0-9a-fA-F]{0,4}:){2,8}(?:[0-9]+(?:\.[0-9]+){3}|[0-9a-fA-F]{0,4})/y;
const FLOAT = /-?[0-9]*\.[0-9]+/y;
const HEX = /0x[0-9a-fA-F]+(?![A-Za-z0-9_])/y;
const INTEGER = /-?[0-9]+(?![A-Za-z0-9_])/y;
// "sequence#" is how a GRE header's flag is written.
const WORD = /sequence#|[A-Za-z0-9_]+/y;
const STRING = /"((?:\\[^]|[^"\\])*)"/y;
const COMMAND = /`((?:\\[^]|[^`\\])*)`/y;

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", "0": "\0" };

/**
 * All tokens of a script, the last of kind "end".
 *
 * @throws {DrillSyntaxError} for a comment, string, command or code block that does not end
 */
export function tokenize(source: string, file: string): Token[] {
  return new Lexer(source, file).run();
}

class Lexer {
  readonly #source: string;
  readonly #file: string;
  readonly #tokens: Token[] = [];
  #index = 0;
  #line = 1;
  #lineStart = 0;

  constructor(source: string, file: string) {
    this.#source = source;
    this.#file = file;
  }

  run(): Token[] {
    this.#skip();
    while (this.#index < this.#source.length) {
      this.#next();
      this.#skip();
    }
    this.#push("end", "", this.#index);
    return this.#tokens;
  }

  #skip(): void {
    for (;;) {
      if (this.#source.startsWith("/*", this.#index)) {
        this.#advance(this.#closing("*/", 2, "this comment is not closed by */"));
        continue;
      }
      const end = this.#match(BLANK) ?? this.#match(LINE_COMMENT);
      if (end === undefined) return;
      this.#advance(end[0].length + this.#index);
    }
  }

  #next(): void {
    const source = this.#source;
    const at = this.#index;
    if (source.startsWith("...", at)) return this.#push("ellipsis", "...", at + 3);
    if (source.startsWith("%{", at)) {
      const end = this.#closing("}%", 2, "this code block is not closed by }%");
      return this.#push("code", source.slice(at + 2, end - 2).trim(), end);
    }
    if (source[at] === '"') return this.#quoted("string", STRING, "this string is not closed");
    if (source[at] === "`") {
      return this.#quoted("command", COMMAND, "this command is not closed by a backquote");
    }
    const option = this.#match(OPTION);
    if (option !== undefined) return this.#push("option", option[1]!, at + option[0].length);
    const address = this.#addressV6();
    if (address !== undefined) return this.#push("ipv6", address, at + address.length);
    for (const [kind, pattern] of PLAIN) {
      const match = this.#match(pattern);
      if (match !== undefined) return this.#push(kind, match[0], at + match[0].length);
    }
    const character = String.fromCodePoint(source.codePointAt(at)!);
    this.#push("mark", character, at + character.length);
  }

  #addressV6(): string | undefined {
    const text = this.#match(NUMBER_V6)?.[0];
    if (text === undefined) return undefined;
    // In "ipv6 1::1 > 2::2: gre:" the colon belongs to the header.
    for (const candidate of [text, text.slice(0, -1)]) {
      if (Address.tryParse(candidate) !== undefined) return candidate;
    }
    return undefined;
  }

  #quoted(kind: "string" | "command", pattern: RegExp, reason: string): void {
    const match = this.#match(pattern);
    if (match === undefined) throw new DrillSyntaxError(this.#file, this.#position(), reason);
    const text = kind === "command" ? match[1]! : unescape(match[1]!);
    this.#push(kind, text, this.#index + match[0].length);
  }

  /** The index behind the next `mark`, which closes what starts here. */
  #closing(mark: string, skip: number, reason: string): number {
    const index = this.#source.indexOf(mark, this.#index + skip);
    if (index < 0) throw new DrillSyntaxError(this.#file, this.#position(), reason);
    return index + mark.length;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#index;
    return pattern.exec(this.#source) ?? undefined;
  }

  #push(kind: TokenKind, text: string, end: number): void {
    this.#tokens.push({ kind, text, at: this.#position(), start: this.#index, end });
    this.#advance(end);
  }

  #advance(end: number): void {
    for (;;) {
      const newline = this.#source.indexOf("\n", this.#index);
      if (newline < 0 || newline >= end) break;
      this.#line++;
      this.#lineStart = this.#index = newline + 1;
    }
    this.#index = end;
  }

  #position(): Position {
    return { line: this.#line, column: this.#index - this.#lineStart + 1 };
  }
}

// Tried in this order: a number that goes on with letters is a word, such as a Fast Open cookie.
const PLAIN: readonly (readonly [TokenKind, RegExp])[] = [
  ["ipv4", NUMBER_V4],
  ["float", FLOAT],
  ["hex", HEX],
  ["integer", INTEGER],
  ["word", WORD],
];

function unescape(text: string): string {
  return text.replaceAll(
    /\\(?:x([0-9a-fA-F]{2})|([^]))/g,
    (_, hex: string | undefined, character: string) => {
      return hex !== undefined ? String.fromCharCode(parseInt(hex, 16)) : ESCAPES[character] ?? character;
    },
  );
}
