/**
 * Numbers in network byte order: big endian, most significant byte first (RFC 791 Appendix B).
 *
 * 32-bit values are signed, because those stay unboxed in the JavaScript engine; `>>> 0` makes one unsigned
 * to print. Reading past the end of `bytes` yields zero bits, writing there does nothing; neither throws.
 *
 * @module
 */

/** The unsigned 16-bit number at `bytes[at..at + 2)`. */
export function get16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

/** The signed 32-bit number at `bytes[at..at + 4)`. */
export function get32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** Writes the low 16 bits of `value` to `bytes[at..at + 2)`. */
export function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}

/** Writes the 32 bits of `value`, signed or unsigned, to `bytes[at..at + 4)`. */
export function put32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 24;
  bytes[at + 1] = value >> 16;
  bytes[at + 2] = value >> 8;
  bytes[at + 3] = value;
}
