import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { once } from "node:events";
import type { NetServer } from "../../../sockets/net-server.ts";
import type { NetSocket } from "../../../sockets/net-socket.ts";
import { CLIENT, pattern, SERVER, stacks } from "../../support/stacks.ts";

async function listening(server: NetServer, port = 80): Promise<NetServer> {
  server.listen(port);
  await once(server, "listening");
  return server;
}

/** A socket's data, until it ends. */
async function gather(socket: NetSocket): Promise<Uint8Array> {
  const chunks = await Array.fromAsync(socket);
  return new Uint8Array(chunks.flatMap((chunk: Uint8Array) => [...chunk]));
}

async function closed(server: NetServer): Promise<void> {
  server.close();
  await once(server, "close");
}

Deno.test("net: a piped socket echoes, and closes when its peer has ended", async () => {
  await using both = await stacks();
  const server = await listening(both.server.net.createServer((socket) => void socket.pipe(socket)));
  const socket = both.client.net.connect(80, SERVER);
  const sent = pattern(300_000);
  socket.end(sent);
  deepEqual(await gather(socket), sent);
  equal(socket.bytesRead, sent.length);
  equal(socket.bytesWritten, sent.length);
  ok(socket.destroyed);
  await closed(server);
});

Deno.test("net: a socket knows its ends and its state", async () => {
  await using both = await stacks();
  const server = await listening(new both.server.net.Server());
  deepEqual(server.address(), { address: "0.0.0.0", family: "IPv4", port: 80 });
  const socket = new both.client.net.Socket();
  deepEqual([socket.pending, socket.connecting, socket.address()], [true, false, {}]);
  const arrived = once(server, "connection");
  let called = false;
  socket.connect({ port: 80, host: SERVER, noDelay: true }, () => called = true);
  equal(socket.readyState, "opening");
  const [[other]] = await Promise.all([arrived, once(socket, "connect")]);
  ok(called);
  deepEqual([socket.pending, socket.readyState], [false, "open"]);
  deepEqual([socket.remoteAddress, socket.remotePort, socket.remoteFamily], [SERVER, 80, "IPv4"]);
  deepEqual([other.remoteAddress, other.remotePort], [CLIENT, socket.localPort]);
  const count = await new Promise<number>((resolve) => server.getConnections((_, size) => resolve(size)));
  equal(count, 1);
  socket.destroy();
  await Promise.all([once(socket, "close"), once(other.resume(), "close")]);
  equal(socket.readyState, "closed");
  await closed(server);
  equal(server.address(), null);
});

Deno.test("net: what goes wrong is an error event with Node's code", async () => {
  await using both = await stacks();
  const failed = async (port: number, host: string) => {
    const [error] = await once(both.client.net.connect(port, host), "error").catch((error) => [error]);
    return [error.code, error.syscall, error.message];
  };
  deepEqual(await failed(81, SERVER), [
    "ECONNREFUSED",
    "connect",
    `connect ECONNREFUSED ${SERVER}:81`,
  ]);
  deepEqual((await failed(80, "192.0.2.1"))[0], "ENETUNREACH");
  deepEqual((await failed(80, "example.com")).slice(0, 2), ["ENOTFOUND", "getaddrinfo"]);
  throws(() => both.client.net.connect(70_000, SERVER), RangeError);
  const server = await listening(both.server.net.createServer());
  const taken = both.server.net.createServer().listen(80);
  const [inUse] = await once(taken, "error").catch((error) => [error]);
  deepEqual([inUse.code, inUse.syscall], ["EADDRINUSE", "listen"]);
  server.once("connection", (socket: NetSocket) => socket.resetAndDestroy());
  const socket = both.client.net.connect(80, SERVER);
  const [reset] = await once(socket, "close").catch((error) => [error]);
  deepEqual([reset.code, reset.syscall], ["ECONNRESET", "read"]);
  await closed(server);
});

Deno.test("net: half open, one side writes on when the other has ended", async () => {
  await using both = await stacks();
  const server = await listening(both.server.net.createServer({ allowHalfOpen: true }, async (socket) => {
    let length = 0;
    socket.on("data", (chunk: Uint8Array) => length += chunk.length);
    await once(socket, "end");
    socket.end(pattern(length * 2));
  }));
  const socket = both.client.net.connect({ port: 80, host: SERVER });
  socket.end(pattern(1_000));
  deepEqual(await gather(socket), pattern(2_000));
  await closed(server);
});

Deno.test("net: a writer is held back while the peer does not read", async () => {
  const limit = 1 << 14;
  await using both = await stacks({ receiveBuffer: limit, sendBuffer: limit });
  const arrived: NetSocket[] = [];
  const server = await listening(both.server.net.createServer((socket) => void arrived.push(socket)));
  const socket = both.client.net.connect(80, SERVER);
  await once(socket, "connect");
  let written = 0;
  while (socket.write(pattern(4_096)) || socket.writableLength < 4_096) {
    written += 4_096;
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (written > 100 * limit) throw new Error("nothing holds the writer back");
  }
  written += 4_096;
  ok(written <= 4 * limit + socket.writableHighWaterMark, `${written}`);
  socket.end();
  equal((await gather(arrived[0]!)).length, written);
  await closed(server);
});

Deno.test("net: an idle socket says so", async () => {
  await using both = await stacks();
  const server = await listening(both.server.net.createServer((socket) => void socket.resume()));
  const socket = both.client.net.connect(80, SERVER);
  socket.setTimeout(20);
  const held = setTimeout(() => {}, 10_000);
  await once(socket, "timeout");
  clearTimeout(held);
  socket.destroy();
  await closed(server);
});

Deno.test("net: more connections than maxConnections are dropped", async () => {
  await using both = await stacks();
  const server = both.server.net.createServer((socket) => void socket.resume());
  server.maxConnections = 1;
  await listening(server);
  const first = both.client.net.connect(80, SERVER);
  await once(first, "connect");
  const dropped = once(server, "drop");
  const second = both.client.net.connect(80, SERVER);
  const [error] = await once(second, "close").catch((error) => [error]);
  equal(error.code, "ECONNRESET");
  equal((await dropped)[0].remoteAddress, CLIENT);
  first.end();
  await closed(server);
});
