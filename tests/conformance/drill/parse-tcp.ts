/**
 * Reads what only TCP segments have: flags, sequence ranges and options.
 *
 * @module
 */
import { Flag } from "../../../stack/wire/tcp.ts";
import type { TcpFlags, TcpOption } from "./ast.ts";
import type { Cursor } from "./cursor.ts";

/** AE, the ninth control bit (RFC 9768 3.1): in the byte before the others. */
export const AE = 0x100;

const BITS: ReadonlyMap<string, number> = new Map([
  ["F", Flag.Fin],
  ["S", Flag.Syn],
  ["R", Flag.Rst],
  ["P", Flag.Psh],
  [".", Flag.Ack],
  ["U", Flag.Urg],
  ["E", Flag.Ece],
  ["W", Flag.Cwr],
  ["C", Flag.Cwr],
  ["A", AE],
]);

/** Reads flags such as `S.`, `.`, `P.5` or, for none, `-`. */
export function parseFlags(cursor: Cursor): TcpFlags {
  if (cursor.accept("-")) return { text: "-", bits: 0, ace: undefined };
  const first = cursor.token;
  if (!isFlags(cursor)) cursor.fail("TCP flags, udp or icmp");
  let last = cursor.next();
  while (isFlags(cursor) && cursor.token.start === last.end) last = cursor.next();
  const text = cursor.source.slice(first.start, last.end);
  let bits = 0;
  let ace: number | undefined;
  for (let index = 0; index < text.length; index++) {
    const at = { line: first.at.line, column: first.at.column + index };
    const letter = text[index]!;
    const bit = BITS.get(letter);
    if (bit !== undefined) {
      if ((bits & bit) !== 0) cursor.failAt(at, `the TCP flag "${letter}" is there twice`);
      bits |= bit;
    } else if (/[0-7]/.test(letter) && ace === undefined) ace = Number(letter);
    else {cursor.failAt(
        at,
        `"${letter}" is no TCP flag: expected one of ${[...BITS.keys()].join(" ")} or 0 to 7`,
      );}
  }
  return { text, bits: ace === undefined ? bits : withAce(cursor, bits, ace), ace };
}

function withAce(cursor: Cursor, bits: number, ace: number): number {
  const mask = AE | Flag.Cwr | Flag.Ece;
  if ((bits & mask) !== 0) {
    cursor.failAt(cursor.last.at, "A, W and E cannot be given beside the counter they carry");
  }
  // RFC 9768 3.2.2: the counter's bits are AE, CWR, ECE, the most significant first.
  return bits | ((ace & 4) !== 0 ? AE : 0) | ((ace & 2) !== 0 ? Flag.Cwr : 0) |
    ((ace & 1) !== 0 ? Flag.Ece : 0);
}

function isFlags(cursor: Cursor): boolean {
  const { kind, text } = cursor.token;
  return kind === "word" || kind === "integer" || kind === "float" || (kind === "mark" && text === ".");
}

/** Reads `first:end(length)`. */
export function parseSequence(cursor: Cursor): { readonly sequence: number; readonly length: number } {
  const { at } = cursor.token;
  const sequence = cursor.integer("sequence number", 0, 0xffffffff);
  cursor.expect(":");
  const end = cursor.integer("sequence number", 0, 0xffffffff);
  cursor.expect("(");
  const length = cursor.integer("payload length", 0, 65_535);
  cursor.expect(")");
  if (((sequence + length) >>> 0) !== end) {
    cursor.failAt(
      at,
      `a segment of ${length} bytes from ${sequence} ends at ${(sequence + length) >>> 0}, not ${end}`,
    );
  }
  return { sequence, length };
}

/** Reads `<mss 1460,nop>` or `<...>`; the bracket is next. */
export function parseTcpOptions(cursor: Cursor, direction: "in" | "out"): TcpOption[] | "any" {
  cursor.expect("<");
  if (cursor.token.kind === "ellipsis") {
    const { at } = cursor.next();
    if (direction === "in") cursor.failAt(at, "<...> is only for packets that must go out (>)");
    cursor.expect(">");
    return "any";
  }
  const options = [parseOption(cursor)];
  while (cursor.accept(",")) options.push(parseOption(cursor));
  if (!cursor.is(">")) cursor.fail('"," or ">"');
  cursor.next();
  return options;
}

function parseOption(cursor: Cursor): TcpOption {
  const { at, text, start } = cursor.take("word", "a TCP option");
  switch (text) {
    case "nop":
    case "eol":
    case "sackOK":
      return { kind: text };
    case "mss":
      return { kind: text, value: cursor.integer("segment size", 0, 0xffff) };
    case "wscale":
      return { kind: text, value: cursor.integer("shift count", 0, 0xff) };
    case "TS":
      return parseTimestamps(cursor);
    case "sack":
      return parseSack(cursor);
    case "FO":
    case "FOEXP":
      return { kind: text, data: isOver(cursor) ? new Uint8Array(0) : parseHex(cursor, "a cookie") };
    case "md5":
      return { kind: text, data: parseHex(cursor, "a digest") };
    case "ECN":
      return parseEcn(cursor);
    case "kind": {
      const number = cursor.integer("option kind", 2, 0xff);
      return {
        kind: "other",
        number,
        data: isOver(cursor) ? new Uint8Array(0) : parseHex(cursor, "the option's bytes"),
      };
    }
    default:
      break;
  }
  if (!/^(?:mp_|add_addr|remove_addr|dss|mptcp)/.test(text)) {
    cursor.failAt(at, `"${text}" is no TCP option: expected ${OPTIONS}`);
  }
  while (!isOver(cursor)) cursor.next();
  return { kind: "unsupported", text: cursor.source.slice(start, cursor.last.end) };
}

const OPTIONS = "mss, wscale, sackOK, sack, TS, nop, eol, FO, FOEXP, md5, ECN or kind";

/** Whether an option ends before the next token. */
function isOver(cursor: Cursor): boolean {
  return cursor.is(",") || cursor.is(">") || cursor.token.kind === "end";
}

function parseTimestamps(cursor: Cursor): TcpOption {
  cursor.expect("val");
  const value = cursor.integer("timestamp", 0, 0xffffffff);
  cursor.expect("ecr");
  return { kind: "TS", value, echo: cursor.integer("timestamp", 0, 0xffffffff) };
}

function parseSack(cursor: Cursor): TcpOption {
  const blocks: { readonly left: number; readonly right: number }[] = [];
  do {
    const left = cursor.integer("sequence number", 0, 0xffffffff);
    cursor.expect(":");
    blocks.push({ left, right: cursor.integer("sequence number", 0, 0xffffffff) });
  } while (cursor.token.kind === "integer");
  return { kind: "sack", blocks };
}

/** Reads counters of bytes by ECN field, in the order in which they are sent (RFC 9768 3.2.3). */
function parseEcn(cursor: Cursor): TcpOption {
  const counters: { readonly name: string; readonly value: number }[] = [];
  while (!isOver(cursor)) {
    const { at, text: name } = cursor.take("word", "e0b, e1b or ceb");
    if (!["e0b", "e1b", "ceb"].includes(name)) {
      cursor.failAt(at, `expected e0b, e1b or ceb, but there is "${name}"`);
    }
    counters.push({ name, value: cursor.integer("counter", 0, 0xffffff) });
  }
  return { kind: "ECN", counters };
}

function parseHex(cursor: Cursor, what: string): Uint8Array {
  const { kind, text, at } = cursor.token;
  if (kind !== "word" && kind !== "integer" && kind !== "hex") cursor.fail(`${what} in hexadecimal`);
  const digits = kind === "hex" ? text.slice(2) : text;
  if (!/^(?:[0-9a-fA-F]{2})+$/.test(digits)) {
    cursor.failAt(at, `expected ${what} in hexadecimal, two digits a byte, but there is "${text}"`);
  }
  cursor.next();
  return Uint8Array.fromHex(digits);
}
