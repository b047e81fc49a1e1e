import { deepEqual, equal, match, ok, rejects, throws } from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { pattern, readAll, SERVER, type Stacks, stacks } from "../../support/stacks.ts";

/** What a request was answered. */
interface Answer {
  readonly status: number | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/** Sends a request by node:http through the client's stack. */
async function request(
  both: Stacks,
  path: string,
  options: http.RequestOptions = {},
  body?: Uint8Array,
): Promise<Answer> {
  const { createConnection } = both.client.net;
  const sent = http.request({ host: SERVER, port: 80, path, createConnection, ...options });
  sent.end(body);
  const [message] = await once(sent, "response");
  const chunks: Uint8Array[] = [];
  message.on("data", (chunk: Uint8Array) => chunks.push(chunk));
  await once(message, "end");
  const whole = new Uint8Array(await new Blob(chunks.map((chunk) => new Uint8Array(chunk))).arrayBuffer());
  return { status: message.statusCode, headers: message.headers, body: whole };
}

/** An agent that keeps connections on the client's stack. */
class KeepAlive extends http.Agent {
  override createConnection: Stacks["client"]["net"]["createConnection"];

  constructor(both: Stacks) {
    super({ keepAlive: true });
    this.createConnection = both.client.net.createConnection;
  }
}

const text = ({ body }: Answer) => new TextDecoder().decode(body);
const quiet = { port: 80, onListen: () => {} };

Deno.test("http: node:http serves and asks over stack.net", async () => {
  await using both = await stacks();
  const server = http.createServer((message, response) => {
    response.setHeader("x-path", message.url ?? "");
    message.pipe(response);
  });
  const net = both.server.net.attach(server).listen(80);
  const sent = pattern(500_000);
  const agent = new KeepAlive(both);
  for (let turn = 0; turn < 3; turn++) {
    const answer = await request(both, "/a?b", { method: "POST", agent, createConnection: undefined }, sent);
    equal(answer.headers["x-path"], "/a?b");
    deepEqual(answer.body, sent);
  }
  equal(both.client.counters.tcp.connected, 1);
  agent.destroy();
  net.close();
  await once(net, "close");
});

Deno.test("http: who closes a server of node:http closes what it listens on", async () => {
  await using both = await stacks();
  const server = http.createServer((_, response) => void response.end("here"));
  const net = both.server.net.attach(server).listen(80);
  equal(text(await request(both, "/", { headers: { connection: "close" } })), "here");
  server.close();
  await once(net, "close");
  equal(net.listening, false);
  await rejects(both.client.connect({ hostname: SERVER, port: 80 }), Deno.errors.ConnectionRefused);
});

Deno.test("serve: a handler's Response is sent, with its status, headers, cookies and length", async () => {
  await using both = await stacks();
  await using _server = both.server.serve(quiet, (request, { remoteAddr }) => {
    const headers = new Headers([["x-from", remoteAddr.hostname], ["set-cookie", "a=1"], [
      "set-cookie",
      "b=2",
    ]]);
    return new Response(`${request.method} ${request.url}`, { status: 201, statusText: "Made", headers });
  });
  const answer = await request(both, "/x?y=z");
  equal(text(answer), `GET http://${SERVER}/x?y=z`);
  equal(answer.status, 201);
  equal(answer.headers["x-from"], "10.0.0.2");
  deepEqual(answer.headers["set-cookie"], ["a=1", "b=2"]);
  equal(answer.headers["content-length"], String(answer.body.length));
  equal(answer.headers["transfer-encoding"], undefined);
});

Deno.test("serve: bodies are streams both ways", async () => {
  await using both = await stacks();
  await using _server = both.server.serve(quiet, (request) => new Response(request.body));
  const sent = pattern(2_000_000);
  const answer = await request(both, "/", { method: "PUT" }, sent);
  deepEqual(answer.body, sent);
  equal(answer.headers["transfer-encoding"], "chunked");
  const small = await request(both, "/", { method: "PUT" }, pattern(3));
  deepEqual([small.body, small.headers["content-length"]], [pattern(3), "3"]);
});

Deno.test("serve: the first part of a response leaves before the last is made", async () => {
  await using both = await stacks();
  const { promise, resolve } = Promise.withResolvers<void>();
  await using _server = both.server.serve(quiet, () => {
    const parts = async function* () {
      yield pattern(1);
      await promise;
      yield pattern(2);
    };
    return new Response(ReadableStream.from(parts()));
  });
  const { createConnection } = both.client.net;
  const sent = http.get({ host: SERVER, port: 80, createConnection });
  const [message] = await once(sent, "response");
  const [first] = await once(message, "data");
  equal(first.length, 1);
  resolve();
  const [second] = await once(message, "data");
  equal(second.length, 2);
  await once(message, "end");
});

Deno.test("serve: HEAD and 204 have no body, an empty one has length 0 (RFC 9110 8.6)", async () => {
  await using both = await stacks();
  await using _server = both.server.serve(quiet, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/none") return new Response(null, { status: 204 });
    return new Response(pathname === "/empty" ? null : "body");
  });
  const head = await request(both, "/", { method: "HEAD" });
  deepEqual([head.status, head.body.length], [200, 0]);
  const none = await request(both, "/none");
  deepEqual([none.status, none.headers["content-length"]], [204, undefined]);
  equal((await request(both, "/empty")).headers["content-length"], "0");
});

Deno.test("serve: what a handler throws is answered with 500, or by onError", async () => {
  await using both = await stacks();
  const fail = () => {
    throw new Error("boom");
  };
  const onError = (error: unknown) => new Response(String(error), { status: 503 });
  await using _own = both.server.serve({ ...quiet, onError }, fail);
  const answer = await request(both, "/");
  deepEqual([answer.status, text(answer)], [503, "Error: boom"]);
  const written: unknown[] = [];
  const { error } = console;
  console.error = (...args: unknown[]) => void written.push(...args);
  try {
    await using _default = both.server.serve({ ...quiet, port: 81 }, fail);
    const other = await request(both, "/", { port: 81 });
    deepEqual([other.status, text(other)], [500, "Internal Server Error"]);
    match(String(written[0]), /boom/);
  } finally {
    console.error = error;
  }
});

Deno.test("serve: a connection is kept for the next request", async () => {
  await using both = await stacks();
  const agent = new KeepAlive(both);
  await using _server = both.server.serve(quiet, () => new Response("x"));
  for (let turn = 0; turn < 20; turn++) {
    equal(text(await request(both, "/", { agent, createConnection: undefined })), "x");
  }
  equal(both.client.counters.tcp.connected, 1);
  agent.destroy();
});

Deno.test("serve: a client that goes aborts its request, and completed says so", async () => {
  await using both = await stacks();
  const seen = Promise.withResolvers<string>();
  await using server = both.server.serve(quiet, async (request, { completed }) => {
    completed.catch((error: Error) => seen.resolve(`${request.signal.aborted} ${error.name}`));
    sent.destroy();
    await once(request.signal, "abort");
    return new Response("too late");
  });
  const { createConnection } = both.client.net;
  const sent = http.get({ host: SERVER, port: server.addr.port, createConnection });
  await rejects(once(sent, "response"), { code: "ECONNRESET" });
  equal(await seen.promise, "true Interrupted");
});

Deno.test("serve: shutdown lets the request under way end, and takes no other", async () => {
  await using both = await stacks();
  const { promise, resolve } = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const server = both.server.serve(quiet, async () => {
    begun.resolve();
    await promise;
    return new Response("at last");
  });
  const agent = new KeepAlive(both);
  const answering = request(both, "/", { agent, createConnection: undefined });
  await begun.promise;
  const down = server.shutdown();
  await rejects(request(both, "/"), { code: "ECONNREFUSED" });
  resolve();
  const answer = await answering;
  deepEqual([text(answer), answer.headers.connection], ["at last", "close"]);
  await down;
  await server.finished;
  agent.destroy();
});

Deno.test("serve: the signal ends the server and its connections at once", async () => {
  await using both = await stacks();
  const abort = new AbortController();
  const begun = Promise.withResolvers<void>();
  const server = both.server.serve({ ...quiet, signal: abort.signal }, () => {
    begun.resolve();
    return new Promise<Response>(() => {});
  });
  const answering = rejects(request(both, "/"), { code: "ECONNRESET" });
  await begun.promise;
  abort.abort();
  await server.finished;
  await answering;
});

Deno.test("serve: a request that cannot be told is refused", async () => {
  await using both = await stacks();
  await using server = both.server.serve({ port: 0, onListen: () => {} }, () => new Response("x"));
  const ask = async (bytes: string) => {
    const conn = await both.client.connect({ hostname: SERVER, port: server.addr.port });
    await conn.write(new TextEncoder().encode(bytes));
    // Without closeWrite: whoever half-closes may have gone before it is answered, as with Deno.serve.
    const answer = new TextDecoder().decode(await readAll(conn.readable));
    conn.close();
    return answer.split("\r\n")[0];
  };
  equal(await ask("GET / HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n"), "HTTP/1.1 400 Bad Request");
  equal(
    await ask("TRACE / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"),
    "HTTP/1.1 501 Not Implemented",
  );
  equal(await ask("nonsense\r\n\r\n"), "HTTP/1.1 400 Bad Request");
  equal(await ask("GET http://b/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"), "HTTP/1.1 200 OK");
});

Deno.test("serve: a port in use is an error at once, and the console says where it listens", async () => {
  await using both = await stacks();
  const lines: unknown[] = [];
  const { log } = console;
  console.log = (line: unknown) => void lines.push(line);
  try {
    await using server = both.server.serve({ port: 80, handler: () => new Response("x") });
    deepEqual(server.addr, { transport: "tcp", hostname: "0.0.0.0", port: 80 });
    throws(() => both.server.serve({ port: 80 }, () => new Response("y")), { name: "AddrInUse" });
  } finally {
    console.log = log;
  }
  ok(lines.includes("Listening on http://0.0.0.0:80/"));
});

Deno.test("serve: what a handler does not read of a body is not in the way of the next request", async () => {
  const limit = 1 << 16;
  await using both = await stacks({ receiveBuffer: limit, sendBuffer: limit });
  await using _server = both.server.serve(quiet, async ({ body, method, url }) => {
    if (url.endsWith("/begun")) {
      const reader = body!.getReader();
      await reader.read();
      await reader.cancel();
    }
    return new Response(`<${method}>`);
  });
  for (const path of ["/ignored", "/begun"]) {
    using conn = await both.client.connect({ hostname: SERVER, port: 80 });
    const answers = readAll(conn.readable);
    const writer = conn.writable.getWriter();
    const length = 1 << 20;
    const first = `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: ${length}\r\n\r\n`;
    const sending = (async () => {
      await writer.write(new TextEncoder().encode(first));
      await writer.write(pattern(length));
      await writer.write(new TextEncoder().encode("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"));
    })();
    const late = AbortSignal.timeout(5_000);
    late.onabort = () => conn.abort();
    await sending;
    const found = new TextDecoder().decode(await answers).match(/<\w+>/g);
    deepEqual(found, ["<POST>", "<GET>"]);
    late.onabort = null;
  }
});

Deno.test("serve: a body that fails while the client does not read is the request's failure, not the program's", async () => {
  const limit = 1 << 14;
  await using both = await stacks({ receiveBuffer: limit, sendBuffer: limit });
  const unhandled: unknown[] = [];
  const note = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    unhandled.push(event.reason);
  };
  globalThis.addEventListener("unhandledrejection", note);
  const failed = Promise.withResolvers<void>(), completed = Promise.withResolvers<string>();
  let turn = 0;
  const pull = async (controller: ReadableStreamDefaultController) => {
    if (turn++ < 2) return controller.enqueue(pattern(turn === 1 ? 1 : 1 << 20));
    await new Promise((resolve) => setTimeout(resolve, 20));
    setTimeout(failed.resolve, 20);
    throw new Error("mine");
  };
  await using _server = both.server.serve(quiet, (_, info) => {
    info.completed.catch((error: Error) => completed.resolve(error.name));
    return new Response(new ReadableStream({ pull }, { highWaterMark: 0 }));
  });
  using conn = await both.client.connect({ hostname: SERVER, port: 80 });
  await conn.write(new TextEncoder().encode("GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
  await failed.promise;
  conn.abort();
  equal(await completed.promise, "Interrupted");
  globalThis.removeEventListener("unhandledrejection", note);
  deepEqual(unhandled, []);
});

Deno.test("serve: a body of other things than bytes fails, and is not sent with a length that it has not (RFC 9112 6.3)", async () => {
  await using both = await stacks();
  const { error } = console;
  const said: unknown[] = [];
  console.error = (what: unknown) => void said.push(what instanceof Error ? what.name : what);
  try {
    // As it is when a TextEncoderStream was forgotten where the type says nothing.
    const body: ReadableStream = ReadableStream.from(["é"]);
    await using _server = both.server.serve(quiet, () => new Response(body));
    await rejects(request(both, "/"), { code: "ECONNRESET" });
    deepEqual(said, ["TypeError"]);
  } finally {
    console.error = error;
  }
});

Deno.test("serve: a request behind another one is aborted as well when its client goes, and its body canceled", async () => {
  await using both = await stacks();
  const seen: string[] = [];
  const begun = Promise.withResolvers<void>(), over = Promise.withResolvers<void>();
  let left = 5;
  const note = (what: string) => {
    seen.push(what);
    if (--left === 0) over.resolve();
  };
  await using _server = both.server.serve(quiet, ({ url, signal }, { completed }) => {
    const path = new URL(url).pathname;
    signal.onabort = () => note(`${path} aborted`);
    completed.catch(({ name }) => note(`${path} ${name}`));
    if (path === "/1") {
      return new Promise<Response>((resolve) =>
        signal.addEventListener("abort", () => resolve(new Response()))
      );
    }
    const pull = (controller: ReadableStreamDefaultController) => {
      controller.enqueue(pattern(1 << 16));
      begun.resolve();
    };
    return new Response(new ReadableStream({ pull, cancel: () => note(`${path} canceled`) }));
  });
  using conn = await both.client.connect({ hostname: SERVER, port: 80 });
  const ask = (path: string) => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`;
  await conn.write(new TextEncoder().encode(ask("/1") + ask("/2")));
  await begun.promise;
  conn.abort();
  await Promise.race([over.promise, new Promise((resolve) => void setTimeout(resolve, 3_000))]);
  deepEqual(seen.sort(), ["/1 Interrupted", "/1 aborted", "/2 Interrupted", "/2 aborted", "/2 canceled"]);
});

Deno.test("serve: a body that is longer than its Content-Length is canceled", async () => {
  await using both = await stacks();
  const { error } = console;
  console.error = () => {};
  let isCanceled = false;
  const pull = async (controller: ReadableStreamDefaultController) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    controller.enqueue(pattern(10));
  };
  const cancel = () => void (isCanceled = true);
  try {
    await using _server = both.server.serve(quiet, () => {
      return new Response(new ReadableStream({ pull, cancel }), { headers: { "content-length": "15" } });
    });
    await rejects(request(both, "/"), { code: "ECONNRESET" });
    ok(isCanceled);
  } finally {
    console.error = error;
  }
});

Deno.test("serve: a body that somebody else has locked is answered with 500, or by onError", async () => {
  await using both = await stacks();
  const onError = (error: unknown) => new Response(String(error), { status: 500 });
  await using _server = both.server.serve({ ...quiet, onError }, () => {
    const response = new Response(new ReadableStream());
    response.body!.getReader();
    return response;
  });
  match(text(await request(both, "/")), /^TypeError: .* locked/);
});
