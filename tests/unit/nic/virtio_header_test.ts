import { deepEqual, equal } from "node:assert/strict";
import * as virtio from "../../../nic/linux/virtio-header.ts";
import { Checksum, type Frame, Segmentation } from "../../../stack/frame.ts";
import { segment } from "../../support/tcp-frames.ts";
import { frameOf, tcpSuper, tcpV6Super, udpSuper } from "../../support/super-frames.ts";

const { VirtioFault, VirtioFlag, VirtioGso } = virtio;

const ALL: virtio.Agreed = { checksum: true, tcp: true, udp: true };

/** A segment of 100 bytes of data, 154 in all, behind a header of these fields. */
function headed(flags: number, type = 0, size = 0, start = 0, offset = 0): Frame {
  const frame = frameOf(segment({ data: 100 }));
  const words = [flags | type << 8, 54, size, start, offset];
  const header = Uint8Array.from(words.flatMap((word) => [word, word >> 8]));
  frame.bytes.set(header, frame.start - virtio.HEADER_LENGTH);
  return frame;
}

/** What is believed of a frame. */
function belief(frame: Frame) {
  return [
    frame.checksum,
    frame.segmentation,
    frame.segmentation === Segmentation.None ? 0 : frame.segmentSize,
  ];
}

Deno.test("virtio: a header of zeros says nothing, so that the stack verifies", () => {
  const frame = headed(0);
  equal(virtio.read(frame, ALL), VirtioFault.None);
  deepEqual(belief(frame), [Checksum.Unverified, Segmentation.None, 0]);
  equal(frame.hasTrusted(frame.start + 34), false);
});

Deno.test("virtio: NEEDS_CSUM is trusted for the header that it names, DATA_VALID for all", () => {
  const partial = headed(VirtioFlag.NeedsChecksum, 0, 0, 34, 16);
  equal(virtio.read(partial, ALL), VirtioFault.None);
  equal(partial.hasTrusted(partial.start + 34), true);
  equal(partial.hasTrusted(partial.start + 14), false, "an outer header's checksum is another one");
  const valid = headed(VirtioFlag.DataValid);
  equal(virtio.read(valid, ALL), VirtioFault.None);
  equal(valid.hasTrusted(valid.start + 34), true);
});

Deno.test("virtio: segments of each kind are what they say, and what is written for them is the same", () => {
  const frames = [tcpSuper(5_000, 1_000), udpSuper(5_000, 1_000), tcpV6Super(5_000, 1_000)];
  const types = [VirtioGso.TcpV4, VirtioGso.Udp, VirtioGso.TcpV6];
  const lengths = [54, 42, 74];
  for (const [index, frame] of frames.entries()) {
    const said = belief(frame);
    const [at, field] = [frame.checksumAt, frame.checksumField];
    virtio.emit(frame);
    const header = frame.bytes.slice(frame.start - virtio.HEADER_LENGTH, frame.start);
    deepEqual([header[0], header[1], header[2]], [VirtioFlag.NeedsChecksum, types[index], lengths[index]]);
    frame.checksum = Checksum.Unverified;
    frame.segmentation = Segmentation.None;
    equal(virtio.read(frame, ALL), VirtioFault.None);
    deepEqual([belief(frame), frame.checksumAt, frame.checksumField], [said, at, field]);
  }
});

Deno.test("virtio: a frame of which nothing is known leaves with a header of zeros", () => {
  const frame = headed(0xff, 0xff, 0xffff, 0xffff, 0xffff);
  virtio.emit(frame);
  deepEqual(
    [...frame.bytes.subarray(frame.start - virtio.HEADER_LENGTH, frame.start)],
    new Array(10).fill(0),
  );
});

Deno.test("virtio: a checksum that lies outside of the frame is malformed", () => {
  for (const [start, offset] of [[154, 0], [153, 0], [34, 0xffff], [0xffff, 0xffff], [140, 13]] as const) {
    equal(virtio.read(headed(VirtioFlag.NeedsChecksum, 0, 0, start, offset), ALL), VirtioFault.Malformed);
  }
  equal(virtio.read(headed(VirtioFlag.NeedsChecksum, 0, 0, 140, 12), ALL), VirtioFault.None);
});

Deno.test("virtio: segments without a size, a checksum to be filled, or with another protocol's are malformed", () => {
  const { NeedsChecksum, DataValid } = VirtioFlag;
  const { TcpV4, TcpV6, Udp } = VirtioGso;
  const malformed: Frame[] = [
    headed(NeedsChecksum, TcpV4, 0, 34, 16),
    headed(0, TcpV4, 50, 34, 16),
    headed(DataValid, TcpV4, 50, 34, 16),
    headed(NeedsChecksum, TcpV4, 50, 34, 6),
    headed(NeedsChecksum, TcpV6, 50, 34, 6),
    headed(NeedsChecksum, Udp, 50, 34, 16),
    headed(NeedsChecksum, Udp, 0, 34, 6),
  ];
  for (const [index, frame] of malformed.entries()) {
    equal(virtio.read(frame, ALL), VirtioFault.Malformed, `${index}`);
    equal(frame.segmentation, Segmentation.None);
  }
});

Deno.test("virtio: segments of a kind that was not agreed on are refused, and so is what lacks its checksum", () => {
  const { NeedsChecksum } = VirtioFlag;
  const { TcpV4, UdpFragments, Udp, Ecn } = VirtioGso;
  for (const type of [UdpFragments, TcpV4 | Ecn, 2, 6, 0x7f, 0xff]) {
    equal(virtio.read(headed(NeedsChecksum, type, 50, 34, 16), ALL), VirtioFault.Unwanted);
  }
  const none = { checksum: false, tcp: false, udp: false };
  equal(virtio.read(headed(NeedsChecksum, 0, 0, 34, 16), none), VirtioFault.Unwanted);
  const noSegments = { checksum: true, tcp: false, udp: false };
  equal(virtio.read(headed(NeedsChecksum, TcpV4, 50, 34, 16), noSegments), VirtioFault.Unwanted);
  equal(virtio.read(headed(NeedsChecksum, Udp, 50, 34, 6), noSegments), VirtioFault.Unwanted);
});
