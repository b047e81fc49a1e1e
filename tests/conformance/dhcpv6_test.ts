/**
 * Stateless DHCPv6 by the rules of RFC 8415 15, 18.2.6, on virtual time.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { DhcpInformation } from "../../stack/dhcp/information.ts";
import { Random } from "../../stack/loss/random.ts";
import { type Instant, NEVER, seconds } from "../../stack/store/time.ts";
import { Udp } from "../../stack/udp/endpoint.ts";
import type { UdpIn } from "../../stack/udp/packet.ts";
import { Address } from "../../stack/wire/address.ts";
import * as dhcp from "../../stack/wire/dhcpv6.ts";
import { WireError } from "../../stack/wire/error.ts";
import { Mac } from "../../stack/wire/mac.ts";
import { OWN_MAC } from "../support/frames.ts";
import { counted, type Host, host } from "../support/host.ts";
import { wireName } from "../support/dns.ts";

const SERVER_ID = [0, 3, 0, 1, 2, 2, 2, 2, 2, 2];

class World {
  readonly host: Host;
  readonly client: DhcpInformation;
  isWanted = true;
  #now: Instant = 0;
  /** The messages that have left, with their times. */
  readonly sent: (readonly [Instant, Uint8Array])[] = [];

  constructor(seed = 1) {
    const udp = new Udp();
    const random = new Random(seed);
    let client: DhcpInformation | undefined;
    this.host = host({
      guard: false,
      ip: { addresses: ["fe80::1/64", "2001:db8::1/64"] },
      send: ({ ip }) => {
        const isWanted = () => this.isWanted;
        const mac = Mac.parse(OWN_MAC);
        client = new DhcpInformation({ ip, udp, mac, random: () => random.next(), isWanted });
        return udp.send(client);
      },
    });
    ok(client !== undefined);
    this.client = client;
  }

  /** Goes on to a time. */
  until(end: Instant): this {
    for (let turns = 0; this.host.deadline <= end && turns < 100; turns++) {
      this.at(Math.max(this.#now, this.host.deadline));
    }
    return this.at(end);
  }

  at(now: Instant): this {
    this.#now = now;
    for (const frame of this.host.at(now).transmit()) {
      // Behind Ethernet, IPv6 and UDP.
      if (frame[12] === 0x86 && frame[20] === 17) this.sent.push([now, frame.slice(14 + 40 + 8)]);
    }
    return this;
  }

  /** A reply arrives at the client. */
  hear(bytes: Uint8Array, now: Instant, sourcePort = 547): void {
    const packet = {
      frame: { bytes, end: bytes.length },
      payloadAt: 0,
      sourcePort,
      info: { timestamp: now },
    };
    this.client.receive(packet as UdpIn);
  }
}

function reply(
  request: Uint8Array,
  options: readonly (readonly [number, ArrayLike<number>])[],
  type: number = dhcp.MessageType.Reply,
): Uint8Array {
  const bytes = new Uint8Array(600);
  let at = dhcp.emit(bytes, 0, type, dhcp.transaction(request, 0));
  for (const [code, value] of options) at = dhcp.putOption(bytes, at, code, value);
  return bytes.slice(0, at);
}

function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(16);
  Address.parse(text).writeV6(bytes, 0);
  return bytes;
}

const { Option } = dhcp;
const SERVER = [Option.ServerId, SERVER_ID] as const;

Deno.test("dhcpv6: after a delay of chance it asks for servers and domains, by its link address (RFC 8415 18.2.6)", () => {
  const world = new World().until(seconds(1));
  const [[at, request] = []] = world.sent;
  ok(at !== undefined && request !== undefined && at <= seconds(1));
  equal(dhcp.check(request, 0, request.length), WireError.None);
  equal(dhcp.type(request, 0), dhcp.MessageType.InformationRequest);
  const value = (code: number) => dhcp.optionValue(request, 0, request.length, code)?.toHex();
  equal(value(Option.ClientId), `00030001${OWN_MAC.replaceAll(":", "")}`);
  equal(value(Option.OptionRequest), "0017001800200053");
  equal(value(Option.ElapsedTime), "0000");
});

Deno.test("dhcpv6: unanswered, it asks again after one second, then twice as long each time, a tenth more or less (RFC 8415 15)", () => {
  const world = new World().until(seconds(70));
  const times = world.sent.map(([at]) => at);
  const waits = times.slice(1).map((at, index) => at - times[index]!);
  ok(waits.length >= 5, `${waits}`);
  waits.forEach((wait, index) => {
    const before = index === 0 ? seconds(0.5) : waits[index - 1]!;
    ok(Math.abs(wait - 2 * before) <= 0.1 * 2 * before + 2, `${waits}`);
  });
  equal(new Set(world.sent.map(([, bytes]) => dhcp.transaction(bytes, 0))).size, 1);
  ok(
    dhcp.optionValue(world.sent.at(-1)![1], 0, 100, Option.ElapsedTime)![0]! > 0,
    "it says how long it has asked",
  );
});

Deno.test("dhcpv6: a reply's servers and domains are taken, and asked for again when they are old (RFC 8415 21.23, RFC 3646)", () => {
  const world = new World().until(seconds(1));
  const [[, request] = []] = world.sent;
  const servers = [...bytesOf("2001:db8::53"), ...bytesOf("ff02::1"), ...bytesOf("2001:db8::54")];
  const domains = [...wireName("lan.example"), ...wireName("example")];
  const refresh = [Option.InformationRefreshTime, [0, 0, 0x0e, 0x10]] as const;
  world.hear(
    reply(request!, [SERVER, [Option.DnsServers, servers], [Option.DomainList, domains], refresh]),
    seconds(1),
  );
  deepEqual(world.client.servers.map(String), ["2001:db8::53", "2001:db8::54"]);
  deepEqual([world.client.search, world.client.version], [["lan.example", "example"], 1]);
  equal(world.host.deadline, seconds(3_601));
  world.until(seconds(3_601));
  equal(world.sent.length, 2);
});

Deno.test("dhcpv6: what is told is good for a day unless told otherwise, and never asked for within ten minutes", () => {
  for (
    const [told, due] of [[undefined, 86_401], [[0, 0, 0, 1], 601], [[255, 255, 255, 255], Infinity]] as const
  ) {
    const world = new World().until(seconds(1));
    const options = told === undefined ? [SERVER] : [SERVER, [Option.InformationRefreshTime, told] as const];
    world.hear(reply(world.sent[0]![1], options), seconds(1));
    equal(world.host.deadline, due === Infinity ? NEVER : seconds(due));
  }
});

Deno.test("dhcpv6: replies of another exchange, for another client, without a server, or garbage are dropped and counted (RFC 8415 16.10)", () => {
  const world = new World().until(seconds(1));
  const request = world.sent[0]![1];
  const other = request.slice();
  other[3]! ^= 1;
  world.hear(reply(other, [SERVER]), seconds(1));
  world.hear(reply(request, []), seconds(1));
  world.hear(reply(request, [SERVER, [Option.ClientId, [1, 2, 3]]]), seconds(1));
  world.hear(reply(request, [SERVER], 2), seconds(1));
  world.hear(reply(request, [SERVER]), seconds(1), 5_470);
  const whole = reply(request, [SERVER]);
  for (let length = 0; length < whole.length; length++) {
    if (length !== 4) world.hear(whole.subarray(0, length), seconds(1));
  }
  deepEqual(counted(world.client.counters), { sent: 1, stray: 5, malformed: whole.length - 1 });
  equal(world.client.version, 0);
});

Deno.test("dhcpv6: nothing is asked while no router says that there is something to be asked for", () => {
  const world = new World();
  world.isWanted = false;
  deepEqual([world.host.deadline, world.until(seconds(5)).sent.length], [NEVER, 0]);
  world.isWanted = true;
  world.until(seconds(6));
  ok(world.sent.length >= 1 && world.sent.every(([at]) => at >= seconds(5)));
});

Deno.test("dhcpv6: what was told is asked for again when it is old, though a router has meanwhile said that there is nothing", () => {
  const world = new World().until(seconds(1));
  world.hear(reply(world.sent[0]![1], [SERVER]), seconds(1));
  world.isWanted = false;
  world.until(seconds(100)).isWanted = true;
  world.until(seconds(100));
  equal(world.host.deadline, seconds(86_401));
  equal(world.until(seconds(86_401)).sent.length, 2);
  world.isWanted = false;
  world.until(seconds(90_000));
  equal(world.sent.length, 2);
  world.isWanted = true;
  equal(world.until(seconds(90_000)).sent.length, 3);
});

Deno.test("dhcpv6: a server says how long the longest wait between two tries is, within reason (RFC 8415 21.25)", () => {
  const word = (value: number) => [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
  for (const [told, expected] of [[60, 60], [59, 3_600], [86_401, 3_600], [7_200, 7_200]] as const) {
    const world = new World().until(seconds(1));
    world.hear(
      reply(world.sent[0]![1], [SERVER, [Option.InfMaxRt, word(told)], [
        Option.InformationRefreshTime,
        word(600),
      ]]),
      seconds(1),
    );
    equal(world.client.version, 1);
    world.until(seconds(600 + 8 * expected));
    const times = world.sent.map(([at]) => at);
    const longest = Math.max(...times.slice(2).map((at, index) => at - times[index + 1]!));
    ok(
      longest <= seconds(expected * 1.1) && longest >= seconds(expected * 0.9),
      `${told}: ${longest / 1e6} s`,
    );
  }
});
