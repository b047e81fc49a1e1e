/**
 * What was written for node:net runs over a stack unchanged: node:https and node:tls, ws.
 *
 * @module
 */
import { deepEqual, equal, rejects } from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import tls from "node:tls";
import { CERTIFICATE, KEY } from "../../support/certificate.ts";
import { pattern, SERVER, stacks } from "../../support/stacks.ts";
import { WebSocket, WebSocketServer } from "../../support/ws.ts";

Deno.test("tls: both ends of node:tls run over sockets of ours", async () => {
  await using both = await stacks();
  const secure: tls.TLSSocket[] = [];
  const net = both.server.net.createServer((socket) => {
    const end = new tls.TLSSocket(socket, { isServer: true, key: KEY, cert: CERTIFICATE });
    secure.push(end);
    end.pipe(end);
  }).listen(443);
  const socket = both.client.net.connect(443, SERVER);
  const end = tls.connect({ socket, ca: CERTIFICATE, servername: "ethox.test" });
  await once(end, "secureConnect");
  equal(end.authorized, true);
  const sent = pattern(200_000);
  const received = new Uint8Array(sent.length);
  let length = 0;
  // Not for the end of it: Deno's node:tls does not always tell its peer of that over a Duplex (LIMITS.md).
  const whole = new Promise<void>((resolve) => {
    end.on("data", (chunk: Uint8Array) => {
      received.set(chunk, length);
      length += chunk.length;
      if (length === sent.length) resolve();
    });
  });
  end.write(sent);
  await whole;
  deepEqual(received, sent);
  end.destroy();
  for (const other of secure) other.destroy();
  net.close();
  await once(net, "close");
});

Deno.test("tls: a certificate of nobody's is refused", async () => {
  await using both = await stacks();
  const net = both.server.net.createServer((socket) => {
    new tls.TLSSocket(socket, { isServer: true, key: KEY, cert: CERTIFICATE }).on("error", () => {});
  }).listen(443);
  const socket = both.client.net.connect(443, SERVER);
  const end = tls.connect({ socket, servername: "ethox.test" });
  await rejects(once(end, "secureConnect"), { message: /certificate|self|issuer/i });
  socket.destroy();
  net.close();
  await once(net, "close");
});

Deno.test("https: node:https serves and asks over stack.net", async () => {
  await using both = await stacks();
  const server = https.createServer({ key: KEY, cert: CERTIFICATE }, (message, response) => {
    response.end(`secure ${message.url}`);
  });
  const net = both.server.net.attach(server).listen(443);
  const sent = https.get({
    host: SERVER,
    path: "/x",
    servername: "ethox.test",
    ca: CERTIFICATE,
    createConnection: () => {
      const socket = both.client.net.connect({ host: SERVER, port: 443 });
      return tls.connect({ socket, ca: CERTIFICATE, servername: "ethox.test" });
    },
  });
  const [message] = await once(sent, "response");
  let body = "";
  message.on("data", (chunk: Uint8Array) => body += new TextDecoder().decode(chunk));
  await once(message, "end");
  equal(body, "secure /x");
  equal(message.statusCode, 200);
  message.socket.destroy();
  net.close();
  await once(net, "close");
});

Deno.test("ws: a WebSocket client and server talk over stack.net", async () => {
  await using both = await stacks();
  const server = http.createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  const net = both.server.net.attach(server).listen(80);
  const { createConnection } = both.client.net;
  const socket = new WebSocket(`ws://${SERVER}/`, { createConnection });
  await once(socket, "open");
  socket.send("hello");
  const [text] = await once(socket, "message");
  equal(String(text), "hello");
  const sent = pattern(100_000);
  socket.send(sent);
  const [bytes, isBinary] = await once(socket, "message");
  deepEqual([new Uint8Array(bytes), isBinary], [sent, true]);
  socket.ping();
  await once(socket, "pong");
  socket.close(1000, "done");
  const [code, reason] = await once(socket, "close");
  deepEqual([code, String(reason)], [1000, "done"]);
  sockets.close();
  net.close();
  await once(net, "close");
});
