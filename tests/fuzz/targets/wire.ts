/**
 * Every header's `check`, and what its accessors answer once it says that nothing is wrong: numbers in their ranges, from
 * within the bytes only.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { Address } from "../../../stack/wire/address.ts";
import * as arp from "../../../stack/wire/arp.ts";
import { WireError, wireErrorName } from "../../../stack/wire/error.ts";
import * as ethernet from "../../../stack/wire/ethernet.ts";
import * as icmp from "../../../stack/wire/icmpv4.ts";
import { codeName, typeName } from "../../../stack/wire/icmpv4-names.ts";
import * as ipv4 from "../../../stack/wire/ipv4.ts";
import * as ipv4Options from "../../../stack/wire/ipv4-options.ts";
import * as ipv6 from "../../../stack/wire/ipv6.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { protocolName } from "../../../stack/wire/protocol.ts";
import * as tcp from "../../../stack/wire/tcp.ts";
import * as tcpOptions from "../../../stack/wire/tcp-options.ts";
import * as udp from "../../../stack/wire/udp.ts";
import { fc } from "../../support/property.ts";
import { HEX } from "../codec.ts";
import { frame } from "../frames/mutate.ts";
import { target } from "../target.ts";

/** A reader of a field, with the most that it may answer; -1 stands for any signed word. */
type Field = readonly [read: (bytes: Uint8Array, at: number) => number, most: number];

const WORD = -1;

interface Format {
  readonly check: (bytes: Uint8Array, at: number, end: number) => WireError;
  readonly fields: readonly Field[];
  /** Looks at what a table does not say. Answers with what must not depend on the bytes around. */
  readonly more?: (bytes: Uint8Array, at: number, end: number) => unknown;
}

const ONE = new Address().setV4(0x0a000001), TWO = new Address().setV4(0x0a000002);

const FORMATS: Readonly<Record<string, Format>> = {
  ethernet: {
    check: ethernet.check,
    fields: [[ethernet.etherType, 0xffff]],
    more: (bytes, at) => [
      ethernet.isGroup(bytes, at),
      ethernet.etherTypeName(ethernet.etherType(bytes, at)),
      station(bytes, at),
      station(bytes, at + ethernet.SOURCE),
    ],
  },
  arp: {
    check: arp.check,
    fields: [[arp.operation, 2], [arp.senderAddress, WORD], [arp.targetAddress, WORD]],
    more: (bytes, at) => [station(bytes, at + arp.SENDER_MAC), station(bytes, at + arp.TARGET_MAC)],
  },
  ipv4: {
    check: ipv4.check,
    fields: [
      [ipv4.version, 4],
      [ipv4.headerLength, 60],
      [ipv4.trafficClass, 255],
      [ipv4.totalLength, 65_535],
      [ipv4.identification, 65_535],
      [ipv4.fragmentOffset, 65_528],
      [ipv4.hopLimit, 255],
      [ipv4.protocol, 255],
      [ipv4.headerChecksum, 65_535],
      [ipv4.source, WORD],
      [ipv4.destination, WORD],
    ],
    more: moreOfIpv4,
  },
  ipv6: {
    check: ipv6.check,
    fields: [
      [ipv6.version, 6],
      [ipv6.trafficClass, 255],
      [ipv6.flowLabel, 0xfffff],
      [ipv6.payloadLength, 65_535],
      [ipv6.nextHeader, 255],
      [ipv6.hopLimit, 255],
    ],
    more: (bytes, at, end) => {
      ok(at + ipv6.HEADER_LENGTH + ipv6.payloadLength(bytes, at) <= end);
      return [address6(bytes, at + ipv6.SOURCE), address6(bytes, at + ipv6.DESTINATION)];
    },
  },
  icmp: {
    check: icmp.check,
    fields: [
      [icmp.type, 255],
      [icmp.code, 255],
      [icmp.checksum, 65_535],
      [icmp.rest, WORD],
      [icmp.identifier, 65_535],
      [icmp.sequence, 65_535],
      [icmp.pointer, 255],
      [icmp.nextHopMtu, 65_535],
    ],
    more: (bytes, at, end) => {
      const [type, code] = [icmp.type(bytes, at), icmp.code(bytes, at)];
      ok(typeName(type) !== "");
      equal(icmp.isError(type) && icmp.isRequest(type), false);
      const copy = bytes.slice(at, end);
      icmp.fillChecksum(copy, 0, copy.length);
      ok(icmp.verifyChecksum(copy, 0, copy.length), "a checksum that was just filled in is right");
      return [codeName(type, code), icmp.verifyChecksum(bytes, at, end)];
    },
  },
  udp: {
    check: udp.check,
    fields: [[udp.sourcePort, 65_535], [udp.destinationPort, 65_535], [udp.length, 65_535], [
      udp.checksum,
      65_535,
    ]],
    more: (bytes, at, end) => {
      const length = udp.length(bytes, at);
      ok(length >= udp.HEADER_LENGTH && at + length <= end);
      const copy = bytes.slice(at, end);
      udp.fillChecksum(copy, 0, ONE, TWO);
      ok(udp.checksum(copy, 0) !== udp.NO_CHECKSUM && udp.verifyChecksum(copy, 0, ONE, TWO));
      ok(udp.verifyChecksum(copy, 0, TWO, ONE), "the sum does not tell the ends apart");
      return udp.verifyChecksum(bytes, at, ONE, TWO);
    },
  },
  tcp: {
    check: tcp.check,
    fields: [
      [tcp.sourcePort, 65_535],
      [tcp.destinationPort, 65_535],
      [tcp.sequence, WORD],
      [tcp.acknowledgment, WORD],
      [tcp.headerLength, 60],
      [tcp.flags, 255],
      [tcp.window, 65_535],
      [tcp.checksum, 65_535],
      [tcp.urgentPointer, 65_535],
    ],
    more: moreOfTcp,
  },
};

function moreOfIpv4(bytes: Uint8Array, at: number, end: number): unknown {
  const header = ipv4.headerLength(bytes, at);
  ok(header >= 20 && header <= ipv4.totalLength(bytes, at) && at + ipv4.totalLength(bytes, at) <= end);
  equal(ipv4.isFragment(bytes, at), ipv4.moreFragments(bytes, at) || ipv4.fragmentOffset(bytes, at) > 0);
  const found = [];
  for (const type of Object.values(ipv4Options.Option)) {
    const option = ipv4Options.findOption(bytes, at, type);
    ok(option === -1 || (option >= at + 20 && option < at + header), "an option outside of the header");
    found.push(option < 0 ? option : option - at);
  }
  checkOptionList(
    bytes.subarray(at + 20, at + header),
    Object.values(ipv4Options.Option),
    (type) => Math.max(-1, ipv4Options.findOption(bytes, at, type) - at - 20),
    ipv4.checkOptions(bytes, at),
  );
  const copy = bytes.slice(at, end);
  ipv4.fillChecksum(copy, 0);
  ok(ipv4.verifyChecksum(copy, 0), "a checksum that was just filled in is right");
  // The version and the length are in one byte with others; setters must not touch their neighbours.
  ipv4.setTotalLength(copy, 0, ipv4.totalLength(copy, 0));
  equal(ipv4.headerLength(copy, 0), header);
  return [
    found,
    ipv4.checkOptions(bytes, at),
    ipv4.hasSourceRoute(bytes, at),
    ipv4.verifyChecksum(bytes, at),
    names(bytes, at),
  ];
}

/** Which options lie where in a list, and whether it is well-formed up to its end: RFC 791 3.1 read once more. */
function walk(list: Uint8Array): { readonly first: ReadonlyMap<number, number>; readonly isFine: boolean } {
  const first = new Map<number, number>();
  for (let at = 0; at < list.length;) {
    const [type = 0, length = 0] = list.subarray(at);
    if (type === 0) break;
    const isPadding = type === 1;
    if (!isPadding && (length < 2 || at + length > list.length)) return { first, isFine: false };
    if (!first.has(type)) first.set(type, at);
    at += isPadding ? 1 : length;
  }
  return { first, isFine: true };
}

/** Asserts that an option is found where the second reading finds it. */
function checkOptionList(
  list: Uint8Array,
  types: readonly number[],
  find: (type: number) => number,
  error: WireError,
): void {
  const { first, isFine } = walk(list);
  equal(error, isFine ? WireError.None : WireError.Malformed, "whether the options are well-formed");
  for (const type of types) equal(find(type), first.get(type) ?? -1, `where option ${type} lies`);
}

function names(bytes: Uint8Array, at: number): string[] {
  const source = new Address().readV4(bytes, at + ipv4.SOURCE);
  ok(Address.parse(source.toString()).equals(source), "an address is what its text says");
  return [source.toString(), protocolName(ipv4.protocol(bytes, at))];
}

function moreOfTcp(bytes: Uint8Array, at: number, end: number): unknown {
  const stop = tcpOptions.optionsEnd(bytes, at);
  ok(tcp.headerLength(bytes, at) >= 20 && stop === at + tcp.headerLength(bytes, at) && stop <= end);
  const mss = tcpOptions.maximumSegmentSize(bytes, at);
  const scale = tcpOptions.windowScale(bytes, at);
  ok(mss >= -1 && mss <= 65_535 && scale >= -1 && scale <= 255);
  const found = Object.values(tcpOptions.Kind).map((kind) => {
    const option = tcpOptions.findOption(bytes, at, kind);
    ok(option === -1 || (option >= at + 20 && option < stop), "an option outside of the header");
    return option < 0 ? option : option - at;
  });
  checkOptionList(
    bytes.subarray(at + 20, stop),
    Object.values(tcpOptions.Kind),
    (kind) => Math.max(-1, tcpOptions.findOption(bytes, at, kind) - at - 20),
    tcpOptions.checkOptions(bytes, at),
  );
  const stamps = tcpOptions.findTimestamps(bytes, at);
  if (stamps >= 0) {
    ok(stamps >= at + 20 && stamps + 10 <= stop, "timestamps outside of the header");
    found.push(tcpOptions.timestampValue(bytes, stamps), tcpOptions.timestampEcho(bytes, stamps));
  }
  const sack = tcpOptions.findSack(bytes, at);
  if (sack >= 0) {
    const blocks = tcpOptions.sackBlocks(bytes, sack);
    ok(
      blocks >= 1 && blocks <= tcpOptions.SACK_BLOCKS_MAX && sack + 2 + 8 * blocks <= stop,
      `${blocks} blocks`,
    );
    for (let block = 0; block < blocks; block++) {
      found.push(tcpOptions.sackLeft(bytes, sack, block), tcpOptions.sackRight(bytes, sack, block));
    }
  }
  const copy = bytes.slice(at, end);
  tcp.fillChecksum(copy, 0, copy.length, ONE, TWO);
  ok(tcp.verifyChecksum(copy, 0, copy.length, ONE, TWO), "a checksum that was just filled in is right");
  return [
    found,
    mss,
    scale,
    tcpOptions.sackPermitted(bytes, at),
    tcpOptions.checkOptions(bytes, at),
    tcp.flagNames(tcp.flags(bytes, at)),
  ];
}

function station(bytes: Uint8Array, at: number): string {
  const mac = new Mac().read(bytes, at);
  ok(Mac.parse(mac.toString()).equals(mac), "a station is what its text says");
  return mac.toString();
}

function address6(bytes: Uint8Array, at: number): string {
  const address = new Address().readV6(bytes, at);
  ok(Address.parse(address.toString()).equals(address), "an address is what its text says");
  return address.toString();
}

/** What a format says of the bytes, as they lie at some offset among others. */
function look({ check, fields, more }: Format, bytes: Uint8Array, around: number): unknown {
  const at = 17;
  const buffer = new Uint8Array(bytes.length + 64).fill(around);
  buffer.set(bytes, at);
  const end = at + bytes.length;
  const error = check(buffer, at, end);
  ok(wireErrorName(error) !== undefined, `no error has the number ${error}`);
  if (error !== WireError.None) return error;
  const values = fields.map(([read, most]) => {
    const value = read(buffer, at);
    ok(
      most === WORD ? value === (value | 0) : Number.isInteger(value) && value >= 0 && value <= most,
      `${value}`,
    );
    return value;
  });
  return [values, more?.(buffer, at, end)];
}

function run(frame: Uint8Array): void {
  // Each format sees the bytes from where it begins in a frame, and from where others do.
  for (const start of [0, 14, 34, 54]) {
    if (start > frame.length) break;
    const bytes = frame.subarray(start);
    for (const [name, format] of Object.entries(FORMATS)) {
      deepEqual(
        look(format, bytes, 0x00),
        look(format, bytes, 0xff),
        `${name} reads what lies around its bytes`,
      );
    }
  }
}

/** Header bytes that are not in a frame at all. */
const loose = fc.uint8Array({ maxLength: 90 }).map((bytes) => {
  const copy = bytes.slice();
  // A plausible first byte for either version lets a random header be believed now and then.
  if (copy.length > 0) copy[0] = ((copy[0]! & 1) === 0 ? 0x40 : 0x60) | (copy[0]! & 0xf);
  return copy;
});

/** Bytes for the headers' readers. */
export const wire = target({
  name: "wire",
  runs: 3_000,
  codec: HEX,
  input: fc.oneof({ weight: 3, arbitrary: frame }, { weight: 1, arbitrary: loose }),
  run,
});
