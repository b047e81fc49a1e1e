/**
 * Fragments of both families, and IPv6's extension headers, in a host: whatever comes, memory is bounded, what is given
 * back is what was sent, and nothing is left behind.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { seconds } from "../../../stack/store/time.ts";
import { fc } from "../../support/property.ts";
import { counted, host6 } from "../../support/host.ts";
import { FAMILIES, pattern } from "../../support/fragments.ts";
import { ethernet } from "../../support/frames.ts";
import { ipv6 } from "../../support/frames-v6.ts";
import { EtherType } from "../../../stack/wire/ethernet.ts";
import { type Codec, linesOf } from "../codec.ts";
import { target } from "../target.ts";

/** A part of one of a few packets, or a packet with any extension headers, and how long after the one before. */
type Step = readonly [
  kind: "part" | "headers",
  family: number,
  identification: number,
  /** In units of 8 bytes. */
  from: number,
  length: number,
  isLast: boolean,
  wait: number,
  bytes: readonly number[],
];

/** The packets that parts are of: long enough for any part. */
const WHOLE = pattern(65_536);
const LIMITS = { packets: 6, packetsOfOne: 4, bytes: 32 << 10 };

function run(steps: readonly Step[]): void {
  let isPart = false;
  let received = 0;
  const made = host6({
    guard: false,
    nic: { frameLength: 2_000 },
    ip: { reassembly: LIMITS, largePackets: 2 },
    receive: () => (packet) => {
      received++;
      const { bytes, end } = packet.frame;
      // All parts are of one pattern, so that whatever they were put together to is a stretch of it.
      const payload = bytes.subarray(packet.payloadAt, end);
      if (isPart) {
        ok(payload.every((byte, index) => byte === WHOLE[index]), "what was put together was never sent");
      }
    },
  });
  const { counters, reassembly, large } = made.ip;
  let now = 0;
  for (const [kind, family, identification, from, length, isLast, wait, bytes] of steps) {
    now += wait;
    made.at(now);
    const before = received;
    isPart = kind === "part";
    if (isPart) {
      const start = Math.min(from * 8, 65_528);
      const end = Math.min(start + length, WHOLE.length);
      // Of a protocol that no handler minds.
      made.deliver(FAMILIES[family]!.fragment(WHOLE, start, end, isLast, { identification, protocol: 253 }));
    } else {
      const packet = ipv6(Uint8Array.from(bytes), { protocol: HEADERS[identification]! });
      made.deliver(ethernet(packet, { etherType: EtherType.Ipv6 }));
    }
    ok(received <= before + 1, "a frame completes one packet at most");
    ok(reassembly.bytes <= LIMITS.bytes && reassembly.size <= LIMITS.packets, "more is kept than is allowed");
    for (const error of made.transmit()) ok(error.length <= 14 + 1_280, "a longer error than any may be");
  }
  const ends = ENDS.reduce((sum, name) => sum + counters[name], 0);
  equal(ends, steps.length, `each frame ends once: ${JSON.stringify(counted(counters))}`);
  made.at(now + seconds(61));
  made.transmit();
  deepEqual([reassembly.size, reassembly.bytes, made.deadline], [0, 0, Infinity], "nothing is left behind");
  const left = [large.take(), large.take(), large.take()];
  deepEqual(
    left.map((frame) => frame !== undefined),
    [true, true, false],
    "every buffer was given back, once",
  );
}

/** Where a received packet may end. */
const ENDS = [
  "received",
  "fragmentsKept",
  "duplicateFragment",
  "overlappingFragment",
  "fragmentOverflow",
  "badFragment",
  "malformed",
  "badOptions",
  "refusedExtension",
  "tooManyExtensions",
  "noNextHeader",
  "badLinkControl",
] as const;

/** What a packet's first header may be. */
const HEADERS = [0, 60, 43, 44, 59] as const;

/** A step a line, as JSON. */
const STEPS: Codec<readonly Step[]> = {
  extension: "txt",
  format: (steps) => steps.map((step) => JSON.stringify(step)).join("\n"),
  parse: (text) => linesOf(text).map((line): Step => JSON.parse(line)),
};

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom<Step[0]>("part", "part", "part", "headers"),
  fc.nat(1),
  fc.nat(4),
  fc.oneof(fc.nat(8), fc.nat(8_191)),
  fc.oneof(fc.constantFrom(8, 16, 24, 64), fc.integer({ min: 1, max: 1_400 })),
  fc.boolean(),
  fc.constantFrom(0, 0, 0, seconds(1), seconds(20)),
  fc.array(fc.oneof(fc.constantFrom(0, 1, 2, 43, 44, 58, 59, 60), fc.nat(255)), {
    minLength: 0,
    maxLength: 48,
  }),
);

/** Fragments and extension headers. */
export const reassembly = target({
  name: "reassembly",
  runs: 300,
  codec: STEPS,
  input: fc.array(step, { maxLength: 40 }),
  run,
});
