import { deepEqual, equal, ok } from "node:assert/strict";
import { DatagramTrain } from "../../../nic/datagram-train.ts";
import { Segmenter } from "../../../nic/segmenter.ts";
import { Checksum, Frame, HEADROOM, Segmentation } from "../../../stack/frame.ts";
import { Medium } from "../../../stack/slot.ts";
import { Address } from "../../../stack/wire/address.ts";
import { put16 } from "../../../stack/wire/bytes.ts";
import { EtherType } from "../../../stack/wire/ethernet.ts";
import * as ipv4 from "../../../stack/wire/ipv4.ts";
import * as ipv6 from "../../../stack/wire/ipv6.ts";
import { Protocol } from "../../../stack/wire/protocol.ts";
import * as udp from "../../../stack/wire/udp.ts";
import { concat, data, ethernet, ipv4 as packet, type Ipv4Fields, OWN, PEER } from "../../support/frames.ts";
import { datagram, frameOf, V6 } from "../../support/super-frames.ts";

/** A datagram whose checksum is partial, with room behind it. */
function single(payload: Uint8Array, fields: Ipv4Fields = {}, link = {}): Frame {
  const frame = frameOf(
    ethernet(packet(datagram(payload), { protocol: Protocol.Udp, ...fields }), link),
    65_549,
  );
  return partial(frame, 34, [fields.source ?? PEER, fields.destination ?? OWN]);
}

function singleV6(payload: Uint8Array, trafficClass = 0): Frame {
  const header = new Uint8Array(ipv6.HEADER_LENGTH);
  const [from, to] = V6.map((text) => Address.parse(text)) as [Address, Address];
  ipv6.emit(header, 0, trafficClass, 5, payload.length + 8, Protocol.Udp, 64, from, to);
  const bytes = ethernet(concat(header, datagram(payload)), { etherType: EtherType.Ipv6 });
  return partial(frameOf(bytes, 65_549), 54, V6);
}

function partial(frame: Frame, at: number, [from, to]: readonly [string, string]): Frame {
  udp.fillPartialChecksum(frame.bytes, frame.start + at, Address.parse(from), Address.parse(to));
  frame.leaveChecksum(frame.start + at, udp.CHECKSUM);
  return frame;
}

/** How many of the frames the first of them takes along. */
function joined(frames: readonly Frame[]): number {
  const train = new DatagramTrain();
  ok(train.begin(frames[0]!));
  for (const frame of frames.slice(1)) if (!train.append(frame)) break;
  train.finish();
  return train.count;
}

/** The frames that the link makes of one. */
function cut(frame: Frame): Uint8Array[] {
  const segmenter = new Segmenter(), into = new Frame(new Uint8Array(HEADROOM + 1_514));
  const frames: Uint8Array[] = [];
  ok(segmenter.begin(frame, Medium.Ethernet));
  while (segmenter.next(into, true)) frames.push(into.bytes.slice(into.start, into.end));
  return frames;
}

/** The same frames, complete, as they would leave one by one. */
function whole(frames: readonly Frame[], at: number, addresses: readonly [string, string]): Uint8Array[] {
  const [from, to] = addresses.map((text) => Address.parse(text)) as [Address, Address];
  return frames.map(({ bytes, start, end }, index) => {
    const copy = bytes.slice(start, end);
    // As the link numbers them.
    if (at === 34) {
      ipv4.setIdentification(copy, 14, index);
      ipv4.fillChecksum(copy, 14);
    }
    udp.fillChecksum(copy, at, from, to);
    return copy;
  });
}

Deno.test("train: datagrams of one flow in one are those datagrams again once they are cut", () => {
  const frames = [data(100), data(100, 7), data(100, 9), data(30, 11)].map((payload) => single(payload));
  const expected = whole(frames, 34, [PEER, OWN]);
  equal(joined(frames), 4);
  const [first] = frames;
  deepEqual([first!.segmentation, first!.segmentSize], [Segmentation.Udp, 100]);
  ok(ipv4.verifyChecksum(first!.bytes, first!.start + 14));
  deepEqual(cut(first!), expected);
});

Deno.test("train: the same over IPv6", () => {
  const frames = [data(100), data(100, 7), data(1, 9)].map((payload) => singleV6(payload));
  const expected = whole(frames, 54, V6);
  equal(joined(frames), 3);
  deepEqual(cut(frames[0]!), expected);
});

Deno.test("train: a datagram alone stays as it is", () => {
  const frame = single(data(100));
  const before = frame.bytes.slice();
  equal(joined([frame]), 1);
  deepEqual(frame.bytes, before);
  equal(frame.segmentation, Segmentation.None);
});

Deno.test("train: a shorter one is the last, a longer one begins anew", () => {
  equal(joined([single(data(100)), single(data(99)), single(data(99))]), 2);
  equal(joined([single(data(100)), single(data(101))]), 1);
});

Deno.test("train: what differs in anything but lengths, identification and checksum does not follow", () => {
  const strangers: Frame[] = [
    single(data(50), { destination: "10.0.0.9" }),
    single(data(50), { source: "10.0.0.9" }),
    single(data(50), { hopLimit: 63 }),
    single(data(50), { trafficClass: 1 }),
    single(data(50), { flags: 0 }),
    single(data(50), {}, { destination: "02:00:00:00:00:09" }),
    single(data(50), {}, { source: "02:00:00:00:00:09" }),
    singleV6(data(50)),
    ...[0, 2].map((port) => {
      const frame = single(data(50));
      put16(frame.bytes, frame.checksumAt + port, 9);
      return frame;
    }),
  ];
  for (const [index, stranger] of strangers.entries()) {
    equal(joined([single(data(50)), stranger]), 1, `stranger ${index}`);
  }
  equal(joined([singleV6(data(50)), singleV6(data(50), 1)]), 1);
  equal(joined([single(data(50)), single(data(50), { identification: 77 })]), 2);
});

Deno.test("train: what is whole, empty, of another protocol or many already stays alone", () => {
  const train = new DatagramTrain();
  const complete = single(data(50));
  complete.checksum = Checksum.Unverified;
  const many = single(data(50));
  many.segmentation = Segmentation.Udp;
  const tcp = single(data(50));
  tcp.checksumField = 16;
  for (const frame of [complete, many, tcp, single(data(0))]) {
    equal(train.begin(frame), false);
    equal(joined([single(data(50)), frame]), 1);
  }
});

Deno.test("train: an IPv6 address that looks like an IPv4 header is none", () => {
  const frames = [data(50), data(50)].map((payload) => {
    const frame = singleV6(payload);
    frame.bytes[frame.checksumAt - ipv4.HEADER_LENGTH] = 0x45;
    return frame;
  });
  equal(joined(frames), 2);
  equal(ipv6.payloadLength(frames[0]!.bytes, frames[0]!.start + 14), 108);
});

Deno.test("train: it has no more datagrams than Linux takes, and no more bytes than an IP packet holds", () => {
  equal(joined(Array.from({ length: 100 }, () => single(data(10)))), 64);
  const frames = Array.from({ length: 60 }, () => single(data(1_472)));
  equal(joined(frames), 44);
  ok(frames[0]!.length <= 14 + 65_535);
});
