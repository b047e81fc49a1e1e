/**
 * The same echo without layers, as a measure of what the bytes alone cost: one function, fixed offsets, the same
 * checks of the same fields, both checksums verified and updated. It knows one host, one neighbour and no options.
 *
 * @module
 */
import type { Slot } from "../../stack/slot.ts";

const OWN_HI = 0x0200, OWN_LO = 1, OWN_ADDRESS = 0x0a000001;

/** Answers an echo request for 10.0.0.1 in its buffer. */
export function answerBytes(slot: Slot): void {
  const { frame } = slot;
  const { bytes, start: at, end } = frame;
  if (end - at < 42 || get16(bytes, at) !== OWN_HI || get32(bytes, at + 2) !== OWN_LO) return;
  if (get16(bytes, at + 12) !== 0x0800 || bytes[at + 14] !== 0x45) return;
  const total = get16(bytes, at + 16);
  if (total < 28 || total > end - at - 14 || (get16(bytes, at + 20) & 0x3fff) !== 0) return;
  if (bytes[at + 23] !== 1 || get32(bytes, at + 30) !== OWN_ADDRESS) return;
  if (sum(bytes, at + 14, at + 34) !== 0xffff || bytes[at + 34] !== 8) return;
  frame.end = at + 14 + total;
  if (sum(bytes, at + 34, at + 14 + total) !== 0xffff) return;
  for (let i = 0; i < 6; i++) bytes[at + i] = bytes[at + 6 + i]!;
  put16(bytes, at + 6, OWN_HI);
  put32(bytes, at + 8, OWN_LO);
  const source = get32(bytes, at + 26);
  put32(bytes, at + 26, OWN_ADDRESS);
  put32(bytes, at + 30, source);
  bytes[at + 22] = 64;
  put16(bytes, at + 24, 0);
  put16(bytes, at + 24, ~sum(bytes, at + 14, at + 34));
  bytes[at + 34] = 0;
  const check = get16(bytes, at + 36) + 0x0800;
  put16(bytes, at + 36, check + (check >>> 16));
  slot.queue();
}

function sum(bytes: Uint8Array, at: number, end: number): number {
  let all = 0;
  for (; at + 2 <= end; at += 2) all += (bytes[at]! << 8) | bytes[at + 1]!;
  if (at < end) all += bytes[at]! << 8;
  all = (all & 0xffff) + (all >>> 16);
  return (all & 0xffff) + (all >>> 16);
}

function get16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

function get32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}

function put32(bytes: Uint8Array, at: number, value: number): void {
  put16(bytes, at, value >> 16);
  put16(bytes, at + 2, value);
}
