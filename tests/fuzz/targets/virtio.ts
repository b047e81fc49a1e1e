/**
 * What a TAP says of its frames: any header before any frame. What is believed lies inside of the frame, is what is
 * written again, and can be cut into well-formed packets that hold the frame's data, or not at all.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import * as virtio from "../../../nic/linux/virtio-header.ts";
import { Segmenter } from "../../../nic/segmenter.ts";
import { Checksum, Frame, HEADROOM, Segmentation } from "../../../stack/frame.ts";
import { completeChecksum } from "../../../stack/offload.ts";
import { Medium } from "../../../stack/slot.ts";
import { checksum } from "../../../stack/wire/checksum.ts";
import { WireError } from "../../../stack/wire/error.ts";
import * as ipv4 from "../../../stack/wire/ipv4.ts";
import * as ipv6 from "../../../stack/wire/ipv6.ts";
import { concat } from "../../support/frames.ts";
import { fc } from "../../support/property.ts";
import { frameOf, tcpSuper, tcpV6Super, udpSuper } from "../../support/super-frames.ts";
import { HEX } from "../codec.ts";
import { frame as anyFrame } from "../frames/mutate.ts";
import { target } from "../target.ts";

const AGREED: virtio.Agreed = { checksum: true, tcp: true, udp: true };

function run(input: Uint8Array): void {
  if (input.length < virtio.HEADER_LENGTH) return;
  const frame = frameOf(input.subarray(virtio.HEADER_LENGTH));
  const headerAt = frame.start - virtio.HEADER_LENGTH;
  frame.bytes.set(input.subarray(0, virtio.HEADER_LENGTH), headerAt);
  if (virtio.read(frame, AGREED) !== virtio.VirtioFault.None) {
    equal(frame.segmentation, Segmentation.None, "nothing is believed of what is dropped");
    return;
  }
  const { checksum, checksumAt, checksumField, segmentation, segmentSize } = frame;
  if (checksum === Checksum.Partial) {
    ok(checksumAt >= frame.start && checksumAt + checksumField + 2 <= frame.end, "outside of the frame");
  }
  virtio.emit(frame);
  const again = frameOf(frame.bytes.subarray(frame.start, frame.end));
  again.bytes.set(frame.bytes.subarray(headerAt, frame.start), headerAt);
  if (checksum === Checksum.Partial) {
    equal(virtio.read(again, AGREED), virtio.VirtioFault.None);
    deepEqual(
      [again.checksum, again.checksumAt, again.checksumField, again.segmentation],
      [checksum, checksumAt, checksumField, segmentation],
    );
    if (segmentation !== Segmentation.None) equal(again.segmentSize, segmentSize);
  }
  if (segmentation === Segmentation.None) return completeChecksum(frame);
  cut(frame);
}

function cut(frame: Frame): void {
  const segmenter = new Segmenter();
  const before = frame.bytes.slice();
  const into = new Frame(new Uint8Array(HEADROOM + frame.length));
  if (!segmenter.begin(frame, Medium.Ethernet)) return;
  const payload = segmenter.left;
  const parts: Uint8Array[] = [];
  while (segmenter.next(into, true)) {
    ok(into.length <= frame.length && into.end - into.start > 0);
    const at = into.bytes[into.start + 12] === 0x81 && into.bytes[into.start + 13] === 0 ? 18 : 14;
    const ip = into.start + at;
    if (ipv4.version(into.bytes, ip) === 4) {
      equal(ipv4.check(into.bytes, ip, into.end), WireError.None);
      ok(ipv4.verifyChecksum(into.bytes, ip));
    } else equal(ipv6.check(into.bytes, ip, into.end), WireError.None);
    const shift = into.start - frame.start;
    const length = Math.min(frame.segmentSize, payload - parts.reduce((sum, part) => sum + part.length, 0));
    parts.push(into.bytes.slice(into.end - length, into.end));
    checkSum(into, frame.checksumAt + shift, at);
  }
  equal(segmenter.left, 0);
  deepEqual(concat(...parts), frame.bytes.slice(frame.end - payload, frame.end), "the data is all there");
  deepEqual(frame.bytes, before, "the frame stays as it is");
}

/** The transport's checksum, computed anew from the addresses as they lie in the packet. */
function checkSum({ bytes, start, end }: Frame, at: number, link: number): void {
  const isV4 = ipv4.version(bytes, start + link) === 4;
  const from = start + link + (isV4 ? ipv4.SOURCE : ipv6.SOURCE);
  const addresses = bytes.slice(from, from + (isV4 ? 8 : 32));
  const length = end - at;
  const protocol = bytes[start + link + (isV4 ? 9 : 6)]!;
  // Behind extension headers the protocol stands elsewhere.
  if (!isV4 && at !== start + link + ipv6.HEADER_LENGTH) return;
  const pseudo = concat(addresses, Uint8Array.of(0, protocol, length >> 8, length));
  const odd = concat(pseudo, bytes.slice(at, end));
  equal(checksum(odd, 0, odd.length, 0), 0, "a wrong checksum");
}

const word = fc.oneof(
  fc.constantFrom(0, 1, 6, 14, 16, 34, 42, 54, 74, 100, 1_000, 0xffff),
  fc.nat(0xffff),
);

const header = fc.tuple(
  fc.constantFrom(0, 1, 1, 1, 2, 3, 0xff),
  fc.constantFrom(0, 1, 1, 3, 4, 4, 5, 5, 0x81, 0xff),
  fc.array(word, { minLength: 4, maxLength: 4 }),
).map(([flags, type, words]) => Uint8Array.from([flags, type, ...words.flatMap((w) => [w & 0xff, w >> 8])]));

/** What the kernel would hand over, with a bit changed now and then. */
const real = fc.tuple(
  fc.constantFrom(tcpSuper, udpSuper, tcpV6Super),
  fc.integer({ min: 1, max: 4_000 }),
  fc.integer({ min: 1, max: 1_460 }),
  fc.array(fc.tuple(fc.nat(100), fc.nat(255)), { maxLength: 2 }),
).map(([make, length, size, changes]) => {
  const frame = make(length, size);
  virtio.emit(frame);
  const bytes = frame.bytes.slice(frame.start - virtio.HEADER_LENGTH, frame.end);
  for (const [at, value] of changes) bytes[at % bytes.length] = value;
  return bytes;
});

/** A header and its frame. */
export const virtioHeader = target({
  name: "virtio",
  runs: 1_500,
  codec: HEX,
  input: fc.oneof(
    { weight: 3, arbitrary: real },
    { weight: 2, arbitrary: fc.tuple(header, anyFrame).map(([head, frame]) => concat(head, frame)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 100 }) },
  ),
  run,
});
