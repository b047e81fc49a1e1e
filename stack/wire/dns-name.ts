/**
 * Domain names (RFC 1035 3.1, 4.1.4) between the wire and text.
 *
 * As text a name is its labels with dots between and none at the end; the root is "". A dot, a backslash and whatever
 * is no visible ASCII is written `\DDD`, or `\.` and `\\` (RFC 1035 5.1), so that text and wire are one-to-one. What
 * is read is in lower case, since names that differ in case alone are the same (RFC 4343).
 *
 * @module
 */

/** The longest name on the wire, and its longest label. */
export const NAME_MAX = 255, LABEL_MAX = 63;

const POINTER = 0xc0;

/** A name and where the bytes behind it lie. */
export interface ReadName {
  /** The name as text, in lower case. */
  readonly name: string;
  /** The first byte behind it. */
  readonly next: number;
}

/**
 * Reads the name at `bytes[at]` of a message that lies at `bytes[start..end)`. Undefined: it is malformed, too long, or
 * its pointers do not lead backwards, as those of a loop cannot (RFC 1035 4.1.4: "a prior occurrence").
 */
export function readName(bytes: Uint8Array, start: number, at: number, end: number): ReadName | undefined {
  const labels: string[] = [];
  let next = -1;
  // The root's own byte counts (RFC 1035 3.1).
  let length = 1;
  let limit = at;
  for (let from = at; from < end;) {
    const size = bytes[from]!;
    if (size === 0) return { name: labels.join("."), next: next < 0 ? from + 1 : next };
    if (size >= POINTER) {
      if (from + 2 > end) return undefined;
      if (next < 0) next = from + 2;
      from = start + (((size & 0x3f) << 8) | bytes[from + 1]!);
      if (from >= limit) return undefined;
      limit = from;
      continue;
    }
    length += 1 + size;
    if (size > LABEL_MAX || from + 1 + size > end || length > NAME_MAX) return undefined;
    labels.push(labelText(bytes, from + 1, size));
    from += 1 + size;
  }
  return undefined;
}

/** The names in a row at `bytes[at..end)`, which may point to one another, at most so many; a malformed one is the end. */
export function readNames(bytes: Uint8Array, at: number, end: number, most: number): string[] {
  const names: string[] = [];
  for (let from = at; from < end && names.length < most;) {
    const read = readName(bytes, at, from, end);
    if (read === undefined) break;
    if (read.name !== "") names.push(read.name);
    from = read.next;
  }
  return names;
}

/** Where the bytes behind the name at `bytes[at]` lie; -1: it runs over the end. What it points to is not looked at. */
export function skipName(bytes: Uint8Array, at: number, end: number): number {
  while (at < end) {
    const size = bytes[at]!;
    if (size === 0) return at + 1;
    if (size >= POINTER) return at + 2 <= end ? at + 2 : -1;
    if (size > LABEL_MAX) return -1;
    at += 1 + size;
  }
  return -1;
}

/**
 * The wire form of a name as text, with or without a dot at its end; what is not ASCII becomes UTF-8 (RFC 6762 16).
 * Undefined: it has an empty label, one of more than 63 bytes, a wrong escape, or more than 255 bytes.
 */
export function nameBytes(text: string): Uint8Array | undefined {
  const wire: number[] = [];
  let label: number[] = [];
  const bytes = new TextEncoder().encode(text);
  const close = (): boolean => {
    if (label.length === 0 || label.length > LABEL_MAX) return false;
    wire.push(label.length, ...label);
    label = [];
    return wire.length < NAME_MAX;
  };
  if (text !== "" && text !== ".") {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (byte === DOT) {
        if (!close()) return undefined;
        continue;
      }
      if (byte !== BACKSLASH) label.push(byte);
      else {
        const digits = decimal(bytes, at + 1);
        const escaped = digits < 0 ? bytes[at + 1] : digits;
        if (escaped === undefined || escaped > 255) return undefined;
        label.push(escaped);
        at += digits < 0 ? 1 : 3;
      }
      if (label.length > LABEL_MAX) return undefined;
    }
    if (label.length > 0 && !close()) return undefined;
  }
  wire.push(0);
  return Uint8Array.from(wire);
}

/** A name's one way to be written: in lower case, escapes where there must be, no dot at its end. Undefined: it is none. */
export function canonicalName(text: string): string | undefined {
  const wire = nameBytes(text);
  return wire === undefined ? undefined : readName(wire, 0, 0, wire.length)?.name;
}

const DOT = 0x2e, BACKSLASH = 0x5c, ZERO = 0x30;

/** The number of three digits at `bytes[at]`; -1: no digit is there; above 255: no byte. */
function decimal(bytes: Uint8Array, at: number): number {
  let number = 0;
  for (let index = 0; index < 3; index++) {
    const digit = (bytes[at + index] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return index === 0 ? -1 : 256;
    number = number * 10 + digit;
  }
  return number;
}

function labelText(bytes: Uint8Array, at: number, length: number): string {
  let text = "";
  for (let index = at; index < at + length; index++) {
    const byte = bytes[index]!;
    if (byte === DOT || byte === BACKSLASH) text += `\\${String.fromCharCode(byte)}`;
    else if (byte <= 0x20 || byte >= 0x7f) text += `\\${String(byte).padStart(3, "0")}`;
    else text += String.fromCharCode(byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte);
  }
  return text;
}
