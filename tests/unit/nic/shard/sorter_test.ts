import { equal } from "node:assert/strict";
import { Sorter } from "../../../../nic/shard/sorter.ts";
import { Frame, HEADROOM } from "../../../../stack/frame.ts";
import { Medium } from "../../../../stack/slot.ts";
import { check, fc } from "../../../support/property.ts";

const ONE = [2, 0, 0, 0, 0, 1], ALL = [255, 255, 255, 255, 255, 255], GROUP = [1, 0, 0x5e, 0, 0, 251];
const SENDER = [2, 0, 0, 0, 0, 2];
const IPV4 = [0x08, 0x00], IPV6 = [0x86, 0xdd], ARP = [0x08, 0x06], TAG = [0x81, 0x00, 0x00, 0x05];

/** An IPv4 header, and what follows it. */
function v4(protocol: number, rest: readonly number[], fragment: number = 0, last: number = 1): number[] {
  const total = 20 + rest.length;
  return [0x45, 0, total >> 8, total & 255, 0, 1, fragment >> 8, fragment & 255, 64, protocol, 0, 0]
    .concat([10, 0, 0, 2], [10, 0, 0, last], rest);
}

/** An IPv6 header from fe80::2 to fe80::1 or a group, and what follows it. */
function v6(next: number, rest: readonly number[], first: number = 0xfe): number[] {
  const to = [first, 0x80, ...Array(13).fill(0), 1];
  return [0x60, 0, 0, 0, 0, rest.length, next, 255, 0xfe, 0x80, ...Array(13).fill(0), 2, ...to, ...rest];
}

const udp = (port: number): number[] => [0x30, 0x39, port >> 8, port & 255, 0, 8, 0, 0];
const TCP = [0, 80, 0, 80, ...Array(16).fill(0)];

function frame(...parts: readonly (readonly number[])[]): Frame {
  const bytes = parts.flat();
  const made = new Frame(new Uint8Array(HEADROOM + 256));
  made.resize(bytes.length);
  made.bytes.set(bytes, made.start);
  return made;
}

const ethernet = new Sorter(Medium.Ethernet, [68, 5_353]);
const plain = new Sorter(Medium.Ip, [68]);

const HOSTS: readonly (readonly [string, Frame])[] = [
  ["an ARP request", frame(ALL, SENDER, ARP, Array(28).fill(0))],
  ["an ARP reply", frame(ONE, SENDER, ARP, Array(28).fill(0))],
  ["what is no IP", frame(ONE, SENDER, [0x88, 0xcc], [0])],
  ["what is sent to a group, whatever it is", frame(GROUP, SENDER, IPV4, v4(6, TCP))],
  ["DHCP's answer to this host", frame(ONE, SENDER, IPV4, v4(17, udp(68)))],
  ["a unicast answer of mDNS", frame(ONE, SENDER, IPV6, v6(17, udp(5_353)))],
  ["the same in a VLAN", frame(ONE, SENDER, TAG, IPV4, v4(17, udp(68)))],
  ["IGMP", frame(ONE, SENDER, IPV4, v4(2, Array(8).fill(0)))],
  ["a neighbour's unicast advertisement", frame(ONE, SENDER, IPV6, v6(58, [136, 0, 0, 0]))],
  ["a redirect", frame(ONE, SENDER, IPV6, v6(58, [137, 0, 0, 0]))],
  ["MLD behind a hop-by-hop header", frame(ONE, SENDER, IPV6, v6(0, [58, 0, 5, 2, 0, 0, 1, 0, 130, 0]))],
  ["an MLDv2 report", frame(ONE, SENDER, IPV6, v6(58, [143, 0, 0, 0]))],
];

const STACKS: readonly (readonly [string, Frame])[] = [
  ["TCP", frame(ONE, SENDER, IPV4, v4(6, TCP))],
  ["TCP over IPv6", frame(ONE, SENDER, IPV6, v6(6, TCP))],
  ["UDP to another port", frame(ONE, SENDER, IPV4, v4(17, udp(7)))],
  ["a fragment of UDP, whatever its port", frame(ONE, SENDER, IPV4, v4(17, udp(68), 0x2000))],
  ["an IPv6 fragment", frame(ONE, SENDER, IPV6, v6(44, [17, 0, 0, 1, 0, 0, 0, 1, ...udp(5_353)]))],
  ["an echo request", frame(ONE, SENDER, IPV4, v4(1, [8, 0, 0, 0, 0, 0, 0, 0]))],
  ["an ICMP error", frame(ONE, SENDER, IPV6, v6(58, [2, 0, 0, 0]))],
  ["a frame that ends in its header", frame(ONE, SENDER, IPV4, [0x45])],
  ["a packet that ends in its header", frame(ONE, SENDER, IPV6, [0x60, ...Array(30).fill(0)])],
];

for (const [what, sorted] of HOSTS) {
  Deno.test(`sorter: ${what} is for who speaks for the host`, () => equal(ethernet.isForHost(sorted), true));
}

for (const [what, sorted] of STACKS) {
  Deno.test(`sorter: ${what} is for the stack that it came to`, () =>
    equal(ethernet.isForHost(sorted), false));
}

Deno.test("sorter: without Ethernet, groups are told by their addresses", () => {
  equal(plain.isForHost(frame(v4(17, udp(7)))), false);
  equal(plain.isForHost(frame(v4(17, udp(68)))), true);
  const group = v4(17, udp(7));
  group[16] = 239;
  equal(plain.isForHost(frame(group)), true);
  equal(plain.isForHost(frame(v6(17, udp(7), 0xff))), true);
  equal(plain.isForHost(frame(v6(17, udp(7)))), false);
});

Deno.test("sorter: it tells where a packet begins", () => {
  const at = (sorter: Sorter, one: Frame) => sorter.packetAt(one) - one.start;
  equal(at(ethernet, frame(ONE, SENDER, IPV4, v4(6, TCP))), 14);
  equal(at(ethernet, frame(ONE, SENDER, TAG, IPV6, v6(6, TCP))), 18);
  equal(at(plain, frame(v4(6, TCP))), 0);
  equal(ethernet.packetAt(frame(ONE, SENDER, ARP, [])), -1);
  equal(ethernet.packetAt(frame(ONE, SENDER, TAG)), -1);
});

Deno.test("sorter: any bytes are sorted without reading behind them or throwing", () => {
  const start = fc.constantFrom(
    ...[...HOSTS, ...STACKS].map(([, { bytes, start, end }]) => [...bytes.subarray(start, end)]),
  );
  check(
    fc.property(start, fc.array(fc.tuple(fc.nat(80), fc.nat(255))), fc.nat(90), (bytes, changes, length) => {
      const changed = [...bytes];
      for (const [at, value] of changes) if (at < changed.length) changed[at] = value;
      const one = frame(changed.slice(0, length));
      ethernet.isForHost(one);
      plain.isForHost(one);
      ethernet.packetAt(one);
    }),
  );
});
