/**
 * What comes to a DHCP server's port: whatever it is and whenever it comes, each address of the pool is one client's at
 * most, and nobody gets more answers than messages were sent.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { LeaseState } from "../../../stack/dhcp/leases.ts";
import { DhcpServer } from "../../../stack/dhcp/server.ts";
import { protocols } from "../../../stack/ip/protocols.ts";
import { milliseconds } from "../../../stack/store/time.ts";
import { Udp } from "../../../stack/udp/endpoint.ts";
import { Address } from "../../../stack/wire/address.ts";
import { Cidr } from "../../../stack/wire/cidr.ts";
import * as dhcp from "../../../stack/wire/dhcpv4.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { bytesOf, datagram, readDhcp } from "../../support/dhcp.ts";
import { arpReply, BROADCAST_MAC, OWN, read } from "../../support/frames.ts";
import { host } from "../../support/host.ts";
import { fc } from "../../support/property.ts";
import { type Codec, fromHex, linesOf } from "../codec.ts";
import { target } from "../target.ts";

/** A message, and how many milliseconds after the one before it comes. */
interface Arrival {
  readonly pause: number;
  readonly bytes: Uint8Array;
}

const LINES: Codec<readonly Arrival[]> = {
  extension: "txt",
  format: (arrivals) => arrivals.map(({ pause, bytes }) => `${pause} ${bytes.toHex()}`).join("\n"),
  parse: (text) =>
    linesOf(text).map((line) => {
      const [pause = "0", hex = ""] = line.split(" ");
      return { pause: Number(pause), bytes: fromHex(hex) };
    }),
};

const POOL = 4, FIRST = "10.0.0.10", LAST = "10.0.0.13";

/** Somebody has this one without asking. */
const SQUATTED = "10.0.0.11", SQUATTER = "02:00:00:00:00:77";

function run(arrivals: readonly Arrival[]): void {
  const udp = new Udp();
  let made: DhcpServer | undefined;
  const world = host({
    guard: false,
    receive: () => protocols({ udp: udp.recv() }),
    send: ({ ip }) => {
      const [first, last] = [Address.parse(FIRST), Address.parse(LAST)];
      made = new DhcpServer({ ip, udp, subnet: Cidr.parse(`${OWN}/24`), first, last, lease: 60 });
      return udp.send(made);
    },
  });
  ok(made !== undefined);
  const server = made;
  let now = 0, answers = 0;
  const cycle = () => {
    const frames = world.transmit();
    answers += frames.filter((frame) => readDhcp(frame) !== undefined).length;
    const isAsked = frames.some((frame) => read(frame).arp?.target === SQUATTED);
    if (isAsked) world.deliver(arpReply({ sender: SQUATTED, senderMac: SQUATTER, target: OWN }));
  };
  for (const { pause, bytes } of arrivals) {
    now += milliseconds(pause);
    world.at(now);
    cycle();
    world.deliver(
      datagram(bytes, "0.0.0.0", dhcp.CLIENT_PORT, "255.255.255.255", dhcp.SERVER_PORT, {
        destination: BROADCAST_MAC,
        source: "02:00:00:00:00:21",
      }),
    );
    cycle();
    check(server, answers, arrivals.length);
  }
  // Whatever waits is done within the time that each of the pool's addresses is looked up.
  for (let turn = 0; turn < 2 * POOL + 2; turn++) {
    world.at(now += milliseconds(500));
    cycle();
  }
  check(server, answers, arrivals.length);
  const { answered, noted, malformed, unexpected, exhausted, unknown, unanswered } = server.counters;
  const ends = answered + noted + malformed + unexpected + exhausted + unknown + unanswered;
  equal(ends, arrivals.length, "every message ends in one counter");
  ok(!(server.deadline() <= now), "who has nothing to say wants to be asked later");
}

function check({ leases }: DhcpServer, answers: number, messages: number): void {
  ok(answers <= messages, `${answers} answers to ${messages} messages`);
  ok(leases.size <= POOL, "no more leases than addresses");
  const clients = new Set<string>();
  for (const { address, client, state } of leases.entries()) {
    ok(leases.has(address), "an address of the pool");
    equal(client === "", state === LeaseState.Declined);
    if (client === "") continue;
    ok(!clients.has(client), "one address a client");
    clients.add(client);
  }
}

const address = fc.constantFrom(
  "0.0.0.0",
  OWN,
  FIRST,
  SQUATTED,
  LAST,
  "10.0.0.14",
  "10.0.0.255",
  "192.0.2.1",
);
const known = Object.values(dhcp.Option).filter((code) => code > 0 && code < 255);

const message = fc.record({
  type: fc.oneof(fc.constantFrom(...Object.values(dhcp.MessageType)), fc.nat(255)),
  mac: fc.nat(6).map((number) => `02:00:00:00:00:${(0x20 + number).toString(16)}`),
  own: address,
  requested: fc.option(address),
  server: fc.option(fc.constantFrom(OWN, "10.0.0.9")),
  identifier: fc.option(fc.uint8Array({ maxLength: 3 }), { freq: 3 }),
  broadcast: fc.boolean(),
  relay: fc.constantFrom("0.0.0.0", "0.0.0.0", "0.0.0.0", "10.0.0.9"),
  options: fc.array(
    fc.tuple(fc.oneof(fc.constantFrom(...known), fc.nat(255)), fc.uint8Array({ maxLength: 20 })),
    { maxLength: 2 },
  ),
}).map(({ type, mac, own, requested, server, identifier, broadcast, relay, options }) => {
  const bytes = new Uint8Array(548);
  let at = dhcp.emit(bytes, 0, dhcp.Op.Request, 0x77, 0, broadcast, Mac.parse(mac));
  bytes.set(bytesOf(own), dhcp.CLIENT_ADDRESS);
  bytes.set(bytesOf(relay), dhcp.RELAY_ADDRESS);
  at = dhcp.put8Option(bytes, at, dhcp.Option.MessageType, type);
  if (requested !== null) {
    at = dhcp.putOption(bytes, at, dhcp.Option.RequestedAddress, bytesOf(requested));
  }
  if (server !== null) at = dhcp.putOption(bytes, at, dhcp.Option.ServerIdentifier, bytesOf(server));
  if (identifier !== null) at = dhcp.putOption(bytes, at, dhcp.Option.ClientIdentifier, identifier);
  for (const [code, value] of options) at = dhcp.putOption(bytes, at, code, value);
  return bytes.slice(0, dhcp.putEnd(bytes, 0, at));
});

/** A few bytes are changed, and it may end anywhere. */
const mutated = fc.tuple(
  message,
  fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { maxLength: 3 }),
  fc.option(fc.nat(400), { freq: 5 }),
).map(([bytes, changes, end]) => {
  for (const [at, value] of changes) bytes[at % bytes.length] = value;
  return end === null ? bytes : bytes.slice(0, end);
});

const bytes = fc.oneof({ weight: 6, arbitrary: message }, { weight: 2, arbitrary: mutated }, {
  weight: 1,
  arbitrary: fc.uint8Array({ maxLength: 300 }),
});

/** Messages to a DHCP server. */
export const dhcpServer = target({
  name: "dhcp-server",
  runs: 150,
  codec: LINES,
  input: fc.array(
    fc.record({ pause: fc.constantFrom(0, 0, 1, 300, 500, 20_000, 61_000, 700_000), bytes }),
    { minLength: 1, maxLength: 25 },
  ),
  run,
});
