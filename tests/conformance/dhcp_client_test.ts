/**
 * The DHCP client by the rules of RFC 2131 4.4, on virtual time.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import type { HeldLease } from "../../stack/dhcp/client.ts";
import { DhcpState } from "../../stack/dhcp/state.ts";
import { UNKNOWN_MTU } from "../../stack/ip/path-mtu.ts";
import { type Instant, NEVER, seconds } from "../../stack/store/time.ts";
import { Address } from "../../stack/wire/address.ts";
import { MessageType, Option } from "../../stack/wire/dhcpv4.ts";
import {
  bytesOf,
  datagram,
  type DhcpView,
  DhcpWorld,
  LEASED,
  optionOf,
  replyBytes,
  type ReplyFields,
  SERVER,
} from "../support/dhcp.ts";
import { arpFrame, BROADCAST_MAC, expectFrame, OWN_MAC, PEER_MAC } from "../support/frames.ts";
import { counted } from "../support/host.ts";

/** Whether a time is within a second of seconds. */
function near(time: Instant, expected: number, within = 1): void {
  ok(Math.abs(time - seconds(expected)) <= seconds(within), `${time / 1e6} s instead of ${expected} s`);
}

Deno.test("dhcp client: DISCOVER goes from 0.0.0.0 to all, asks for replies to all, and says who asks (RFC 2131 4.4.1)", () => {
  const world = new DhcpWorld({ hostname: "Sandbox" });
  const discover = world.message();
  equal(world.now, 0);
  deepEqual([discover.from, discover.to, discover.station], ["0.0.0.0", "255.255.255.255", BROADCAST_MAC]);
  deepEqual([discover.type, discover.secs, discover.broadcast], [MessageType.Discover, 0, true]);
  deepEqual([discover.own, discover.requested, discover.server], [undefined, undefined, undefined]);
  equal(optionOf(discover.bytes, Option.ClientIdentifier)?.toHex(), `01${OWN_MAC.replaceAll(":", "")}`);
  equal(new TextDecoder().decode(optionOf(discover.bytes, Option.HostName)), "Sandbox");
  const wanted = [...optionOf(discover.bytes, Option.ParameterList)!];
  ok(
    wanted.indexOf(Option.ClasslessRoutes) < wanted.indexOf(Option.Router),
    "RFC 3442: routes before routers",
  );
});

Deno.test("dhcp client: unanswered, it repeats after 4, 8, 16, 32 and then every 64 seconds, each a second more or less (RFC 2131 4.1)", () => {
  const starts = new Set<Instant>();
  for (let seed = 1; seed <= 5; seed++) {
    const world = new DhcpWorld({}, seed);
    const first = world.message();
    let before = 0;
    for (const wait of [4, 8, 16, 32, 64, 64, 64]) {
      const again = world.message();
      deepEqual([again.type, again.xid], [MessageType.Discover, first.xid]);
      near(world.now - before, wait);
      equal(again.secs, Math.floor(world.now / 1e6), "seconds since it began");
      if (wait === 4) starts.add(world.now);
      before = world.now;
    }
    deepEqual(world.events()[0], "silence 1");
  }
  equal(starts.size, 5, "chance moves each wait");
});

Deno.test("dhcp client: the request names server and address, to all, with the seconds of the DISCOVER (RFC 2131 4.3.2, 4.4.1)", () => {
  const world = new DhcpWorld();
  world.message();
  const again = world.message();
  world.reply({ type: MessageType.Offer, xid: again.xid });
  const request = world.message();
  deepEqual([request.type, request.xid, request.secs], [MessageType.Request, again.xid, again.secs]);
  deepEqual([request.from, request.to, request.own], ["0.0.0.0", "255.255.255.255", undefined]);
  deepEqual([request.requested, request.server], [LEASED, SERVER]);
  deepEqual(world.tables(), [], "nothing is used before the ACK");
});

Deno.test("dhcp client: an ACK makes address, subnet and router its own, and DNS, domain and MTU known (RFC 2131 4.4.1)", () => {
  const world = new DhcpWorld();
  world.bind({
    options: [
      [Option.Router, bytesOf("10.0.0.254", "10.0.0.253")],
      [Option.DnsServer, bytesOf("10.0.0.3", "8.8.8.8")],
      [Option.DomainName, new TextEncoder().encode("Lan.Example\0")],
      [Option.DomainSearch, [1, 97, 3, 0x6c, 0x61, 0x6e, 0, 1, 98, 0xc0, 2]],
      [Option.Mtu, [5, 0x14]],
    ],
  });
  equal(world.client.state, DhcpState.Bound);
  deepEqual(world.tables(), [`${LEASED}/24`, "0.0.0.0/0 > 10.0.0.254"]);
  const { lease } = world.client;
  deepEqual(lease?.dns.map(String), ["10.0.0.3", "8.8.8.8"]);
  deepEqual(lease?.search, ["lan.example", "a.lan", "b.lan"]);
  deepEqual([lease?.mtu, lease?.duration], [1_300, 3_600]);
  deepEqual(world.events(), [`bound ${LEASED}/24`]);
});

Deno.test("dhcp client: the MTU that it is told is the link's for IPv4, as long as the lease lasts (RFC 2132 5.1)", () => {
  const world = new DhcpWorld();
  const mtu = (value: number): [number, number[]] => [Option.Mtu, [value >> 8, value & 0xff]];
  const { pathMtus } = world.host.ip;
  const known = (host: string) => pathMtus.get(Address.parse(host), world.now);
  world.bind({ options: [mtu(1_300)] });
  deepEqual([known("10.0.0.7"), known("192.0.2.1"), known("fd00::1")], [1_300, 1_300, UNKNOWN_MTU]);
  // What a renewal says goes; what no link has, or nobody says, is no MTU.
  for (
    const [options, expected] of [[[mtu(576)], 576], [[mtu(575)], UNKNOWN_MTU], [[mtu(9_000)], 9_000], [
      [],
      UNKNOWN_MTU,
    ], [[mtu(1_000)], 1_000]] as const
  ) {
    const { xid } = world.message();
    world.reply({ type: MessageType.Ack, xid, options });
    equal(known("10.0.0.7"), expected);
  }
  world.client.stop();
  world.message();
  equal(known("10.0.0.7"), UNKNOWN_MTU, "given back");
});

Deno.test("dhcp client: without an ACK it asks four times within a minute, then begins again (RFC 2131 3.1)", () => {
  const world = new DhcpWorld();
  const { xid } = world.message();
  world.reply({ type: MessageType.Offer, xid });
  const began = world.now;
  for (let turn = 0; turn < 4; turn++) equal(world.message().type, MessageType.Request);
  const fresh = world.message();
  near(world.now - began, 60, 4);
  deepEqual([fresh.type, fresh.secs], [MessageType.Discover, 0]);
  ok(fresh.xid !== xid, "a new exchange has a new number");
});

Deno.test("dhcp client: at T1 it asks its server, at T2 any, and at the end it stops using the address (RFC 2131 4.4.5)", () => {
  const world = new DhcpWorld();
  world.bind({ lease: 3_600 });
  world.events();
  const first = world.message();
  ok(
    world.now >= seconds(1_800 * 15 / 16) && world.now <= seconds(1_800),
    "T1 is half of it, with some chance",
  );
  deepEqual([first.type, first.own, first.from], [MessageType.Request, LEASED, LEASED]);
  deepEqual([first.to, first.station, first.broadcast], [SERVER, PEER_MAC, false]);
  deepEqual([first.requested, first.server], [undefined, undefined], "RFC 2131 4.3.6: only ciaddr tells");
  let before = world.now;
  let again = world.message();
  while (again.to === SERVER) {
    near(world.now - before, Math.max(60, (3_150 - before / 1e6) / 2), 0.001);
    before = world.now;
    again = world.message();
  }
  const rebind = again;
  near(world.now, 3_150, 0.001);
  deepEqual([rebind.to, rebind.from, rebind.own], ["255.255.255.255", LEASED, LEASED]);
  while (world.client.state !== DhcpState.Selecting) world.next();
  near(world.now, 3_600, 0.001);
  deepEqual(world.tables(), []);
  deepEqual(world.events(), [`lost ${LEASED}: expired`]);
  equal(world.message().requested, LEASED, "it would like to have it back");
});

Deno.test("dhcp client: a renewed lease counts from when it was asked for, and has new times (RFC 2131 4.4.5)", () => {
  const world = new DhcpWorld();
  world.bind({ lease: 3_600 });
  const { xid } = world.message();
  const asked = world.now;
  world.at(asked + seconds(2));
  world.reply({ type: MessageType.Ack, xid, to: LEASED, lease: 1_000, t1: 100, t2: 900 });
  equal(world.client.state, DhcpState.Bound);
  equal(world.client.expires, asked + seconds(1_000));
  deepEqual(world.events(), [`bound ${LEASED}/24`, `renewed ${LEASED}/24`]);
  world.message();
  ok(world.now > asked + seconds(90) && world.now <= asked + seconds(100), "T1 as the server tells it");
});

Deno.test("dhcp client: times that are out of order are not believed", () => {
  for (const [t1, t2] of [[3_000, 2_000], [5_000, 6_000], [0, 0]] as const) {
    const world = new DhcpWorld();
    world.bind({ lease: 3_600, t1, t2 });
    const { renewal, rebinding, duration } = world.client.lease!;
    ok(renewal > 0 && renewal <= rebinding && rebinding <= duration, `${renewal} ${rebinding}`);
  }
});

Deno.test("dhcp client: a lease without end is never renewed (RFC 2131 3.3)", () => {
  const world = new DhcpWorld();
  world.bind({ lease: 0xffffffff });
  equal(world.host.deadline, NEVER);
  equal(world.client.expires, NEVER);
});

Deno.test("dhcp client: in REBINDING any server may prolong the lease", () => {
  const world = new DhcpWorld();
  world.bind({ lease: 600 });
  while (world.client.state !== DhcpState.Rebinding) world.next();
  world.reply({ type: MessageType.Ack, xid: world.message().xid, server: "10.0.0.7", lease: 600 });
  equal(world.client.state, DhcpState.Bound);
  equal(String(world.client.lease?.server), "10.0.0.7");
});

Deno.test("dhcp client: a NAK takes the address away at once, and it begins again (RFC 2131 4.4.5)", () => {
  const world = new DhcpWorld();
  world.bind({ options: [[Option.Router, bytesOf("10.0.0.254")]] });
  const renew = world.message();
  world.reply({ type: MessageType.Nak, xid: renew.xid });
  deepEqual(world.tables(), []);
  deepEqual(world.events(), [`bound ${LEASED}/24`, `lost ${LEASED}: refused`]);
  const discover = world.message();
  deepEqual([discover.type, discover.requested], [MessageType.Discover, undefined]);
  equal(world.now > 0, true);
});

Deno.test("dhcp client: whoever is refused time and again waits ever longer, so that a bad server causes no storm", () => {
  const world = new DhcpWorld();
  const waits: number[] = [];
  for (let turn = 0; turn < 8; turn++) {
    const discover = world.message();
    world.reply({ type: MessageType.Offer, xid: discover.xid });
    const request = world.message();
    const refused = world.now;
    world.reply({ type: MessageType.Nak, xid: request.xid });
    waits.push((world.host.deadline - refused) / 1e6);
  }
  deepEqual(waits, [0, 2, 6, 14, 30, 62, 62, 62]);
});

Deno.test("dhcp client: an address of an earlier life is asked for at once, of any server (RFC 2131 3.2, 4.4.2)", () => {
  const world = new DhcpWorld({ previous: Address.parse(LEASED) });
  const request = world.message();
  deepEqual([request.type, request.requested, request.server], [MessageType.Request, LEASED, undefined]);
  deepEqual([request.own, request.from], [undefined, "0.0.0.0"]);
  world.reply({ type: MessageType.Ack, xid: request.xid, server: "10.0.0.7" });
  deepEqual(world.tables(), [`${LEASED}/24`]);
});

Deno.test("dhcp client: refused or unanswered, the earlier address is given up and servers are called for (RFC 2131 3.2)", () => {
  const refused = new DhcpWorld({ previous: Address.parse(LEASED) });
  refused.reply({ type: MessageType.Nak, xid: refused.message().xid });
  deepEqual([refused.message().type, refused.now], [MessageType.Discover, 0]);
  const silent = new DhcpWorld({ previous: Address.parse(LEASED) });
  deepEqual([silent.message().type, silent.message().type], [MessageType.Request, MessageType.Request]);
  equal(silent.message().type, MessageType.Discover);
  near(silent.now, 12, 2);
});

/** A lease of an hour that an earlier client had, and how much of it is left. */
function heldLease(remaining: number): HeldLease {
  const world = new DhcpWorld();
  world.bind({ options: [[Option.Router, bytesOf("10.0.0.254")], [Option.DnsServer, bytesOf("10.0.0.3")]] });
  return { lease: world.client.lease!, remaining };
}

Deno.test("dhcp client: a lease of an earlier life is asked for first, and is new if a server says so (RFC 2131 3.2)", () => {
  const world = new DhcpWorld({ previous: heldLease(1_200) });
  const request = world.message();
  deepEqual([request.type, request.requested, request.server], [MessageType.Request, LEASED, undefined]);
  deepEqual(world.tables(), [], "nothing is used before");
  world.reply({ type: MessageType.Ack, xid: request.xid, lease: 7_200 });
  deepEqual(world.events(), [`bound ${LEASED}/24`]);
  near(world.client.expires - world.now, 7_200);
});

Deno.test("dhcp client: a lease of an earlier life that no server confirms is used for what is left of it (RFC 2131 3.2 (3))", () => {
  const world = new DhcpWorld({ previous: heldLease(1_200) });
  const sent = [world.message(), world.message()];
  deepEqual(sent.map(({ type, requested }) => [type, requested]), [
    [MessageType.Request, LEASED],
    [MessageType.Request, LEASED],
  ]);
  while (world.client.lease === undefined) world.next();
  near(world.now, 12, 3);
  deepEqual(world.tables(), [`${LEASED}/24`, "0.0.0.0/0 > 10.0.0.254"]);
  deepEqual(world.client.lease.dns.map(String), ["10.0.0.3"]);
  near(world.client.expires, 1_200);
  // Half of its hour is over: it is to be renewed at once, and ends when it would have.
  const renewal = world.message();
  deepEqual([renewal.own, renewal.type], [LEASED, MessageType.Request]);
  near(world.now, 12, 6);
  while (world.client.lease !== undefined) world.next();
  near(world.now, 1_200);
  deepEqual(world.events(), [`bound ${LEASED}/24`, `lost ${LEASED}: expired`]);
});

Deno.test("dhcp client: a lease of an earlier life that is over, or is refused, is not used", () => {
  const over = new DhcpWorld({ previous: heldLease(5) });
  while (over.client.state === DhcpState.Rebooting || over.client.state === DhcpState.Init) over.next();
  deepEqual([over.client.state, over.tables()], [DhcpState.Selecting, []]);
  const refused = new DhcpWorld({ previous: heldLease(1_200) });
  refused.reply({ type: MessageType.Nak, xid: refused.message().xid });
  for (let turn = 0; turn < 20; turn++) refused.next();
  deepEqual([refused.client.state, refused.tables()], [DhcpState.Selecting, []]);
  const endless = { ...heldLease(Infinity) };
  const forever = new DhcpWorld({
    previous: {
      ...endless,
      lease: { ...endless.lease, duration: Infinity, renewal: Infinity, rebinding: Infinity },
    },
  });
  while (forever.client.lease === undefined) forever.next();
  equal(forever.client.expires, NEVER);
  equal(forever.client.state, DhcpState.Bound);
});

Deno.test("dhcp client: when the link has come back it asks whether the lease is still good there (RFC 2131 3.7)", () => {
  const world = new DhcpWorld();
  world.bind();
  world.client.confirm();
  const request = world.message();
  deepEqual([request.requested, request.own, request.server], [LEASED, undefined, undefined]);
  deepEqual(world.tables(), [`${LEASED}/24`], "meanwhile the address is used");
  world.reply({ type: MessageType.Ack, xid: request.xid });
  deepEqual(world.events(), [`bound ${LEASED}/24`, `renewed ${LEASED}/24`]);
  world.client.confirm();
  world.reply({ type: MessageType.Nak, xid: world.message().xid });
  deepEqual(world.tables(), []);
  const silent = new DhcpWorld();
  silent.bind({ lease: 600 });
  silent.client.confirm();
  while (silent.client.state === DhcpState.Rebooting) silent.next();
  deepEqual(
    [silent.client.state, silent.tables()],
    [DhcpState.Rebinding, [`${LEASED}/24`]],
    "RFC 2131 3.2 (4)",
  );
  while (silent.client.state !== DhcpState.Selecting) silent.next();
  near(silent.now, 600, 0.001);
});

Deno.test("dhcp client: an address that somebody has is declined, and ten seconds pass before the next try (RFC 2131 3.1 (5), 4.4.4)", () => {
  let isFree: boolean | undefined;
  const looked: string[] = [];
  const probe = { begin: (address: Address) => void looked.push(String(address)), isFree: () => isFree };
  const world = new DhcpWorld({ probe });
  world.bind();
  deepEqual([world.client.state, world.tables(), looked], [DhcpState.Checking, [], [LEASED]]);
  deepEqual(world.at(seconds(1)), []);
  isFree = false;
  const [decline] = world.at(seconds(2)) as [DhcpView];
  deepEqual([decline.type, decline.requested, decline.server], [MessageType.Decline, LEASED, SERVER]);
  deepEqual([decline.from, decline.to, decline.own], ["0.0.0.0", "255.255.255.255", undefined]);
  equal(optionOf(decline.bytes, Option.ParameterList), undefined, "table 5: it must not ask for anything");
  isFree = true;
  const discover = world.message();
  deepEqual([discover.type, discover.requested], [MessageType.Discover, undefined]);
  near(world.now, 12, 0.001);
  world.reply({ type: MessageType.Offer, xid: discover.xid, yours: "10.0.0.51" });
  world.reply({ type: MessageType.Ack, xid: world.message().xid, yours: "10.0.0.51" });
  world.at(world.now);
  deepEqual(world.tables(), ["10.0.0.51/24"]);
  deepEqual(world.events(), [`declined ${LEASED}`, "bound 10.0.0.51/24"]);
});

Deno.test("dhcp client: a conflict found later takes the address away, declines it and gets another (RFC 5227 2.4)", () => {
  const world = new DhcpWorld();
  world.bind();
  world.client.conflict(Address.parse("10.0.0.99"));
  equal(world.client.state, DhcpState.Bound, "somebody else's business");
  world.client.conflict(Address.parse(LEASED));
  deepEqual(world.tables(), []);
  equal(world.message().type, MessageType.Decline);
  equal(world.message().type, MessageType.Discover);
  deepEqual(world.events(), [`bound ${LEASED}/24`, `lost ${LEASED}: conflict`, `declined ${LEASED}`]);
});

Deno.test("dhcp client: an address that another host goes on to claim is given up, declined, and another leased (RFC 5227 2.4 (b))", () => {
  const world = new DhcpWorld();
  world.bind();
  const claim = arpFrame({ sender: LEASED, senderMac: PEER_MAC, target: LEASED });
  world.at(seconds(1));
  world.host.deliver(claim);
  equal(world.client.state, DhcpState.Bound, "defended once");
  world.at(seconds(2));
  world.host.deliver(claim);
  const [decline] = world.at(seconds(2));
  deepEqual([decline?.type, decline?.requested], [MessageType.Decline, LEASED]);
  deepEqual(world.events(), [`bound ${LEASED}/24`, `lost ${LEASED}: conflict`, `declined ${LEASED}`]);
});

Deno.test("dhcp client: stopped, it gives the lease back to its server and then says nothing more (RFC 2131 4.4.6)", () => {
  const world = new DhcpWorld();
  world.bind();
  world.client.stop();
  const release = world.message();
  deepEqual([release.type, release.own, release.server], [MessageType.Release, LEASED, SERVER]);
  deepEqual([release.from, release.to, release.station], [LEASED, SERVER, PEER_MAC]);
  deepEqual([world.client.state, world.tables(), world.host.deadline], [DhcpState.Stopped, [], NEVER]);
  const idle = new DhcpWorld();
  idle.message();
  idle.client.stop();
  deepEqual([idle.client.state, idle.host.deadline, idle.at(seconds(100))], [DhcpState.Stopped, NEVER, []]);
});

Deno.test("dhcp client: a server whose link address nobody knows is looked up first, for three seconds at most", () => {
  const world = new DhcpWorld();
  world.bind({ server: "10.0.0.9" });
  world.client.stop();
  const began = world.now;
  while (world.client.state !== DhcpState.Stopped) world.next();
  near(world.now - began, 3, 0.1);
  equal(world.client.counters.notSent, 1);
});

/** Everything that is awaited, but for what a test changes. */
const FORGED: readonly (readonly [reason: string, changes: Partial<ReplyFields>])[] = [
  ["stray", { xid: 7 }],
  ["stray", { mac: "02:00:00:00:00:99" }],
  ["stray", { sourcePort: 6_767 }],
  ["malformed", { op: 1 }],
  ["unexpected", { server: null }],
  ["unexpected", { type: MessageType.Ack }],
  ["unexpected", { type: MessageType.Nak }],
  ["unexpected", { type: MessageType.Discover }],
  ["unusable", { lease: null }],
  ["unusable", { lease: 0 }],
  ["unusable", { yours: "0.0.0.0" }],
  ["unusable", { yours: "127.0.0.1" }],
  ["unusable", { yours: "224.0.0.1" }],
  ["unusable", { yours: "255.255.255.255" }],
  ["unusable", { yours: "10.0.0.0" }],
  ["unusable", { yours: "10.0.0.255" }],
  ["unusable", { mask: "255.0.255.0" }],
  ["unusable", { mask: "0.0.0.0" }],
  ["unusable", { server: "0.0.0.0", from: SERVER }],
];

Deno.test("dhcp client: offers that are forged, incomplete or impossible are dropped and counted, and the search goes on", () => {
  for (const [reason, changes] of FORGED) {
    const world = new DhcpWorld();
    const { xid } = world.message();
    world.reply({ type: MessageType.Offer, xid, ...changes });
    deepEqual(counted(world.client.counters), { sent: 1, [reason]: 1 }, JSON.stringify(changes));
    equal(world.message().type, MessageType.Discover, JSON.stringify(changes));
  }
});

Deno.test("dhcp client: an acknowledgment by another server, or of another address, is none", () => {
  for (
    const [reason, changes] of [["unexpected", { server: "10.0.0.7" }], ["unusable", {
      yours: "10.0.0.51",
    }]] as const
  ) {
    const world = new DhcpWorld();
    world.reply({ type: MessageType.Offer, xid: world.message().xid });
    world.reply({ type: MessageType.Ack, xid: world.message().xid, ...changes });
    deepEqual([world.client.state, world.client.counters[reason]], [DhcpState.Requesting, 1]);
  }
});

Deno.test("dhcp client: replies cut short anywhere are dropped or have what they must have; no byte is invented", () => {
  const world = new DhcpWorld();
  const { xid } = world.message();
  const whole = replyBytes({ type: MessageType.Offer, xid });
  const { counters } = world.client;
  // Behind the last option that matters there is only padding.
  const last = whole.lastIndexOf(255);
  for (let length = 0; length < last; length++) {
    world.host.deliver(
      datagram(whole.subarray(0, length), SERVER, 67, "255.255.255.255", 68, { destination: BROADCAST_MAC }),
    );
    equal(counters.malformed + counters.unexpected + counters.unusable, length + 1, `${length} bytes`);
  }
  world.reply({ type: MessageType.Offer, xid });
  equal(world.client.state, DhcpState.Requesting, "whole, it is taken");
});

Deno.test("dhcp client: classless routes stand in place of routers, those that are no way are left out (RFC 3442)", () => {
  const world = new DhcpWorld();
  const route = (
    prefix: number,
    network: number[],
    router: string,
  ) => [prefix, ...network, ...bytesOf(router)];
  world.bind({
    options: [
      [Option.Router, bytesOf("10.0.0.1")],
      [Option.ClasslessRoutes, [
        ...route(0, [], "10.0.0.254"),
        ...route(17, [172, 16, 128], "10.0.0.253"),
        ...route(8, [11], "192.168.7.7"),
        ...route(24, [10, 1, 1], "0.0.0.0"),
        ...route(33, [1, 2, 3, 4, 5], "10.0.0.1"),
      ]],
    ],
  });
  deepEqual(world.tables(), [
    `${LEASED}/24`,
    "10.1.1.0/24 > ::",
    "172.16.128.0/17 > 10.0.0.253",
    "0.0.0.0/0 > 10.0.0.254",
  ]);
});

Deno.test("dhcp client: the router of a host alone in its subnet is reached by a route to the link (RFC 3442)", () => {
  const gateway = "10.9.0.1";
  const routes = [0, ...bytesOf(gateway), 32, ...bytesOf(gateway, "0.0.0.0")];
  for (
    const [code, value] of [[Option.ClasslessRoutes, routes], [Option.Router, bytesOf(gateway)]] as const
  ) {
    const world = new DhcpWorld();
    world.bind({ mask: "255.255.255.255", options: [[code, value]] });
    deepEqual(world.tables(), [`${LEASED}/32`, `${gateway}/32 > ::`, `0.0.0.0/0 > ${gateway}`]);
    const { host: { ip, nic } } = world;
    equal(String(ip.path.source(Address.parse("8.8.8.8"), nic.now())), LEASED);
    const asked = world.host.deliver(arpFrame({ sender: gateway, target: LEASED }));
    expectFrame(asked[0], { destination: PEER_MAC, arp: { sender: LEASED, target: gateway } });
    world.client.stop();
    world.message();
    deepEqual(world.tables(), []);
  }
});

Deno.test("dhcp client: routes that the user has set up stay, and what the lease brought goes with it", () => {
  const world = new DhcpWorld();
  world.host.ip.addresses.add("192.168.0.1/24");
  world.host.ip.routes.addDefault(Address.parse("192.168.0.254"));
  world.bind({ options: [[Option.Router, bytesOf("10.0.0.254")]] });
  const { routes } = world.host.ip;
  equal(
    String(routes.lookup(Address.parse("8.8.8.8"), 0)?.gateway),
    "192.168.0.254",
    "goes before the leased one",
  );
  equal(routes.size, 2);
  world.client.stop();
  world.message();
  deepEqual(world.tables(), ["192.168.0.1/24", "0.0.0.0/0 > 192.168.0.254"]);
});

Deno.test("dhcp client: without a mask the address' class tells the subnet", () => {
  for (const [yours, prefix] of [["10.0.0.50", 8], ["172.16.0.50", 16], ["192.168.0.50", 24]] as const) {
    const world = new DhcpWorld();
    world.bind({ yours, mask: null });
    deepEqual(world.tables(), [`${yours}/${prefix}`]);
  }
});

Deno.test("dhcp client: without a mask, what is no host's of the class' subnet is not taken either (RFC 1122 3.2.1.3)", () => {
  for (const yours of ["10.255.255.255", "172.16.255.255", "192.0.2.255", "192.0.2.0"]) {
    const world = new DhcpWorld();
    const discover = world.message();
    world.reply({ type: MessageType.Offer, xid: discover.xid, yours, mask: null });
    equal(world.client.counters.unusable, 1, yours);
    equal(world.message().type, MessageType.Discover);
  }
});
