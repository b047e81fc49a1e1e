/** Several stacks of one host: whatever queue the kernel puts a frame into, the host answers as one. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { NeighbourState } from "../../stack/host/neighbours.ts";
import { Operation } from "../../stack/wire/arp.ts";
import { seconds } from "../../stack/store/time.ts";
import { Address } from "../../stack/wire/address.ts";
import { Cidr } from "../../stack/wire/cidr.ts";
import * as icmpv4 from "../../stack/wire/icmpv4.ts";
import { put16 } from "../../stack/wire/bytes.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import { Flag } from "../../stack/wire/tcp.ts";
import { cut, FAMILIES } from "../support/fragments.ts";
import {
  arpFrame,
  arpReply,
  BROADCAST_MAC,
  concat,
  data,
  echoRequest,
  echoRequest6,
  ethernet,
  icmp,
  ipv4,
  OWN,
  OWN_MAC,
  PEER,
  PEER_MAC,
  read,
} from "../support/frames.ts";
import { OWN6 } from "../support/frames-v6.ts";
import { advertisement } from "../support/ndp.ts";
import { Shards } from "../support/shards.ts";
import { readSegment, segment, type SegmentView } from "../support/tcp-frames.ts";

const PEER_ADDRESS = Address.parse(PEER);
const V4 = FAMILIES[0]!;
const ISS = 1_000;

/** The segments among frames. */
const segments = (frames: readonly Uint8Array[]): SegmentView[] => {
  return frames.map((frame) => readSegment(frame)).filter((one) => one !== undefined);
};

/** A host that knows the peer. */
function acquainted(count: number, addresses?: readonly string[]): Shards {
  const host = new Shards(count, addresses);
  host.receive(0, arpFrame());
  host.takeSent();
  return host;
}

/** Opens a connection from a port in a queue; answers what the host sends next and what it has not seen yet. */
function connect(
  host: Shards,
  queue: number,
  sourcePort: number,
): { sequence: number; acknowledgment: number } {
  host.receive(queue, segment({ sourcePort, sequence: ISS, flags: Flag.Syn, options: [2, 4, 5, 0xb4] }));
  const [answer] = segments(host.takeSent());
  equal(answer?.flags, Flag.Syn | Flag.Ack);
  const acknowledgment = (answer!.sequence + 1) | 0;
  host.receive(queue, segment({ sourcePort, sequence: ISS + 1, acknowledgment }));
  equal(host.places[queue]!.shard.appliance.tcp.connections.size, 1);
  return { sequence: ISS + 1, acknowledgment };
}

/** A packet's payload, and the frames that it is cut into. */
function inFragments(frame: Uint8Array): Uint8Array[] {
  const { payload } = read(frame);
  return cut(V4, payload, [24], { protocol: Protocol.Tcp });
}

/** An ICMP error about what the host has sent. */
function errorAbout(frame: Uint8Array, code: number, mtu: number): Uint8Array {
  const message = icmp(frame.slice(14, 14 + 28), { type: icmpv4.Type.DestinationUnreachable, code });
  put16(message, 4, 0);
  put16(message, 6, mtu);
  icmpv4.fillChecksum(message, 0, message.length);
  return ethernet(ipv4(message));
}

const counters = (host: Shards, index: number) => host.places[index]!.shard.appliance.tcp.counters;

Deno.test("shards: who is asked for by ARP answers once, whatever queue the request comes to", () => {
  for (const queue of [0, 1, 2]) {
    const host = new Shards(3);
    host.receive(queue, arpFrame());
    const sent = host.takeSent();
    equal(sent.length, 1);
    deepEqual([read(sent[0]).arp?.operation, read(sent[0]).arp?.senderMac], [Operation.Reply, OWN_MAC]);
    for (const { shard } of host.places) {
      equal(
        shard.appliance.ip.neighbours.station(PEER_ADDRESS)?.toString(),
        PEER_MAC,
        "all have learnt from it",
      );
    }
  }
});

Deno.test("shards: a neighbour is looked up with one request, and its answer releases what waits in all stacks", () => {
  const host = new Shards(3);
  for (const index of [0, 1, 2]) host.places[index]!.queue.inject(echoRequest({ icmp: { sequence: index } }));
  host.settle();
  const asked = host.takeSent();
  deepEqual(asked.map((frame) => read(frame).arp?.operation), [Operation.Request], "one asks for all");
  host.receive(1, arpReply());
  const answers = host.takeSent().map((frame) => read(frame));
  deepEqual(answers.map((answer) => answer.icmp?.sequence).sort(), [0, 1, 2]);
  ok(answers.every(({ destination }) => destination === PEER_MAC));
});

Deno.test("shards: a neighbour that moves is followed by all, whatever queue the news comes to", () => {
  const host = acquainted(2);
  host.receive(1, arpFrame({ senderMac: "02:00:00:00:00:99" }, { destination: BROADCAST_MAC }));
  host.takeSent();
  for (const queue of [0, 1]) {
    host.receive(queue, echoRequest());
    equal(read(host.takeSent()[0]).destination, "02:00:00:00:00:99");
  }
});

Deno.test("shards: a neighbour in doubt is asked itself, once, and its answer to any queue is proof for all", () => {
  const host = acquainted(2);
  host.receive(0, arpReply());
  host.advance(seconds(60));
  host.takeSent();
  host.receive(1, echoRequest());
  equal(host.takeSent().length, 1, "it is used meanwhile (RFC 4861 7.3.3)");
  host.advance(seconds(5.1));
  const [probe, ...more] = host.takeSent();
  deepEqual([read(probe).destination, read(probe).arp?.operation, more.length], [
    PEER_MAC,
    Operation.Request,
    0,
  ]);
  host.receive(0, arpReply());
  const { neighbours } = host.places[1]!.shard.appliance.ip;
  equal(neighbours.state(PEER_ADDRESS, host.now), NeighbourState.Reachable);
  host.advance(seconds(4));
  equal(host.takeSent().length, 0);
});

Deno.test("shards: a neighbour that does not answer any more is forgotten by all", () => {
  const host = acquainted(2);
  host.advance(seconds(60));
  host.receive(1, echoRequest());
  host.advance(seconds(12));
  for (const { shard } of host.places) {
    equal(shard.appliance.ip.neighbours.state(PEER_ADDRESS, host.now), undefined);
  }
  equal(host.speaker.ip.neighbours.state(PEER_ADDRESS, host.now), undefined);
});

Deno.test("shards: a neighbour by hand is so for all, and forgotten by all", () => {
  const host = new Shards(2);
  const { neighbours } = host.speaker.ip;
  ok(neighbours.setStatic(PEER_ADDRESS, host.speaker.eth.mac));
  host.settle();
  for (const { shard } of host.places) {
    equal(shard.appliance.ip.neighbours.state(PEER_ADDRESS, host.now), NeighbourState.Static);
  }
  neighbours.remove(PEER_ADDRESS);
  host.settle();
  for (const { shard } of host.places) equal(shard.appliance.ip.neighbours.size, 0);
});

Deno.test("shards: a flow is the stack's that has its queue, and others know nothing of it", () => {
  const host = acquainted(2);
  const { sequence, acknowledgment } = connect(host, 1, 5_000);
  host.receive(1, segment({ sequence, acknowledgment, data: 10, flags: Flag.Ack | Flag.Psh }));
  host.advance(seconds(0.1));
  const echoed = segments(host.takeSent()).filter(({ data }) => data.length > 0);
  deepEqual(echoed.map(({ data }) => [...data]), [[...data(10)]]);
  equal(host.places[0]!.shard.appliance.tcp.connections.size, 0);
  equal(host.speaker.tcp.counters.received, 0);
});

Deno.test("shards: a segment in fragments reaches its connection from any queue, once", () => {
  for (const count of [2, 3]) {
    for (let queue = 0; queue < count; queue++) {
      const host = acquainted(count);
      const { sequence, acknowledgment } = connect(host, 1, 5_000);
      const whole = segment({ sequence, acknowledgment, data: 200, flags: Flag.Ack | Flag.Psh });
      host.receive(queue, ...inFragments(whole));
      host.advance(seconds(0.1));
      const sent = segments(host.takeSent());
      ok(sent.every(({ flags }) => (flags & Flag.Rst) === 0), "nobody resets it");
      deepEqual(sent.filter((one) => one.data.length > 0).map((one) => [...one.data]), [[...data(200)]]);
      const { reassembled } = host.places[queue]!.shard.appliance.ip.counters;
      equal(reassembled, 1);
    }
  }
});

Deno.test("shards: a segment in fragments that is nobody's is reset once, by the last that was asked", () => {
  const host = acquainted(3);
  host.receive(1, ...inFragments(segment({ sequence: 5, acknowledgment: 77, data: 100 })));
  const resets = segments(host.takeSent());
  deepEqual(resets.map(({ flags, sequence }) => [flags, sequence]), [[Flag.Rst, 77]]);
  deepEqual(
    [0, 1, 2].map((index) => counters(host, index).stray),
    [1, 0, 0],
  );
});

Deno.test("shards: datagrams in fragments are answered where they come to", () => {
  const host = acquainted(2);
  const bytes = new Uint8Array(8 + 100);
  put16(bytes, 0, 5_000);
  put16(bytes, 2, 7);
  put16(bytes, 4, bytes.length);
  bytes.set(data(100), 8);
  host.receive(1, ...cut(V4, bytes, [48], { protocol: Protocol.Udp }));
  const [answer, ...more] = host.takeSent();
  equal(more.length, 0);
  deepEqual([...read(answer).payload.slice(8)], [...data(100)]);
});

Deno.test("shards: an ICMP error reaches the connection that it is about from any queue, and is counted once", () => {
  for (const queue of [0, 1, 2]) {
    const host = acquainted(3);
    const { sequence, acknowledgment } = connect(host, 1, 5_000);
    host.receive(1, segment({ sequence, acknowledgment, data: 1_400, flags: Flag.Ack | Flag.Psh }));
    const sent = host.takeSent().find((frame) => (readSegment(frame)?.data.length ?? 0) > 0);
    host.receive(queue, errorAbout(sent!, icmpv4.Unreachable.FragmentationNeeded, 600));
    deepEqual([0, 1, 2].map((index) => counters(host, index).errors), [0, 1, 0]);
    deepEqual([0, 1, 2].map((index) => counters(host, index).strayErrors), [0, 0, 0]);
    const [connection] = host.places[1]!.shard.appliance.tcp.connections;
    equal(connection!.sndMss, 560);
  }
});

Deno.test("shards: an ICMP error about no connection is dropped by the last that was asked", () => {
  const host = acquainted(3);
  const { sequence, acknowledgment } = connect(host, 1, 5_000);
  host.receive(1, segment({ sequence, acknowledgment, data: 100, flags: Flag.Ack | Flag.Psh }));
  const sent = host.takeSent().find((frame) => (readSegment(frame)?.data.length ?? 0) > 0)!.slice();
  put16(sent, 14 + 20 + 2, 4_999);
  host.receive(0, errorAbout(sent, icmpv4.Unreachable.FragmentationNeeded, 600));
  deepEqual([0, 1, 2].map((index) => counters(host, index).strayErrors), [0, 0, 1]);
});

Deno.test("shards: what a path takes of datagrams all learn, whatever queue the error comes to", () => {
  const host = acquainted(3);
  const datagram = new Uint8Array(8 + 1_000);
  put16(datagram, 0, 5_000);
  put16(datagram, 2, 7);
  put16(datagram, 4, datagram.length);
  host.receive(2, ethernet(ipv4(datagram, { protocol: Protocol.Udp })));
  const [echo] = host.takeSent();
  host.receive(0, errorAbout(echo!, icmpv4.Unreachable.FragmentationNeeded, 600));
  deepEqual(host.places.map(({ shard }) => shard.appliance.ip.pathMtus.get(PEER_ADDRESS, host.now)), [
    600,
    600,
    600,
  ]);
});

Deno.test("shards: a stack that is started again resets its old flows, and those of others go on", () => {
  const host = acquainted(2);
  const lost = connect(host, 0, 5_000), kept = connect(host, 1, 5_001);
  host.stop(0);
  host.start(0);
  host.receive(0, segment({ ...lost, data: 5 }));
  deepEqual(segments(host.takeSent()).map(({ flags }) => flags), [Flag.Rst]);
  host.receive(1, segment({ ...kept, sourcePort: 5_001, data: 5, flags: Flag.Ack | Flag.Psh }));
  host.advance(seconds(0.1));
  ok(segments(host.takeSent()).some((one) => one.data.length === 5));
  host.receive(0, echoRequest());
  equal(
    read(host.takeSent()[0]).icmp?.type,
    icmpv4.Type.EchoReply,
    "it knows addresses and neighbours at once",
  );
});

Deno.test("shards: what is for one that is not there goes round without it", () => {
  const host = acquainted(3);
  const { sequence, acknowledgment } = connect(host, 2, 5_000);
  host.stop(1);
  host.receive(
    0,
    ...inFragments(segment({ sequence, acknowledgment, data: 100, flags: Flag.Ack | Flag.Psh })),
  );
  host.advance(seconds(0.1));
  deepEqual(segments(host.takeSent()).filter((one) => one.data.length > 0).length, 1);
});

Deno.test("shards: before an address goes, connections on it are reset in all stacks", () => {
  const host = acquainted(2);
  connect(host, 0, 5_000);
  connect(host, 1, 5_001);
  host.takeSent();
  ok(host.speaker.ip.addresses.remove(Address.parse(OWN)));
  host.settle();
  deepEqual(segments(host.takeSent()).map(({ flags }) => flags & Flag.Rst), [Flag.Rst, Flag.Rst]);
  deepEqual(host.applied, [1, 1]);
  for (const { shard } of host.places) equal(shard.appliance.ip.addresses.owns(Address.parse(OWN)), false);
});

Deno.test("shards: addresses and routes that are added hold for all, and expired routes for none", () => {
  const host = acquainted(2, ["10.0.0.1/24"]);
  const { addresses, routes } = host.speaker.ip;
  addresses.add("10.0.0.9/24");
  routes.add(Cidr.parse("192.0.2.0/24"), PEER_ADDRESS, host.now + seconds(2));
  host.settle();
  const ask = echoRequest({ ip: { source: "192.0.2.5", destination: "10.0.0.9" } });
  for (const queue of [0, 1]) {
    host.receive(queue, ask);
    equal(read(host.takeSent()[0]).ip?.destination, "192.0.2.5");
  }
  host.advance(seconds(3));
  for (const queue of [0, 1]) {
    host.receive(queue, ask);
    deepEqual(host.takeSent(), []);
    equal(host.places[queue]!.shard.appliance.ip.counters.noRoute, 1);
  }
});

Deno.test("shards: IPv6 neighbours are solicited once for all, and found by all", () => {
  const host = new Shards(2, [`${OWN6}/64`]);
  // Its link-local address is looked for first.
  host.advance(seconds(3));
  host.takeSent();
  for (const queue of [0, 1]) host.places[queue]!.queue.inject(echoRequest6());
  host.settle();
  const asked = host.takeSent();
  deepEqual(asked.map((frame) => read(frame).icmp6?.type), [135]);
  host.receive(0, advertisement());
  deepEqual(host.takeSent().map((frame) => read(frame).icmp6?.type), [129, 129]);
});

Deno.test("shards: a frame that is sent to all reaches who speaks for the host, and no other", () => {
  const host = acquainted(2);
  const before = host.speaker.ip.counters.received;
  host.receive(
    1,
    ethernet(ipv4(concat(icmp()), { destination: "10.0.0.255" }), { destination: BROADCAST_MAC }),
  );
  equal(host.speaker.ip.counters.received, before + 1);
  equal(host.places[1]!.shard.appliance.ip.counters.received, 0);
});

Deno.test("shards: the hop limit and the MTU that routers and servers tell of hold for all (RFC 4861 6.3.4, RFC 2132 5.1)", () => {
  const host = new Shards(2, [`${OWN6}/64`]);
  const { ip } = host.speaker;
  ip.hopLimitV6 = 77;
  ip.pathMtus.setLinkMtu(true, 1_300);
  ip.pathMtus.setLinkMtu(false, 1_400);
  host.settle();
  for (const { shard } of host.places) {
    equal(shard.appliance.ip.hopLimitV6, 77);
    deepEqual([true, false].map((isV4) => shard.appliance.ip.pathMtus.linkMtu(isV4)), [1_300, 1_400]);
  }
});
