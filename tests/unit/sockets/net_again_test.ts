import { deepEqual, equal, ok } from "node:assert/strict";
import { once } from "node:events";
import { closed, listening, pattern, SERVER, stacks } from "../../support/stacks.ts";

Deno.test("net: a socket that has closed connects again", async () => {
  await using both = await stacks();
  const server = await listening(both.server.net.createServer((socket) => void socket.pipe(socket)));
  const socket = both.client.net.connect(80, SERVER);
  const text: string[] = [];
  socket.on("data", (chunk) => text.push(String(chunk)));
  for (let turn = 0; turn < 3; turn++) {
    const isConnected = once(socket, "connect");
    if (turn > 0) socket.connect(80, SERVER);
    await isConnected;
    socket.write(`turn ${turn}`);
    while (text.length <= turn) await once(socket, "data");
    equal(socket.bytesRead, 6);
    const isClosed = once(socket, "close");
    if (turn === 1) socket.destroy();
    else socket.end();
    await isClosed;
    equal(socket.readyState, "closed");
  }
  deepEqual(text, ["turn 0", "turn 1", "turn 2"]);
  await closed(server);
});

Deno.test("net: bytesWritten counts once what the connection has taken of a write that waits", async () => {
  await using both = await stacks();
  const server = await listening(both.server.net.createServer());
  const arrived = once(server, "connection");
  const socket = both.client.net.connect(80, SERVER);
  const [[other]] = await Promise.all([arrived, once(socket, "connect")]);
  socket.write(pattern(20_000_000));
  socket.write(pattern(5));
  equal(socket.bytesWritten, 20_000_005);
  const isClosed = once(socket, "close");
  socket.destroy();
  await isClosed;
  ok(socket.bytesWritten < 20_000_000, "what was not taken is not written");
  other.destroy();
  await closed(server);
});

Deno.test("net: a server that is closed at once does not say that it listens", async () => {
  await using both = await stacks();
  const seen: string[] = [];
  const server = both.server.net.createServer();
  server.on("close", () => seen.push("close"));
  server.listen(80, () => seen.push(`listening at ${server.address()!.port}`));
  await closed(server);
  deepEqual(seen, ["close"]);
  server.listen(81);
  await once(server, "listening");
  await closed(server);
});
