/**
 * Takes packets apart that the stack has sent, and prints them as a script would write them.
 *
 * @module
 */
import { Address } from "../../../stack/wire/address.ts";
import { get16, get32 } from "../../../stack/wire/bytes.ts";
import { checksum, pseudo } from "../../../stack/wire/checksum.ts";
import { WireError, wireErrorName } from "../../../stack/wire/error.ts";
import * as icmpv4 from "../../../stack/wire/icmpv4.ts";
import * as ipv4 from "../../../stack/wire/ipv4.ts";
import * as ipv6 from "../../../stack/wire/ipv6.ts";
import { Protocol } from "../../../stack/wire/protocol.ts";
import * as tcp from "../../../stack/wire/tcp.ts";
import * as udp from "../../../stack/wire/udp.ts";
import type { TcpOption } from "./ast.ts";
import type { Flow } from "./flow.ts";
import { icmpText, isEcho } from "./icmp-names.ts";
import { optionsText, readOptions } from "./tcp-options.ts";

/** A packet that the stack has sent. */
export interface Actual {
  readonly isV4: boolean;
  readonly source: Address;
  readonly destination: Address;
  readonly trafficClass: number;
  readonly hopLimit: number;
  /** 0 over IPv4. */
  readonly flowLabel: number;
  /** The packet's length, its IP header included. */
  readonly length: number;
  /** What no packet may have, whatever the script expects: a wrong checksum, a length that does not fit. */
  readonly faults: readonly string[];
  readonly body: ActualBody;
}

/** What is behind the IP header; numbers are the wire's, unsigned. */
export type ActualBody = ActualTcp | ActualUdp | ActualIcmp | ActualOther;

/** A TCP segment. */
export interface ActualTcp {
  readonly kind: "tcp";
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** With AE as 0x100. */
  readonly flags: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly window: number;
  readonly urgent: number;
  readonly options: readonly TcpOption[];
  readonly payload: Uint8Array;
}

/** A UDP datagram. */
export interface ActualUdp {
  readonly kind: "udp";
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

/** An ICMP message of the packet's family. */
export interface ActualIcmp {
  readonly kind: "icmp";
  readonly type: number;
  readonly code: number;
  /** The header's second word. */
  readonly rest: number;
  readonly payload: Uint8Array;
}

/** Anything else. */
export interface ActualOther {
  readonly kind: "other";
  readonly protocol: number;
  readonly length: number;
}

/** Takes an IP packet apart; a text says why that cannot be. */
export function readPacket(bytes: Uint8Array): Actual | string {
  const isV4 = ipv4.version(bytes, 0) === 4;
  const error = isV4 ? ipv4.check(bytes, 0, bytes.length) : ipv6.check(bytes, 0, bytes.length);
  if (error !== WireError.None) {
    return `${isV4 ? "an IPv4" : "an IPv6"} header that is ${wireErrorName(error)}`;
  }
  const at = isV4 ? ipv4.headerLength(bytes, 0) : ipv6.HEADER_LENGTH;
  const end = isV4 ? ipv4.totalLength(bytes, 0) : at + ipv6.payloadLength(bytes, 0);
  const source = isV4 ? new Address().readV4(bytes, ipv4.SOURCE) : new Address().readV6(bytes, ipv6.SOURCE);
  const destination = isV4
    ? new Address().readV4(bytes, ipv4.DESTINATION)
    : new Address().readV6(bytes, ipv6.DESTINATION);
  const faults: string[] = [];
  if (isV4 && !ipv4.verifyChecksum(bytes, 0)) faults.push("the IP header's checksum is wrong");
  if (end !== bytes.length) faults.push(`${bytes.length - end} bytes lie behind the IP packet`);
  const protocol = isV4 ? ipv4.protocol(bytes, 0) : ipv6.nextHeader(bytes, 0);
  const body = readBody(bytes, at, end, protocol, source, destination, faults);
  return {
    isV4,
    source,
    destination,
    trafficClass: isV4 ? ipv4.trafficClass(bytes, 0) : ipv6.trafficClass(bytes, 0),
    hopLimit: isV4 ? ipv4.hopLimit(bytes, 0) : ipv6.hopLimit(bytes, 0),
    flowLabel: isV4 ? 0 : ipv6.flowLabel(bytes, 0),
    length: end,
    faults,
    body,
  };
}

function readBody(
  bytes: Uint8Array,
  at: number,
  end: number,
  protocol: number,
  source: Address,
  destination: Address,
  faults: string[],
): ActualBody {
  const sum = (initial: number) => checksum(bytes, at, end, initial);
  const wrong = (what: string) => faults.push(`${what} checksum is wrong`);
  switch (protocol) {
    case Protocol.Tcp:
      if (tcp.check(bytes, at, end) !== WireError.None) break;
      if (!tcp.verifyChecksum(bytes, at, end, source, destination)) wrong("TCP's");
      return readTcp(bytes, at, end);
    case Protocol.Udp:
      if (udp.check(bytes, at, end) !== WireError.None) break;
      if (udp.length(bytes, at) !== end - at) faults.push("UDP's length is not that of its IP packet");
      if (udp.checksum(bytes, at) === udp.NO_CHECKSUM) faults.push("UDP's checksum is missing");
      else if (!udp.verifyChecksum(bytes, at, source, destination)) wrong("UDP's");
      return {
        kind: "udp",
        sourcePort: udp.sourcePort(bytes, at),
        destinationPort: udp.destinationPort(bytes, at),
        payload: bytes.slice(at + udp.HEADER_LENGTH, end),
      };
    case Protocol.Icmp:
    case Protocol.Icmpv6: {
      if (end - at < icmpv4.HEADER_LENGTH) break;
      const initial = protocol === Protocol.Icmp ? 0 : pseudo(source, destination, protocol, end - at);
      if (sum(initial) !== 0) wrong("ICMP's");
      return {
        kind: "icmp",
        type: icmpv4.type(bytes, at),
        code: icmpv4.code(bytes, at),
        rest: icmpv4.rest(bytes, at) >>> 0,
        payload: bytes.slice(at + icmpv4.HEADER_LENGTH, end),
      };
    }
  }
  return { kind: "other", protocol, length: end - at };
}

function readTcp(bytes: Uint8Array, at: number, end: number): ActualTcp {
  const header = at + tcp.headerLength(bytes, at);
  return {
    kind: "tcp",
    sourcePort: tcp.sourcePort(bytes, at),
    destinationPort: tcp.destinationPort(bytes, at),
    flags: get16(bytes, at + 12) & 0x1ff,
    sequence: get32(bytes, at + 4) >>> 0,
    acknowledgment: get32(bytes, at + 8) >>> 0,
    window: tcp.window(bytes, at),
    urgent: tcp.urgentPointer(bytes, at),
    options: readOptions(bytes, at + tcp.HEADER_LENGTH, header),
    payload: bytes.slice(header, end),
  };
}

// In the order in which scripts write them.
const FLAG_LETTERS: readonly (readonly [number, string])[] = [
  [tcp.Flag.Syn, "S"],
  [tcp.Flag.Fin, "F"],
  [tcp.Flag.Rst, "R"],
  [tcp.Flag.Psh, "P"],
  [tcp.Flag.Urg, "U"],
  [tcp.Flag.Ece, "E"],
  [tcp.Flag.Cwr, "W"],
  [0x100, "A"],
  [tcp.Flag.Ack, "."],
];

/** Control bits as a script writes them. */
export function flagsText(bits: number): string {
  const text = FLAG_LETTERS.map(([bit, letter]) => (bits & bit) === 0 ? "" : letter).join("");
  return text === "" ? "-" : text;
}

const ECN_NAMES = ["noecn", "ect1", "ect0", "ce"] as const;

/** The ECN bits of a traffic class as a script writes them. */
export function ecnText(trafficClass: number): string {
  return ECN_NAMES[trafficClass & 3]!;
}

/** The packet as a script that expects it would write it, addresses and all, in the script's numbers. */
export function actualText(actual: Actual, flow: Flow): string {
  const { body, source, destination } = actual;
  const info = [`tos 0x${actual.trafficClass.toString(16)}`, `ttl ${actual.hopLimit}`];
  if (!actual.isV4) info.push(`flowlabel 0x${actual.flowLabel.toString(16)}`);
  const head = `> [${info.join(",")}]`;
  switch (body.kind) {
    case "tcp":
      return `${head} ${source}:${body.sourcePort} > ${destination}:${body.destinationPort} ${
        tcpText(body, flow)
      }`;
    case "udp":
      return `${head} ${source}:${body.sourcePort} > ${destination}:${body.destinationPort} udp (${body.payload.length})`;
    case "icmp":
      return `${head} ${source} > ${destination} icmp ${icmpBodyText(body, actual.isV4)}`;
    case "other":
      return `${head} ${source} > ${destination} protocol ${body.protocol} (${body.length})`;
  }
}

function tcpText(body: ActualTcp, flow: Flow): string {
  const first = flow.toScript(body.sequence);
  const { length } = body.payload;
  const parts = [flagsText(body.flags), `${first}:${(first + length) >>> 0}(${length})`];
  if ((body.flags & tcp.Flag.Ack) !== 0) parts.push(`ack ${body.acknowledgment}`);
  parts.push(`win ${body.window}`);
  if ((body.flags & tcp.Flag.Urg) !== 0) parts.push(`urg ${body.urgent}`);
  const options = body.options.map((option) => {
    return option.kind === "TS" ? { ...option, value: flow.timestampToScript(option.value) } : option;
  });
  if (options.length > 0) parts.push(optionsText(options));
  return parts.join(" ");
}

function icmpBodyText({ type, code, rest, payload }: ActualIcmp, isV4: boolean): string {
  const name = icmpText(isV4, type, code);
  if (isEcho(isV4, type)) {
    return `${name} id ${rest >>> 16} seq ${rest & 0xffff} [raw (${payload.length + icmpv4.HEADER_LENGTH})]`;
  }
  return `${name}${rest === 0 ? "" : ` mtu ${rest}`} [${payload.length} bytes quoted]`;
}
