import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { once } from "node:events";
import { Lifetime } from "../../../sockets/lifetime.ts";
import type { NetSocket } from "../../../sockets/net-socket.ts";
import { Notices } from "../../../sockets/notices.ts";
import { TcpStream } from "../../../sockets/stream.ts";
import { CLIENT, closed, listening, pattern, SERVER, stacks } from "../../support/stacks.ts";

/** A socket's data, until it ends. */
async function gather(socket: NetSocket): Promise<Uint8Array> {
  const chunks = await Array.fromAsync(socket);
  return new Uint8Array(chunks.flatMap((chunk: Uint8Array) => [...chunk]));
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

/** Notes what becomes of a write, by its code. */
const told = (notes: unknown[], what: string) => (error?: (Error & { code?: string }) | null) =>
  void notes.push(what, error?.code);

Deno.test("net: writes that a destroyed socket did not get rid of are told so, in order, and close comes last", async () => {
  await using both = await stacks();
  const server = await listening(both.server.net.createServer((socket) => void socket.pause()));
  const socket = both.client.net.connect(80, SERVER);
  await once(socket, "connect");
  const notes: unknown[] = [];
  socket.on("close", (hadError: boolean) => notes.push("close", hadError));
  socket.write(pattern(8 << 20), told(notes, "first"));
  socket.write("x", told(notes, "second"));
  socket.destroy();
  await once(socket, "close");
  deepEqual(notes, ["first", "ECANCELED", "second", "ECANCELED", "close", false]);
  server.close();
});

Deno.test("net: a socket destroyed before it is connected tells its writes", async () => {
  await using both = await stacks();
  const server = await listening(both.server.net.createServer());
  const socket = both.client.net.connect(80, SERVER);
  const notes: unknown[] = [];
  socket.write("early", told(notes, "write"));
  socket.end(told(notes, "end"));
  socket.destroy();
  await once(socket, "close");
  deepEqual(notes, [
    "write",
    "ERR_SOCKET_CLOSED_BEFORE_CONNECTION",
    "end",
    "ERR_SOCKET_CLOSED_BEFORE_CONNECTION",
  ]);
  await closed(server);
});

Deno.test("net: a socket that is destroyed with an error closes with true, after the error", async () => {
  await using both = await stacks();
  const socket = both.client.net.connect(81, SERVER);
  const notes: unknown[] = [];
  socket.on("close", (hadError: boolean) => notes.push("close", hadError));
  socket.on("error", (error: Error & { code?: string }) => notes.push(error.code));
  await new Promise((resolve) => socket.once("close", resolve));
  deepEqual(notes, ["ECONNREFUSED", "close", true]);
});

Deno.test("net: what arrived before a reset is read, however late, and then comes the error", async () => {
  await using both = await stacks({ receiveBuffer: 1 << 20 });
  const sent = pattern(300_000);
  const server = await listening(both.server.net.createServer((socket) => {
    socket.on("error", () => {});
    socket.write(sent, () => socket.resetAndDestroy());
  }));
  const socket = both.client.net.connect(80, SERVER);
  await once(socket, "connect");
  // The reset is here when its connection is gone from the stack; nobody has asked for the data yet.
  socket.pause();
  while (both.client.connections > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  let received = 0;
  socket.on("data", (chunk: Uint8Array) => received += chunk.length);
  const failed = new Promise<Error & { code?: string }>((resolve) => socket.once("error", resolve));
  socket.resume();
  equal((await failed).code, "ECONNRESET");
  equal(received, sent.length);
  server.close();
});

Deno.test("net: a write that crosses the peer's reset is taken, and the socket's error says what came of it", async () => {
  await using both = await stacks();
  const server = await listening(both.server.net.createServer());
  const arrived = once(server, "connection");
  const socket = both.client.net.connect(80, SERVER);
  const [[other]] = await Promise.all([arrived, once(socket, "connect")]);
  const heard: string[] = [];
  const hear = (what: string) => (error?: Error | null) =>
    void heard.push(`${what} ${error instanceof Error && "code" in error ? error.code : "done"}`);
  socket.on("error", hear("error"));
  socket.write(pattern(100), hear("write"));
  other.resetAndDestroy();
  await once(socket, "close").catch(() => {});
  deepEqual(heard, ["write done", "error ECONNRESET"]);
  await closed(server);
});

Deno.test("net: an echo whose peer resets is closed, though what arrived waits for room to be written", async () => {
  const limit = 1 << 14;
  await using both = await stacks({ receiveBuffer: limit, sendBuffer: limit });
  const server = await listening(both.server.net.createServer((socket) => void socket.pipe(socket)));
  const arrived = once(server, "connection");
  const socket = both.client.net.connect(80, SERVER);
  const [[echo]] = await Promise.all([arrived, once(socket, "connect")]);
  const failed = new Promise<Error & { code?: string }>((resolve) => echo.once("error", resolve));
  socket.pause();
  socket.write(pattern(1 << 20));
  // Nobody reads what comes back, until both directions are full.
  for (let before = -1; before !== socket.bytesRead + echo.bytesRead;) {
    before = socket.bytesRead + echo.bytesRead;
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  ok(echo.isPaused() && echo.writableNeedDrain);
  socket.resetAndDestroy();
  await once(echo, "close", { signal: AbortSignal.timeout(5_000) }).catch(() => {});
  ok(echo.destroyed);
  equal((await failed).code, "EPIPE");
  await closed(server);
});

/** Runs something while what listeners throw is noted instead of ending the program. */
async function withErrors(action: (thrown: unknown[]) => Promise<void>): Promise<void> {
  const thrown: unknown[] = [];
  const note = (event: ErrorEvent) => {
    event.preventDefault();
    thrown.push(event.error);
  };
  globalThis.addEventListener("error", note);
  try {
    await action(thrown);
  } finally {
    globalThis.removeEventListener("error", note);
  }
}

Deno.test("net: what is thrown when a connection is told keeps no other one from being told", async () => {
  await using both = await stacks();
  await withErrors(async (thrown) => {
    const told = Promise.withResolvers<void>();
    let count = 0;
    const server = await listening(both.server.net.createServer((socket) => {
      socket.resume();
      if (++count === 4) told.resolve();
      throw new Error("mine");
    }));
    const connect = () => both.client.net.connect(80, SERVER);
    const sockets = [connect(), connect(), connect()];
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    sockets.push(connect());
    await Promise.race([told.promise, new Promise((resolve) => void setTimeout(resolve, 5_000))]);
    deepEqual([count, thrown.length], [4, 4]);
    for (const socket of sockets) socket.destroy();
    await closed(server);
  });
});

Deno.test("net: what is thrown when data is told keeps neither the rest of it nor the end from being told", async () => {
  await using both = await stacks();
  await withErrors(async (thrown) => {
    const seen: string[] = [];
    const begun = Promise.withResolvers<void>(), gone = Promise.withResolvers<void>();
    const server = await listening(both.server.net.createServer((socket) => {
      socket.once("data", () => {
        begun.resolve();
        socket.once("data", () => {
          throw new Error("mine");
        });
      });
      socket.once("end", () => void seen.push("end"));
      socket.once("close", gone.resolve);
    }));
    using conn = await both.client.connect({ hostname: SERVER, port: 80 });
    await conn.write(pattern(1));
    await begun.promise;
    // Data and end are in one segment.
    await Promise.all([conn.write(pattern(1)), conn.closeWrite()]);
    await Promise.race([gone.promise, new Promise((resolve) => void setTimeout(resolve, 5_000))]);
    deepEqual([seen, thrown.length], [["end"], 1]);
    await closed(server);
  });
});

Deno.test("net: what is thrown when data is told does not keep the end of the connection from being told", async () => {
  await withErrors(async (thrown) => {
    const notices = new Notices(), lifetime = new Lifetime(), idle = Promise.withResolvers<void>();
    lifetime.onIdle = idle.resolve;
    const ignore = () => {};
    const stream = new TcpStream({
      notices,
      buffers: { receive: undefined, send: undefined },
      wake: ignore,
      hold: (waits) => lifetime.hold(waits),
      joined: ignore,
      left: ignore,
    });
    const seen: string[] = [];
    const readable = () => {
      throw new Error("mine");
    };
    stream.user = { readable, closed: () => void seen.push("closed") };
    stream.readable();
    stream.stop();
    notices.run();
    deepEqual([seen, thrown.length], [["closed"], 1]);
    await idle.promise;
  });
});

Deno.test("net: a server listens no longer than its signal says, though it was aborted before", async () => {
  await using both = await stacks();
  const server = both.server.net.createServer();
  const closing = once(server, "close", { signal: AbortSignal.timeout(3_000) });
  server.listen({ port: 80, signal: AbortSignal.abort() });
  await closing;
  equal(server.listening, false);
});

Deno.test("net: a server that listens again is not closed by the end of its connections from before", async () => {
  await using both = await stacks();
  const server = await listening(both.server.net.createServer((socket) => void socket.resume()));
  const seen: string[] = [];
  server.on("close", () => seen.push("close"));
  const arrived = once(server, "connection");
  const socket = both.client.net.connect(80, SERVER);
  const [end] = await arrived;
  server.close();
  await listening(server, 81);
  socket.end();
  await once(end, "close");
  await new Promise((resolve) => setTimeout(resolve, 0));
  deepEqual([server.listening, seen], [true, []]);
  await closed(server);
  deepEqual(seen, ["close"]);
});
