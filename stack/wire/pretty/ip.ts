/**
 * Printing IPv4 and IPv6 packets.
 *
 * @module
 */
import { Address } from "../address.ts";
import { WireError } from "../error.ts";
import * as ipv4 from "../ipv4.ts";
import * as ipv6 from "../ipv6.ts";
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
  type Scope,
} from "./text.ts";
import { readChain } from "./extension.ts";
import { ports, printPayload } from "./transport.ts";
import { protocolName } from "../protocol.ts";

/** Prints an IP packet of the version that its first byte tells. */
export function printIp(scope: Scope, at: number, end: number): Printed {
  if (scope.depth <= 0) return opaque("nested too deep", scope, at, end);
  const version = at < end ? scope.bytes[at]! >> 4 : 0;
  if (version === 4) return printIpv4(scope, at, end);
  if (version === 6) return printIpv6(scope, at, end);
  return at < end
    ? opaque(`IP version ${version}`, scope, at, end)
    : broken("IP", WireError.Truncated, at, end);
}

/** Prints an IPv4 packet. */
export function printIpv4(scope: Scope, at: number, end: number): Printed {
  const { bytes } = scope;
  const error = ipv4.check(bytes, at, end);
  if (error === WireError.Unrecognized) {
    return opaque(`IPv4 (version ${ipv4.version(bytes, at)})`, scope, at, end);
  }
  const header = ipv4.headerLength(bytes, at);
  if (error === WireError.Malformed || end - at < Math.max(header, ipv4.HEADER_LENGTH)) {
    return broken("IPv4", error, at, end);
  }
  const cut = scope.cut || error === WireError.Truncated;
  const total = ipv4.totalLength(bytes, at);
  const stop = Math.min(end, at + total);
  const source = new Address().readV4(bytes, at + ipv4.SOURCE);
  const destination = new Address().readV4(bytes, at + ipv4.DESTINATION);
  const protocol = ipv4.protocol(bytes, at);
  const right = ipv4.verifyChecksum(bytes, at);
  const wellFormed = ipv4.checkOptions(bytes, at) === WireError.None;

  const flags: string[] = [];
  if (ipv4.dontFragment(bytes, at)) flags.push("don't fragment");
  if (ipv4.moreFragments(bytes, at)) flags.push("more fragments");
  const offset = ipv4.fragmentOffset(bytes, at);
  const payload = at + header;
  // Only a whole packet's checksum covers what is here, and only the first fragment has the header above.
  const inner = { bytes, cut: cut || ipv4.isFragment(bytes, at), depth: scope.depth - 1 };
  const whole = offset === 0
    ? printPayload(protocol, source, destination, printIp, inner, payload, stop)
    : opaque(`${protocolName(protocol)} fragment`, inner, payload, stop);
  const line = ipv4.isFragment(bytes, at) ? fragmentLine(bytes, at, payload, stop) : whole.line;
  const marks = cutMark(scope, error) + checksumMark(false, right, "header checksum") +
    (wellFormed ? "" : " (malformed options)");
  const ends = endpoints(source, destination, offset === 0 ? ports(protocol, inner, payload, stop) : []);
  const fields = [
    `header ${count(header)}, total ${count(total)}${cutMark(scope, error)}, ${
      trafficClass(ipv4.trafficClass(bytes, at))
    }`,
    [`id ${ipv4.identification(bytes, at)}`, ...flags, `offset ${offset}`].join(", "),
    `hop limit ${ipv4.hopLimit(bytes, at)}, protocol ${protocolName(protocol)}, ` +
    checksumField(ipv4.headerChecksum(bytes, at), false, right),
  ];
  if (header > ipv4.HEADER_LENGTH) {
    fields.push(`options ${count(header - ipv4.HEADER_LENGTH)}${wellFormed ? "" : " (malformed)"}`);
  }
  return printed(`${ends}: ${line}${marks}`, `IPv4 ${source} > ${destination}`, fields, whole);
}

function fragmentLine(bytes: Uint8Array, at: number, payload: number, stop: number): string {
  const name = `${protocolName(ipv4.protocol(bytes, at))} fragment`;
  const place = `id ${ipv4.identification(bytes, at)}, offset ${ipv4.fragmentOffset(bytes, at)}`;
  return `${name}, ${place}, ${ipv4.moreFragments(bytes, at) ? "more" : "last"}, length ${stop - payload}`;
}

/** Prints an IPv6 packet. */
export function printIpv6(scope: Scope, at: number, end: number): Printed {
  const { bytes } = scope;
  const error = ipv6.check(bytes, at, end);
  if (error === WireError.Unrecognized) {
    return opaque(`IPv6 (version ${ipv6.version(bytes, at)})`, scope, at, end);
  }
  if (end - at < ipv6.HEADER_LENGTH) return broken("IPv6", WireError.Truncated, at, end);
  const cut = scope.cut || error === WireError.Truncated;
  const length = ipv6.payloadLength(bytes, at);
  const payload = at + ipv6.HEADER_LENGTH;
  const stop = Math.min(end, payload + length);
  const source = new Address().readV6(bytes, at + ipv6.SOURCE);
  const destination = new Address().readV6(bytes, at + ipv6.DESTINATION);
  const next = ipv6.nextHeader(bytes, at);
  const chain = readChain(bytes, next, payload, stop);
  // Only a whole packet's checksum covers what is here, and only the first fragment has the header above.
  const inner = { bytes, cut: cut || chain.fragment !== undefined, depth: scope.depth - 1 };
  const { protocol, at: upper } = chain;
  const name = `${protocolName(protocol)} fragment`;
  const whole = chain.isLater
    ? opaque(name, inner, upper, stop)
    : printPayload(protocol, source, destination, printIp, inner, upper, stop);
  const line = chain.fragment === undefined
    ? whole.line
    : `${name}, ${chain.fragment}, length ${stop - upper}`;
  const ends = endpoints(source, destination, chain.isLater ? [] : ports(protocol, inner, upper, stop));
  return printed(`${ends}: ${line}${cutMark(scope, error)}`, `IPv6 ${source} > ${destination}`, [
    `payload ${count(length)}${cutMark(scope, error)}, ${trafficClass(ipv6.trafficClass(bytes, at))}, ` +
    `flow label ${hex(ipv6.flowLabel(bytes, at), 5)}`,
    `hop limit ${ipv6.hopLimit(bytes, at)}, next header ${protocolName(next)}`,
    ...chain.fields,
  ], whole);
}

function trafficClass(value: number): string {
  return `traffic class ${hex(value, 2)}`;
}

function endpoints(source: Address, destination: Address, ports: readonly number[]): string {
  const [from, to] = ports;
  if (from === undefined || to === undefined) return `${source} > ${destination}`;
  return `${endpoint(source, from)} > ${endpoint(destination, to)}`;
}

function endpoint(address: Address, port: number): string {
  return address.isV4 ? `${address}:${port}` : `[${address}]:${port}`;
}
