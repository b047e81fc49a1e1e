import { deepEqual, equal, rejects } from "node:assert/strict";
import { link } from "../../../nic/link/link.ts";
import { observe } from "../../../nic/observe.ts";
import type { DatagramConn } from "../../../sockets/datagram.ts";
import { Stack } from "../../../sockets/stack.ts";
import { Address } from "../../../stack/wire/address.ts";
import * as ipv4 from "../../../stack/wire/ipv4.ts";
import { Protocol } from "../../../stack/wire/protocol.ts";
import { CLIENT, SERVER, stacks } from "../../support/stacks.ts";

const GROUP = "239.1.2.3", GROUP6 = "ff12::3";
const to = (hostname: string, port = 5_000) => ({ transport: "udp" as const, hostname, port });
const bytes = (text: string) => new TextEncoder().encode(text);

/** The texts that have arrived by now and within a moment. */
async function heard(socket: DatagramConn, count: number): Promise<string[]> {
  const all: string[] = [];
  while (all.length < count) all.push(new TextDecoder().decode((await socket.receive())[0]));
  return all;
}

Deno.test("multicast: a socket hears its group from joining to leaving, and says so to the link", async () => {
  await using both = await stacks();
  using socket = both.server.listenDatagram({ port: 5_000 });
  using sender = both.client.listenDatagram();
  const membership = await socket.joinMulticastV4(GROUP, "0.0.0.0");
  await sender.send(bytes("one"), to(GROUP));
  deepEqual(await heard(socket, 1), ["one"]);
  await membership.leave();
  await sender.send(bytes("two"), to(GROUP));
  await sender.send(bytes("three"), to(SERVER));
  deepEqual(await heard(socket, 1), ["three"], "the group was left");
  await rejects(membership.leave(), { name: "AddrNotAvailable" });
});

Deno.test("multicast: IPv6's groups are joined and left alike", async () => {
  await using both = await stacks();
  both.server.addresses.add("2001:db8::1/64");
  both.client.addresses.add("2001:db8::2/64");
  using socket = both.server.listenDatagram({ port: 5_000 });
  using sender = both.client.listenDatagram();
  const membership = await socket.joinMulticastV6(GROUP6, 0);
  await sender.send(bytes("six"), to(GROUP6));
  const [data, from] = await socket.receive();
  deepEqual([new TextDecoder().decode(data), from.hostname], ["six", "2001:db8::2"]);
  await membership.leave();
});

Deno.test("multicast: what is sent to a group makes one hop at first, and as many as it is told to (RFC 1112 6.1)", async () => {
  const [near, far] = link({ clock: () => Math.round(performance.now() * 1_000) });
  const hops: number[] = [];
  const group = Address.parse(GROUP);
  const watched = observe(near, (direction, frame) => {
    const at = frame.start + 14;
    const isToGroup = direction === "out" &&
      new Address().readV4(frame.bytes, at + ipv4.DESTINATION).equals(group);
    if (isToGroup && ipv4.protocol(frame.bytes, at) === Protocol.Udp) {
      hops.push(ipv4.hopLimit(frame.bytes, at));
    }
  });
  await using stack = await Stack.open({ nic: watched, addresses: [`${CLIENT}/24`] });
  using socket = stack.listenDatagram();
  const membership = await socket.joinMulticastV4(GROUP, CLIENT);
  await socket.send(bytes("near"), to(GROUP));
  await membership.setTTL(7);
  await socket.send(bytes("far"), to(GROUP));
  await rejects(membership.setTTL(256), RangeError);
  await stack.close();
  deepEqual(hops, [1, 7]);
  far.close();
});

Deno.test("multicast: with loopback a group's members on this stack hear it, and without they do not", async () => {
  await using both = await stacks();
  using one = both.server.listenDatagram({ port: 5_000 });
  using other = both.server.listenDatagram({ port: 5_001 });
  const membership = await one.joinMulticastV4(GROUP, "0.0.0.0");
  await other.joinMulticastV4(GROUP, "0.0.0.0");
  await one.send(bytes("unheard"), to(GROUP, 5_001));
  await membership.setLoopback(true);
  await one.send(bytes("heard"), to(GROUP, 5_001));
  await one.send(bytes("own"), to(GROUP, 5_000));
  deepEqual(await heard(other, 1), ["heard"]);
  const [data, from] = await one.receive();
  deepEqual([new TextDecoder().decode(data), from], ["own", to(SERVER, 5_000)]);
});

Deno.test("multicast: with loopback a group's members hear what was sent, though its buffer has other bytes since", async () => {
  await using both = await stacks();
  using one = both.server.listenDatagram({ port: 5_000, loopback: true });
  using other = both.client.listenDatagram({ port: 5_000 });
  await one.joinMulticastV4(GROUP, "0.0.0.0");
  await other.joinMulticastV4(GROUP, "0.0.0.0");
  const buffer = bytes("first");
  const sent = one.send(buffer, to(GROUP));
  buffer.set(bytes("other"));
  await sent;
  deepEqual([await heard(one, 1), await heard(other, 1)], [["first"], ["first"]]);
});

Deno.test("multicast: a socket bound to a group hears that group only, and sends from an own address", async () => {
  await using both = await stacks();
  using socket = both.server.listenDatagram({ port: 5_000, hostname: GROUP });
  using sender = both.client.listenDatagram({ port: 5_000 });
  await socket.joinMulticastV4(GROUP, SERVER);
  await sender.send(bytes("unicast"), to(SERVER));
  await sender.send(bytes("group"), to(GROUP));
  deepEqual(await heard(socket, 1), ["group"]);
  await socket.send(bytes("answer"), to(CLIENT));
  equal((await sender.receive())[1].hostname, SERVER);
});

Deno.test("multicast: closing a socket leaves its groups; another's stay joined", async () => {
  await using both = await stacks();
  using one = both.server.listenDatagram({ port: 5_000 });
  const other = both.server.listenDatagram({ port: 5_001 });
  using sender = both.client.listenDatagram();
  await one.joinMulticastV4(GROUP, "0.0.0.0");
  await other.joinMulticastV4(GROUP, "0.0.0.0");
  await rejects(other.joinMulticastV4(GROUP, "0.0.0.0"), { name: "AddrInUse" });
  other.close();
  await sender.send(bytes("still"), to(GROUP));
  deepEqual(await heard(one, 1), ["still"]);
});

Deno.test("multicast: what is no group, no own address or no interface is refused", async () => {
  await using both = await stacks();
  using socket = both.server.listenDatagram({ port: 5_000 });
  for (const text of ["10.0.0.1", "ff02::1", "group"]) {
    await rejects(socket.joinMulticastV4(text, "0.0.0.0"), TypeError);
  }
  await rejects(socket.joinMulticastV6(GROUP, 0), TypeError);
  await rejects(socket.joinMulticastV6(GROUP6, -1), TypeError);
  await rejects(socket.joinMulticastV4(GROUP, "10.0.0.99"), { name: "AddrNotAvailable" });
});
