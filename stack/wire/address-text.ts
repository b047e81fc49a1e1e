/**
 * IP addresses as people write them: dotted decimal, RFC 4291 2.2 to read and RFC 5952 to write.
 *
 * Strict, because a lenient reading lets two programs see two different addresses: no leading zeros (some
 * read them as octal), no missing parts, no zone.
 *
 * @module
 */

/** The four words of an address, most significant first, an IPv4 address mapped as ::ffff:a.b.c.d. */
export interface AddressWords {
  /** Bits 0 to 31. */
  a: number;
  /** Bits 32 to 63. */
  b: number;
  /** Bits 64 to 95. */
  c: number;
  /** Bits 96 to 127. */
  d: number;
}

/**
 * Reads `text` into `into`. Undefined, or what is wrong with the text and where; then `into` is unchanged.
 */
export function readAddress(text: string, into: AddressWords): string | undefined {
  if (text === "") return "it is empty";
  if (text.includes(":")) return readV6(text, into);
  const word = readV4(text, 0);
  if (typeof word === "string") return word;
  into.a = into.b = 0;
  into.c = 0xffff;
  into.d = word;
  return undefined;
}

/** The word that the dotted decimal at `text[start..]` writes, or what is wrong with it. */
function readV4(text: string, start: number): number | string {
  const parts = text.slice(start).split(".");
  let word = 0;
  let column = start + 1;
  for (const part of parts) {
    const stray = part.search(/[^0-9]/);
    if (stray >= 0) return `unexpected "${characterAt(part, stray)}" at column ${column + stray}`;
    if (part === "") return `a number is missing at column ${column}`;
    if (part.length > 1 && part.startsWith("0")) return `"${part}" at column ${column} has a leading zero`;
    if (part.length > 3 || Number(part) > 255) return `"${part}" at column ${column} is above 255`;
    word = (word << 8) | Number(part);
    column += part.length + 1;
  }
  return parts.length === 4 ? word : `it has ${parts.length} numbers where IPv4 has 4`;
}

function readV6(text: string, into: AddressWords): string | undefined {
  const zone = text.indexOf("%");
  if (zone >= 0) return `a zone ("${text.slice(zone)}") is not supported`;
  const groups: number[] = [];
  let gap = -1;
  let at = 0;
  if (text.startsWith("::")) {
    gap = 0;
    at = 2;
  }
  while (at < text.length) {
    const colon = text.indexOf(":", at);
    const stop = colon < 0 ? text.length : colon;
    const part = text.slice(at, stop);
    if (part.includes(".") && colon < 0) {
      const word = readV4(text, at);
      if (typeof word === "string") return word;
      groups.push(word >>> 16, word & 0xffff);
    } else {
      const fault = faultInGroup(part, at + 1);
      if (fault !== undefined) return fault;
      groups.push(parseInt(part, 16));
    }
    at = stop + 1;
    if (text[at] === ":") {
      if (gap >= 0) return `a second "::" at column ${stop + 1}`;
      gap = groups.length;
      at++;
    } else if (at === text.length) {
      return `a group is missing at column ${at + 1}`;
    }
  }
  if (gap < 0 && groups.length !== 8) {
    return `it has ${groups.length} groups where IPv6 has 8, or fewer and a "::"`;
  }
  if (gap >= 0 && groups.length > 7) {
    return `it has ${groups.length} groups and a "::", which stands for at least one`;
  }
  if (gap >= 0) groups.splice(gap, 0, ...new Array<number>(8 - groups.length).fill(0));
  into.a = (groups[0]! << 16) | groups[1]!;
  into.b = (groups[2]! << 16) | groups[3]!;
  into.c = (groups[4]! << 16) | groups[5]!;
  into.d = (groups[6]! << 16) | groups[7]!;
  return undefined;
}

function faultInGroup(part: string, column: number): string | undefined {
  const stray = part.search(/[^0-9a-f]/i);
  if (stray >= 0) return `unexpected "${characterAt(part, stray)}" at column ${column + stray}`;
  if (part === "") return `a group is missing at column ${column}`;
  if (part.length > 4) return `"${part}" at column ${column} has more than 4 digits`;
  return undefined;
}

// A whole character, so that a message never ends in half of a surrogate pair.
function characterAt(text: string, index: number): string {
  return String.fromCodePoint(text.codePointAt(index)!);
}

/** Dotted decimal of an IPv4 address's word. */
export function formatV4(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 0xff}.${(word >>> 8) & 0xff}.${word & 0xff}`;
}

/**
 * The words as IPv6 text: lower case, no leading zeros, the longest run of zero groups as `::` (RFC 5952 4).
 */
export function formatV6(words: AddressWords): string {
  const groups: number[] = [];
  for (const word of [words.a, words.b, words.c, words.d]) groups.push(word >>> 16, word & 0xffff);
  let gap = -1;
  // RFC 5952 4.2.2 and 4.2.3: one zero group alone is written out, and of two equal runs the first is
  // shortened.
  let longest = 1;
  for (let start = 0, stop = 0; start < 8; start = stop + 1) {
    for (stop = start; stop < 8 && groups[stop] === 0;) stop++;
    if (stop - start > longest) {
      gap = start;
      longest = stop - start;
    }
  }
  const hex = groups.map((group) => group.toString(16));
  if (gap < 0) return hex.join(":");
  return `${hex.slice(0, gap).join(":")}::${hex.slice(gap + longest).join(":")}`;
}
