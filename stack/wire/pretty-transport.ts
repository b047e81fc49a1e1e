/**
 * Printing what IP carries: ICMP, UDP and TCP.
 *
 * @module
 */
import { Address } from "./address.ts";
import { formatV4 } from "./address-text.ts";
import { get16, get32 } from "./bytes.ts";
import { WireError } from "./error.ts";
import * as icmpv4 from "./icmpv4.ts";
import { codeName, typeName } from "./icmpv4-names.ts";
import { optionLength } from "./option-list.ts";
import { printIcmpv6 } from "./pretty-icmpv6.ts";
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
} from "./pretty-text.ts";
import { Protocol, protocolName } from "./protocol.ts";
import * as tcp from "./tcp.ts";
import * as options from "./tcp-options.ts";
import * as udp from "./udp.ts";

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

function printIcmpv4(quote: Printer, scope: Scope, at: number, end: number): Printed {
  const { bytes, cut } = scope;
  const error = icmpv4.check(bytes, at, end);
  if (error !== WireError.None) return broken("ICMP", error, at, end);
  const type = icmpv4.type(bytes, at);
  const code = icmpv4.code(bytes, at);
  const right = icmpv4.verifyChecksum(bytes, at, end);
  const name = ["ICMP " + typeName(type), codeName(type, code)].filter((text) => text !== "").join(", ");
  const rest = icmpv4Rest(bytes, at, type, code);
  const marks = checksumMark(cut, right);
  const fields = [`type ${type}, code ${code}`, checksumField(icmpv4.checksum(bytes, at), cut, right)];
  if (rest !== "") fields.push(rest);
  const data = at + icmpv4.HEADER_LENGTH;
  if (icmpv4.isError(type)) {
    // RFC 792: the quoted packet is cut after 8 bytes of payload or more, which is no fault of it.
    const quoted = quote({ bytes, cut: true, depth: scope.depth - 1 }, data, end);
    const line = [name, rest, `for ${quoted.line}`].filter((text) => text !== "");
    return printed(line.join(", ") + marks, name, fields, quoted);
  }
  fields.push(`data ${count(end - data)}`);
  const line = [name, rest, `length ${end - at}`].filter((text) => text !== "").join(", ");
  return printed(line + marks, name, fields);
}

/** What the last four bytes of the header say for this type. */
function icmpv4Rest(bytes: Uint8Array, at: number, type: number, code: number): string {
  switch (type) {
    case icmpv4.Type.EchoRequest:
    case icmpv4.Type.EchoReply:
    case icmpv4.Type.TimestampRequest:
    case icmpv4.Type.TimestampReply:
      return `id ${icmpv4.identifier(bytes, at)}, seq ${icmpv4.sequence(bytes, at)}`;
    case icmpv4.Type.DestinationUnreachable:
      return code === icmpv4.Unreachable.FragmentationNeeded ? `mtu ${icmpv4.nextHopMtu(bytes, at)}` : "";
    case icmpv4.Type.Redirect:
      return `gateway ${formatV4(get32(bytes, at + icmpv4.GATEWAY))}`;
    case icmpv4.Type.ParameterProblem:
      return code === icmpv4.Problem.Pointer ? `pointer ${icmpv4.pointer(bytes, at)}` : "";
    default:
      return "";
  }
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
  return printed(
    `UDP, length ${length - udp.HEADER_LENGTH}${checksumMark(cut, right)}${cutMark(scope, error)}`,
    `UDP ${udp.sourcePort(bytes, at)} > ${udp.destinationPort(bytes, at)}`,
    [
      `length ${length}, ${none ? "no checksum" : checksumField(udp.checksum(bytes, at), cut, right)}`,
      `data ${count(Math.min(end - at, length) - udp.HEADER_LENGTH)}`,
    ],
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
