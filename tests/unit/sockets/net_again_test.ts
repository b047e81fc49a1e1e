import { deepEqual, equal } from "node:assert/strict";
import { once } from "node:events";
import type { NetServer } from "../../../sockets/net-server.ts";
import { SERVER, stacks } from "../../support/stacks.ts";

async function listening(server: NetServer): Promise<NetServer> {
  server.listen(80);
  await once(server, "listening");
  return server;
}

async function closed(server: NetServer): Promise<void> {
  server.close();
  await once(server, "close");
}

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
