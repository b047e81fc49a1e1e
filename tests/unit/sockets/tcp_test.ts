import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { once } from "node:events";
import type { TcpConn } from "../../../sockets/conn.ts";
import { familyTest } from "../../support/family.ts";
import { clientAddress, pattern, readAll, serverAddress, type Stacks, stacks } from "../../support/stacks.ts";

/** A connection, both ends. */
async function connected(both: Stacks, port = 80): Promise<[TcpConn, TcpConn]> {
  using listener = both.server.listen({ port });
  return await Promise.all([both.client.connect({ hostname: serverAddress(), port }), listener.accept()]);
}

async function writeAll(conn: TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

familyTest("sockets: a megabyte comes back as it was sent, and both ends are closed by it", async () => {
  await using both = await stacks();
  using listener = both.server.listen({ port: 7 });
  const echo = (async () => {
    const conn = await listener.accept();
    await conn.readable.pipeTo(conn.writable);
  })();
  const conn = await both.client.connect({ hostname: serverAddress(), port: 7 });
  const sent = pattern(1 << 20);
  const writing = (async () => {
    const writer = conn.writable.getWriter();
    await writer.write(sent);
    await writer.close();
  })();
  deepEqual(await readAll(conn.readable), sent);
  await Promise.all([writing, echo]);
  throws(() => conn.close(), Deno.errors.BadResource);
});

familyTest("sockets: each side writes a megabyte at once, and half closes (RFC 9293 3.6)", async () => {
  await using both = await stacks();
  const [client, server] = await connected(both);
  const to = pattern(1 << 20, 1), from = pattern(1 << 20, 2);
  const send = async (conn: TcpConn, bytes: Uint8Array) => {
    await writeAll(conn, bytes);
    await conn.closeWrite();
  };
  const [, , atServer, atClient] = await Promise.all([
    send(client, to),
    send(server, from),
    readAll(server.readable),
    readAll(client.readable),
  ]);
  deepEqual(atServer, to);
  deepEqual(atClient, from);
  await rejects(client.write(pattern(1)), { name: "BrokenPipe", code: "EPIPE" });
  client.close();
  server.close();
});

familyTest("sockets: addresses are those of the two ends", async () => {
  await using both = await stacks();
  const [client, server] = await connected(both);
  deepEqual(client.remoteAddr, { transport: "tcp", hostname: serverAddress(), port: 80 });
  deepEqual(server.remoteAddr, client.localAddr);
  deepEqual(server.localAddr, client.remoteAddr);
  client.close();
  server.close();
});

familyTest("sockets: a writer waits while nobody reads, and no more than the buffers is taken", async () => {
  const limit = 1 << 16;
  await using both = await stacks({ receiveBuffer: limit, sendBuffer: limit });
  const [client, server] = await connected(both);
  const sent = pattern(1 << 20);
  let written = 0;
  const writing = (async () => {
    while (written < sent.length) written += await client.write(sent.subarray(written));
    await client.closeWrite();
  })();
  // As much as ever will be taken without a reader: the peer's buffer is full, and then the own.
  while (written < 2 * limit - 1_000) await new Promise((resolve) => setTimeout(resolve, 0));
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  // The last crumb of a window is not offered (RFC 9293 3.8.6.2.2).
  ok(written > 2 * limit - 1_000 && written <= 2 * limit, `${written}`);
  // A reader of small pieces: the window opens again and again.
  const got = new Uint8Array(sent.length), piece = new Uint8Array(3_000);
  let read = 0;
  for (;;) {
    const count = await server.read(piece);
    if (count === null) break;
    got.set(piece.subarray(0, count), read);
    read += count;
    ok(written - read <= 2 * limit);
  }
  await writing;
  deepEqual(got, sent);
  client.close();
  server.close();
});

familyTest("sockets: the web streams hold back as well", async () => {
  const limit = 1 << 14;
  await using both = await stacks({ receiveBuffer: limit, sendBuffer: limit });
  const [client, server] = await connected(both);
  const writer = client.writable.getWriter();
  let written = 0;
  const writing = (async () => {
    for (let turn = 0; turn < 64; turn++) {
      await writer.ready;
      void writer.write(pattern(4_096, turn));
      written += 4_096;
    }
    await writer.close();
  })();
  for (let turn = 0; turn < 300; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  ok(written >= 2 * limit - 4_096 && written <= 2 * limit + 2 * 4_096, `${written}`);
  const got = await readAll(server.readable);
  await writing;
  equal(got.length, 64 * 4_096);
  deepEqual(got.subarray(-4_096), pattern(4_096, 63));
  client.close();
  server.close();
});

familyTest("sockets: a port without listener refuses (RFC 9293 3.10.7.1)", async () => {
  await using both = await stacks();
  await rejects(both.client.connect({ hostname: serverAddress(), port: 81 }), {
    name: "ConnectionRefused",
    code: "ECONNREFUSED",
  });
  await rejects(both.client.connect({ hostname: "192.0.2.1", port: 81 }), { name: "NetworkUnreachable" });
  await rejects(both.client.connect({ hostname: clientAddress(), port: 81 }), { name: "NetworkUnreachable" });
  await rejects(both.client.connect({ hostname: serverAddress(), port: 0 }), RangeError);
  equal(both.client.connections, 0);
});

familyTest("sockets: connecting is given up by a signal, with its reason", async () => {
  await using both = await stacks();
  const abort = new AbortController();
  // Nobody has this address, so that nothing ever comes back.
  const connecting = both.client.connect({
    hostname: `${serverAddress()}77`,
    port: 80,
    signal: abort.signal,
  });
  abort.abort(new Error("enough"));
  await rejects(connecting, /enough/);
  equal(both.client.connections, 0);
  await rejects(both.client.connect({ hostname: serverAddress(), port: 80, signal: AbortSignal.abort() }), {
    name: "AbortError",
  });
});

familyTest("sockets: a reset is told to who reads and who writes, what came before it is read", async () => {
  await using both = await stacks();
  const [client, server] = await connected(both);
  await server.write(pattern(100));
  const first = new Uint8Array(100);
  equal(await client.read(first), 100);
  const waiting = client.read(new Uint8Array(1));
  server.abort();
  await rejects(waiting, { name: "ConnectionReset", code: "ECONNRESET" });
  await rejects(client.write(pattern(1)), { name: "ConnectionReset" });
  await client.closeWrite();
  client.close();
  equal(both.client.connections, 0);
  equal(both.server.connections, 0);
});

familyTest("sockets: to close with something unread resets (RFC 2525 2.17)", async () => {
  await using both = await stacks();
  const [client, server] = await connected(both);
  await client.write(pattern(10));
  equal(await server.read(new Uint8Array(4)), 4);
  server.close();
  await rejects(client.read(new Uint8Array(1)), { name: "ConnectionReset" });
  client.close();
});

familyTest("sockets: what was written before close arrives, though the stack is closed next", async () => {
  await using both = await stacks();
  const [client, server] = await connected(both);
  const sent = pattern(300_000);
  const received = readAll(server.readable);
  await writeAll(client, sent);
  client.close();
  await both.client.close();
  deepEqual(await received, sent);
  server.close();
});

familyTest("sockets: whatever waits is told when it is closed", async () => {
  await using both = await stacks();
  const listener = both.server.listen({ port: 80 });
  const [client, server] = await Promise.all([
    both.client.connect({ hostname: serverAddress(), port: 80 }),
    listener.accept(),
  ]);
  const accepting = listener.accept();
  const reading = client.read(new Uint8Array(1));
  listener.close();
  client.close();
  await rejects(accepting, { name: "BadResource" });
  await rejects(reading, { name: "Interrupted", code: "EINTR" });
  await rejects(client.read(new Uint8Array(1)), { name: "BadResource" });
  equal(await server.read(new Uint8Array(1)), null);
  server.close();
});

familyTest("sockets: whatever waits is told when the stack is closed", async () => {
  await using both = await stacks();
  const listener = both.server.listen({ port: 80 });
  const [client, server] = await connected(both, 81);
  const socket = both.client.net.connect(80, serverAddress());
  await listener.accept();
  const told = [
    rejects(client.read(new Uint8Array(1)), { name: "ConnectionAborted", code: "ECONNABORTED" }),
    rejects(both.client.connect({ hostname: `${serverAddress()}77`, port: 80 }), {
      name: "ConnectionAborted",
    }),
    rejects(both.client.listenDatagram().receive(), { name: "Interrupted", code: "EINTR" }),
    rejects(both.client.listen({ port: 80 }).accept(), { name: "BadResource" }),
    once(socket, "close"),
  ];
  await both.client.close();
  await Promise.all(told);
  await rejects(server.read(new Uint8Array(1)), { name: "ConnectionReset" });
  await rejects(client.write(new Uint8Array(1)), { name: "ConnectionAborted" });
  client.close();
  server.close();
});

familyTest("sockets: a listener's loop ends with it, and its port is free again", async () => {
  await using both = await stacks();
  const listener = both.server.listen({ port: 80 });
  throws(() => both.server.listen({ port: 80 }), { name: "AddrInUse" });
  throws(() => both.server.listen({ hostname: `${serverAddress()}9` }), { name: "AddrNotAvailable" });
  const ports: number[] = [];
  const loop = (async () => {
    for await (const conn of listener) {
      ports.push(conn.remoteAddr.port);
      conn.close();
      if (ports.length === 3) break;
    }
  })();
  const mine: number[] = [];
  for (let turn = 0; turn < 3; turn++) {
    const conn = await both.client.connect({ hostname: serverAddress(), port: 80 });
    mine.push(conn.localAddr.port);
    equal(await conn.read(new Uint8Array(1)), null);
    conn.close();
  }
  await loop;
  deepEqual(ports, mine);
  throws(() => listener.close(), Deno.errors.BadResource);
  both.server.listen({ port: 80 }).close();
});

familyTest(
  "sockets: connections beyond the backlog wait for their turn, and are served as room comes",
  async () => {
    await using both = await stacks();
    using listener = both.server.listen({ port: 80, tcpBacklog: 3 });
    const ends = Promise.all(Array.from({ length: 5 }, async () => {
      using conn = await both.client.connect({ hostname: serverAddress(), port: 80 });
      await conn.write(new Uint8Array(1));
      return await conn.read(new Uint8Array(1));
    }));
    for (let turn = 0; turn < 5; turn++) {
      using conn = await listener.accept();
      await conn.read(new Uint8Array(1));
    }
    for (const end of await ends) equal(end, null);
  },
);

familyTest("sockets: a peer whose connection nobody accepts can send 64 KiB, and no more", async () => {
  await using both = await stacks();
  using listener = both.server.listen({ port: 80 });
  using conn = await both.client.connect({ hostname: serverAddress(), port: 80 });
  const sent = pattern(200_000);
  const writing = writeAll(conn, sent);
  await writing;
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  using accepted = await listener.accept();
  const first = new Uint8Array(200_000);
  let read = await accepted.read(first) ?? 0;
  // A window is told in steps of 512 bytes (RFC 7323 2.2).
  ok(read > 0xffff - 512 && read <= 0xffff, `${read}`);
  while (read < sent.length) read += await accepted.read(first.subarray(read)) ?? sent.length;
  deepEqual(first, sent);
});

familyTest("sockets: three hundred connections at once each echo their own", async () => {
  await using both = await stacks();
  using listener = both.server.listen({ port: 7 });
  void (async () => {
    for await (const conn of listener) void conn.readable.pipeTo(conn.writable);
  })();
  await Promise.all(Array.from({ length: 300 }, async (_, index) => {
    const conn = await both.client.connect({ hostname: serverAddress(), port: 7 });
    const sent = pattern(2_000, index);
    await conn.write(sent);
    await conn.closeWrite();
    deepEqual(await readAll(conn.readable), sent);
    conn.close();
  }));
  equal(both.client.counters.tcp.connected, 300);
});

familyTest("sockets: options may be set until it is closed", async () => {
  await using both = await stacks();
  const [client, server] = await connected(both);
  client.setNoDelay();
  client.setNoDelay(false);
  client.setKeepAlive();
  client.setKeepAlive(false);
  server.unref();
  server.ref();
  client.close();
  throws(() => client.setNoDelay(), { name: "BadResource" });
  throws(() => client.setKeepAlive(), { name: "BadResource" });
  server.close();
});

familyTest(
  "sockets: reusePort and loadBalanced are taken, and a port is one socket's all the same",
  async () => {
    await using both = await stacks();
    const shared = { port: 80, reusePort: true, loadBalanced: true };
    using _first = both.server.listen(shared);
    throws(() => both.server.listen(shared), { name: "AddrInUse" });
    const datagrams = { port: 80, reuseAddress: true };
    using _socket = both.server.listenDatagram(datagrams);
    throws(() => both.server.listenDatagram(datagrams), { name: "AddrInUse" });
  },
);
