/**
 * The tag of IEEE 802.1Q, behind the source address of a frame: two bytes of control information, then the type of what
 * follows. `at` is the offset of the control information; the type 0x8100 before it is Ethernet's.
 *
 * @module
 */
import { get16, put16 } from "./bytes.ts";
import { WireError } from "./error.ts";

/** How much longer a tagged frame is, in bytes. */
export const TAG_LENGTH = 4;
/** The largest identifier; 4095 is reserved (IEEE 802.1Q 9.6). */
export const ID_MAX = 4_094;

const ETHER_TYPE = 2;

/** The identifier of the VLAN; 0: the frame is in none, and has a priority only. */
export function id(bytes: Uint8Array, at: number): number {
  return get16(bytes, at) & 0xfff;
}

/** The priority, 0 to 7; 0 is best effort, 1 is less. */
export function priority(bytes: Uint8Array, at: number): number {
  return bytes[at]! >> 5;
}

/** The type of what follows the tag. */
export function etherType(bytes: Uint8Array, at: number): number {
  return get16(bytes, at + ETHER_TYPE);
}

/** Writes a tag. */
export function emit(bytes: Uint8Array, at: number, priority: number, id: number, etherType: number): void {
  put16(bytes, at, ((priority & 7) << 13) | (id & 0xfff));
  put16(bytes, at + ETHER_TYPE, etherType);
}

/** Checks that `bytes[at..end)` begins with a whole tag. */
export function check(_bytes: Uint8Array, at: number, end: number): WireError {
  return end - at < TAG_LENGTH ? WireError.Truncated : WireError.None;
}
