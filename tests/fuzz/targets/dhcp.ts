/**
 * What comes to a DHCP client's port: whatever it is and whenever it comes, the client goes on, and has no address or one
 * that a host can have.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { DhcpState } from "../../../stack/dhcp/state.ts";
import { Addresses } from "../../../stack/host/addresses.ts";
import { put32 } from "../../../stack/wire/bytes.ts";
import * as dhcp from "../../../stack/wire/dhcpv4.ts";
import { datagram, DhcpWorld, replyBytes, SERVER } from "../../support/dhcp.ts";
import { BROADCAST_MAC } from "../../support/frames.ts";
import { fc } from "../../support/property.ts";
import { HEX } from "../codec.ts";
import { target } from "../target.ts";

const XID = 4;

function run(bytes: Uint8Array): void {
  for (const lead of [lonely, requesting, renewing]) {
    const world = new DhcpWorld();
    const xid = lead(world);
    const payload = bytes.slice();
    // Whoever forges replies and has the number right gets furthest.
    if (payload.length >= XID + 4) put32(payload, XID, xid);
    const before = total(world);
    world.host.deliver(datagram(payload, SERVER, 67, "255.255.255.255", 68, { destination: BROADCAST_MAC }));
    equal(total(world), before + 1, "it ends in one counter");
    check(world);
    for (let turn = 0; turn < 20; turn++) world.next();
    check(world);
  }
}

function total({ client: { counters } }: DhcpWorld): number {
  const { received, malformed, stray, unexpected, unusable } = counters;
  return received + malformed + stray + unexpected + unusable;
}

function check({ client, host }: DhcpWorld): void {
  const own = [...host.ip.addresses];
  equal(own.length, client.lease === undefined ? 0 : 1);
  // Throws for an address that no host can have.
  new Addresses(own);
  ok(host.ip.routes.size <= 16);
  if (client.lease === undefined) return;
  const { renewal, rebinding, duration } = client.lease;
  ok(0 < renewal && renewal <= rebinding && rebinding <= duration);
  ok(client.lease.dns.length <= 16 && client.lease.search.length <= 16);
}

function lonely(world: DhcpWorld): number {
  return world.message().xid;
}

function requesting(world: DhcpWorld): number {
  world.reply({ type: dhcp.MessageType.Offer, xid: world.message().xid });
  return world.message().xid;
}

function renewing(world: DhcpWorld): number {
  world.bind();
  const { xid } = world.message();
  equal(world.client.state, DhcpState.Renewing);
  return xid;
}

const known = Object.values(dhcp.Option).filter((code) => code > 0 && code < 255);
const option = fc.tuple(
  fc.oneof(fc.constantFrom(...known), fc.nat(255)),
  fc.uint8Array({ maxLength: 40 }),
);
const times = fc.constantFrom(0, 1, 60, 3_600, 0x7fffffff, 0xffffffff);
const address = fc.constantFrom(
  "0.0.0.0",
  "10.0.0.50",
  "10.0.0.255",
  "127.0.0.1",
  "224.0.0.1",
  "255.255.255.255",
  SERVER,
);

const reply = fc.record({
  type: fc.constantFrom(...Object.values(dhcp.MessageType)),
  yours: address,
  server: fc.constantFrom(SERVER, "10.0.0.7", null),
  mask: fc.constantFrom("255.255.255.0", "255.255.255.255", "128.0.0.0", "0.0.0.0", "255.0.255.0", null),
  lease: fc.oneof(times, fc.constant(null)),
  t1: times,
  t2: times,
  options: fc.array(option, { maxLength: 6 }),
}).map((fields) => replyBytes({ xid: 0, ...fields }));

/** A few bytes are changed, and it may end anywhere. */
const mutated = fc.tuple(
  reply,
  fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { maxLength: 4 }),
  fc.option(fc.nat(500), { freq: 4 }),
).map(([bytes, changes, end]) => {
  for (const [at, value] of changes) bytes[at % bytes.length] = value;
  return end === null ? bytes : bytes.slice(0, end);
});

/** Replies to a DHCP client. */
export const dhcpReplies = target({
  name: "dhcp",
  runs: 300,
  codec: HEX,
  input: fc.oneof({ weight: 9, arbitrary: mutated }, {
    weight: 1,
    arbitrary: fc.uint8Array({ maxLength: 300 }),
  }),
  run,
});
