/**
 * Doing what a NIC would have done: the checksums that were left to it.
 *
 * @module
 */
import { Checksum, type Frame } from "./frame.ts";
import { put16 } from "./wire/bytes.ts";
import { checksum } from "./wire/checksum.ts";

/** Completes a partial checksum, for a link that does not. A frame whose checksum is complete stays as it is. */
export function completeChecksum(frame: Frame): void {
  if (frame.checksum !== Checksum.Partial) return;
  put16(frame.bytes, frame.checksumAt + frame.checksumField, wholeChecksum(frame));
  frame.checksum = Checksum.Unverified;
}

/**
 * What a partial checksum will be on the wire, if the frame leaves as the one packet that it is. Never 0, which UDP has
 * for none, and TCP takes for the same (RFC 768, RFC 1071 1).
 */
export function wholeChecksum(frame: Frame): number {
  const { bytes, checksumAt, end } = frame;
  const sum = checksum(bytes, checksumAt, end, 0);
  return sum === 0 ? 0xffff : sum;
}
