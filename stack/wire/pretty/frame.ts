/**
 * The pretty printer: any bytes of a frame as one line, or as a tree with every field. It never throws, reads
 * only the bytes it is given, and marks what is truncated, malformed or has a wrong checksum.
 *
 * @module
 */
import { Address } from "../address.ts";
import * as arp from "../arp.ts";
import { get16 } from "../bytes.ts";
import { WireError } from "../error.ts";
import * as ethernet from "../ethernet.ts";
import { EtherType } from "../ethernet.ts";
import { Mac } from "../mac.ts";
import { printIp, printIpv4, printIpv6 } from "./ip.ts";
import { broken, opaque, type Printed, printed, type Scope } from "./text.ts";

// Deeper nesting (tunnels, ICMP errors about ICMP errors) is nothing that people send.
const DEPTH = 8;

/**
 * The Ethernet frame `bytes[at..end)` in one line, such as
 * `10.0.0.2 > 10.0.0.1: ICMP echo request, id 5, seq 1, length 64`; with `macs`, after both hardware
 * addresses.
 */
export function describe(bytes: Uint8Array, at: number, end: number, macs: boolean = false): string {
  const { line } = printEthernet(scope(bytes), at, clamp(bytes, end));
  const whole = ethernet.check(bytes, at, clamp(bytes, end)) === WireError.None;
  return macs && whole ? `${stations(bytes, at)}, ${line}` : line;
}

/**
 * The Ethernet frame `bytes[at..end)` as a tree: one string a line, what a layer carries indented below it.
 */
export function explain(bytes: Uint8Array, at: number, end: number): string[] {
  return [...printEthernet(scope(bytes), at, clamp(bytes, end)).tree];
}

/** As {@linkcode describe}, for the IP packet of either version `bytes[at..end)`. */
export function describeIp(bytes: Uint8Array, at: number, end: number): string {
  return printIp(scope(bytes), at, clamp(bytes, end)).line;
}

/** As {@linkcode explain}, for the IP packet of either version `bytes[at..end)`. */
export function explainIp(bytes: Uint8Array, at: number, end: number): string[] {
  return [...printIp(scope(bytes), at, clamp(bytes, end)).tree];
}

function scope(bytes: Uint8Array): Scope {
  return { bytes, cut: false, depth: DEPTH };
}

function clamp(bytes: Uint8Array, end: number): number {
  return Math.min(end, bytes.length);
}

function stations(bytes: Uint8Array, at: number): string {
  const source = new Mac().read(bytes, at + ethernet.SOURCE);
  return `${source} > ${new Mac().read(bytes, at + ethernet.DESTINATION)}`;
}

function printEthernet(scope: Scope, at: number, end: number): Printed {
  const { bytes } = scope;
  const error = ethernet.check(bytes, at, end);
  if (error !== WireError.None) return broken("Ethernet", error, at, end);
  const type = ethernet.etherType(bytes, at);
  const inner = printEtherType(type, scope, at + ethernet.HEADER_LENGTH, end);
  return printed(inner.line, `Ethernet ${stations(bytes, at)}, ${ethernet.etherTypeName(type)}`, [], inner);
}

function printEtherType(type: number, scope: Scope, at: number, end: number): Printed {
  switch (type) {
    case EtherType.Ipv4:
      return printIpv4(scope, at, end);
    case EtherType.Ipv6:
      return printIpv6(scope, at, end);
    case EtherType.Arp:
      return printArp(scope, at, end);
    case EtherType.Vlan:
      return printVlan(scope, at, end);
    default:
      return opaque(ethernet.etherTypeName(type), scope, at, end);
  }
}

/** An IEEE 802.1Q tag: two bytes of priority and network, then the type of what follows. */
function printVlan(scope: Scope, at: number, end: number): Printed {
  const { bytes } = scope;
  if (end - at < 4) return broken("802.1Q", WireError.Truncated, at, end);
  if (scope.depth <= 0) return opaque("nested too deep", scope, at, end);
  const tag = get16(bytes, at);
  const type = get16(bytes, at + 2);
  const inner = printEtherType(type, { ...scope, depth: scope.depth - 1 }, at + 4, end);
  const title = `vlan ${tag & 0xfff}, priority ${tag >> 13}`;
  return printed(
    `vlan ${tag & 0xfff}, ${inner.line}`,
    `802.1Q ${title}, ${ethernet.etherTypeName(type)}`,
    [],
    inner,
  );
}

function printArp(scope: Scope, at: number, end: number): Printed {
  const { bytes } = scope;
  const error = arp.check(bytes, at, end);
  if (error === WireError.Unrecognized) return opaque("ARP (unrecognized)", scope, at, end);
  if (error !== WireError.None) return broken("ARP", error, at, end);
  const operation = arp.operation(bytes, at);
  const senderMac = new Mac().read(bytes, at + arp.SENDER_MAC);
  const sender = new Address().readV4(bytes, at + arp.SENDER_ADDRESS);
  const target = new Address().readV4(bytes, at + arp.TARGET_ADDRESS);
  const request = operation === arp.Operation.Request;
  return printed(
    request ? `ARP who has ${target}? tell ${sender}` : `ARP ${sender} is at ${senderMac}`,
    request ? "ARP request" : "ARP reply",
    [`sender ${senderMac} ${sender}`, `target ${new Mac().read(bytes, at + arp.TARGET_MAC)} ${target}`],
  );
}
