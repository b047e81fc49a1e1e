/**
 * Printing what IP carries: ICMP and IGMP by files of their own, GRE, UDP and TCP here.
 *
 * @module
 */
import type { Address } from "../address.ts";
import { get16 } from "../bytes.ts";
import { WireError } from "../error.ts";
import { EtherType, etherTypeName } from "../ethernet.ts";
import * as gre from "../gre.ts";
import { optionLength } from "../option-list.ts";
import { printApplication } from "./application.ts";
import { printIgmp } from "./group.ts";
import { printIcmpv4 } from "./icmp.ts";
import { printIcmpv6 } from "./icmpv6.ts";
import {
  broken,
  checksumField,
  checksumMark,
  count,
  cutMark,
  hex,
  opaque,
  type Printed,
  printed,
  type Printer,
  type Scope,
} from "./text.ts";
import { Protocol, protocolName } from "../protocol.ts";
import * as tcp from "../tcp.ts";
import * as options from "../tcp-options.ts";
import * as udp from "../udp.ts";

/** Prints the payload `[at..end)` of an IP packet. `quote` prints the packet that an ICMP error is about. */
export function printPayload(
  protocol: number,
  source: Address,
  destination: Address,
  quote: Printer,
  scope: Scope,
  at: number,
  end: number,
): Printed {
  switch (protocol) {
    case Protocol.Icmp:
      return source.isV4 ? printIcmpv4(quote, scope, at, end) : opaque("ICMP", scope, at, end);
    case Protocol.Icmpv6:
      return source.isV4
        ? opaque("ICMPv6", scope, at, end)
        : printIcmpv6(source, destination, quote, scope, at, end);
    case Protocol.Igmp:
      return source.isV4 ? printIgmp(scope, at, end) : opaque("IGMP", scope, at, end);
    case Protocol.Gre:
      return printGre(quote, scope, at, end);
    case Protocol.Udp:
      return printUdp(source, destination, scope, at, end);
    case Protocol.Tcp:
      return printTcp(source, destination, scope, at, end);
    case Protocol.Ipv4:
    case Protocol.Ipv6:
      return quote(scope, at, end);
    default:
      return opaque(protocolName(protocol), scope, at, end);
  }
}

/** The two ports when the payload has them, so that the one line can show them beside the addresses. */
export function ports(protocol: number, { bytes }: Scope, at: number, end: number): readonly number[] {
  if ((protocol !== Protocol.Udp && protocol !== Protocol.Tcp) || end - at < 4) return [];
  return [get16(bytes, at), get16(bytes, at + 2)];
}

/** A GRE header, and the packet of IP in it. */
function printGre(quote: Printer, scope: Scope, at: number, end: number): Printed {
  const { bytes } = scope;
  const error = gre.check(bytes, at, end);
  if (error === WireError.Unrecognized) return opaque("GRE (unrecognized)", scope, at, end);
  if (error !== WireError.None) return broken("GRE", error, at, end);
  const type = gre.protocol(bytes, at);
  const payload = at + gre.headerLength(bytes, at);
  const right = scope.cut || !gre.hasChecksum(bytes, at) || gre.verifyChecksum(bytes, at, end);
  const isIp = type === EtherType.Ipv4 || type === EtherType.Ipv6;
  const inner = isIp ? quote(scope, payload, end) : opaque(etherTypeName(type), scope, payload, end);
  return printed(
    `GRE, ${inner.line}${checksumMark(scope.cut, right)}`,
    `GRE, ${etherTypeName(type)}`,
    [],
    inner,
  );
}

function printUdp(source: Address, destination: Address, scope: Scope, at: number, end: number): Printed {
  const { bytes } = scope;
  const error = udp.check(bytes, at, end);
  if (error !== WireError.None && (error !== WireError.Truncated || end - at < udp.HEADER_LENGTH)) {
    return broken("UDP", error, at, end);
  }
  const cut = scope.cut || error === WireError.Truncated;
  const length = udp.length(bytes, at);
  const right = cut || udp.verifyChecksum(bytes, at, source, destination);
  const none = udp.checksum(bytes, at) === udp.NO_CHECKSUM && right;
  const from = udp.sourcePort(bytes, at), to = udp.destinationPort(bytes, at);
  const data = at + udp.HEADER_LENGTH;
  const inner = printApplication(from, to, { ...scope, cut }, data, Math.min(end, at + length));
  const what = inner === undefined ? "UDP" : `UDP, ${inner.line}`;
  return printed(
    `${what}, length ${length - udp.HEADER_LENGTH}${checksumMark(cut, right)}${cutMark(scope, error)}`,
    `UDP ${from} > ${to}`,
    [
      `length ${length}, ${none ? "no checksum" : checksumField(udp.checksum(bytes, at), cut, right)}`,
      `data ${count(Math.min(end - at, length) - udp.HEADER_LENGTH)}`,
    ],
    inner,
  );
}

function printTcp(source: Address, destination: Address, scope: Scope, at: number, end: number): Printed {
  const { bytes } = scope;
  const error = tcp.check(bytes, at, end);
  if (error !== WireError.None && (error !== WireError.Truncated || end - at < tcp.HEADER_LENGTH)) {
    return broken("TCP", error, at, end);
  }
  const cut = scope.cut || error === WireError.Truncated;
  const right = cut || tcp.verifyChecksum(bytes, at, end, source, destination);
  const flags = tcp.flags(bytes, at);
  const header = tcp.headerLength(bytes, at);
  const names = tcp.flagNames(flags);
  const sequence = `seq ${tcp.sequence(bytes, at) >>> 0}`;
  const acknowledgment = `ack ${tcp.acknowledgment(bytes, at) >>> 0}`;
  const window = `win ${tcp.window(bytes, at)}`;
  const list = error === WireError.None ? tcpOptions(bytes, at) : [];
  const length = Math.max(0, end - at - header);

  const parts = [`TCP ${names}`, sequence];
  if ((flags & tcp.Flag.Ack) !== 0) parts.push(acknowledgment);
  parts.push(window);
  if (list.length > 0) parts.push(`options [${list.join(", ")}]`);
  parts.push(`length ${length}`);
  const fields = [`${sequence}, ${acknowledgment}, ${names}`, `header ${count(header)}, ${window}`];
  fields.push(checksumField(tcp.checksum(bytes, at), cut, right));
  if ((flags & tcp.Flag.Urg) !== 0) fields.push(`urgent pointer ${tcp.urgentPointer(bytes, at)}`);
  for (const option of list) fields.push(`option ${option}`);
  fields.push(`data ${count(length)}`);
  const title = `TCP ${tcp.sourcePort(bytes, at)} > ${tcp.destinationPort(bytes, at)}`;
  return printed(parts.join(", ") + checksumMark(cut, right) + cutMark(scope, error), title, fields);
}

/** Every option in words, padding left out. */
function tcpOptions(bytes: Uint8Array, at: number): string[] {
  const end = options.optionsEnd(bytes, at);
  const list: string[] = [];
  for (let option = at + tcp.HEADER_LENGTH; option < end && bytes[option] !== options.Kind.End;) {
    const length = optionLength(bytes, option, end);
    if (length === 0) return [...list, "malformed"];
    if (bytes[option] !== options.Kind.NoOperation) list.push(tcpOption(bytes, option, length));
    option += length;
  }
  return list;
}

function tcpOption(bytes: Uint8Array, option: number, length: number): string {
  const kind = bytes[option]!;
  if (kind === options.Kind.MaximumSegmentSize && length === 4) return `mss ${get16(bytes, option + 2)}`;
  if (kind === options.Kind.WindowScale && length === 3) return `wscale ${bytes[option + 2]}`;
  if (kind === options.Kind.SackPermitted && length === 2) return "sack permitted";
  if (kind === options.Kind.Timestamps && length === 10) {
    return `timestamps ${options.timestampValue(bytes, option) >>> 0} ${
      options.timestampEcho(bytes, option) >>> 0
    }`;
  }
  if (kind === options.Kind.Sack && length >= 10 && (length & 7) === 2) {
    const blocks: string[] = [];
    for (let block = 0; block < options.sackBlocks(bytes, option); block++) {
      const left = options.sackLeft(bytes, option, block) >>> 0;
      blocks.push(`${left}..${options.sackRight(bytes, option, block) >>> 0}`);
    }
    return `sack ${blocks.join(" ")}`;
  }
  return `${hex(kind, 2)} of ${count(length)}`;
}
