import { deepEqual, equal, ok, throws } from "node:assert/strict";
import type { ProbeKind } from "../../../stack/icmp/probe.ts";
import { type HopResult, Traceroute, type TracerouteOptions } from "../../../stack/icmp/traceroute.ts";
import { protocols } from "../../../stack/ip/protocols.ts";
import { milliseconds, NEVER, seconds } from "../../../stack/store/time.ts";
import { Address } from "../../../stack/wire/address.ts";
import { EtherType } from "../../../stack/wire/ethernet.ts";
import { Protocol } from "../../../stack/wire/protocol.ts";
import * as icmpWire from "../../../stack/wire/icmpv4.ts";
import * as ipv4Wire from "../../../stack/wire/ipv4.ts";
import * as ipv6Wire from "../../../stack/wire/ipv6.ts";
import * as tcpWire from "../../../stack/wire/tcp.ts";
import * as udpWire from "../../../stack/wire/udp.ts";
import { data, ethernet, icmp, ipv4, OWN, read } from "../../support/frames.ts";
import { icmpv6, ipv6, OWN6 } from "../../support/frames-v6.ts";
import { type Host, host, host6 } from "../../support/host.ts";

const FAR = "192.0.2.9", FAR6 = "2001:db8:9::9";
const ROUTERS = ["10.0.0.2", "10.1.0.2", "10.2.0.2"];
const ROUTERS6 = ["2001:db8::2", "2001:db8:1::2", "2001:db8:2::2"];

interface Client {
  readonly made: Host;
  readonly client: Traceroute;
  readonly hops: HopResult[];
}

function client(options: Partial<TracerouteOptions> = {}, isV4 = true): Client {
  const hops: HopResult[] = [];
  const client = new Traceroute({
    destination: Address.parse(isV4 ? FAR : FAR6),
    own: 40_000,
    queries: 1,
    onHop: (hop) => hops.push(hop),
    ...options,
  });
  const made = (isV4 ? host : host6)({
    receive: ({ icmp }) =>
      protocols({
        icmp: icmp.recv((packet) => void client.receive(packet)),
        tcp: (packet) => void client.receiveSegment(packet),
      }),
    send: () => client,
  });
  made.ip.routes.addDefault(Address.parse(isV4 ? ROUTERS[0]! : ROUTERS6[0]!));
  return { made, client, hops };
}

/** What an error quotes of a frame (RFC 1812 4.3.2.3). */
const packetOf = (frame: Uint8Array) => frame.slice(14, 14 + 528);

/** An ICMP error about a frame of ours. */
function errorAbout(frame: Uint8Array, from: string, type: number, code: number, rest = 0): Uint8Array {
  const payload = packetOf(frame);
  if (from.includes(":")) {
    const message = icmpv6(payload, { type, code, rest }, from, OWN6);
    return ethernet(ipv6(message, { source: from, destination: OWN6, protocol: Protocol.Icmpv6 }), {
      etherType: EtherType.Ipv6,
    });
  }
  const message = icmp(payload, { type, code, identifier: rest >>> 16, sequence: rest & 0xffff });
  return ethernet(ipv4(message, { source: from, destination: OWN }));
}

/** What the destination says to a probe of a kind. */
function finalAnswer(frame: Uint8Array, kind: ProbeKind, isV4: boolean): Uint8Array {
  const from = isV4 ? FAR : FAR6, to = isV4 ? OWN : OWN6;
  if (kind === "udp") return isV4 ? errorAbout(frame, from, 3, 3) : errorAbout(frame, from, 1, 4);
  const wrap = (payload: Uint8Array, protocol: number) =>
    isV4
      ? ethernet(ipv4(payload, { source: from, destination: to, protocol }))
      : ethernet(ipv6(payload, { source: from, destination: to, protocol }), {
        etherType: EtherType.Ipv6,
      });
  const at = 14 + (isV4 ? 20 : 40);
  if (kind === "icmp") {
    const identifier = icmpWire.identifier(frame, at), sequence = icmpWire.sequence(frame, at);
    const payload = frame.slice(at + 8);
    if (isV4) return wrap(icmp(payload, { type: 0, identifier, sequence }), Protocol.Icmp);
    const rest = (identifier << 16) | sequence;
    return wrap(icmpv6(payload, { type: 129, rest }, from, to), Protocol.Icmpv6);
  }
  const segment = new Uint8Array(20);
  // RFC 9293 3.10.7.1: the SYN and the data behind it.
  const numbers = tcpWire.sequence(frame, at) + 1 + (frame.length - at - 20);
  tcpWire.emit(
    segment,
    0,
    tcpWire.destinationPort(frame, at),
    tcpWire.sourcePort(frame, at),
    0,
    numbers,
    20,
    tcpWire.Flag.Rst | tcpWire.Flag.Ack,
    0,
  );
  tcpWire.fillChecksum(segment, 0, 20, Address.parse(from), Address.parse(to));
  return wrap(segment, Protocol.Tcp);
}

const hopLimit = (frame: Uint8Array, isV4: boolean) =>
  isV4 ? ipv4Wire.hopLimit(frame, 14) : ipv6Wire.hopLimit(frame, 14);

/** A path of three routers to the destination: what comes back of a probe. */
function path(frame: Uint8Array, kind: ProbeKind, isV4: boolean): Uint8Array {
  const router = (isV4 ? ROUTERS : ROUTERS6)[hopLimit(frame, isV4) - 1];
  if (router === undefined) return finalAnswer(frame, kind, isV4);
  return errorAbout(frame, router, isV4 ? 11 : 3, 0);
}

const from = (hops: readonly HopResult[]) =>
  hops.map(({ hop, probes }) => [hop, ...probes.map((probe) => probe.from?.toString() ?? "*")]);

for (const kind of ["udp", "icmp", "tcp"] as const) {
  for (const isV4 of [true, false]) {
    Deno.test(`traceroute: ${kind} probes over ${isV4 ? "IPv4" : "IPv6"} name each router and then the destination`, () => {
      const { made, client: traceroute, hops } = client({ kind, queries: 2 }, isV4);
      for (const probe of made.transmit()) made.deliver(path(probe, kind, isV4));
      const routers = isV4 ? ROUTERS : ROUTERS6;
      deepEqual(
        from(hops),
        [...routers, isV4 ? FAR : FAR6].map((address, index) => [index + 1, address, address]),
      );
      deepEqual(hops.map(({ probes }) => probes[0]!.isReached), [false, false, false, true]);
      equal(traceroute.isReached, true);
      equal(traceroute.done, true);
      equal(made.transmit().length, 0, "no more probes");
      equal(made.deadline, NEVER);
    });
  }
}

Deno.test("traceroute: so many probes are on their way at once, and an answer lets the next one go", () => {
  const { made, hops } = client({ parallel: 3 });
  const first = made.transmit();
  deepEqual(first.map((frame) => hopLimit(frame, true)), [1, 2, 3]);
  made.deliver(path(first[1]!, "udp", true));
  equal(hops.length, 0, "hops are told in their order");
  deepEqual(made.transmit().map((frame) => hopLimit(frame, true)), [4]);
  made.at(milliseconds(7)).deliver(path(first[0]!, "udp", true));
  deepEqual(from(hops), [[1, ROUTERS[0]], [2, ROUTERS[1]]]);
  deepEqual(hops.map(({ probes }) => probes[0]!.rtt), [milliseconds(7), 0]);
});

Deno.test("traceroute: a probe without an answer is given up after the timeout, and the last hop ends it", () => {
  const { made, client: traceroute, hops } = client({ maxHops: 2, timeout: seconds(1) });
  equal(made.transmit().length, 2);
  equal(made.deadline, seconds(1));
  made.at(seconds(1) - 1).transmit();
  equal(hops.length, 0);
  made.at(seconds(1)).transmit();
  deepEqual(from(hops), [[1, "*"], [2, "*"]]);
  equal(traceroute.done, true);
  equal(traceroute.isReached, false);
});

Deno.test("traceroute: an answer after the timeout, a second one, and one about nothing of ours are no answers", () => {
  const { made, hops, client: traceroute } = client({ maxHops: 1, queries: 2, timeout: seconds(1) });
  const [one, two] = made.transmit();
  const other = one!.slice();
  other[14 + 20 + 1]!++;
  made.deliver(errorAbout(other, ROUTERS[0]!, 11, 0));
  made.deliver(
    errorAbout(ethernet(ipv4(data(8), { source: OWN, destination: "192.0.2.8" })), ROUTERS[0]!, 11, 0),
  );
  made.at(milliseconds(500)).deliver(path(one!, "udp", true), path(one!, "udp", true));
  made.at(seconds(2)).transmit();
  made.deliver(path(two!, "udp", true));
  deepEqual(from(hops), [[1, ROUTERS[0], "*"]]);
  equal(traceroute.done, true);
});

Deno.test("traceroute: who cannot pass probes on says why, and no hop behind is probed (RFC 792)", () => {
  const { made, hops, client: traceroute } = client();
  for (const probe of made.transmit()) {
    const isDead = hopLimit(probe, true) > 1;
    made.deliver(isDead ? errorAbout(probe, ROUTERS[1]!, 3, 1) : path(probe, "udp", true));
  }
  deepEqual(from(hops), [[1, ROUTERS[0]], [2, ROUTERS[1]]]);
  deepEqual(hops[1]!.probes[0]!.error, { type: 3, code: 1 });
  equal(traceroute.done, true);
  equal(traceroute.isReached, false);
});

Deno.test("traceroute: a probe that is too long is an answer with the MTU, or is sent again as short as told (RFC 1191)", () => {
  const narrow = (probe: Uint8Array) =>
    hopLimit(probe, true) > 1 && probe.length - 14 > 1_280
      ? errorAbout(probe, ROUTERS[0]!, 3, 4, 1_280)
      : path(probe, "udp", true);
  const plain = client({ length: 1_500 });
  for (const probe of plain.made.transmit()) plain.made.deliver(narrow(probe));
  equal(plain.hops.at(-1)!.probes[0]!.mtu, 1_280);
  deepEqual(plain.hops.at(-1)!.probes[0]!.error, { type: 3, code: 4 });
  const following = client({ length: 1_500, followMtu: true });
  for (let turn = 0; turn < 3; turn++) {
    for (const probe of following.made.transmit()) following.made.deliver(narrow(probe));
  }
  deepEqual(from(following.hops).map(([, address]) => address), [...ROUTERS, FAR]);
  equal(following.client.length, 1_280);
  equal(following.hops[1]!.probes[0]!.mtu, 1_280);
  equal(following.hops[1]!.probes[0]!.error, undefined);
});

Deno.test("traceroute: routers that tell ever smaller or senseless MTUs are believed only so often", () => {
  for (const mtu of [0, 20, 1]) {
    const { made, hops } = client({ length: 1_500, followMtu: true });
    for (const probe of made.transmit()) made.deliver(errorAbout(probe, ROUTERS[0]!, 3, 4, mtu));
    equal(hops.length, 1, `${mtu}`);
  }
  const { made, client: traceroute, hops } = client({ length: 1_500, followMtu: true, maxHops: 1 });
  for (let mtu = 1_400; mtu > 1_300; mtu--) {
    for (const probe of made.transmit()) made.deliver(errorAbout(probe, ROUTERS[0]!, 3, 4, mtu));
  }
  equal(traceroute.done, true);
  equal(hops[0]!.probes[0]!.mtu, 1_392);
});

Deno.test("traceroute: probes have right checksums, a port of their own each, and the length asked for", () => {
  const { made } = client({ length: 100, parallel: 4 });
  const probes = made.transmit();
  for (const [index, probe] of probes.entries()) {
    equal(probe.length, 14 + 100);
    equal(udpWire.destinationPort(probe, 34), 33_434 + index);
    ok(udpWire.verifyChecksum(probe, 34, Address.parse(OWN), Address.parse(FAR)));
    equal(read(probe).ip?.protocol, Protocol.Udp);
  }
});

Deno.test("traceroute: hops and ports that cannot be are refused", () => {
  const destination = Address.parse(FAR), onHop = () => {};
  throws(() => new Traceroute({ destination, own: 1, onHop, firstHop: 3, maxHops: 2 }), RangeError);
  throws(() => new Traceroute({ destination, own: 1, onHop, maxHops: 256 }), RangeError);
  throws(() => new Traceroute({ destination, own: 1, onHop, port: 65_500 }), RangeError);
  throws(() => new Traceroute({ destination, own: 65_500, onHop, kind: "tcp" }), RangeError);
});

Deno.test("traceroute: probes wait for the first router's link address, and not longer than for an answer", () => {
  const { made, hops, client: traceroute } = client({ maxHops: 1, timeout: seconds(1) });
  made.ip.neighbours.remove(Address.parse(ROUTERS[0]!));
  equal(made.transmit().filter((frame) => read(frame).ip !== undefined).length, 0);
  for (let now = 0; now <= seconds(4) && !traceroute.done; now += milliseconds(100)) made.at(now).transmit();
  deepEqual(from(hops), [[1, "*"]]);
});
