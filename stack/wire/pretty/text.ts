/**
 * What the pretty printer's layers have in common.
 *
 * @module
 */
import { WireError } from "../error.ts";

/** What a layer, with all that it carries, prints. */
export interface Printed {
  /** The text that goes into the one line. */
  readonly line: string;
  /** The tree: this layer's lines and, indented, those of what it carries. */
  readonly tree: readonly string[];
}

/** What a layer is printed from. */
export interface Scope {
  /** The packet's bytes. */
  readonly bytes: Uint8Array;
  /**
   * Whether bytes are known to be missing at the end: said already, and no checksum over them can be
   * verified.
   */
  readonly cut: boolean;
  /** How many more layers may be nested: bytes that nest without end must not exhaust the stack. */
  readonly depth: number;
}

/** Prints what lies in `scope.bytes[at..end)`. Never throws, and never reads behind `end`. */
export type Printer = (scope: Scope, at: number, end: number) => Printed;

/** A layer of one title, its fields and what it carries. */
export function printed(line: string, title: string, fields: readonly string[], inner?: Printed): Printed {
  return { line, tree: [title, ...indent(fields), ...indent(inner?.tree ?? [])] };
}

/** The lines, one step further to the right. */
export function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

/** A layer whose header is not whole, or contradicts itself. */
export function broken(name: string, error: WireError, at: number, end: number): Printed {
  const text = `${name} (${error === WireError.Truncated ? "truncated" : "malformed"}), ${count(end - at)}`;
  return { line: text, tree: [text] };
}

/** Bytes that no layer here can read, the first of them in hexadecimal. */
export function opaque(name: string, { bytes }: Scope, at: number, end: number): Printed {
  const shown = Math.min(end, at + 16);
  let hex = "";
  for (let i = at; i < shown; i++) hex += ` ${bytes[i]!.toString(16).padStart(2, "0")}`;
  const fields = hex === "" ? [] : [hex.slice(1) + (shown < end ? " ..." : "")];
  return printed(`${name}, length ${end - at}`, `${name}, ${count(end - at)}`, fields);
}

/** A number of bytes in words. */
export function count(bytes: number): string {
  return bytes === 1 ? "1 byte" : `${bytes} bytes`;
}

/** A number in hexadecimal, with at least this many digits. */
export function hex(value: number, digits: number): string {
  return `0x${(value >>> 0).toString(16).padStart(digits, "0")}`;
}

/** A checksum and what is known of it. */
export function checksumField(value: number, cut: boolean, right: boolean): string {
  return `checksum ${hex(value, 4)} (${cut ? "not verifiable" : right ? "right" : "wrong"})`;
}

/** The mark that a bad checksum puts on the one line. */
export function checksumMark(cut: boolean, right: boolean, name: string = "checksum"): string {
  return cut || right ? "" : ` (wrong ${name})`;
}

/** The mark that bytes missing here put on the one line, unless a layer below has said so. */
export function cutMark(scope: Scope, error: WireError): string {
  return error === WireError.Truncated && !scope.cut ? " (truncated)" : "";
}
