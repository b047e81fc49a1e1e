import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { familyTest, isV6 } from "../../support/family.ts";
import { clientAddress, pattern, serverAddress, stacks } from "../../support/stacks.ts";

const text = (value: string) => new TextEncoder().encode(value);

familyTest("sockets: a datagram arrives with its sender's address, and is answered", async () => {
  await using both = await stacks();
  using server = both.server.listenDatagram({ port: 7 });
  using client = both.client.listenDatagram();
  equal(await client.send(text("ping"), { transport: "udp", hostname: serverAddress(), port: 7 }), 4);
  const [bytes, from] = await server.receive();
  deepEqual(bytes, text("ping"));
  deepEqual(from, { transport: "udp", hostname: clientAddress(), port: client.addr.port });
  await server.send(text("pong"), from);
  const [answer, back] = await client.receive();
  deepEqual([answer, back.port], [text("pong"), 7]);
});

familyTest("sockets: datagrams sent while the neighbour is looked up arrive in order", async () => {
  await using both = await stacks();
  using server = both.server.listenDatagram({ port: 7 });
  using client = both.client.listenDatagram();
  const to = { transport: "udp", hostname: serverAddress(), port: 7 } as const;
  await Promise.all(Array.from({ length: 40 }, (_, index) => client.send(pattern(index), to)));
  for (let index = 0; index < 40; index++) deepEqual((await server.receive())[0], pattern(index));
});

familyTest("sockets: a datagram of 60,000 bytes waits for its neighbour as well", async () => {
  await using both = await stacks();
  using server = both.server.listenDatagram({ port: 7 });
  using client = both.client.listenDatagram();
  await client.send(pattern(60_000), { transport: "udp", hostname: serverAddress(), port: 7 });
  deepEqual((await server.receive())[0], pattern(60_000));
});

familyTest("sockets: a loop over a datagram socket ends when it is closed", async () => {
  await using both = await stacks();
  const server = both.server.listenDatagram({ port: 7 });
  using client = both.client.listenDatagram();
  const seen = Array.fromAsync(server, ([bytes]) => bytes.length);
  await client.send(pattern(3), { transport: "udp", hostname: serverAddress(), port: 7 });
  const echo = both.server.listenDatagram({ port: 8 });
  await client.send(pattern(1), { transport: "udp", hostname: serverAddress(), port: 8 });
  await echo.receive();
  server.close();
  echo.close();
  deepEqual(await seen, [3]);
  await rejects(server.receive(), Deno.errors.BadResource);
  throws(() => server.close(), Deno.errors.BadResource);
});

familyTest("sockets: what nobody receives is dropped when the queue is full, and counted", async () => {
  await using both = await stacks();
  using server = both.server.listenDatagram({ port: 7, receiveBuffer: 4_096 });
  using client = both.client.listenDatagram();
  using last = both.server.listenDatagram({ port: 8 });
  for (let turn = 0; turn < 10; turn++) {
    await client.send(pattern(896, turn), { transport: "udp", hostname: serverAddress(), port: 7 });
  }
  await client.send(pattern(1), { transport: "udp", hostname: serverAddress(), port: 8 });
  await last.receive();
  // 896 bytes and 128 of overhead each: four fit.
  equal(server.dropped, 6);
  for (let turn = 0; turn < 4; turn++) deepEqual((await server.receive())[0], pattern(896, turn));
});

familyTest("sockets: what cannot be sent says why", async () => {
  await using both = await stacks();
  using client = both.client.listenDatagram({ port: 9 });
  const send = (hostname: string, length = 1) =>
    client.send(pattern(length), { transport: "udp", hostname, port: 7 });
  await rejects(send("192.0.2.1"), { name: "NetworkUnreachable", code: "ENETUNREACH" });
  await rejects(send("example.com"), { name: "NotFound", code: "ENOTFOUND" });
  await rejects(send(serverAddress(), isV6() ? 65_528 : 65_508), { code: "EMSGSIZE" });
  await rejects(client.send(pattern(1), { transport: "unix", path: "/x" }), TypeError);
  throws(() => both.client.listenDatagram({ port: 9 }), { name: "AddrInUse", code: "EADDRINUSE" });
  throws(() => both.client.listenDatagram({ hostname: serverAddress() }), { name: "AddrNotAvailable" });
  throws(() => both.client.listenDatagram({ port: 70_000 }), RangeError);
});

familyTest("sockets: receive fills the buffer it is given, as far as that goes", async () => {
  await using both = await stacks();
  using server = both.server.listenDatagram({ port: 7 });
  using client = both.client.listenDatagram();
  await client.send(pattern(10), { transport: "udp", hostname: serverAddress(), port: 7 });
  const buffer = new Uint8Array(4);
  const [bytes] = await server.receive(buffer);
  equal(bytes.buffer, buffer.buffer);
  deepEqual(bytes, pattern(10).subarray(0, 4));
});

familyTest(
  "sockets: who waits to send goes on when another socket, whose datagrams wait as well, is closed",
  async () => {
    await using both = await stacks();
    using server = both.server.listenDatagram({ port: 7, receiveBuffer: 1 << 20 });
    const client = both.client.listenDatagram();
    using other = both.client.listenDatagram();
    const to = { transport: "udp", hostname: serverAddress(), port: 7 } as const;
    await client.send(pattern(3), to);
    await server.receive();
    // As many wait as there are in line, and more.
    const sent = Promise.allSettled(Array.from({ length: 600 }, () => client.send(pattern(1), to)));
    const waits = other.send(pattern(2), to);
    client.close();
    equal(await waits, 2);
    const results = await sent;
    equal(results.filter(({ status }) => status === "fulfilled").length, 256);
    for (let index = 0; index < 256; index++) deepEqual((await server.receive())[0], pattern(1));
    deepEqual((await server.receive())[0], pattern(2));
  },
);

familyTest("sockets: datagrams keep their order when there are more than wait in line", async () => {
  await using both = await stacks();
  using server = both.server.listenDatagram({ port: 7, receiveBuffer: 1 << 20 });
  using client = both.client.listenDatagram();
  const to = { transport: "udp", hostname: serverAddress(), port: 7 } as const;
  await client.send(pattern(1), to);
  await server.receive();
  await Promise.all(Array.from({ length: 1_000 }, (_, index) => client.send(pattern(index), to)));
  for (let index = 0; index < 1_000; index++) equal((await server.receive())[0].length, index);
});
