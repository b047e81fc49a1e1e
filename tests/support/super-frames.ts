/** Frames that are many segments in one, as a NIC with offloads hands them over, and their parts. */
import { Frame, HEADROOM, Segmentation } from "../../stack/frame.ts";
import { Address } from "../../stack/wire/address.ts";
import { put16 } from "../../stack/wire/bytes.ts";
import { EtherType } from "../../stack/wire/ethernet.ts";
import * as ipv6 from "../../stack/wire/ipv6.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import * as tcp from "../../stack/wire/tcp.ts";
import * as udp from "../../stack/wire/udp.ts";
import { concat, data, ethernet, ipv4, type Ipv4Fields, OWN, PEER } from "./frames.ts";
import { segment, type SegmentFields } from "./tcp-frames.ts";

/** The bytes in the middle of a slot of their own, with room for a header before them. */
export function frameOf(bytes: Uint8Array, room: number = bytes.length): Frame {
  const frame = new Frame(new Uint8Array(HEADROOM + Math.max(room, bytes.length, 1)));
  frame.resize(bytes.length);
  frame.bytes.set(bytes, frame.start);
  return frame;
}

/** Where the transport's header lies in frames without IP options. */
const V4_TRANSPORT = 14 + 20, V6_TRANSPORT = 14 + 40;

/** TCP over IPv4 from the peer, `length` bytes of data in segments of `size`, its checksum partial. */
export function tcpSuper(length: number, size: number, fields: SegmentFields = {}): Frame {
  const frame = frameOf(segment({ ...fields, data: data(length) }));
  const at = frame.start + V4_TRANSPORT;
  tcp.fillPartialChecksum(frame.bytes, at, frame.end, Address.parse(PEER), Address.parse(OWN));
  return mark(frame, at, tcp.CHECKSUM, Segmentation.TcpV4, size);
}

/** UDP over IPv4 from the peer's port 5,000 to port 7, the same way. */
export function udpSuper(length: number, size: number, fields: Ipv4Fields = {}): Frame {
  const frame = frameOf(ethernet(ipv4(datagram(data(length)), { protocol: Protocol.Udp, ...fields })));
  const at = frame.start + V4_TRANSPORT;
  udp.fillPartialChecksum(frame.bytes, at, Address.parse(PEER), Address.parse(OWN));
  return mark(frame, at, udp.CHECKSUM, Segmentation.Udp, size);
}

/** TCP over IPv6 between 2001:db8::2 and ::1, the same way. */
export function tcpV6Super(length: number, size: number): Frame {
  const packet = new Uint8Array(ipv6.HEADER_LENGTH + tcp.HEADER_LENGTH + length);
  const [from, to] = V6.map((text) => Address.parse(text)) as [Address, Address];
  ipv6.emit(packet, 0, 0, 0, packet.length - ipv6.HEADER_LENGTH, Protocol.Tcp, 64, from, to);
  tcp.emit(packet, ipv6.HEADER_LENGTH, 5_000, 7, 1, 1, tcp.HEADER_LENGTH, tcp.Flag.Ack, 100);
  packet.set(data(length), ipv6.HEADER_LENGTH + tcp.HEADER_LENGTH);
  const frame = frameOf(ethernet(packet, { etherType: EtherType.Ipv6 }));
  const at = frame.start + V6_TRANSPORT;
  tcp.fillPartialChecksum(frame.bytes, at, frame.end, from, to);
  return mark(frame, at, tcp.CHECKSUM, Segmentation.TcpV6, size);
}

/** The hosts of {@linkcode tcpV6Super}. */
export const V6 = ["2001:db8::2", "2001:db8::1"] as const;

/** A datagram from port 5,000 to port 7, its checksum 0. */
export function datagram(payload: Uint8Array): Uint8Array {
  const header = new Uint8Array(udp.HEADER_LENGTH);
  put16(header, 0, 5_000);
  put16(header, 2, 7);
  put16(header, 4, udp.HEADER_LENGTH + payload.length);
  return concat(header, payload);
}

function mark(frame: Frame, at: number, field: number, segmentation: Segmentation, size: number): Frame {
  frame.leaveChecksum(at, field);
  frame.segmentation = segmentation;
  frame.segmentSize = size;
  return frame;
}
