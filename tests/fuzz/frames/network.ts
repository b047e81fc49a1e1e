/**
 * What Ethernet frames carry: IPv4 with options and fragments, ARP, IPv6, VLAN tags.
 *
 * @module
 */
import {
  arp,
  concat,
  ethernet,
  ipv4,
  type Ipv4Fields,
  OWN,
  OWN_MAC,
  PEER_MAC,
} from "../../support/frames.ts";
import { fc } from "../../support/property.ts";
import { put16 } from "../../../stack/wire/bytes.ts";
import { EtherType } from "../../../stack/wire/ethernet.ts";
import { Flag } from "../../../stack/wire/ipv4.ts";
import { packet6 } from "./ipv6.ts";
import { address, destination, other, payload, seldom, station, word16 } from "./pools.ts";
import { carried } from "./transport.ts";

/** What a frame carries. */
interface Inner {
  readonly etherType: number;
  readonly bytes: Uint8Array;
}

/** One option of IPv4, well-formed: its type, and so many bytes of data. */
const option = fc.tuple(fc.constantFrom(7, 68, 130, 131, 137, 148, 94), fc.uint8Array({ maxLength: 11 })).map(
  ([type, data]) => [type, data.length + 2, ...data],
);

const padding = fc.constantFrom([0], [1]);

const options: fc.Arbitrary<readonly number[]> = fc.oneof(
  { weight: 6, arbitrary: fc.constant([]) },
  {
    weight: 1,
    arbitrary: fc.array(fc.oneof(option, padding), { maxLength: 4 }).map((list) => list.flat().slice(0, 40)),
  },
  { weight: 1, arbitrary: fc.array(fc.nat(255), { maxLength: 40 }) },
);

/** The fragment word: most often none. */
const fragment = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom([Flag.DontFragment, 0] as const, [0, 0] as const) },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constantFrom(
        0,
        Flag.MoreFragments,
        Flag.DontFragment,
        Flag.MoreFragments | Flag.DontFragment,
        0x8000,
      ),
      fc.oneof(fc.constant(0), fc.nat(0x1fff).map((units) => units * 8)),
    ),
  },
);

/** How far the total length is from the truth. */
const totalError = fc.oneof(fc.constantFrom(-1, 1, -8, 8, -28), fc.integer({ min: -1_500, max: 65_535 }));

/** An IPv4 packet; its header checksum is right, whatever its fields say. */
export const packet: fc.Arbitrary<Uint8Array> = fc.record({
  carried,
  source: fc.oneof({ weight: 3, arbitrary: other }, { weight: 1, arbitrary: address }),
  destination,
  hopLimit: fc.oneof(fc.constant(64), fc.nat(255)),
  trafficClass: fc.oneof(fc.constant(0), fc.nat(255)),
  identification: word16,
  fragment,
  options,
  version: seldom(fc.nat(15)),
  headerLength: seldom(fc.nat(15).map((words) => words * 4)),
  totalError: seldom(totalError),
}).map(({ carried, fragment, version, headerLength, totalError, ...rest }) => {
  const length = 20 + Math.ceil(rest.options.length / 4) * 4 + carried.bytes.length;
  const fields: Ipv4Fields = {
    ...rest,
    protocol: carried.protocol,
    flags: fragment[0],
    offset: fragment[1],
    ...(version === undefined ? {} : { version }),
    ...(headerLength === undefined ? {} : { headerLength }),
    ...(totalError === undefined ? {} : { totalLength: (length + totalError) & 0xffff }),
  };
  return ipv4(carried.bytes, fields);
});

const resolution: fc.Arbitrary<Inner> = fc.record({
  operation: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(1, 2) }, { weight: 1, arbitrary: fc.nat(10) }),
  senderMac: fc.oneof({ weight: 3, arbitrary: fc.constant(PEER_MAC) }, { weight: 1, arbitrary: station }),
  sender: fc.oneof({ weight: 3, arbitrary: other }, { weight: 1, arbitrary: address }),
  targetMac: station,
  target: fc.oneof({ weight: 4, arbitrary: fc.constant(OWN) }, { weight: 1, arbitrary: address }),
  tail: fc.oneof(fc.constant(0), fc.nat(40)),
}).map(({ tail, ...fields }) => ({
  etherType: EtherType.Arp,
  bytes: concat(arp(fields), new Uint8Array(tail)),
}));

const ipv6: fc.Arbitrary<Inner> = fc.tuple(
  fc.nat(255),
  fc.uint8Array({ minLength: 32, maxLength: 32 }),
  payload,
).map(
  ([next, addresses, data]) => {
    const header = new Uint8Array(8);
    header[0] = 0x60;
    put16(header, 4, data.length);
    header[6] = next;
    header[7] = 64;
    return { etherType: EtherType.Ipv6, bytes: concat(header, addresses, data) };
  },
);

const internet6: fc.Arbitrary<Inner> = packet6.map((bytes) => ({ etherType: EtherType.Ipv6, bytes }));

const opaque: fc.Arbitrary<Inner> = fc.tuple(
  fc.oneof(fc.constantFrom(0, 46, 0x5ff, 0x600, 0x88cc), word16),
  payload,
)
  .map(([etherType, bytes]) => ({ etherType, bytes }));

const internet: fc.Arbitrary<Inner> = packet.map((bytes) => ({ etherType: EtherType.Ipv4, bytes }));

const inner: fc.Arbitrary<Inner> = fc.oneof(
  { weight: 10, arbitrary: internet },
  { weight: 4, arbitrary: resolution },
  { weight: 1, arbitrary: ipv6 },
  { weight: 4, arbitrary: internet6 },
  { weight: 1, arbitrary: opaque },
);

/** A frame with VLAN tags in front of what it carries: most often none. */
export const wellFormed: fc.Arbitrary<Uint8Array> = fc.record({
  inner,
  destination: fc.oneof({ weight: 4, arbitrary: fc.constant(OWN_MAC) }, { weight: 1, arbitrary: station }),
  source: fc.oneof({ weight: 4, arbitrary: fc.constant(PEER_MAC) }, { weight: 1, arbitrary: station }),
  tags: fc.oneof({ weight: 8, arbitrary: fc.constant([]) }, {
    weight: 1,
    arbitrary: fc.array(word16, { maxLength: 3 }),
  }),
  padTo: fc.constantFrom(0, 46),
}).map(({ inner, destination, source, tags, padTo }) => {
  let { etherType, bytes } = inner;
  for (const tag of tags) {
    const head = new Uint8Array(4);
    put16(head, 0, tag);
    put16(head, 2, etherType);
    bytes = concat(head, bytes);
    etherType = EtherType.Vlan;
  }
  return ethernet(bytes, { destination, source, etherType, padTo });
});
