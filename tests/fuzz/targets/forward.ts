/**
 * Frames through a router: whatever is passed on is a whole packet with one hop less, and every packet is counted once.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { WireError } from "../../../stack/wire/error.ts";
import { EtherType } from "../../../stack/wire/ethernet.ts";
import * as ethernetWire from "../../../stack/wire/ethernet.ts";
import * as ipv4Wire from "../../../stack/wire/ipv4.ts";
import * as ipv6Wire from "../../../stack/wire/ipv6.ts";
import { data, ethernet, ipv4 } from "../../support/frames.ts";
import { ipv6 } from "../../support/frames-v6.ts";
import { fc } from "../../support/property.ts";
import {
  LEFT_HOST,
  LEFT_HOST6,
  LEFT_HOST_MAC,
  LEFT_MAC,
  RIGHT_HOST,
  RIGHT_HOST6,
  TestRouter,
} from "../../support/router.ts";
import { HEX } from "../codec.ts";
import { target } from "../target.ts";

const MTU = 576;

/** Where a frame's IP header is; what leaves and is none is ARP. */
function checkFrame(frame: Uint8Array): boolean {
  const type = ethernetWire.etherType(frame, 0);
  if (type === EtherType.Arp) return false;
  if (type === EtherType.Ipv6) {
    equal(ipv6Wire.check(frame, 14, frame.length), WireError.None);
    return true;
  }
  equal(type, EtherType.Ipv4);
  equal(ipv4Wire.check(frame, 14, frame.length), WireError.None);
  ok(ipv4Wire.verifyChecksum(frame, 14), "the header's checksum is right");
  equal(frame.length, 14 + ipv4Wire.totalLength(frame, 14));
  equal(ipv4Wire.checkOptions(frame, 14), WireError.None);
  return true;
}

function run(frame: Uint8Array): void {
  const router = new TestRouter({ right: { mtu: MTU, slots: 256 } });
  const { left, right } = router.deliver(router.left, frame);
  ok(left.length <= 1, "one packet goes back, or one answer to it");
  for (const sent of left) checkFrame(sent);
  for (const sent of right) {
    ok(sent.length <= 14 + MTU);
    if (!checkFrame(sent)) continue;
    if (right.length > 1) ok(ipv4Wire.fragmentOffset(sent, 14) >= ipv4Wire.fragmentOffset(frame, 14));
    const isV4 = sent[12] === 0x08;
    const [before, after] = [frame, sent].map((one) =>
      isV4 ? ipv4Wire.hopLimit(one, 14) : ipv6Wire.hopLimit(one, 14)
    );
    equal(after, before! - 1);
    const at = isV4 ? [26, 34] as const : [22, 54] as const;
    equal(sent.slice(...at).toHex(), frame.slice(...at).toHex(), "the addresses are as they were");
  }
  const { received, forwarded, waited, undelivered: _, fragments, errorsSent, errorsNotSent, ...dropped } =
    router.router.counters;
  const drops = Object.values(dropped).reduce((sum, count) => sum + count, 0);
  equal(received, forwarded + waited + drops, "every packet ends in one counter");
  ok(errorsSent + errorsNotSent <= drops);
  // What waits for a link address leaves nothing yet: the packet, in pieces if it is to be cut, or an error about it.
  const lines = [router.left, router.right].map(({ ip }) => ip.neighbours.waiting.counters.waited);
  const waiting = lines.reduce((sum, count) => sum + count, 0), leaving = left.length + right.length;
  if (waited > 0) deepEqual([leaving, waiting > 0], [0, true]);
  else equal(leaving, (fragments > 0 ? fragments : forwarded) + errorsSent - waiting);
}

const link = { destination: LEFT_MAC, source: LEFT_HOST_MAC };
const address = fc.constantFrom(
  RIGHT_HOST,
  RIGHT_HOST,
  RIGHT_HOST,
  LEFT_HOST,
  "10.0.1.9",
  "10.0.1.255",
  "192.0.2.1",
  "127.0.0.1",
  "0.0.0.0",
);
const options = fc.array(fc.constantFrom(0, 1, 7, 4, 0x94, 0x83, 0x44, 8, 3), { maxLength: 40 });
const v4 = fc.record({
  source: fc.constantFrom(LEFT_HOST, LEFT_HOST, "10.0.0.77", "8.8.8.8", "10.0.1.1", "224.0.0.1"),
  destination: address,
  hopLimit: fc.constantFrom(0, 1, 2, 64, 255),
  flags: fc.constantFrom(0, 0, 0x4000, 0x2000),
  offset: fc.constantFrom(0, 8, 65_528),
  options,
  length: fc.oneof(fc.nat(40), fc.integer({ min: 500, max: 1_440 })),
}).map(({ length, ...fields }) => ethernet(ipv4(data(length), { ...fields, protocol: 17 }), link));
const v6 = fc.record({
  source: fc.constantFrom(LEFT_HOST6, "2001:db8::77", "fe80::2", "::1"),
  destination: fc.constantFrom(RIGHT_HOST6, RIGHT_HOST6, "2001:db8:1::9", "2001:db8:9::1", "fe80::9", "::"),
  hopLimit: fc.constantFrom(0, 1, 2, 64, 255),
  length: fc.oneof(fc.nat(40), fc.integer({ min: 500, max: 1_440 })),
}).map(({ length, ...fields }) =>
  ethernet(ipv6(data(length), { ...fields, protocol: 17 }), { ...link, etherType: EtherType.Ipv6 })
);
const packet = fc.oneof(v4, v4, v6);

/** Frames, whole, cut off, and with bytes changed. */
export const forward = target({
  name: "forward",
  runs: 1_500,
  codec: HEX,
  input: fc.oneof(
    packet,
    packet,
    fc.tuple(packet, fc.nat()).map(([frame, length]) => frame.slice(0, 14 + length % (frame.length - 13))),
    fc.tuple(packet, fc.nat(80), fc.nat(255)).map(([frame, at, byte]) => {
      const changed = frame.slice();
      changed[14 + at % (changed.length - 14)] = byte;
      return changed;
    }),
  ),
  run,
});
