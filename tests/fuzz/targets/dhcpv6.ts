/**
 * What comes to a stateless DHCPv6 client's port: whatever it is, the client goes on, and knows servers that a host can
 * ask and names that are names.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { DhcpInformation } from "../../../stack/dhcp/information.ts";
import { protocols } from "../../../stack/ip/protocols.ts";
import { Random } from "../../../stack/loss/random.ts";
import { NEVER, seconds } from "../../../stack/store/time.ts";
import { Udp } from "../../../stack/udp/endpoint.ts";
import { Address } from "../../../stack/wire/address.ts";
import { put16 } from "../../../stack/wire/bytes.ts";
import * as dhcp from "../../../stack/wire/dhcpv6.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { Protocol } from "../../../stack/wire/protocol.ts";
import * as udpWire from "../../../stack/wire/udp.ts";
import { wireName } from "../../support/dns.ts";
import { ethernet, OWN_MAC } from "../../support/frames.ts";
import { ipv6, OWN_LOCAL6, PEER_LOCAL6 } from "../../support/frames-v6.ts";
import { host6 } from "../../support/host.ts";
import { fc } from "../../support/property.ts";
import { EtherType } from "../../../stack/wire/ethernet.ts";
import { HEX } from "../codec.ts";
import { target } from "../target.ts";

/** Ethernet, IPv6 and UDP before a message. */
const MESSAGE = 14 + 40 + 8;

function run(input: Uint8Array): void {
  const udp = new Udp();
  const random = new Random(1);
  let made: DhcpInformation | undefined;
  const world = host6({
    guard: false,
    receive: () => protocols({ udp: udp.recv() }),
    send: ({ ip }) => {
      const mac = Mac.parse(OWN_MAC);
      made = new DhcpInformation({ ip, udp, mac, random: () => random.next(), isWanted: () => true });
      return udp.send(made);
    },
  });
  ok(made !== undefined);
  const client = made;
  world.at(seconds(0)).transmit();
  const request = world.at(seconds(2)).transmit().at(-1);
  ok(request !== undefined);
  const bytes = input.slice();
  // Whoever forges replies and has the number right gets furthest.
  if (bytes.length >= dhcp.HEADER_LENGTH) bytes.set(request.subarray(MESSAGE + 1, MESSAGE + 4), 1);
  world.deliver(frameOf(bytes));
  const { received, malformed, stray } = client.counters;
  equal(received + malformed + stray, 1, "it ends in one counter");
  equal(client.version, received);
  ok(client.servers.length <= 8 && client.search.length <= 8);
  for (const server of client.servers) {
    ok(!server.isV4 && server.isUnicast && !server.isLoopback && !server.isUnspecified, String(server));
  }
  for (const name of client.search) ok(name.length <= 253 && !name.includes(".."), name);
  // It asks again, but never more often than RFC 8415 has it.
  let last = seconds(2);
  for (let turn = 0; turn < 5 && world.deadline < NEVER; turn++) {
    const now = world.deadline;
    ok(now - last >= (received > 0 && turn === 0 ? seconds(600) : seconds(0.8)) || turn > 0);
    last = now;
    for (const frame of world.at(now).transmit()) {
      equal(dhcp.check(frame, MESSAGE, frame.length), 0, "what is asked is well-formed");
    }
  }
}

function frameOf(payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(udpWire.HEADER_LENGTH + payload.length);
  udpWire.emit(bytes, 0, dhcp.SERVER_PORT, dhcp.CLIENT_PORT, bytes.length);
  bytes.set(payload, udpWire.HEADER_LENGTH);
  const [source, destination] = [PEER_LOCAL6, OWN_LOCAL6];
  udpWire.fillChecksum(bytes, 0, Address.parse(source), Address.parse(destination));
  return ethernet(ipv6(bytes, { source, destination, protocol: Protocol.Udp }), {
    etherType: EtherType.Ipv6,
  });
}

const { Option } = dhcp;

const word = fc.constantFrom(0, 1, 59, 60, 600, 86_400, 86_401, 0x7fffffff, 0xffffffff);
const addressBytes = fc.constantFrom("2001:db8::53", "fe80::1", "::", "::1", "ff02::1", "::ffff:10.0.0.1")
  .map((text) => {
    const bytes = new Uint8Array(16);
    const address = Address.parse(text);
    if (address.isV4) bytes.set([0xff, 0xff, 10, 0, 0, 1], 10);
    else address.writeV6(bytes, 0);
    return [...bytes];
  });
const names = fc.array(fc.constantFrom("a.example", "b", "x".repeat(63), "_tcp.local"), { maxLength: 12 })
  .map((all) => all.flatMap((name) => [...wireName(name)]));

const option: fc.Arbitrary<readonly [number, readonly number[]]> = fc.oneof(
  fc.array(addressBytes, { maxLength: 10 }).map((all) => [Option.DnsServers, all.flat()] as const),
  names.map((bytes) => [Option.DomainList, bytes] as const),
  fc.tuple(fc.constantFrom(Option.InformationRefreshTime, Option.InfMaxRt), word).map(([code, value]) =>
    [code, [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]] as const
  ),
  fc.constant([Option.ServerId, [0, 3, 0, 1, 2, 2, 2, 2, 2, 2]] as const),
  fc.tuple(
    fc.oneof(fc.constantFrom(...Object.values(Option)), fc.nat(0xffff)),
    fc.uint8Array({ maxLength: 40 }),
  )
    .map(([code, value]) => [code, [...value]] as const),
);

const reply = fc.tuple(
  fc.constantFrom(7, 7, 7, 7, 2, 11),
  fc.boolean(),
  fc.array(option, { maxLength: 6 }),
).map(([type, hasServer, options]) => {
  const bytes = new Uint8Array(4_000);
  let at = dhcp.emit(bytes, 0, type, 0);
  if (hasServer) at = dhcp.putOption(bytes, at, Option.ServerId, [0, 3, 0, 1, 2, 2, 2, 2, 2, 2]);
  for (const [code, value] of options) at = dhcp.putOption(bytes, at, code, value);
  return bytes.slice(0, Math.min(at, 1_200));
});

/** A few bytes are changed, and an option's length may lie. */
const mutated = fc.tuple(
  reply,
  fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { maxLength: 3 }),
  fc.nat(0xffff),
)
  .map(([bytes, changes, length]) => {
    for (const [at, value] of changes) bytes[at % bytes.length] = value;
    if (bytes.length > 8 && (length & 3) === 0) put16(bytes, 6, length);
    return bytes;
  });

/** Replies to a stateless DHCPv6 client. */
export const dhcpv6Replies = target({
  name: "dhcpv6",
  runs: 400,
  codec: HEX,
  input: fc.oneof({ weight: 6, arbitrary: reply }, { weight: 3, arbitrary: mutated }, {
    weight: 1,
    arbitrary: fc.uint8Array({ maxLength: 200 }),
  }),
  run,
});
