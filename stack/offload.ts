/**
 * Doing what a NIC would have done: the checksums that were left to it.
 *
 * @module
 */
import { Checksum, type Frame } from "./frame.ts";
import { put16 } from "./wire/bytes.ts";
import { checksum } from "./wire/checksum.ts";
import * as udp from "./wire/udp.ts";

/** Completes a partial checksum, for a link that does not. A frame whose checksum is complete stays as it is. */
export function completeChecksum(frame: Frame): void {
  if (frame.checksum !== Checksum.Partial) return;
  put16(frame.bytes, frame.checksumAt + frame.checksumField, wholeChecksum(frame));
  frame.checksum = Checksum.Unverified;
}

/**
 * What a partial checksum will be on the wire, if the frame leaves as the one packet that it is. UDP has 0xffff for 0, which
 * stands for none there (RFC 768).
 */
export function wholeChecksum(frame: Frame): number {
  const { bytes, checksumAt, end } = frame;
  const sum = checksum(bytes, checksumAt, end, 0);
  return sum === 0 && frame.checksumField === udp.CHECKSUM ? 0xffff : sum;
}
