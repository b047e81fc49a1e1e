/**
 * Frames with something wrong: any bytes changed, cut, doubled or put in, then, if so wished, with checksums that are right
 * again, so that the change is seen by code behind them.
 *
 * @module
 */
import { concat } from "../../support/frames.ts";
import { fc } from "../../support/property.ts";
import { Address } from "../../../stack/wire/address.ts";
import { get16, put16 } from "../../../stack/wire/bytes.ts";
import { EtherType, etherType } from "../../../stack/wire/ethernet.ts";
import * as icmp from "../../../stack/wire/icmpv4.ts";
import * as ipv4 from "../../../stack/wire/ipv4.ts";
import { Protocol } from "../../../stack/wire/protocol.ts";
import * as tcp from "../../../stack/wire/tcp.ts";
import * as udp from "../../../stack/wire/udp.ts";
import { wellFormed } from "./network.ts";
import { word16 } from "./pools.ts";

/** A change of bytes; `at` counts from the first one, and around where there are fewer. */
interface Change {
  readonly kind: "set" | "flip" | "word" | "add" | "cut" | "insert" | "double" | "remove";
  readonly at: number;
  readonly value: number;
}

// The headers are in the first bytes, so most changes are there.
const place = fc.oneof({ weight: 6, arbitrary: fc.nat(80) }, { weight: 1, arbitrary: fc.nat(1_600) });

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom("set", "flip", "word", "add", "cut", "insert", "double", "remove"),
  at: place,
  value: word16,
});

/** The bytes with these changes made to a copy. */
function changed(bytes: Uint8Array, changes: readonly Change[]): Uint8Array {
  let result: Uint8Array = bytes.slice();
  for (const { kind, at: where, value } of changes) {
    if (result.length === 0) break;
    const at = where % result.length;
    const count = value & 0xf;
    if (kind === "set") result[at] = value;
    else if (kind === "flip") result[at]! ^= 1 << (value & 7);
    else if (kind === "word") put16(result, at, value);
    else if (kind === "add") put16(result, at, get16(result, at) + (value & 1 ? 1 : -1));
    else if (kind === "cut") result = result.slice(0, at);
    else if (kind === "insert") {
      result = concat(result.subarray(0, at), new Uint8Array(count).fill(value >> 8), result.subarray(at));
    } else if (kind === "double") result = concat(result.subarray(0, at + count), result.subarray(at));
    else result = concat(result.subarray(0, at), result.subarray(at + count));
  }
  return result;
}

/** Makes the checksums of an IPv4 frame right where its fields let them be found; a UDP one of 0 stays. */
export function fixChecksums(frame: Uint8Array): Uint8Array {
  let at = 12;
  while (at + 2 <= frame.length && etherType(frame, at - 12) === EtherType.Vlan) at += 4;
  if (at + 22 > frame.length || etherType(frame, at - 12) !== EtherType.Ipv4) return frame;
  at += 2;
  const header = ipv4.headerLength(frame, at);
  if (header < ipv4.HEADER_LENGTH || at + header > frame.length) return frame;
  fixTransport(frame, at, at + header, Math.min(frame.length, at + ipv4.totalLength(frame, at)));
  ipv4.fillChecksum(frame, at);
  return frame;
}

function fixTransport(frame: Uint8Array, header: number, at: number, end: number): void {
  const source = new Address().readV4(frame, header + ipv4.SOURCE);
  const destination = new Address().readV4(frame, header + ipv4.DESTINATION);
  switch (ipv4.protocol(frame, header)) {
    case Protocol.Icmp:
      if (icmp.check(frame, at, end) === 0) icmp.fillChecksum(frame, at, end);
      break;
    case Protocol.Udp:
      if (udp.check(frame, at, end) === 0 && udp.checksum(frame, at) !== udp.NO_CHECKSUM) {
        udp.fillChecksum(frame, at, source, destination);
      }
      break;
    case Protocol.Tcp:
      if (tcp.check(frame, at, end) === 0) tcp.fillChecksum(frame, at, end, source, destination);
      break;
  }
}

/** The UDP checksum of a new frame is 0, none: this gives it one to be made right. */
function withChecksum(frame: Uint8Array): Uint8Array {
  const isUdp = etherType(frame, 0) === EtherType.Ipv4 && frame.length > 41 &&
    ipv4.protocol(frame, 14) === Protocol.Udp;
  const at = 14 + ipv4.headerLength(frame, 14);
  if (isUdp && at + 8 <= frame.length) put16(frame, at + udp.CHECKSUM, 0xffff);
  return fixChecksums(frame);
}

/** A frame: well-formed, nearly so, or any bytes. At most 1,518 long. */
export const frame: fc.Arbitrary<Uint8Array> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(wellFormed, fc.nat(9)).map(([frame, dice]) =>
      dice === 0 ? fixChecksums(frame) : withChecksum(frame)
    ),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(wellFormed, fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(3)).map(
      ([frame, changes, dice]) => {
        const result = changed(withChecksum(frame), changes);
        return dice === 0 ? result : fixChecksums(result);
      },
    ),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 120 }) },
).map((frame) => frame.subarray(0, 1_518));

/** Any bytes with these changes, for inputs that are no frames. */
export function mutated(start: fc.Arbitrary<Uint8Array>, most: number): fc.Arbitrary<Uint8Array> {
  const some = fc.record({ kind: change.map(({ kind }) => kind), at: fc.nat(most), value: word16 });
  return fc.tuple(start, fc.array(some, { maxLength: 5 })).map(([bytes, changes]) => changed(bytes, changes));
}
