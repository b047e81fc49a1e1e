/**
 * The DHCP server by the rules of RFC 2131 4.3, on virtual time.
 *
 * @module
 */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { type KeptLease, LeaseState } from "../../stack/dhcp/leases.ts";
import { DhcpServer, type DhcpServerOptions } from "../../stack/dhcp/server.ts";
import { protocols } from "../../stack/ip/protocols.ts";
import { Ip } from "../../stack/ip/endpoint.ts";
import { type Instant, milliseconds, NEVER, seconds } from "../../stack/store/time.ts";
import { Udp } from "../../stack/udp/endpoint.ts";
import { Address } from "../../stack/wire/address.ts";
import { Cidr } from "../../stack/wire/cidr.ts";
import * as dhcp from "../../stack/wire/dhcpv4.ts";
import { Mac } from "../../stack/wire/mac.ts";
import { bytesOf, datagram, type DhcpView, optionOf, readDhcp } from "../support/dhcp.ts";
import { arpReply, BROADCAST_MAC, OWN, OWN_MAC, read } from "../support/frames.ts";
import { counted, type Host, host } from "../support/host.ts";

const { MessageType, Option } = dhcp;

/** What a client says; by default from 0.0.0.0 to all, wanting answers to all. */
interface ClientFields {
  readonly type: number;
  readonly mac?: string;
  readonly own?: string;
  readonly requested?: string;
  readonly server?: string;
  readonly identifier?: readonly number[];
  readonly broadcast?: boolean;
  readonly relay?: string;
  readonly port?: number;
}

const CLIENT = "02:00:00:00:00:21", OTHER = "02:00:00:00:00:22";

function messageOf(fields: ClientFields): Uint8Array {
  const bytes = new Uint8Array(548);
  const { type, mac = CLIENT, own, requested, server, identifier, broadcast = true, relay } = fields;
  let at = dhcp.emit(bytes, 0, dhcp.Op.Request, 0x77, 0, broadcast, Mac.parse(mac));
  if (own !== undefined) bytes.set(bytesOf(own), dhcp.CLIENT_ADDRESS);
  if (relay !== undefined) bytes.set(bytesOf(relay), dhcp.RELAY_ADDRESS);
  at = dhcp.put8Option(bytes, at, Option.MessageType, type);
  if (requested !== undefined) at = dhcp.putOption(bytes, at, Option.RequestedAddress, bytesOf(requested));
  if (server !== undefined) at = dhcp.putOption(bytes, at, Option.ServerIdentifier, bytesOf(server));
  if (identifier !== undefined) at = dhcp.putOption(bytes, at, Option.ClientIdentifier, identifier);
  return bytes.slice(0, dhcp.putEnd(bytes, 0, at));
}

/** 10.0.0.1/24 that leases from 10.0.0.10 on. */
class ServerWorld {
  readonly host: Host;
  readonly server: DhcpServer;
  now: Instant = 0;

  constructor(options: Partial<DhcpServerOptions> = {}, last = "10.0.0.12") {
    const udp = new Udp();
    let server: DhcpServer | undefined;
    this.host = host({
      guard: false,
      receive: () => protocols({ udp: udp.recv() }),
      send: ({ ip }) => {
        const first = Address.parse("10.0.0.10");
        const subnet = Cidr.parse(`${OWN}/24`);
        server = new DhcpServer({
          ip,
          udp,
          subnet,
          first,
          last: Address.parse(last),
          lease: 600,
          probe: false,
          ...options,
        });
        return udp.send(server);
      },
    });
    ok(server !== undefined);
    this.server = server;
  }

  /** What the server answers; undefined: nothing. */
  say(fields: ClientFields): DhcpView | undefined {
    const { own, mac = CLIENT, port = dhcp.CLIENT_PORT } = fields;
    const isUnicast = own !== undefined;
    this.host.deliver(
      datagram(
        messageOf(fields),
        own ?? "0.0.0.0",
        port,
        isUnicast ? OWN : "255.255.255.255",
        dhcp.SERVER_PORT,
        {
          destination: isUnicast ? OWN_MAC : BROADCAST_MAC,
          source: Mac.parse(mac).isUnicast ? mac : CLIENT,
        },
      ),
    );
    const [answer, more] = this.host.transmit().flatMap((frame) => readDhcp(frame) ?? []);
    equal(more, undefined, "one answer at most");
    return answer;
  }

  /** Leads a client to a lease. Answers with the address. */
  lease(mac: string, requested?: string): string | undefined {
    const offer = this.say({
      type: MessageType.Discover,
      mac,
      ...(requested === undefined ? {} : { requested }),
    });
    if (offer?.yours === undefined) return undefined;
    const ack = this.say({ type: MessageType.Request, mac, requested: offer.yours, server: OWN });
    equal(ack?.type, MessageType.Ack);
    equal(ack?.yours, offer.yours);
    return ack?.yours;
  }
}

Deno.test("dhcp server: DISCOVER is answered by an offer with mask, lease time and server (RFC 2131 4.3.1)", () => {
  const world = new ServerWorld({
    routers: [Address.parse("10.0.0.254")],
    dns: [Address.parse("10.0.0.2"), Address.parse("8.8.8.8")],
    domain: "lan.example",
  });
  const offer = world.say({ type: MessageType.Discover })!;
  deepEqual([offer.op, offer.type, offer.xid, offer.yours], [
    dhcp.Op.Reply,
    MessageType.Offer,
    0x77,
    "10.0.0.10",
  ]);
  deepEqual([offer.server, offer.lease, offer.from, offer.to], [OWN, 600, OWN, "255.255.255.255"]);
  equal(offer.station, BROADCAST_MAC);
  deepEqual([...optionOf(offer.bytes, Option.SubnetMask)!], [255, 255, 255, 0]);
  deepEqual([...optionOf(offer.bytes, Option.Router)!], bytesOf("10.0.0.254"));
  deepEqual([...optionOf(offer.bytes, Option.DnsServer)!], bytesOf("10.0.0.2", "8.8.8.8"));
  equal(new TextDecoder().decode(optionOf(offer.bytes, Option.DomainName)), "lan.example");
});

Deno.test("dhcp server: a client that can take unicast gets the answer at its new address and its station (RFC 2131 4.1)", () => {
  const world = new ServerWorld();
  const offer = world.say({ type: MessageType.Discover, broadcast: false })!;
  deepEqual([offer.to, offer.station, offer.broadcast], ["10.0.0.10", CLIENT, false]);
});

Deno.test("dhcp server: an offer is leased when it is asked for; the same client gets the same again, by identifier or station", () => {
  const world = new ServerWorld();
  equal(world.lease(CLIENT), "10.0.0.10");
  equal(world.lease(OTHER), "10.0.0.11");
  equal(world.lease(CLIENT), "10.0.0.10");
  const identifier = [0, 1, 2, 3];
  const one = world.say({ type: MessageType.Discover, identifier, mac: CLIENT });
  const two = world.say({ type: MessageType.Discover, identifier, mac: OTHER });
  deepEqual([one?.yours, two?.yours], ["10.0.0.12", "10.0.0.12"]);
});

Deno.test("dhcp server: a client gets the free address that it asks for, and not one that is taken, ours or outside (RFC 2131 4.3.1)", () => {
  const world = new ServerWorld();
  equal(world.lease(CLIENT, "10.0.0.12"), "10.0.0.12");
  equal(world.lease(OTHER, "10.0.0.12"), "10.0.0.10");
  equal(new ServerWorld().lease(CLIENT, OWN), "10.0.0.10");
  equal(new ServerWorld().lease(CLIENT, "10.0.0.99"), "10.0.0.10");
});

Deno.test("dhcp server: own addresses, routers, and the ends of the subnet are not leased", () => {
  const world = new ServerWorld({
    first: Address.parse("10.0.0.0"),
    routers: [Address.parse("10.0.0.2")],
    last: Address.parse("10.0.0.4"),
  });
  equal(world.lease("02:00:00:00:01:01"), "10.0.0.3");
  equal(world.lease("02:00:00:00:01:02"), "10.0.0.4");
  equal(world.lease("02:00:00:00:01:03"), undefined);
});

Deno.test("dhcp server: a pool that is used up answers nobody, and is as large as it is, whoever asks", () => {
  const world = new ServerWorld();
  for (let n = 0; n < 200; n++) {
    world.say({ type: MessageType.Discover, mac: `02:00:00:00:07:${n.toString(16).padStart(2, "0")}` });
  }
  deepEqual([world.server.leases.size, world.server.counters.exhausted], [3, 197]);
  world.host.at(seconds(61));
  equal(world.lease(CLIENT), "10.0.0.10", "offers that nobody took are free after a minute");
});

Deno.test("dhcp server: when a lease is over its address goes to others only if no other one is free (RFC 2131 4.3.1)", () => {
  const world = new ServerWorld({}, "10.0.0.11");
  world.lease(CLIENT);
  world.host.at(seconds(601));
  equal(world.lease(OTHER), "10.0.0.11");
  world.host.at(seconds(602));
  equal(world.lease(CLIENT), "10.0.0.10");
  world.host.at(seconds(1_300));
  equal(world.lease("02:00:00:00:00:23"), "10.0.0.11", "the one that was not asked for longest");
});

Deno.test("dhcp server: a lease is prolonged at the client's own address (RFC 2131 4.3.2, RENEWING)", () => {
  const world = new ServerWorld();
  const own = world.lease(CLIENT)!;
  world.host.knows(own, CLIENT);
  world.host.at(seconds(500));
  const ack = world.say({ type: MessageType.Request, own })!;
  deepEqual([ack.type, ack.yours, ack.own, ack.to, ack.lease], [MessageType.Ack, own, own, own, 600]);
  equal([...world.server.leases.entries()][0]?.expires, seconds(1_100));
});

Deno.test("dhcp server: who chose another server is let go, and the offer is free (RFC 2131 4.3.2, SELECTING)", () => {
  const world = new ServerWorld({}, "10.0.0.10");
  world.say({ type: MessageType.Discover });
  equal(world.say({ type: MessageType.Request, requested: "10.0.0.99", server: "10.0.0.7" }), undefined);
  equal(world.lease(OTHER), "10.0.0.10");
});

Deno.test("dhcp server: what cannot be had is refused to all: another's address, another network's (RFC 2131 4.3.2)", () => {
  const world = new ServerWorld();
  world.lease(CLIENT);
  world.lease(OTHER);
  const asks: ClientFields[] = [
    { type: MessageType.Request, requested: "10.0.0.11", server: OWN },
    { type: MessageType.Request, requested: "10.0.0.11" },
    { type: MessageType.Request, requested: "192.168.0.7" },
    { type: MessageType.Request, mac: "02:00:00:00:00:29", requested: "192.168.0.7" },
    { type: MessageType.Request, mac: "02:00:00:00:00:29", requested: "10.0.0.10", server: OWN },
  ];
  for (const ask of asks) {
    const nak = world.say(ask);
    deepEqual([nak?.type, nak?.to, nak?.yours, nak?.lease], [
      MessageType.Nak,
      "255.255.255.255",
      undefined,
      undefined,
    ]);
  }
});

Deno.test("dhcp server: of a client that it does not know it says nothing (RFC 2131 4.3.2, INIT-REBOOT)", () => {
  const world = new ServerWorld();
  equal(world.say({ type: MessageType.Request, requested: "10.0.0.10" }), undefined);
  deepEqual(counted(world.server.counters), { unknown: 1 });
});

Deno.test("dhcp server: an address that a client declines is nobody's for ten minutes (RFC 2131 4.3.3)", () => {
  const world = new ServerWorld({}, "10.0.0.11");
  world.lease(CLIENT);
  equal(world.say({ type: MessageType.Decline, requested: "10.0.0.10", server: OWN }), undefined);
  equal(world.lease(CLIENT), "10.0.0.11");
  equal(world.lease(OTHER), undefined);
  world.host.at(seconds(601));
  equal(world.lease(OTHER), "10.0.0.10");
});

Deno.test("dhcp server: an address that is given back is free, and its client's if it comes again (RFC 2131 4.3.4)", () => {
  const world = new ServerWorld({}, "10.0.0.10");
  const own = world.lease(CLIENT)!;
  world.say({ type: MessageType.Release, own, server: OWN });
  equal(world.lease(CLIENT), own);
  world.say({ type: MessageType.Release, own, server: OWN });
  equal(world.lease(OTHER), own);
});

Deno.test("dhcp server: nobody gives back or declines what is another's", () => {
  const world = new ServerWorld();
  world.lease(CLIENT);
  world.say({ type: MessageType.Release, mac: OTHER, own: "10.0.0.10", server: OWN });
  world.say({ type: MessageType.Decline, mac: OTHER, requested: "10.0.0.10", server: OWN });
  world.say({ type: MessageType.Decline, requested: "10.0.0.10", server: "10.0.0.7" });
  equal(world.server.counters.unexpected, 3);
  equal([...world.server.leases.entries()][0]?.state, "bound");
});

Deno.test("dhcp server: INFORM is answered with parameters and without a lease, to the address that asks (RFC 2131 4.3.5)", () => {
  const world = new ServerWorld({ dns: [Address.parse("10.0.0.2")] });
  world.host.knows("10.0.0.77", CLIENT);
  const ack = world.say({ type: MessageType.Inform, own: "10.0.0.77" })!;
  deepEqual([ack.type, ack.yours, ack.lease, ack.to], [MessageType.Ack, undefined, undefined, "10.0.0.77"]);
  deepEqual([...optionOf(ack.bytes, Option.DnsServer)!], bytesOf("10.0.0.2"));
  equal(world.server.leases.size, 0);
});

Deno.test("dhcp server: relayed messages, messages of servers, from other ports and garbage are dropped and counted", () => {
  const world = new ServerWorld();
  equal(world.say({ type: MessageType.Discover, relay: "10.1.0.1" }), undefined);
  equal(world.say({ type: MessageType.Offer }), undefined);
  equal(world.say({ type: 0 }), undefined);
  equal(world.say({ type: MessageType.Discover, port: 1_068 }), undefined);
  equal(world.say({ type: MessageType.Discover, mac: "03:00:00:00:00:01" }), undefined);
  const whole = messageOf({ type: MessageType.Discover });
  for (let length = 0; length < 240; length += 7) {
    world.host.deliver(
      datagram(whole.subarray(0, length), "0.0.0.0", 68, "255.255.255.255", 67, {
        destination: BROADCAST_MAC,
      }),
    );
  }
  deepEqual(counted(world.server.counters), { unexpected: 5, malformed: 35 });
});

Deno.test("dhcp server: a pool must be in the subnet, in order, and no larger than its limit; its port free", () => {
  const options = (first: string, last: string, udp = new Udp()): DhcpServerOptions => ({
    ip: new Ip({ addresses: ["10.0.0.1/8"] }),
    udp,
    subnet: Cidr.parse("10.0.0.1/8"),
    first: Address.parse(first),
    last: Address.parse(last),
  });
  throws(() => new DhcpServer(options("11.0.0.1", "11.0.0.2")), RangeError);
  throws(() => new DhcpServer(options("10.0.0.9", "10.0.0.8")), RangeError);
  throws(() => new DhcpServer(options("10.0.0.1", "10.0.16.1")), /4097 addresses; allowed is 1 to 4096/);
  const udp = new Udp();
  const server = new DhcpServer(options("10.0.0.2", "10.0.0.3", udp));
  throws(() => new DhcpServer(options("10.0.0.2", "10.0.0.3", udp)), /port 67 is taken/);
  server.close();
  new DhcpServer(options("10.0.0.2", "10.0.0.3", udp)).close();
});

/** What a client's DISCOVER is answered with, once the server has looked; and whom it has asked for meanwhile. */
function probed(world: ServerWorld, has: Record<string, string> = {}, mac = CLIENT) {
  const asked: string[] = [];
  const offers: DhcpView[] = [];
  const frames = [
    datagram(messageOf({ type: MessageType.Discover, mac }), "0.0.0.0", 68, "255.255.255.255", 67, {
      destination: BROADCAST_MAC,
      source: mac,
    }),
  ];
  for (let turn = 0; turn < 100 && offers.length === 0; turn++) {
    const sent = [...world.host.deliver(...frames.splice(0)), ...world.host.transmit()];
    for (const frame of sent) {
      const { arp } = read(frame);
      const offer = readDhcp(frame);
      if (offer !== undefined) offers.push(offer);
      if (arp === undefined) continue;
      asked.push(arp.target);
      const station = has[arp.target];
      if (station === undefined) continue;
      frames.push(arpReply({ sender: arp.target, senderMac: station, target: OWN }));
    }
    world.now += milliseconds(50);
    world.host.at(world.now);
  }
  return { asked, offers: offers.map(({ yours }) => yours) };
}

Deno.test("dhcp server: an address is looked up before it is offered, and nobody's is offered (RFC 2131 3.1 (2))", () => {
  const world = new ServerWorld({ probe: true });
  deepEqual(probed(world), { asked: ["10.0.0.10"], offers: ["10.0.0.10"] });
  ok(world.now >= milliseconds(500) && world.now <= seconds(1));
  // Its client is offered it again at once.
  equal(world.say({ type: MessageType.Discover })?.yours, "10.0.0.10");
});

Deno.test("dhcp server: an address that somebody has is not offered, for ten minutes (RFC 2131 3.1 (2), 4.3.3)", () => {
  const world = new ServerWorld({ probe: true });
  const somebody = "02:00:00:00:00:77";
  deepEqual(probed(world, { "10.0.0.10": somebody, "10.0.0.11": somebody }), {
    asked: ["10.0.0.10", "10.0.0.11", "10.0.0.12"],
    offers: ["10.0.0.12"],
  });
  equal(world.server.counters.avoided, 2);
  deepEqual(probed(world, {}, OTHER).offers, [], "the pool is used up");
  equal(world.server.counters.exhausted, 1);
  world.now += seconds(601);
  world.host.at(world.now);
  equal(probed(world, {}, OTHER).offers.length, 1);
});

Deno.test("dhcp server: a client that answers for its address itself is offered it", () => {
  const world = new ServerWorld({ probe: true });
  deepEqual(probed(world, { "10.0.0.10": CLIENT }).offers, ["10.0.0.10"]);
});

Deno.test("dhcp server: a client that asks again meanwhile gets one offer, with its last number", () => {
  const world = new ServerWorld({ probe: true });
  equal(world.say({ type: MessageType.Discover }), undefined);
  equal(world.say({ type: MessageType.Discover }), undefined);
  equal(world.server.counters.noted, 1);
  world.host.at(milliseconds(501));
  const sent = world.host.transmit().flatMap((frame) => readDhcp(frame) ?? []);
  deepEqual(sent.map(({ type, yours }) => [type, yours]), [[MessageType.Offer, "10.0.0.10"]]);
});

Deno.test("dhcp server: what was remembered of an address does not stand for looking", () => {
  const world = new ServerWorld({ probe: true });
  world.host.ip.neighbours.learn(Address.parse("10.0.0.10"), Mac.parse("02:00:00:00:00:77"), 0, true);
  deepEqual(probed(world), { asked: ["10.0.0.10"], offers: ["10.0.0.10"] });
});

Deno.test("dhcp server: a flood of clients makes no more than 64 offers wait, and is answered", () => {
  const world = new ServerWorld({ probe: true }, "10.0.0.200");
  let answers = 0;
  for (let index = 0; index < 100; index++) {
    const mac = `02:00:00:00:01:${index.toString(16).padStart(2, "0")}`;
    if (world.say({ type: MessageType.Discover, mac }) !== undefined) answers++;
  }
  equal(answers, 100 - 64);
  world.host.at(seconds(1));
  const late = [...world.host.transmit(), ...world.host.transmit()].flatMap((frame) => readDhcp(frame) ?? []);
  equal(late.length, 64);
});

Deno.test("dhcp server: leases are told of before they are acknowledged, and taken over by its next life (RFC 2131 3.1 (4))", () => {
  const first = new ServerWorld();
  const kept = new Map<number, KeptLease>();
  first.server.leases.onChange = ({ address, client, state }) => {
    if (state === LeaseState.Bound) {
      kept.set(address, { address: new Address().setV4(address), client, remaining: 300 });
    } else kept.set(address, { address: new Address().setV4(address), client, remaining: 0 });
  };
  equal(first.lease(CLIENT), "10.0.0.10");
  equal(first.lease(OTHER), "10.0.0.11");
  equal(kept.size, 2);
  first.say({ type: MessageType.Release, mac: OTHER, own: "10.0.0.11", server: OWN });
  equal(kept.get(Address.parse("10.0.0.11").d)?.remaining, 0);

  const second = new ServerWorld();
  for (const lease of kept.values()) ok(second.server.leases.restore(lease, 0));
  // A third one gets what nobody ever had; both have theirs again, the one that holds on to it without a question.
  equal(second.lease("02:00:00:00:00:33"), "10.0.0.12");
  second.host.knows("10.0.0.10", CLIENT);
  equal(second.say({ type: MessageType.Request, own: "10.0.0.10" })?.type, MessageType.Ack);
  equal(second.lease(OTHER), "10.0.0.11");
});

Deno.test("dhcp server: what is no lease of the pool, or is doubled, is not taken over; what is over is its client's first", () => {
  const { server: { leases } } = new ServerWorld();
  const kept = (address: string, client: string, remaining: number) => {
    return leases.restore({ address: Address.parse(address), client, remaining }, 0);
  };
  deepEqual(
    [
      kept("10.0.0.9", "aa", 60),
      kept(OWN, "aa", 60),
      kept("fd00::1", "aa", 60),
      kept("10.0.0.10", "", 60),
      kept("10.0.0.10", "aa", NaN),
      kept("10.0.0.10", "bb", 60),
      kept("10.0.0.11", "aa", 60),
      kept("10.0.0.11", "bb", Infinity),
    ],
    [false, false, false, false, true, false, false, true],
  );
  equal(leases.of("aa")?.state, LeaseState.Free);
  equal(leases.of("bb")?.expires, NEVER);
});
