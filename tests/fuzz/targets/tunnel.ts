/**
 * Packets in packets: whatever is inside, every one is counted once, and every answer is whole.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import * as ipv4Wire from "../../../stack/wire/ipv4.ts";
import { concat, data, icmp, ipv4 } from "../../support/frames.ts";
import { icmpv6, ipv6 } from "../../support/frames-v6.ts";
import { fc } from "../../support/property.ts";
import { INNER, INNER6, INNER_PEER, INNER_PEER6, tunnelHost, wrapped } from "../../support/tunnel.ts";
import { HEX } from "../codec.ts";
import { target } from "../target.ts";

function run(frame: Uint8Array): void {
  for (const gre of [false, true]) {
    const { made, tunnel, inner } = tunnelHost({ gre });
    const before = made.icmp.counters.received;
    const answers = made.deliver(frame);
    ok(answers.length <= 1, "one packet has one answer at most");
    for (const answer of answers) {
      equal(ipv4Wire.check(answer, 14, answer.length), 0);
      ok(ipv4Wire.verifyChecksum(answer, 14));
    }
    const { received, sent, notSent, errors: _, ...dropped } = tunnel.counters;
    const drops = Object.values(dropped).reduce((sum, count) => sum + count, 0);
    const direct = made.icmp.counters.received - before - inner.counters.received;
    ok(received + drops <= 1 && sent + notSent <= received);
    ok(direct <= 1);
  }
}

const mark = fc.nat(3);
const v4 = fc.record({
  trafficClass: mark,
  options: fc.array(fc.nat(255), { maxLength: 8 }),
  length: fc.nat(60),
}).map(
  ({ length, ...fields }) => ipv4(icmp(data(length)), { source: INNER_PEER, destination: INNER, ...fields }),
);
const v6 = fc.nat(60).map((length) =>
  ipv6(icmpv6(data(length), { type: 128 }, INNER_PEER6, INNER6), { source: INNER_PEER6, destination: INNER6 })
);
const header = fc.tuple(
  fc.constantFrom(0, 0, 0x80, 0x20, 0x10, 1),
  fc.constantFrom(0, 1),
  fc.constantFrom(8, 0x86, 0),
  fc.constantFrom(0, 0xdd),
)
  .map((bytes) => new Uint8Array(bytes));
const inside = fc.oneof(v4, v6, fc.tuple(header, fc.oneof(v4, v6)).map((parts) => concat(...parts)));

/** Frames, whole, cut off, and with bytes changed. */
export const tunnel = target({
  name: "tunnel",
  runs: 1_000,
  codec: HEX,
  input: fc.tuple(
    inside,
    fc.record({ protocol: fc.constantFrom(4, 41, 47, 4), trafficClass: mark }),
    fc.option(fc.tuple(fc.nat(120), fc.nat(255))),
    fc.option(fc.nat(120)),
  ).map(([packet, fields, change, length]) => {
    const frame = wrapped(length === null ? packet : packet.slice(0, length), fields);
    if (change !== null) frame[14 + change[0] % (frame.length - 14)] = change[1];
    return frame;
  }),
  run,
});
