/**
 * Reads packets: the arrow, what they are carried in, and a TCP segment, UDP datagram or ICMP message.
 *
 * @module
 */
import type { Address } from "../../../stack/wire/address.ts";
import type { IcmpBody, PacketAction, Pair, Quoted, TcpBody, UdpBody } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { parseAddress, parseCarriers, parseIpInfo } from "./parse-carrier.ts";
import { parseFlags, parseSequence, parseTcpOptions } from "./parse-tcp.ts";

/** Who sends a packet to whom, where the script tells. */
interface Ends {
  readonly addresses: Pair<Address> | undefined;
  readonly ports: Pair<number> | undefined;
}

const NO_ENDS: Ends = { addresses: undefined, ports: undefined };

/** Reads a packet; the arrow is next. */
export function parsePacket(cursor: Cursor): PacketAction {
  const { at, text } = cursor.next();
  const direction = text === "<" ? "in" : "out";
  const carriers = parseCarriers(cursor);
  // Old scripts have the quoted packet before "icmp".
  const quoted = isQuoted(cursor) ? parseQuoted(cursor) : undefined;
  const infoAt = cursor.token.at;
  const ip = parseIpInfo(cursor);
  if (ip.ecn === "ect01" && direction === "in") {
    cursor.failAt(infoAt, "ect01 is only for packets that must go out (>)");
  }
  if (ip.fault !== undefined && direction === "out") {
    cursor.failAt(infoAt, `${ip.fault} is only for packets that come in (<)`);
  }
  if (ip.totalLength !== undefined && direction === "in") {
    cursor.failAt(infoAt, "len is only for packets that must go out (>)");
  }
  let ends = parseEnds(cursor);
  if (quoted !== undefined && !cursor.is("icmp")) cursor.fail('"icmp", as a quoted packet was given');
  let body: PacketAction["body"];
  if (cursor.accept("udp")) {
    if (ends === NO_ENDS) ends = parseEnds(cursor);
    body = parseUdp(cursor);
  } else if (cursor.accept("icmp")) body = parseIcmp(cursor, quoted);
  else body = parseTcp(cursor, direction);
  return { kind: "packet", at, direction, carriers, ip, ...ends, body };
}

/** Reads `5000 > 80`, `10.0.0.1:5000 > 10.0.0.2:80`, `[::1]:5000 > [::2]:80` or `10.0.0.1 > 10.0.0.2`, if one is next. */
function parseEnds(cursor: Cursor): Ends {
  const { token } = cursor;
  if (token.kind === "ipv4" || token.kind === "ipv6") return parseAddresses(cursor, token.kind === "ipv4");
  if (cursor.is("[") && cursor.peek().kind === "ipv6") return parseAddresses(cursor, false);
  if (token.kind !== "integer" || cursor.peek().text !== ">") return NO_ENDS;
  const source = cursor.integer("port", 0, 65_535);
  cursor.expect(">");
  return { addresses: undefined, ports: { source, destination: cursor.integer("port", 0, 65_535) } };
}

function parseAddresses(cursor: Cursor, isV4: boolean): Ends {
  const source = parseEnd(cursor, isV4);
  const sourcePort = cursor.accept(":") ? cursor.integer("port", 0, 65_535) : undefined;
  cursor.expect(">");
  const addresses = { source, destination: parseEnd(cursor, isV4) };
  if (sourcePort === undefined) return { addresses, ports: undefined };
  cursor.expect(":");
  return { addresses, ports: { source: sourcePort, destination: cursor.integer("port", 0, 65_535) } };
}

/** Reads an address, of IPv6 with or without the brackets that keep a port away from it (RFC 5952 6). */
function parseEnd(cursor: Cursor, isV4: boolean): Address {
  const isBracketed = cursor.accept("[");
  const address = parseAddress(cursor, isV4);
  if (isBracketed) cursor.expect("]");
  return address;
}

function parseTcp(cursor: Cursor, direction: "in" | "out"): TcpBody {
  const flags = parseFlags(cursor);
  const { sequence, length } = parseSequence(cursor);
  const acknowledgment = parseNumber(cursor, "ack", "acknowledgment number", 0xffffffff);
  const window = parseNumber(cursor, "win", "window", 0xffff);
  const urgent = parseNumber(cursor, "urg", "urgent pointer", 0xffff);
  const options = cursor.is("<") ? parseTcpOptions(cursor, direction) : [];
  const mutation = cursor.is("{") ? parseMutation(cursor) : undefined;
  return { kind: "tcp", flags, sequence, length, acknowledgment, window, urgent, options, mutation };
}

/** The text of `{...}`: what a fuzzer is to do with the packet. */
function parseMutation(cursor: Cursor): string {
  const start = cursor.next();
  while (!cursor.is("}")) {
    if (cursor.token.kind === "end") cursor.failAt(start.at, "this brace is not closed by }");
    cursor.next();
  }
  return cursor.source.slice(start.end, cursor.next().start).trim();
}

function parseUdp(cursor: Cursor): UdpBody {
  return { kind: "udp", length: parseLength(cursor) };
}

function parseIcmp(cursor: Cursor, early: Quoted | undefined): IcmpBody {
  const { text: type, at } = cursor.take("word", "an ICMP message's type");
  const code = cursor.token.kind === "word" && !isField(cursor.token.text) && isSameLine(cursor)
    ? cursor.next().text
    : undefined;
  const mtu = parseNumber(cursor, "mtu", "MTU", 0xffffffff);
  const identifier = parseNumber(cursor, "id", "identifier", 0xffff);
  const sequence = parseNumber(cursor, "seq", "sequence number", 0xffff);
  return { kind: "icmp", at, type, code, mtu, identifier, sequence, quoted: early ?? parseQuoted(cursor) };
}

const isField = (text: string) => text === "mtu" || text === "id" || text === "seq";

/** A code stands beside its type: a word on another line is no code, but a mistake to be reported as such. */
function isSameLine(cursor: Cursor): boolean {
  return cursor.token.at.line === cursor.last.at.line;
}

function isQuoted(cursor: Cursor): boolean {
  const next = cursor.peek();
  return cursor.is("[") && (next.kind === "integer" || next.text === "udp" || next.text === "raw");
}

function parseQuoted(cursor: Cursor): Quoted | undefined {
  if (!cursor.accept("[")) return undefined;
  let quoted: Quoted;
  if (cursor.accept("udp")) quoted = { kind: "udp", length: parseLength(cursor) };
  else if (cursor.accept("raw")) quoted = { kind: "raw", length: parseLength(cursor) };
  else if (cursor.token.kind === "integer") quoted = { kind: "tcp", ...parseSequence(cursor) };
  else cursor.fail("the quoted packet: udp (length), raw (length) or a TCP sequence such as 1:1001(1000)");
  cursor.expect("]");
  return quoted;
}

function parseLength(cursor: Cursor): number {
  cursor.expect("(");
  const length = cursor.integer("payload length", 0, 65_535);
  cursor.expect(")");
  return length;
}

/** Reads `name number`, if it is next. */
function parseNumber(cursor: Cursor, name: string, what: string, max: number): number | undefined {
  return cursor.accept(name) ? cursor.integer(what, 0, max) : undefined;
}
