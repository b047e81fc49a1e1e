import { deepEqual, equal } from "node:assert/strict";
import { findPartial } from "../../../nic/linux/partial-checksum.ts";
import { Checksum, Frame, HEADROOM } from "../../../stack/frame.ts";
import { get16, put16 } from "../../../stack/wire/bytes.ts";
import { fold, sum } from "../../../stack/wire/checksum.ts";
import { concat, data, ethernet, ipv4 } from "../../support/frames.ts";
import { check, fc } from "../../support/property.ts";

const UDP = 17, TCP = 6;

/** The frame in a slot of its own. */
function entered(bytes: Uint8Array): Frame {
  const frame = new Frame(new Uint8Array(2_048));
  frame.resize(bytes.length);
  frame.bytes.set(bytes, frame.start);
  return frame;
}

/** A datagram or segment over IPv4 whose checksum's field, `field` bytes in, holds the pseudo-header's sum. */
function partial(protocol: number, field: number, length: number): Uint8Array {
  const bytes = ethernet(ipv4(data(length), { protocol }));
  const total = get16(bytes, 16) - 20;
  put16(bytes, 34 + field, fold(sum(bytes, 26, 34, protocol + total)));
  return bytes;
}

Deno.test("partial checksum: what holds the pseudo-header's sum is taken for partial, in UDP and in TCP", () => {
  for (const [protocol, field] of [[UDP, 6], [TCP, 16]] as const) {
    const frame = entered(partial(protocol, field, 60));
    findPartial(frame);
    deepEqual([frame.checksum, frame.checksumAt - frame.start, frame.checksumField], [
      Checksum.Partial,
      34,
      field,
    ]);
  }
});

Deno.test("partial checksum: over IPv6, too", () => {
  const packet = new Uint8Array(40 + 20);
  packet.set([0x60, 0, 0, 0, 0, 20, UDP, 64]);
  packet.fill(0x33, 8, 40);
  const bytes = ethernet(packet, { etherType: 0x86dd });
  put16(bytes, 54 + 6, fold(sum(bytes, 22, 54, UDP + 20)));
  const frame = entered(bytes);
  findPartial(frame);
  equal(frame.checksumAt - frame.start, 54);
  equal(frame.checksum, Checksum.Partial);
});

Deno.test("partial checksum: behind IPv6's extension headers, too, unless they make it a fragment or lead on", () => {
  const DESTINATION = 60, ROUTING = 43, FRAGMENT = 44;
  for (const [kind, word] of [[DESTINATION, 0], [ROUTING, 0], [FRAGMENT, 0], [ROUTING, 1]] as const) {
    const packet = new Uint8Array(40 + 16 + 8 + 20);
    packet.set([0x60, 0, 0, 0, 0, 16 + 8 + 20, 0, 64]);
    packet.fill(0x33, 8, 40);
    packet.set([kind, 1, 1, 12], 40);
    packet.set([UDP, 0, 0, word], 56);
    const bytes = ethernet(packet, { etherType: 0x86dd });
    put16(bytes, 78 + 6, fold(sum(bytes, 22, 54, UDP + 20)));
    const frame = entered(bytes);
    findPartial(frame);
    const isFound = kind !== FRAGMENT && word === 0;
    equal(frame.checksum, isFound ? Checksum.Partial : Checksum.Unverified);
    if (isFound) equal(frame.checksumAt - frame.start, 78);
  }
});

Deno.test("partial checksum: behind a VLAN's tag, too (IEEE 802.1Q)", () => {
  const bytes = partial(UDP, 6, 60);
  const frame = entered(concat(bytes.subarray(0, 12), Uint8Array.of(0x81, 0, 0, 10), bytes.subarray(12)));
  findPartial(frame);
  deepEqual([frame.checksum, frame.checksumAt - frame.start, frame.checksumField], [
    Checksum.Partial,
    38,
    6,
  ]);
});

Deno.test("partial checksum: another sum, another protocol, a fragment or a short frame is none", () => {
  const wrong = partial(UDP, 6, 60);
  wrong[41]! ^= 1;
  const fragment = partial(UDP, 6, 60);
  fragment[20] = 0x20;
  for (const bytes of [wrong, fragment, partial(1, 6, 60), partial(UDP, 6, 60).slice(0, 41)]) {
    const frame = entered(bytes);
    findPartial(frame);
    equal(frame.checksum, Checksum.Unverified);
  }
});

Deno.test("partial checksum: any bytes: no throw, and what is marked lies in the frame", () => {
  check(
    fc.property(
      fc.uint8Array({ maxLength: 120 }),
      fc.constantFrom(0x0800, 0x86dd, 0x8100),
      (payload, etherType) => {
        const frame = entered(ethernet(payload, { etherType }));
        findPartial(frame);
        if (frame.checksum === Checksum.Partial) {
          equal(frame.checksumAt + frame.checksumField + 2 <= frame.end, true);
        }
        equal(frame.start, HEADROOM);
      },
    ),
  );
});
