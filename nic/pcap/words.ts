/**
 * Numbers in a capture file: in the byte order of the host that wrote it, which the file tells.
 *
 * @module
 */

/** The unsigned 16-bit number at `bytes[at..at + 2)`. */
export function get16(bytes: Uint8Array, at: number, little: boolean): number {
  return little ? bytes[at]! | (bytes[at + 1]! << 8) : (bytes[at]! << 8) | bytes[at + 1]!;
}

/** The unsigned 32-bit number at `bytes[at..at + 4)`. */
export function get32(bytes: Uint8Array, at: number, little: boolean): number {
  const first = get16(bytes, at, little);
  const second = get16(bytes, at + 2, little);
  return (little ? first | (second << 16) : (first << 16) | second) >>> 0;
}

/** The unsigned 64-bit number at `bytes[at..at + 8)`. */
export function get64(bytes: Uint8Array, at: number, little: boolean): bigint {
  const first = BigInt(get32(bytes, at, little));
  const second = BigInt(get32(bytes, at + 4, little));
  return little ? first | (second << 32n) : (first << 32n) | second;
}

/** Writes the low 16 bits of `value` to `bytes[at..at + 2)`, the least significant byte first. */
export function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >> 8;
}

/** Writes the low 32 bits of `value` to `bytes[at..at + 4)`, the least significant byte first. */
export function put32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >> 8;
  bytes[at + 2] = value >> 16;
  bytes[at + 3] = value >> 24;
}
