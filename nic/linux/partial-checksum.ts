/**
 * Telling whether a sender on this machine has left a checksum to a card that the frame never met, where nobody says so:
 * behind a veth pair AF_XDP hands frames on as they are.
 *
 * @module
 */
import type { Frame } from "../../stack/frame.ts";
import { get16 } from "../../stack/wire/bytes.ts";
import { fold, sum } from "../../stack/wire/checksum.ts";
import { EtherType, etherType, HEADER_LENGTH } from "../../stack/wire/ethernet.ts";
import * as ipv4 from "../../stack/wire/ipv4.ts";
import * as ipv6 from "../../stack/wire/ipv6.ts";
import * as extension from "../../stack/wire/ipv6-extension.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import * as tcp from "../../stack/wire/tcp.ts";

const UDP_CHECKSUM = 6, TAG_LENGTH = 4;

/**
 * Marks the checksum of an Ethernet frame's TCP or UDP as partial if its field holds the pseudo-header's sum and nothing
 * else. One damaged packet in 65,536 looks so by chance.
 */
export function findPartial(frame: Frame): void {
  const { bytes, start, end } = frame;
  if (end - start < HEADER_LENGTH) return;
  // IEEE 802.1Q: a tag stands between the addresses and the type.
  const at = start + HEADER_LENGTH + (etherType(bytes, start) === EtherType.Vlan ? TAG_LENGTH : 0);
  if (end - at < ipv4.HEADER_LENGTH) return;
  const type = get16(bytes, at - 2);
  if (type === EtherType.Ipv4) {
    if (ipv4.isFragment(bytes, at)) return;
    const header = ipv4.headerLength(bytes, at), length = ipv4.totalLength(bytes, at) - header;
    find(frame, at + header, ipv4.protocol(bytes, at), length, at + 12, at + 20);
  } else if (type === EtherType.Ipv6 && end - at >= ipv6.HEADER_LENGTH) {
    const packetEnd = at + ipv6.HEADER_LENGTH + ipv6.payloadLength(bytes, at);
    let protocol = ipv6.nextHeader(bytes, at), header = at + ipv6.HEADER_LENGTH;
    // RFC 8200 8.1: the sum is about what extension headers lead to, and the packet's last destination.
    while (extension.isExtension(protocol) && header + extension.LENGTH_MIN <= end) {
      if (protocol === Protocol.Fragment) return;
      if (protocol === Protocol.Routing && extension.segmentsLeft(bytes, header) > 0) return;
      protocol = extension.nextHeader(bytes, header);
      header += extension.length(bytes, header);
    }
    find(frame, header, protocol, packetEnd - header, at + 8, at + 40);
  }
}

function find(frame: Frame, at: number, protocol: number, length: number, from: number, to: number): void {
  const field = protocol === Protocol.Tcp ? tcp.CHECKSUM : protocol === Protocol.Udp ? UDP_CHECKSUM : -1;
  if (field < 0 || length < 0 || at + field + 2 > frame.end) return;
  const pseudo = fold(sum(frame.bytes, from, to, protocol + length));
  if (get16(frame.bytes, at + field) === pseudo) frame.leaveChecksum(at, field);
}
