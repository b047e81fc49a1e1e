/**
 * Sockets of ours, and the packages over them, against programs on the kernel's side of a TAP. The stack runs in the
 * test's own event loop.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import { Stack } from "../../sockets/stack.ts";
import { CERTIFICATE, KEY } from "../support/certificate.ts";
import { APPLIANCE, KERNEL, makeTap, peer, peerTest, PREFIX, TAP } from "../support/peer.ts";
import { Client } from "../support/pg.ts";
import { postgres } from "../support/postgres.ts";
import { pattern } from "../support/stacks.ts";
import { WebSocket, WebSocketServer } from "../support/ws.ts";

/** A stack on the TAP, with the kernel on the other side. */
async function opened(): Promise<Stack> {
  makeTap();
  const stack = await Stack.open({ nic: `tap:${TAP}`, addresses: [`${APPLIANCE}${PREFIX}`] });
  // Linux drops for a moment after the cable is put in.
  while ((await peer("ping", ["-c", "1", "-W", "1", "-n", APPLIANCE])).code !== 0);
  return stack;
}

const quiet = { port: 80, onListen: () => {} };

peerTest("sockets: curl gets what serve answers, and posts 5 MB", ["curl", "ping"], undefined, async () => {
  await using stack = await opened();
  await using _server = stack.serve(quiet, async (request, { remoteAddr }) => {
    if (request.method === "GET") return new Response(`hello ${remoteAddr.hostname}\n`);
    return new Response(`${(await request.arrayBuffer()).byteLength}`);
  });
  const got = await peer("curl", ["-sS", "-i", `http://${APPLIANCE}/`]);
  match(got.stdout, /^HTTP\/1\.1 200 OK\r\n/);
  ok(got.stdout.endsWith(`\r\n\r\nhello ${KERNEL}\n`), got.stdout + got.stderr);
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeFile(file, pattern(5_000_000));
    const posted = await peer("curl", ["-sS", "--data-binary", `@${file}`, `http://${APPLIANCE}/`]);
    equal(posted.stdout, "5000000", posted.stderr);
  } finally {
    await Deno.remove(file);
  }
});

peerTest(
  "sockets: curl keeps a connection, and a hundred at once are answered",
  ["curl", "ping"],
  undefined,
  async () => {
    await using stack = await opened();
    await using _server = stack.serve(quiet, (request) => new Response(new URL(request.url).pathname));
    const urls = Array.from({ length: 20 }, (_, index) => `http://${APPLIANCE}/${index}`);
    const kept = await peer("curl", ["-sS", ...urls]);
    equal(kept.stdout, urls.map((_, index) => `/${index}`).join(""), kept.stderr);
    equal(stack.counters.tcp.accepted, 1);
    const args = ["-sS", "-Z", "--parallel-max", "100", "--no-keepalive", `http://${APPLIANCE}/[1-100]`];
    const parallel = await peer("curl", args);
    equal(parallel.stdout.split("/").length, 101, parallel.stderr);
  },
);

peerTest("sockets: curl speaks TLS with node:https over stack.net", ["curl", "ping"], undefined, async () => {
  await using stack = await opened();
  const server = https.createServer({ key: KEY, cert: CERTIFICATE }, (_, response) => {
    response.end("secure\n");
  });
  const net = stack.net.attach(server).listen(443);
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, CERTIFICATE);
    const got = await peer("curl", ["-sS", "--cacert", file, `https://${APPLIANCE}/`]);
    equal(got.stdout, "secure\n", got.stderr);
  } finally {
    await Deno.remove(file);
  }
  net.close();
});

peerTest(
  "sockets: a file comes back from an echo of web streams by socat",
  ["socat", "ping"],
  undefined,
  async () => {
    await using stack = await opened();
    const listener = stack.listen({ port: 7 });
    void (async () => {
      for await (const conn of listener) void conn.readable.pipeTo(conn.writable).catch(() => {});
    })();
    const path = await Deno.makeTempFile();
    try {
      await Deno.writeFile(path, pattern(3_000_000));
      const script = `socat -t 20 - TCP:${APPLIANCE}:7 < ${path} | cmp - ${path} && echo same`;
      const got = await peer("sh", ["-c", script]);
      equal(got.stdout, "same\n", got.stderr);
    } finally {
      await Deno.remove(path);
    }
    listener.close();
  },
);

peerTest(
  "sockets: stack.connect reaches the kernel's listeners, and hears its refusal",
  ["ping"],
  undefined,
  async () => {
    await using stack = await opened();
    using listener = Deno.listen({ hostname: KERNEL, port: 8_080 });
    const [conn, end] = await Promise.all([
      stack.connect({ hostname: KERNEL, port: 8_080 }),
      listener.accept(),
    ]);
    equal(end.remoteAddr.hostname, APPLIANCE);
    const sent = pattern(2_000_000);
    const writing = (async () => {
      const writer = conn.writable.getWriter();
      await writer.write(sent);
      await writer.close();
    })();
    // Deno's own `readable` would close the whole connection at its end.
    const got = new Uint8Array(sent.length + 1);
    let length = 0;
    for (let count = await end.read(got); count !== null; count = await end.read(got.subarray(length))) {
      length += count;
    }
    await writing;
    deepEqual(got.subarray(0, length), sent);
    await end.write(new Uint8Array(3));
    equal(await conn.read(new Uint8Array(9)), 3);
    end.close();
    conn.close();
    const refused = await stack.connect({ hostname: KERNEL, port: 1 }).catch((error) => error);
    equal(refused.code, "ECONNREFUSED");
  },
);

peerTest(
  "sockets: a WebSocket of Deno's own talks to ws over stack.net, and ours to Deno's server",
  ["ping"],
  undefined,
  async () => {
    await using stack = await opened();
    const server = http.createServer();
    const sockets = new WebSocketServer({ server });
    sockets.on(
      "connection",
      (socket) => socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary })),
    );
    const net = stack.net.attach(server).listen(80);
    const native = new globalThis.WebSocket(`ws://${APPLIANCE}/`);
    await new Promise((resolve) => native.onopen = resolve);
    const echoed = new Promise<MessageEvent>((resolve) => native.onmessage = resolve);
    native.send("x".repeat(70_000));
    equal((await echoed).data.length, 70_000);
    const ended = new Promise((resolve) => native.onclose = resolve);
    native.close();
    await ended;
    sockets.close();
    net.close();

    const kernel = Deno.serve({ hostname: KERNEL, port: 8_081, onListen: () => {} }, (request) => {
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.onmessage = ({ data }) => socket.send(`${data} to you`);
      return response;
    });
    const ours = new WebSocket(`ws://${KERNEL}:8081/`, { createConnection: stack.net.createConnection });
    await once(ours, "open");
    ours.send("hello");
    equal(String((await once(ours, "message"))[0]), "hello to you");
    ours.close();
    await once(ours, "close");
    await kernel.shutdown();
  },
);

peerTest("sockets: pg asks Debian's PostgreSQL over stack.net", ["postgres", "ping"], undefined, async () => {
  await using stack = await opened();
  await using server = await postgres(KERNEL);
  const client = new Client({
    host: server.host,
    port: server.port,
    user: "postgres",
    database: "postgres",
    stream: () => new stack.net.Socket(),
  });
  await client.connect();
  const { rows } = await client.query("select $1::int + 1 as sum, inet_client_addr()::text as me", [41]);
  deepEqual(rows, [{ sum: 42, me: `${APPLIANCE}/32` }]);
  const many = await client.query("select i, repeat('x', 100) as text from generate_series(1, 20000) as i");
  equal(many.rows.length, 20_000);
  await client.query("create table t (b bytea)");
  await client.query("insert into t values ($1)", [Buffer.from(pattern(1_000_000))]);
  const back = await client.query("select b from t");
  deepEqual(new Uint8Array(back.rows[0].b), pattern(1_000_000));
  await client.end();
});

peerTest("sockets: a datagram of the kernel's is answered", ["ping"], undefined, async () => {
  await using stack = await opened();
  using ours = stack.listenDatagram({ port: 7 });
  const socat = new Deno.Command("sh", {
    args: ["-c", `printf ping | socat -t 3 - UDP:${APPLIANCE}:7`],
    stdout: "piped",
  }).spawn();
  const [bytes, from] = await ours.receive();
  equal(new TextDecoder().decode(bytes), "ping");
  equal(from.hostname, KERNEL);
  await ours.send(new TextEncoder().encode("pong"), from);
  equal(new TextDecoder().decode((await socat.output()).stdout), "pong");
});
