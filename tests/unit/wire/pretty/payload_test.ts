import { deepEqual, equal } from "node:assert/strict";
import { Address } from "../../../../stack/wire/address.ts";
import { put16, put32 } from "../../../../stack/wire/bytes.ts";
import * as dhcpv4 from "../../../../stack/wire/dhcpv4.ts";
import * as dhcpv6 from "../../../../stack/wire/dhcpv6.ts";
import * as dns from "../../../../stack/wire/dns.ts";
import { nameBytes } from "../../../../stack/wire/dns-name.ts";
import { EtherType } from "../../../../stack/wire/ethernet.ts";
import * as gre from "../../../../stack/wire/gre.ts";
import { Type } from "../../../../stack/wire/icmpv6.ts";
import * as igmp from "../../../../stack/wire/igmp.ts";
import { Mac } from "../../../../stack/wire/mac.ts";
import * as mld from "../../../../stack/wire/mld.ts";
import { OptionType, PrefixFlag } from "../../../../stack/wire/ndp-options.ts";
import { describeIp, explainIp } from "../../../../stack/wire/pretty/frame.ts";
import { Protocol } from "../../../../stack/wire/protocol.ts";
import * as udp from "../../../../stack/wire/udp.ts";
import { concat, data, icmp, ipv4 } from "../../../support/frames.ts";
import { icmpv6, ipv6 } from "../../../support/frames-v6.ts";

const line = (packet: Uint8Array) => describeIp(packet, 0, packet.length);
/** The lines of the tree below a layer's title, without their indentation. */
const below = (packet: Uint8Array, title: RegExp) => {
  const tree = explainIp(packet, 0, packet.length).map((text) => text.trim());
  return tree.slice(tree.findIndex((text) => title.test(text)) + 1);
};

const MAC = Mac.parse("02:00:00:00:00:05");
const ENDS = "10.0.0.2 > 10.0.0.1";

/** A datagram of IPv4 between these ports. */
function datagram(from: number, to: number, payload: Uint8Array, fields = {}): Uint8Array {
  const bytes = concat(new Uint8Array(udp.HEADER_LENGTH), payload);
  udp.setSourcePort(bytes, 0, from);
  udp.setDestinationPort(bytes, 0, to);
  udp.setLength(bytes, 0, bytes.length);
  return ipv4(bytes, { protocol: Protocol.Udp, ...fields });
}

Deno.test("pretty: IGMP tells its version and its groups (RFC 3376 4, RFC 2236 2)", () => {
  const group = Address.parse("224.0.0.251");
  const old = new Uint8Array(igmp.HEADER_LENGTH);
  igmp.emit(old, 0, igmp.Type.Leave, group);
  equal(line(ipv4(old, { protocol: Protocol.Igmp })), `${ENDS}: IGMP leave, group 224.0.0.251`);
  const report = new Uint8Array(igmp.HEADER_LENGTH + 2 * igmp.RECORD_LENGTH + 8);
  igmp.emitReport(report, 0, 3);
  igmp.emitRecord(report, 8, igmp.RecordType.ToExclude, group);
  igmp.emitRecord(report, 16, 5, Address.parse("232.1.1.1"));
  put16(report, 18, 2);
  igmp.fillChecksum(report, 0, report.length);
  const said = "to exclude 224.0.0.251, allow 232.1.1.1 of 2 sources, 1 more";
  equal(line(ipv4(report, { protocol: Protocol.Igmp })), `${ENDS}: IGMP report v3, ${said}`);
  report[4]! ^= 1;
  equal(line(ipv4(report, { protocol: Protocol.Igmp })), `${ENDS}: IGMP report v3, ${said} (wrong checksum)`);
  equal(line(ipv4(data(7), { protocol: Protocol.Igmp })), `${ENDS}: IGMP (truncated), 7 bytes`);
});

Deno.test("pretty: a report of MLDv2 tells its groups (RFC 3810 5.2)", () => {
  const body = new Uint8Array(mld.REPORT2_LENGTH + mld.RECORD_LENGTH);
  mld.emitReport(body, 0, 1);
  mld.emitRecord(body, mld.REPORT2_LENGTH, 2, Address.parse("ff02::fb"));
  const message = icmpv6(body.subarray(8), { type: Type.MulticastListenerReportV2, rest: 1 });
  equal(
    line(ipv6(message)),
    "2001:db8::2 > 2001:db8::1: ICMPv6 multicast listener report v2, exclude ff02::fb, length 28",
  );
});

Deno.test("pretty: a router advertisement has its options in the tree (RFC 4861 4.2, RFC 8106 5.1)", () => {
  const prefix = new Uint8Array(32);
  prefix.set([OptionType.Prefix, 4, 64, PrefixFlag.OnLink | PrefixFlag.Autonomous]);
  put32(prefix, 4, 86_400);
  put32(prefix, 8, 0xffffffff);
  Address.parse("2001:db8:1::").writeV6(prefix, 16);
  const mtu = Uint8Array.of(OptionType.Mtu, 1, 0, 0, 0, 0, 0x05, 0x00);
  const servers = new Uint8Array(24);
  servers.set([OptionType.DnsServers, 3, 0, 0, 0, 0, 0, 60]);
  Address.parse("2001:db8::53").writeV6(servers, 8);
  const link = Uint8Array.of(OptionType.SourceLinkAddress, 1, 2, 0, 0, 0, 0, 5);
  const unknown = Uint8Array.of(200, 1, 0, 0, 0, 0, 0, 0), cut = Uint8Array.of(3, 4, 0);
  const body = concat(new Uint8Array(8), prefix, mtu, servers, link, unknown, cut);
  const packet = ipv6(icmpv6(body, { type: Type.RouterAdvertisement, rest: 0x4000_0708 }));
  deepEqual(below(packet, /^checksum/), [
    "hop limit 64, lifetime 1800 s",
    "option prefix 2001:db8:1::/64, on link, autonomous, valid 86400 s, preferred for ever",
    "option mtu 1280",
    "option dns 2001:db8::53, lifetime 60 s",
    "option source link address 02:00:00:00:00:05",
    "option type 200 of 8 bytes",
    "option malformed",
    "data 91 bytes",
  ]);
});

Deno.test("pretty: what GRE carries is printed (RFC 2784 2)", () => {
  const header = new Uint8Array(gre.HEADER_LENGTH);
  gre.emit(header, 0, EtherType.Ipv4);
  const inside = ipv4(icmp());
  equal(line(ipv4(concat(header, inside), { protocol: Protocol.Gre })), `${ENDS}: GRE, ${line(inside)}`);
  gre.emit(header, 0, EtherType.Arp);
  equal(line(ipv4(concat(header, data(3)), { protocol: Protocol.Gre })), `${ENDS}: GRE, ARP, length 3`);
  header[0] = 0x40;
  equal(line(ipv4(header, { protocol: Protocol.Gre })), `${ENDS}: GRE (unrecognized), length 4`);
});

Deno.test("pretty: DHCP tells what is wanted and what is given (RFC 2131, RFC 2132)", () => {
  const bytes = new Uint8Array(400);
  let option = dhcpv4.emit(bytes, 0, dhcpv4.Op.Reply, 0x12345678, 3, false, MAC);
  Address.parse("10.0.0.50").writeV4(bytes, dhcpv4.YOUR_ADDRESS);
  option = dhcpv4.put8Option(bytes, option, dhcpv4.Option.MessageType, dhcpv4.MessageType.Ack);
  option = dhcpv4.put32Option(bytes, option, dhcpv4.Option.LeaseTime, 3_600);
  option = dhcpv4.putOption(bytes, option, dhcpv4.Option.DnsServer, [10, 0, 0, 2, 10, 0, 0, 3]);
  const packet = datagram(67, 68, bytes.slice(0, dhcpv4.putEnd(bytes, 0, option)));
  const said = "DHCP ack, client 02:00:00:00:00:05, gets 10.0.0.50";
  equal(line(packet), `10.0.0.2:67 > 10.0.0.1:68: UDP, ${said}, length 300`);
  deepEqual(below(packet, /^DHCP/), [
    "client 02:00:00:00:00:05, transaction 0x12345678, 3 s",
    "gets 10.0.0.50",
    "option dns 10.0.0.2 10.0.0.3",
    "option lease 3600 s",
  ]);
  equal(line(datagram(67, 68, data(10))), "10.0.0.2:67 > 10.0.0.1:68: UDP, length 10");
  const v6 = new Uint8Array(dhcpv6.emit(new Uint8Array(4), 0, dhcpv6.MessageType.InformationRequest, 7));
  dhcpv6.emit(v6, 0, dhcpv6.MessageType.InformationRequest, 7);
  equal(
    line(datagram(546, 547, v6)),
    "10.0.0.2:546 > 10.0.0.1:547: UDP, DHCPv6 information request, transaction 0x000007, length 4",
  );
});

Deno.test("pretty: DNS tells what is asked, and what is answered (RFC 1035 4.1)", () => {
  const name = nameBytes("www.example.com")!, alias = nameBytes("example.com")!;
  const bytes = new Uint8Array(300);
  let end = dns.emit(bytes, 0, 99, dns.Flag.RecursionDesired, 1, 0, 0, 0);
  end = dns.putQuestion(bytes, end, name, dns.Type.A);
  const query = datagram(40_000, 53, bytes.slice(0, end));
  equal(line(query), "10.0.0.2:40000 > 10.0.0.1:53: UDP, DNS query, id 99, A www.example.com, length 33");
  end = dns.emit(bytes, 0, 99, dns.Flag.Response, 1, 2, 0, 0);
  end = dns.putQuestion(bytes, end, name, dns.Type.A);
  end = dns.putRecord(bytes, end, name, dns.Type.CNAME, 1, 60, alias);
  end = dns.putRecord(bytes, end, alias, dns.Type.A, 1, 30, Uint8Array.of(192, 0, 2, 7));
  const response = datagram(53, 40_000, bytes.slice(0, end));
  deepEqual(below(response, /^DNS/), [
    "id 99",
    "question A www.example.com",
    "answer www.example.com 60 s CNAME example.com",
    "answer example.com 30 s A 192.0.2.7",
  ]);
  end = dns.emit(bytes, 0, 99, dns.Flag.Response | dns.ResponseCode.NameError, 1, 0, 0, 0);
  end = dns.putQuestion(bytes, end, name, dns.Type.A);
  equal(
    line(datagram(53, 40_000, bytes.slice(0, end))),
    "10.0.0.2:53 > 10.0.0.1:40000: UDP, DNS response, id 99, no such name, A www.example.com, 0 answers, length 33",
  );
  equal(
    line(datagram(5_353, 5_353, bytes.slice(0, end))),
    "10.0.0.2:5353 > 10.0.0.1:5353: UDP, mDNS response, no such name, A www.example.com, 0 answers, length 33",
  );
  equal(line(datagram(53, 40_000, data(20))), "10.0.0.2:53 > 10.0.0.1:40000: UDP, length 20");
});
