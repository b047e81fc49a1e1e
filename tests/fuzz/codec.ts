/**
 * Inputs as text, for the corpus. Lines that begin with `#` are notes on the entry and no part of the input.
 *
 * @module
 */

/** How inputs are written down and read again. */
export interface Codec<T> {
  /** What the names of files end with. */
  readonly extension: "hex" | "txt";
  /** The input as text, without a note. */
  readonly format: (input: T) => string;
  /** The input that a text is of. */
  readonly parse: (text: string) => T;
}

/** The lines of an entry that are no notes and not empty. */
export function linesOf(text: string): string[] {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
}

/** Bytes as hexadecimal digits; white space is as one likes. */
export const HEX: Codec<Uint8Array> = {
  extension: "hex",
  format: (bytes) => bytes.toHex().replaceAll(/.{64}/g, "$&\n"),
  parse: (text) => fromHex(linesOf(text).join("")),
};

/** Any text, to the last code unit: JSON strings, one a line of it, that are joined. */
export const TEXT: Codec<string> = {
  extension: "txt",
  format: (text) => (text.match(/[^\n]*\n|[^\n]+/g) ?? [""]).map((line) => JSON.stringify(line)).join("\n"),
  parse: (text) =>
    linesOf(text).map((line) => {
      const part: unknown = JSON.parse(line);
      if (typeof part !== "string") throw new TypeError(`a JSON string is expected, not ${line}`);
      return part;
    }).join(""),
};

/** The bytes that hexadecimal digits write, white space aside. */
export function fromHex(text: string): Uint8Array {
  return Uint8Array.fromHex(text.replaceAll(/\s/g, ""));
}
