/**
 * The byte formats, a namespace a protocol: what the layers read and write packets with, for whoever makes or takes
 * packets by hand.
 *
 * In all of them a header is its bytes: functions take `(bytes, at)`, `at` being the header's first byte, and neither
 * copy nor allocate. `check` says whether what is there can be read, and after that every accessor is safe:
 *
 * ```ts
 * import { wire, WireError } from "@ethox/ethox";
 *
 * const frame = new Uint8Array(64);
 * const at = wire.ethernet.HEADER_LENGTH;
 * if (wire.ipv4.check(frame, at, frame.length) === WireError.None) console.log(wire.ipv4.protocol(frame, at));
 * ```
 *
 * @module
 */
export * as arp from "./arp.ts";
export * as bytes from "./bytes.ts";
export * as checksum from "./checksum.ts";
export * as dhcpv4 from "./dhcpv4.ts";
export * as dhcpv6 from "./dhcpv6.ts";
export * as dns from "./dns.ts";
export * as dnsName from "./dns-name.ts";
export * as dnsRecord from "./dns-record.ts";
export * as ethernet from "./ethernet.ts";
export * as gre from "./gre.ts";
export * as icmpv4 from "./icmpv4.ts";
export * as icmpv6 from "./icmpv6.ts";
export * as igmp from "./igmp.ts";
export * as ipv4 from "./ipv4.ts";
export * as ipv4Options from "./ipv4-options.ts";
export * as ipv6 from "./ipv6.ts";
export * as ipv6Extension from "./ipv6-extension.ts";
export * as mld from "./mld.ts";
export * as ndp from "./ndp.ts";
export * as ndpOptions from "./ndp-options.ts";
export * as optionList from "./option-list.ts";
export * as tcp from "./tcp.ts";
export * as tcpOptions from "./tcp-options.ts";
export * as udp from "./udp.ts";
export * as vlan from "./vlan.ts";
export { multicastMac } from "./address.ts";
