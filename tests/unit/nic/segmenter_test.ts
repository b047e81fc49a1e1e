import { deepEqual, equal, ok } from "node:assert/strict";
import { Segmenter } from "../../../nic/segmenter.ts";
import { Checksum, Frame, HEADROOM, Segmentation } from "../../../stack/frame.ts";
import { Medium } from "../../../stack/slot.ts";
import { Address } from "../../../stack/wire/address.ts";
import { fold, pseudo } from "../../../stack/wire/checksum.ts";
import * as ipv4 from "../../../stack/wire/ipv4.ts";
import * as ipv6 from "../../../stack/wire/ipv6.ts";
import { Protocol } from "../../../stack/wire/protocol.ts";
import * as tcp from "../../../stack/wire/tcp.ts";
import * as udp from "../../../stack/wire/udp.ts";
import { concat, data, OWN, PEER, read } from "../../support/frames.ts";
import { readSegment } from "../../support/tcp-frames.ts";
import { tcpSuper, tcpV6Super, udpSuper, V6 } from "../../support/super-frames.ts";

const { Flag } = tcp;
const [from, to] = [Address.parse(PEER), Address.parse(OWN)];

/** The packets that a frame is cut into. */
function cut(frame: Frame, isWhole = true, room = 1_514): Uint8Array[] {
  const segmenter = new Segmenter(), into = new Frame(new Uint8Array(HEADROOM + room));
  const packets: Uint8Array[] = [];
  if (!segmenter.begin(frame, Medium.Ethernet)) return packets;
  while (segmenter.next(into, isWhole)) {
    equal(into.segmentation, Segmentation.None);
    equal(into.checksum, isWhole ? Checksum.Unverified : Checksum.Partial);
    packets.push(into.bytes.slice(into.start, into.end));
  }
  return packets;
}

Deno.test("segmenter: each segment has its numbers, lengths and checksums, and the data is all there", () => {
  const packets = cut(tcpSuper(3_500, 1_000, { sequence: 0x7fff_ff00, options: [2, 4, 3, 232] }));
  equal(packets.length, 4);
  const views = packets.map((packet) => readSegment(packet)!);
  deepEqual(views.map(({ data }) => data.length), [1_000, 1_000, 1_000, 500]);
  deepEqual(views.map(({ sequence }) => (sequence - 0x7fff_ff00) | 0), [0, 1_000, 2_000, 3_000]);
  deepEqual(concat(...views.map((view) => view.data)), data(3_500));
  deepEqual(views.map(({ mss }) => mss), [1_000, 1_000, 1_000, 1_000], "options are everybody's");
  for (const [index, packet] of packets.entries()) {
    const { ip } = read(packet);
    ok(ip?.isChecksumRight);
    deepEqual([ip.identification, ip.totalLength], [index, packet.length - 14]);
    ok(tcp.verifyChecksum(packet, 34, packet.length, from, to));
  }
});

Deno.test("segmenter: FIN and PSH are on the last segment, CWR on the first (RFC 3168 6.1.2)", () => {
  const flags = Flag.Ack | Flag.Psh | Flag.Fin | Flag.Cwr | Flag.Ece;
  const packets = cut(tcpSuper(3_000, 1_000, { flags }));
  deepEqual(packets.map((packet) => readSegment(packet)!.flags), [
    Flag.Ack | Flag.Ece | Flag.Cwr,
    Flag.Ack | Flag.Ece,
    Flag.Ack | Flag.Ece | Flag.Psh | Flag.Fin,
  ]);
});

Deno.test("segmenter: datagrams have lengths and checksums of their own", () => {
  const packets = cut(udpSuper(250, 100));
  deepEqual(packets.map((packet) => packet.length - 42), [100, 100, 50]);
  for (const packet of packets) {
    equal(udp.length(packet, 34), packet.length - 34);
    ok(udp.verifyChecksum(packet, 34, from, to));
    ok(read(packet).ip?.isChecksumRight);
  }
  deepEqual(concat(...packets.map((packet) => packet.slice(42))), data(250));
});

Deno.test("segmenter: IPv6 packets have payload lengths of their own", () => {
  const packets = cut(tcpV6Super(2_500, 1_000));
  deepEqual(packets.map((packet) => ipv6.payloadLength(packet, 14)), [1_020, 1_020, 520]);
  const [source, destination] = V6.map((text) => Address.parse(text)) as [Address, Address];
  for (const packet of packets) ok(tcp.verifyChecksum(packet, 54, packet.length, source, destination));
});

Deno.test("segmenter: a checksum can be left partial, for a NIC that completes it", () => {
  for (const packet of cut(udpSuper(250, 100), false)) {
    const sum = pseudo(from, to, Protocol.Udp, packet.length - 34);
    equal(udp.checksum(packet, 34), fold(sum));
  }
});

Deno.test("segmenter: a segment that has no room ends it, and says how much is left", () => {
  const segmenter = new Segmenter();
  ok(segmenter.begin(tcpSuper(3_000, 1_500), Medium.Ethernet));
  equal(segmenter.next(new Frame(new Uint8Array(HEADROOM + 1_500)), true), false);
  equal(segmenter.left, 3_000);
});

Deno.test("segmenter: nothing is made of a frame that is not what it says it is", () => {
  const lies: ((frame: Frame) => void)[] = [
    (frame) => frame.segmentation = Segmentation.None,
    (frame) => frame.segmentation = Segmentation.TcpV6,
    (frame) => frame.segmentation = Segmentation.Udp,
    (frame) => frame.segmentSize = 0,
    (frame) => frame.checksumAt += 4,
    (frame) => frame.checksumAt = frame.end,
    (frame) => frame.end -= 1,
    (frame) => frame.end = frame.start + 54,
    (frame) => frame.end = frame.start + 20,
    (frame) => frame.bytes[frame.start + 14] = 0x65,
    (frame) => ipv4.setFragment(frame.bytes, frame.start + 14, ipv4.Flag.MoreFragments, 0),
    (frame) => ipv4.setProtocol(frame.bytes, frame.start + 14, Protocol.Udp),
    (frame) => tcp.setHeaderLength(frame.bytes, frame.start + 34, 16),
  ];
  for (const [index, lie] of lies.entries()) {
    const frame = tcpSuper(3_000, 1_000);
    lie(frame);
    deepEqual(cut(frame), [], `lie ${index}`);
  }
  equal(cut(tcpSuper(3_000, 1_000)).length, 3);
});
