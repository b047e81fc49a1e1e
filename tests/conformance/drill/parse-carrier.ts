/**
 * Reads what a packet may be carried in, and what is said of IP headers.
 *
 * @module
 */
import { Address } from "../../../stack/wire/address.ts";
import type { Carrier, Ecn, Fault, GreHeader, IpInfo, MplsLabel } from "./ast.ts";
import type { Cursor } from "./cursor.ts";

/** An IP header of which nothing is said. */
export const NO_INFO: IpInfo = {
  ecn: undefined,
  trafficClass: undefined,
  hopLimit: undefined,
  flowLabel: undefined,
  totalLength: undefined,
  fault: undefined,
};

const ECN: readonly Ecn[] = ["noecn", "ect0", "ect1", "ect01", "ce"];
const FAULTS: readonly Fault[] = ["badsum", "nosum", "badipsum", "badlen"];
const CARRIERS_MAX = 8;

/** Reads all headers around a packet, each with the colon behind it. */
export function parseCarriers(cursor: Cursor): Carrier[] {
  const carriers: Carrier[] = [];
  for (;;) {
    const { token } = cursor;
    const carrier = parseCarrier(cursor);
    if (carrier === undefined) return carriers;
    if (carriers.length === CARRIERS_MAX) {
      cursor.failAt(token.at, `a packet may be carried in at most ${CARRIERS_MAX} headers`);
    }
    carriers.push(carrier);
    cursor.expect(":");
  }
}

function parseCarrier(cursor: Cursor): Carrier | undefined {
  if (cursor.accept("ipv4")) return parseIp(cursor, true);
  if (cursor.accept("ipv6")) return parseIp(cursor, false);
  if (cursor.accept("gre") || cursor.accept("GREv0")) {
    cursor.accept(",");
    return { kind: "gre", header: cursor.is(":") ? undefined : parseGreHeader(cursor) };
  }
  if (cursor.accept("mpls")) return { kind: "mpls", labels: parseMplsLabels(cursor) };
  return undefined;
}

function parseIp(cursor: Cursor, isV4: boolean): Carrier {
  const info = parseIpInfo(cursor);
  const source = parseAddress(cursor, isV4);
  cursor.expect(">");
  return { kind: "ip", isV4, info, source, destination: parseAddress(cursor, isV4) };
}

/** Reads an address of this family that stands without quotes. */
export function parseAddress(cursor: Cursor, isV4: boolean): Address {
  const { at, text } = cursor.take(isV4 ? "ipv4" : "ipv6", `an ${isV4 ? "IPv4" : "IPv6"} address`);
  const address = Address.tryParse(text);
  if (address === undefined || address.isV4 !== isV4) cursor.failAt(at, `"${text}" is no IP address`);
  return address;
}

/** Reads `[ect0, ttl 64]` or `(tos 0x10)`, if one is next. */
export function parseIpInfo(cursor: Cursor): IpInfo {
  // `[2001:db8::1]:53` is an address with a port.
  if (cursor.peek().kind === "ipv6") return NO_INFO;
  const closing = cursor.is("[") ? "]" : cursor.is("(") ? ")" : undefined;
  if (closing === undefined) return NO_INFO;
  cursor.next();
  let info = NO_INFO;
  do info = { ...info, ...parseIpField(cursor) }; while (cursor.accept(","));
  if (!cursor.is(closing)) cursor.fail(`"," or "${closing}"`);
  cursor.next();
  return info;
}

function parseIpField(cursor: Cursor): Partial<IpInfo> {
  for (const ecn of ECN) if (cursor.accept(ecn)) return { ecn };
  for (const fault of FAULTS) if (cursor.accept(fault)) return { fault };
  if (cursor.accept("tos")) return { trafficClass: cursor.number("type of service", 0, 0xff) };
  if (cursor.accept("ttl")) return { hopLimit: cursor.number("time to live", 0, 0xff) };
  if (cursor.accept("flowlabel")) return { flowLabel: cursor.number("flow label", 0, 0xfffff) };
  if (cursor.accept("len")) return { totalLength: cursor.number("length", 0, 0xffff) };
  cursor.fail(`one of ${[...ECN, "tos", "ttl", "flowlabel", "len", ...FAULTS].join(", ")}`);
}

// RFC 2784 2.1 and RFC 2890 2: the bits that say which optional fields are present.
const GRE_FLAGS: readonly (readonly [string, number])[] = [
  ["checksum", 0x8000],
  ["key", 0x2000],
  ["sequence#", 0x1000],
  ["sequence", 0x1000],
];

/** Reads a GRE header's fields. */
export function parseGreHeader(cursor: Cursor): GreHeader {
  if (!cursor.accept("Flags")) cursor.expect("flags");
  const flags = parseGreFlags(cursor);
  cursor.accept(",");
  cursor.expect("sum");
  const sum = cursor.number("checksum", 0, 0xffff);
  cursor.accept(",");
  cursor.expect("off");
  const offset = cursor.number("offset", 0, 0xffff);
  cursor.accept(",");
  cursor.expect("key");
  cursor.accept("=");
  const key = cursor.number("key", 0, 0xffffffff);
  cursor.accept(",");
  cursor.expect("seq");
  return { flags, sum, offset, key, sequence: cursor.number("sequence number", 0, 0xffffffff) };
}

function parseGreFlags(cursor: Cursor): number {
  if (!cursor.accept("[")) return cursor.number("number of flags", 0, 0xffff);
  let flags = 0;
  do flags |= parseGreFlag(cursor); while (cursor.accept(","));
  cursor.expect("]");
  return flags;
}

function parseGreFlag(cursor: Cursor): number {
  if (cursor.accept("none")) return 0;
  for (const [name, bit] of GRE_FLAGS) {
    if (!cursor.accept(name)) continue;
    cursor.expect("present");
    return bit;
  }
  cursor.fail("none, checksum present, key present or sequence# present");
}

/** Reads the entries of an MPLS label stack, if there are any. */
export function parseMplsLabels(cursor: Cursor): MplsLabel[] {
  const labels: MplsLabel[] = [];
  while (cursor.accept("(")) {
    cursor.expect("label");
    const label = cursor.integer("label", 0, 0xfffff);
    cursor.expect(",");
    cursor.expect("tc");
    const trafficClass = cursor.integer("traffic class", 0, 7);
    cursor.expect(",");
    const isBottom = cursor.accept("[");
    if (isBottom) {
      cursor.expect("S");
      cursor.expect("]");
      cursor.expect(",");
    }
    cursor.expect("ttl");
    const ttl = cursor.integer("time to live", 0, 0xff);
    cursor.expect(")");
    labels.push({ label, trafficClass, isBottom, ttl });
  }
  return labels;
}
