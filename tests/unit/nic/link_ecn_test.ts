import { deepStrictEqual, equal, ok } from "node:assert/strict";
import { DeviceInfo, SlotPool } from "../../../nic/device.ts";
import { markCongestion } from "../../../nic/link/ethernet.ts";
import { Fate } from "../../../nic/link/fate.ts";
import { Pipe } from "../../../nic/link/pipe.ts";
import { ALL_MANUAL } from "../../../stack/slot.ts";
import { Address } from "../../../stack/wire/address.ts";
import { EtherType } from "../../../stack/wire/ethernet.ts";
import * as ipv4 from "../../../stack/wire/ipv4.ts";
import * as ipv6 from "../../../stack/wire/ipv6.ts";
import { concat, data, ethernet, ipv4 as packet } from "../../support/frames.ts";
import { check, fc } from "../../support/property.ts";

const NOT_ECT = 0, ECT_1 = 1, ECT_0 = 2, CE = 3;
const AT = 14;

const v4 = (trafficClass: number) => ethernet(packet(data(20), { trafficClass }));

function v6(trafficClass: number, payload: number = 20): Uint8Array {
  const bytes = new Uint8Array(ipv6.HEADER_LENGTH + payload);
  const source = Address.parse("2001:db8::1");
  ipv6.emit(bytes, 0, trafficClass, 0xabcde, payload, 17, 64, source, source);
  return ethernet(bytes, { etherType: EtherType.Ipv6 });
}

Deno.test("ecn: an ECT packet gets the mark, its DSCP and a right checksum stay (RFC 3168 5, RFC 1624)", () => {
  check(
    fc.property(fc.nat(63), fc.constantFrom(ECT_0, ECT_1), fc.nat(0xffff), (dscp, ecn, identification) => {
      const frame = ethernet(packet(data(20), { trafficClass: dscp << 2 | ecn, identification }));
      ok(markCongestion(frame, 0, frame.length));
      equal(ipv4.trafficClass(frame, AT), dscp << 2 | CE);
      ok(ipv4.verifyChecksum(frame, AT), "the checksum is wrong");
    }),
    { runs: 500 },
  );
});

Deno.test("ecn: a wrong header checksum is not mended by the mark", () => {
  const frame = ethernet(packet(data(20), { trafficClass: ECT_0, checksumError: 1 }));
  ok(markCongestion(frame, 0, frame.length));
  ok(!ipv4.verifyChecksum(frame, AT));
});

Deno.test("ecn: in IPv6 the traffic class is marked and the flow label stays", () => {
  for (const ecn of [ECT_0, ECT_1]) {
    const frame = v6(0x28 << 2 | ecn);
    ok(markCongestion(frame, 0, frame.length));
    equal(ipv6.trafficClass(frame, AT), 0x28 << 2 | CE);
    equal(ipv6.flowLabel(frame, AT), 0xabcde);
    equal(ipv6.version(frame, AT), 6);
  }
});

Deno.test("ecn: a packet behind a VLAN tag is marked", () => {
  const plain = v4(ECT_0);
  const tagged = concat(plain.slice(0, 12), Uint8Array.of(0x81, 0, 0, 5), plain.slice(12));
  ok(markCongestion(tagged, 0, tagged.length));
  equal(ipv4.trafficClass(tagged, AT + 4), CE);
  ok(ipv4.verifyChecksum(tagged, AT + 4));
});

Deno.test("ecn: what cannot be marked stays as it is", () => {
  const arp = ethernet(new Uint8Array(28).fill(0x46), { etherType: EtherType.Arp });
  const wrongVersion = ethernet(packet(data(20), { trafficClass: ECT_0 }), { etherType: EtherType.Ipv6 });
  for (const frame of [v4(NOT_ECT), v4(CE), v6(NOT_ECT), v6(CE), arp, wrongVersion]) {
    const before = frame.slice();
    equal(markCongestion(frame, 0, frame.length), false);
    deepStrictEqual(frame, before);
  }
});

Deno.test("ecn: no frame, however short or wild, is marked out of its bounds", () => {
  check(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(0x0800, 0x86dd, 0x8100), (bytes, type) => {
      const arena = new Uint8Array(200).fill(0x42);
      arena.set(bytes, 50);
      if (bytes.length >= 14) arena.set([type >> 8, type & 0xff], 62);
      const outside = [arena.slice(0, 50), arena.slice(50 + bytes.length)];
      markCongestion(arena, 50, 50 + bytes.length);
      deepStrictEqual([arena.slice(0, 50), arena.slice(50 + bytes.length)], outside);
    }),
    { runs: 500 },
  );
});

Deno.test("ecn: a pipe marks from its threshold on, and passes what it cannot mark until the queue is full", () => {
  const pool = new SlotPool(64, 1_518, new DeviceInfo(ALL_MANUAL, 1_500));
  const pipe = new Pipe(pool, { rate: 1_000_000, ecn: 2, queue: 5 });
  const able = v4(ECT_0);
  const unable = v4(NOT_ECT);
  // One on the line, two waiting, and then there are two: the mark begins.
  const marks = [able, able, able, able, unable, able].map((frame) => {
    const before = pipe.counters.marked;
    equal(pipe.push(frame, 0, frame.length, 0), Fate.Passed);
    return pipe.counters.marked - before;
  });
  deepStrictEqual(marks, [0, 0, 0, 1, 0, 1]);
  equal(pipe.push(able, 0, able.length, 0), Fate.Overflow);
  equal(ipv4.trafficClass(able, AT), ECT_0, "the caller's frame stays as it is");
  for (const expected of [ECT_0, ECT_0, ECT_0, CE, NOT_ECT, CE]) {
    const slot = pipe.pop(1e9)!;
    const { bytes, start } = slot.frame;
    equal(ipv4.trafficClass(bytes, start + AT), expected);
    ok(ipv4.verifyChecksum(bytes, start + AT));
  }
});

Deno.test("ecn: threshold 0 marks without any queue", () => {
  const pipe = new Pipe(new SlotPool(4, 1_518, new DeviceInfo(ALL_MANUAL, 1_500)), { ecn: 0 });
  const frame = v4(ECT_1);
  pipe.push(frame, 0, frame.length, 0);
  equal(pipe.counters.marked, 1);
});
