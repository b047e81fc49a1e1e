/**
 * The option list as IPv4 (RFC 791 3.1) and TCP (RFC 9293 3.2) both have it: a byte of type; unless that is
 * 0, the list's end, or 1, one byte of padding, a byte of length follows that counts both; then data.
 *
 * @module
 */
import { WireError } from "./error.ts";

const END = 0;
const NO_OPERATION = 1;

/**
 * The length in bytes of the option at `bytes[option]`, which is before `end`; 0 when it is malformed: its
 * length field is missing, below 2, or runs over `end`.
 */
export function optionLength(bytes: Uint8Array, option: number, end: number): number {
  if (bytes[option]! <= NO_OPERATION) return 1;
  if (option + 2 > end) return 0;
  const length = bytes[option + 1]!;
  return length < 2 || option + length > end ? 0 : length;
}

/** Checks that the list `bytes[option..end)` is well-formed up to its end. */
export function checkList(bytes: Uint8Array, option: number, end: number): WireError {
  while (option < end && bytes[option] !== END) {
    const length = optionLength(bytes, option, end);
    if (length === 0) return WireError.Malformed;
    option += length;
  }
  return WireError.None;
}

/**
 * Where the first option of this type lies, or -1 when none is before the list's end or first malformed
 * option.
 */
export function findInList(bytes: Uint8Array, option: number, end: number, type: number): number {
  while (option < end && bytes[option] !== END) {
    const length = optionLength(bytes, option, end);
    if (length === 0) return -1;
    if (bytes[option] === type) return option;
    option += length;
  }
  return -1;
}
