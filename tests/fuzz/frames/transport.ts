/**
 * What IPv4 packets carry: ICMP, UDP, TCP and others, well-formed but for a field now and then. The checksums of UDP and
 * TCP depend on the addresses around, so {@linkcode fixChecksums} fills them in later.
 *
 * @module
 */
import { concat, icmp, ipv4, OWN, PEER } from "../../support/frames.ts";
import { fc } from "../../support/property.ts";
import { put16, put32 } from "../../../stack/wire/bytes.ts";
import * as icmpWire from "../../../stack/wire/icmpv4.ts";
import { Protocol } from "../../../stack/wire/protocol.ts";
import { address, payload, PEER_PORT, Port, port, seldom, word16, word32 } from "./pools.ts";

/** What an IPv4 packet carries. */
export interface Carried {
  readonly protocol: number;
  readonly bytes: Uint8Array;
}

/** A UDP datagram without checksum; `length` may tell a lie. */
export function udp(source: number, destination: number, data: Uint8Array, length?: number): Uint8Array {
  const header = new Uint8Array(8);
  put16(header, 0, source);
  put16(header, 2, destination);
  put16(header, 4, length ?? 8 + data.length);
  return concat(header, data);
}

/** A length near the right one, or any. */
const lengthError = fc.oneof(
  fc.constantFrom(-1, 1, -8, 8, 100, -100),
  fc.integer({ min: -2_000, max: 70_000 }),
);

const datagram: fc.Arbitrary<Carried> = fc.tuple(port, port, payload, seldom(lengthError)).map(
  ([source, destination, data, error]) => ({
    protocol: Protocol.Udp,
    bytes: udp(
      source,
      destination,
      data,
      error === undefined ? undefined : (8 + data.length + error) & 0xffff,
    ),
  }),
);

const echo: fc.Arbitrary<Carried> = fc.record({
  type: fc.constantFrom(icmpWire.Type.EchoRequest, icmpWire.Type.EchoReply),
  code: fc.oneof(fc.constant(0), fc.nat(255)),
  identifier: word16,
  sequence: word16,
  data: payload,
}).map(({ data, ...fields }) => ({ protocol: Protocol.Icmp, bytes: icmp(data, fields) }));

/** An echo whose answer is zero throughout, so that its sum is as well. */
const zeros: fc.Arbitrary<Carried> = fc.nat(8).map((length) => ({
  protocol: Protocol.Icmp,
  bytes: icmp(new Uint8Array(length), { identifier: 0, sequence: 0 }),
}));

const anyMessage: fc.Arbitrary<Carried> = fc.record({
  type: fc.oneof(fc.constantFrom(...Object.values(icmpWire.Type)), fc.nat(255)),
  code: fc.nat(20),
  identifier: word16,
  sequence: word16,
  data: payload,
}).map(({ data, ...fields }) => ({ protocol: Protocol.Icmp, bytes: icmp(data, fields) }));

/** The beginning of a packet that the host may have sent, as errors quote it. */
const quotation: fc.Arbitrary<Uint8Array> = fc.record({
  sourcePort: fc.oneof(fc.constantFrom<number>(Port.Connected, Port.Echo), port),
  destinationPort: port,
  source: fc.oneof(fc.constant(OWN), address),
  destination: address,
  protocol: fc.oneof(
    fc.constant<number>(Protocol.Udp),
    fc.constantFrom<number>(Protocol.Icmp, Protocol.Tcp, 255),
  ),
  options: fc.oneof(fc.constant([]), fc.array(fc.nat(255), { maxLength: 40 })),
  offset: fc.oneof(fc.constant(0), fc.constantFrom(8, 1_480)),
  headerLength: seldom(fc.nat(15).map((words) => words * 4)),
  cut: fc.oneof(fc.constant(0), fc.nat(30)),
}).map((fields) => {
  const { source, destination, protocol, options, offset, headerLength, cut } = fields;
  const inner = udp(fields.sourcePort, fields.destinationPort, new Uint8Array(4));
  const whole = ipv4(inner, {
    source,
    destination,
    protocol,
    options,
    offset,
    ...(headerLength === undefined ? {} : { headerLength }),
  });
  return whole.subarray(0, Math.max(0, whole.length - cut));
});

/** The beginning of a datagram of the host's only conversation. */
const ours = fc.nat(32).map((length) =>
  ipv4(udp(Port.Connected, PEER_PORT, new Uint8Array(length)), {
    source: OWN,
    destination: PEER,
    protocol: Protocol.Udp,
  }).subarray(0, 20 + length)
);

const error: fc.Arbitrary<Carried> = fc.record({
  type: fc.constantFrom(
    icmpWire.Type.DestinationUnreachable,
    icmpWire.Type.SourceQuench,
    icmpWire.Type.Redirect,
    icmpWire.Type.TimeExceeded,
    icmpWire.Type.ParameterProblem,
  ),
  code: fc.nat(16),
  identifier: word16,
  sequence: word16,
  quotation: fc.oneof({ weight: 3, arbitrary: quotation }, { weight: 1, arbitrary: ours }),
}).map(({ quotation, ...fields }) => ({ protocol: Protocol.Icmp, bytes: icmp(quotation, fields) }));

/** A TCP segment: any flags, options of any bytes. */
const segment: fc.Arbitrary<Carried> = fc.record({
  source: port,
  destination: port,
  sequence: word32,
  acknowledgment: word32,
  flags: fc.nat(255),
  window: word16,
  options: fc.oneof(fc.constant(new Uint8Array(0)), fc.uint8Array({ maxLength: 40 })),
  words: seldom(fc.nat(15)),
  data: payload,
}).map((fields) => {
  const options = new Uint8Array(fields.options.length + (-fields.options.length & 3));
  options.set(fields.options);
  const header = new Uint8Array(20);
  put16(header, 0, fields.source);
  put16(header, 2, fields.destination);
  put32(header, 4, fields.sequence);
  put32(header, 8, fields.acknowledgment);
  header[12] = (fields.words ?? 5 + options.length / 4) << 4;
  header[13] = fields.flags;
  put16(header, 14, fields.window);
  return { protocol: Protocol.Tcp, bytes: concat(header, options, fields.data) };
});

const opaque: fc.Arbitrary<Carried> = fc.tuple(
  fc.oneof(fc.constantFrom<number>(...Object.values(Protocol)), fc.nat(255)),
  payload,
).map(([protocol, bytes]) => ({ protocol, bytes }));

/** Anything that an IPv4 packet may carry. */
export const carried: fc.Arbitrary<Carried> = fc.oneof(
  { weight: 6, arbitrary: datagram },
  { weight: 3, arbitrary: echo },
  { weight: 3, arbitrary: error },
  { weight: 1, arbitrary: anyMessage },
  { weight: 1, arbitrary: zeros },
  { weight: 1, arbitrary: segment },
  { weight: 1, arbitrary: opaque },
);
