/**
 * The header of a packet that was put together: the first fragment's, as if there had been no fragments.
 *
 * @module
 */
import type { Frame } from "../frame.ts";
import { copyBytes } from "../store/copy.ts";
import * as ipv4 from "../wire/ipv4.ts";
import * as extension from "../wire/ipv6-extension.ts";
import * as ipv6 from "../wire/ipv6.ts";
import type { Datagram } from "./datagram.ts";

/** The codepoints of ECN (RFC 3168 5). */
const NOT_ECT = 0, CE = 3;

/**
 * Makes `frame` the whole packet's and writes its header; answers where its data is to be written. -1: there is no such
 * packet: it is too long, or the marks of its fragments contradict each other.
 */
export function writeHeader(datagram: Datagram, frame: Frame): number {
  // RFC 3168 5.3: congestion that one fragment met was met by all; but not where the sender does not take the mark.
  const isMarked = (datagram.ecn & (1 << CE)) !== 0;
  if (isMarked && (datagram.ecn & (1 << NOT_ECT)) !== 0) return -1;
  return datagram.isV4 ? writeV4(datagram, frame, isMarked) : writeV6(datagram, frame, isMarked);
}

function writeV4({ header, headerLength, total }: Datagram, frame: Frame, isMarked: boolean): number {
  const length = headerLength + total;
  if (length > 0xffff || !frame.resize(length)) return -1;
  const { bytes, start } = frame;
  copyBytes(bytes, start, header, 0, headerLength);
  ipv4.setTotalLength(bytes, start, length);
  ipv4.setFragment(bytes, start, 0, 0);
  if (isMarked) ipv4.setTrafficClass(bytes, start, ipv4.trafficClass(bytes, start) | CE);
  ipv4.fillChecksum(bytes, start);
  return start + headerLength;
}

function writeV6(datagram: Datagram, frame: Frame, isMarked: boolean): number {
  const { header, total } = datagram;
  const length = datagram.headerLength - extension.FRAGMENT_LENGTH;
  const payload = length - ipv6.HEADER_LENGTH + total;
  if (payload > 0xffff || !frame.resize(length + total)) return -1;
  const { bytes, start } = frame;
  copyBytes(bytes, start, header, 0, length);
  // RFC 8200 4.5: what the fragment header says that follows is what follows the part before it.
  bytes[start + datagram.protocolAt] = extension.nextHeader(header, length);
  ipv6.setPayloadLength(bytes, start, payload);
  if (isMarked) ipv6.setTrafficClass(bytes, start, ipv6.trafficClass(bytes, start) | CE);
  return start + length;
}
