/**
 * What Linux says of a frame beside its bytes: `struct virtio_net_hdr` (include/uapi/linux/virtio_net.h; OASIS
 * virtio 1.2, 5.1.6), which stands before every frame of a TAP that was opened with IFF_VNET_HDR. Little endian on
 * all machines that are supported, since it is the machine's order.
 *
 * @module
 */
import { Checksum, type Frame, Segmentation } from "../../stack/frame.ts";
import * as tcp from "../../stack/wire/tcp.ts";
import * as udp from "../../stack/wire/udp.ts";

/** The header's length in bytes. */
export const HEADER_LENGTH = 10;

const FLAGS = 0, GSO_TYPE = 1, LENGTH_OF_HEADERS = 2, GSO_SIZE = 4, CHECKSUM_START = 6, CHECKSUM_OFFSET = 8;

/** Bits of the flags. */
export const VirtioFlag = { NeedsChecksum: 0x1, DataValid: 0x2 } as const;

/** What the frame is to be cut into, or was put together from. */
export const VirtioGso = { None: 0, TcpV4: 1, UdpFragments: 3, TcpV6: 4, Udp: 5, Ecn: 0x80 } as const;

/** What is wrong with a header. */
export const VirtioFault = {
  /** Nothing. */
  None: 0,
  /** Its fields contradict each other, or the frame. */
  Malformed: 1,
  /** Segments of a kind that was not agreed on. */
  Unwanted: 2,
} as const;

/** One of {@linkcode VirtioFault}'s numbers. */
export type VirtioFault = (typeof VirtioFault)[keyof typeof VirtioFault];

/** What the kernel may put together: offload bits of TUNSETOFFLOAD, as far as they were accepted. */
export interface Agreed {
  /** Checksums may be partial. */
  readonly checksum: boolean;
  /** Segments of TCP. */
  readonly tcp: boolean;
  /** Datagrams of UDP. */
  readonly udp: boolean;
}

/**
 * Reads the header that lies right before the frame into what the frame says of itself. Of a frame that must be
 * dropped nothing is believed.
 */
export function read(frame: Frame, agreed: Agreed): VirtioFault {
  const { bytes, start, end } = frame;
  const at = start - HEADER_LENGTH;
  const flags = bytes[at + FLAGS]!;
  const type = bytes[at + GSO_TYPE]!;
  const field = get16(bytes, at + CHECKSUM_OFFSET);
  if ((flags & VirtioFlag.NeedsChecksum) !== 0) {
    if (!agreed.checksum) return VirtioFault.Unwanted;
    const from = start + get16(bytes, at + CHECKSUM_START);
    if (from + field + 2 > end) return VirtioFault.Malformed;
    frame.leaveChecksum(from, field);
  } else if ((flags & VirtioFlag.DataValid) !== 0) frame.checksum = Checksum.Verified;
  return type === VirtioGso.None ? VirtioFault.None : readSegments(frame, agreed, type, field);
}

function readSegments(frame: Frame, agreed: Agreed, type: number, field: number): VirtioFault {
  const isTcp = type === VirtioGso.TcpV4 || type === VirtioGso.TcpV6;
  if (!(isTcp ? agreed.tcp : type === VirtioGso.Udp && agreed.udp)) return VirtioFault.Unwanted;
  // virtio 1.2, 5.1.6.2: what is to be cut has a partial checksum, in the header of what is cut.
  if (frame.checksum !== Checksum.Partial || field !== (isTcp ? tcp.CHECKSUM : udp.CHECKSUM)) {
    return VirtioFault.Malformed;
  }
  const size = get16(frame.bytes, frame.start - HEADER_LENGTH + GSO_SIZE);
  if (size === 0) return VirtioFault.Malformed;
  frame.segmentation = !isTcp
    ? Segmentation.Udp
    : type === VirtioGso.TcpV4
    ? Segmentation.TcpV4
    : Segmentation.TcpV6;
  frame.segmentSize = size;
  return VirtioFault.None;
}

/** Writes the header right before the frame, from what the frame says of itself. */
export function emit(frame: Frame): void {
  const { bytes, start } = frame;
  const at = start - HEADER_LENGTH;
  bytes[at + GSO_TYPE] = VirtioGso.None;
  put16(bytes, at + LENGTH_OF_HEADERS, 0);
  put16(bytes, at + GSO_SIZE, 0);
  if (frame.checksum !== Checksum.Partial) {
    bytes[at + FLAGS] = 0;
    put16(bytes, at + CHECKSUM_START, 0);
    put16(bytes, at + CHECKSUM_OFFSET, 0);
    return;
  }
  bytes[at + FLAGS] = VirtioFlag.NeedsChecksum;
  put16(bytes, at + CHECKSUM_START, frame.checksumAt - start);
  put16(bytes, at + CHECKSUM_OFFSET, frame.checksumField);
  if (frame.segmentation !== Segmentation.None) emitSegments(frame, at);
}

function emitSegments(frame: Frame, at: number): void {
  const { bytes, start, checksumAt, segmentation } = frame;
  const isTcp = segmentation !== Segmentation.Udp;
  const header = isTcp ? tcp.headerLength(bytes, checksumAt) : udp.HEADER_LENGTH;
  bytes[at + GSO_TYPE] = !isTcp
    ? VirtioGso.Udp
    : segmentation === Segmentation.TcpV4
    ? VirtioGso.TcpV4
    : VirtioGso.TcpV6;
  put16(bytes, at + LENGTH_OF_HEADERS, checksumAt + header - start);
  put16(bytes, at + GSO_SIZE, frame.segmentSize);
}

function get16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}
